//! What was drawn where, for the report.

use std::fmt;

/// One territory's part of the two samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// The territory.
    pub territory: String,
    /// Users with training rows.
    pub users: usize,
    /// Those of them that are active.
    pub active_users: usize,
    /// Users in the random sample.
    pub random: usize,
    /// Users in the active sample.
    pub added: usize,
    /// Active users in either sample.
    pub active_drawn: usize,
    /// Training rows.
    pub rows: usize,
    /// Training rows of the users in either sample.
    pub rows_drawn: usize,
}

impl Rate {
    pub(super) fn of(territory: &str) -> Rate {
        Rate { territory: territory.to_owned(), ..Rate::default() }
    }

    /// Users drawn of users there are; `None` without users.
    pub fn user_rate(&self) -> Option<f64> {
        (self.users > 0).then(|| (self.random + self.added) as f64 / self.users as f64)
    }

    /// Rows drawn of rows there are; `None` without rows.
    pub fn row_rate(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.rows_drawn as f64 / self.rows as f64)
    }
}

/// The realised rates of every territory; shown as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// One a territory, in id order.
    pub territories: Vec<Rate>,
}

impl Rates {
    /// (N_s / N) / (n_s / n) for the active or the other users of a territory, of whom one at least is drawn.
    pub(super) fn weight(&self, rate: &Rate, active: bool) -> f64 {
        let sum = |of: fn(&Rate) -> usize| self.territories.iter().map(of).sum::<usize>() as f64;
        let drawn = rate.random + rate.added;
        let (of_all, of_drawn) = if active {
            (rate.active_users, rate.active_drawn)
        } else {
            (rate.users - rate.active_users, drawn - rate.active_drawn)
        };
        (of_all as f64 / sum(|r| r.users)) / (of_drawn as f64 / sum(|r| r.random + r.added))
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.territories.iter().map(|r| r.territory.chars().count()).max().unwrap_or(0).max(9);
        writeln!(
            f,
            "{:width$} {:>7} {:>7} {:>7} {:>7} {:>8}",
            "territory", "users", "active", "random", "added", "rows"
        )?;
        for rate in &self.territories {
            let share = rate.row_rate().map_or("none".to_owned(), |share| format!("{:.1} %", 100.0 * share));
            writeln!(
                f,
                "{:width$} {:>7} {:>7} {:>7} {:>7} {share:>8}",
                rate.territory, rate.users, rate.active_users, rate.random, rate.added
            )?;
        }
        Ok(())
    }
}
