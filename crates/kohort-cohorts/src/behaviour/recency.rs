//! Recency, frequency, value and trend of each user, up to a moment.
//!
//! With the moment T, a user's n events at times `t_1 ≤ … ≤ t_n < T` with values `v_i`, and windows of w days:
//!
//! | Feature | Formula | Unit | Undefined |
//! |---|---|---|---|
//! | `events` | n | events | never |
//! | `recency` | (T − t_n) / day | days | n = 0 |
//! | `tenure` | (T − t_1) / day | days | n = 0 |
//! | `gap` | (t_n − t_1) / day / (n − 1) | days | n < 2 |
//! | `frequency` | n · 30 / max(tenure, 30) | events per 30 days | n = 0 |
//! | `trend` | log₂((a + ½) / (b + ½)), a events in the last w days, b in the w before | doublings | n = 0, tenure < 2 w |
//! | `value` | Σ v_i / n | value per event | n = 0 |
//! | `total` | Σ v_i | value | never |
//!
//! `value` and `total` are there where events have values. Frequency divides by 30 days at least, as a user of two days
//! would else have a rate of hundreds. A trend needs two windows in which the user was there: a newcomer's first month has
//! nothing before it to compare with. The last window is [T − w, T), the one before [T − 2w, T − w).
//!
//! Recency, frequency and monetary value are those of P. S. Fader, B. G. S. Hardie and K. L. Lee, "RFM and CLV", Journal of
//! Marketing Research 42, 2005, but for the reference: there recency is t_n − t_1; here, as in the trade, it is the time
//! since the last event. Tenure is their T. The trend is ours.

use serde::{Deserialize, Serialize};

use super::{BehaviourError, Column, Events, Features};

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// Days that a frequency is counted over.
const MONTH: f64 = 30.0;

/// What features are computed, and up to when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecencyConfig {
    /// T, Unix seconds: only events before it count.
    pub moment: i64,
    /// w, days; above 0, at most 36,500.
    pub window_days: f64,
}

/// What is remembered of one user's events.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) late: u64,
    pub(super) early: u64,
    pub(super) total: f64,
}

impl RecencyConfig {
    /// Up to `moment`, with windows of 30 days.
    pub fn at(moment: i64) -> Self {
        Self { moment, window_days: MONTH }
    }

    /// The features of every user; see the table above.
    ///
    /// # Errors
    /// A window out of its range.
    pub fn of(&self, events: &Events<'_>) -> Result<Features, BehaviourError> {
        self.check()?;
        let mut tallies = vec![Tally::default(); events.users()];
        for (user, time, value) in events.before(self.moment) {
            let tally = &mut tallies[user as usize];
            (tally.first, tally.last) = match tally.events {
                0 => (time, time),
                _ => (tally.first.min(time), tally.last.max(time)),
            };
            tally.events += 1;
            tally.total += value;
            if self.within(time, 1.0) {
                tally.late += 1;
            } else if self.within(time, 2.0) {
                tally.early += 1;
            }
        }
        let values = tallies.iter().flat_map(|tally| self.row(tally, events.has_values())).collect();
        Features::new(columns(events.has_values()), values)
    }

    pub(super) fn check(&self) -> Result<(), BehaviourError> {
        if self.window_days > 0.0 && self.window_days <= 36_500.0 {
            return Ok(());
        }
        Err(BehaviourError::Setting {
            setting: "window_days".to_owned(),
            value: self.window_days.to_string(),
            allowed: "a number above 0 and at most 36500",
        })
    }

    /// Whether a time is at most so many windows before the moment.
    pub(super) fn within(&self, time: i64, windows: f64) -> bool {
        days(time, self.moment) <= windows * self.window_days
    }

    pub(super) fn row(&self, tally: &Tally, has_values: bool) -> Vec<Option<f64>> {
        let n = tally.events as f64;
        let seen = |value: f64| (tally.events > 0).then_some(value);
        let tenure = days(tally.first, self.moment);
        let gap = days(tally.first, tally.last) / (n - 1.0);
        let trend = ((tally.late as f64 + 0.5) / (tally.early as f64 + 0.5)).log2();
        let mut row = vec![
            Some(n),
            seen(days(tally.last, self.moment)),
            seen(tenure),
            (tally.events > 1).then_some(gap),
            seen(n * MONTH / tenure.max(MONTH)),
            seen(trend).filter(|_| tenure >= 2.0 * self.window_days),
        ];
        if has_values {
            row.extend([seen(tally.total / n), Some(tally.total)]);
        }
        row
    }
}

/// Names and units, in the order of the rows.
pub(super) fn columns(has_values: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::new("events", "events"),
        Column::new("recency", "days"),
        Column::new("tenure", "days"),
        Column::new("gap", "days"),
        Column::new("frequency", "events per 30 days"),
        Column::new("trend", "doublings"),
    ];
    if has_values {
        columns.extend([Column::new("value", "value per event"), Column::new("total", "value")]);
    }
    columns
}

/// Days from one time to another. In f64: times at both ends of an i64 have no i64 between them.
fn days(from: i64, to: i64) -> f64 {
    (to as f64 - from as f64) / DAY as f64
}
