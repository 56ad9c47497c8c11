//! Active-user upsampling: a random sample of users, and beside it a disjoint sample of active ones.
//!
//! From n users with training rows, m = round(`random` · n) are drawn at random, whoever they are. Then round(`ratio` · m)
//! *active* users are drawn by numbers of their own and put beside them, without those that are in the random sample
//! already. The result is the rows of both, each once: nobody is there twice, no row is repeated.
//!
//! Activity is the number of a user's training rows inside a [`Window`] of time; active is who has at least so many, or
//! who belongs to the most active share of the own territory ([`Active`]). How many come from which territory is the
//! [`Quota`]: with weight w_t of territory t, round(`ratio` · m) · w_t / Σ w, to the largest remainder.
//!
//! | quota | w_t |
//! |---|---|
//! | none | no quota: all territories' active users in one urn |
//! | square root | √n_t, which lifts the small ones |
//! | equal | 1 for every territory with a user |
//!
//! **What is possible.** The active users that the random sample took cannot be added, so with a share q of active users
//! `ratio` · `random` is at most about q · (1 − `random`) over all, and a quota asks more of small territories than that. A
//! quota that cannot be met is an error, or filled in by others if [`Shortfall`] says so.
//!
//! **What it does to probabilities.** Active users have another rate of positives π_s than the population's π, so a
//! model trained on the sample is off by the difference of the log-odds, which [`PriorShift`] takes away; the order of
//! the scores, and with it PR-AUC, stays. [`Upsampled::importance`] corrects the loss instead, row by row.
//!
//! **Time.** Only training rows are counted. With [`Upsampling::held_out_from`] a window that reaches into the held-out
//! time, or a training row that lies there, is an error.
//!
//! Source: R. Gampa, S. Javadi, B. Bayar and A. Yessenalina, "Multi-Task Learning For Reduced Popularity Bias In
//! Multi-Territory Video Recommendations", 2023 (arXiv 2310.03148), which states a disjoint set of active users drawn
//! independently. Definition of active, window, ratio and quotas are not published; here they are settings.
//!
//! ```
//! use kohort_data::{Way, synthetic::Recipe, territories::Territories};
//! use kohort_data::upsample::{Active, Quota, Upsampling};
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1)?;
//! let regions = Territories::of(&data, "region")?;
//! let upsampling = Upsampling {
//!     random: 0.3,
//!     active: Active::TopShare { share: 0.4 },
//!     ratio: 0.25,
//!     quota: Quota::SquareRoot,
//!     ..Upsampling::default()
//! };
//! let sample = upsampling.draw(&split.train, &regions, 1)?;
//! assert_eq!((sample.random_users(), sample.active_users()), (36, 9));
//! println!("{}", sample.rates);
//!
//! let too_many = Upsampling { ratio: 2.0, ..upsampling };
//! let error = too_many.draw(&split.train, &regions, 1).unwrap_err().to_string();
//! assert!(error.starts_with("upsampling quota: found "), "says where there are too few: {error}");
//! # Ok::<(), kohort_data::DataError>(())
//! ```

mod activity;
mod draw;
mod prior;
mod quota;
mod rates;

pub use draw::Upsampled;
pub use prior::PriorShift;
pub use rates::{Rate, Rates};

use serde::{Deserialize, Serialize};

use crate::DataError;

/// How to draw the two samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upsampling {
    /// Share of all users with training rows in the random sample, above 0 to 1. With 1 nobody is left to be added.
    pub random: f64,
    /// Who is active.
    pub active: Active,
    /// Which rows count as activity.
    pub window: Window,
    /// Active users added for each user of the random sample, 0 to 1000.
    pub ratio: f64,
    /// How many come from which territory.
    pub quota: Quota,
    /// What happens where a territory has fewer active users left than its quota.
    pub shortfall: Shortfall,
    /// First moment of the held-out parts, where they begin at one moment for all
    /// ([`Parts::held_out_from`](crate::Parts::held_out_from)): checked against rows and window.
    pub held_out_from: Option<i64>,
}

impl Default for Upsampling {
    /// 30 % of the users, a quarter as many active ones from the top fifth of their territory, square-root quotas, an error
    /// where they cannot be met.
    fn default() -> Upsampling {
        Upsampling {
            random: 0.3,
            active: Active::TopShare { share: 0.2 },
            window: Window::default(),
            ratio: 0.25,
            quota: Quota::SquareRoot,
            shortfall: Shortfall::Error,
            held_out_from: None,
        }
    }
}

/// Who is active.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Active {
    /// Users with at least so many rows in the window, at least 1.
    AtLeast {
        /// The rows.
        rows: u32,
    },
    /// The users of each territory with the most rows in the window: `round(share · users of the territory)`, of whom
    /// those without a row in the window are not active. Which of those with equally many rows comes first is drawn.
    TopShare {
        /// Share of the territory's users with training rows, above 0 to 1.
        share: f64,
    },
}

/// Times from `from` to before `until`, in Unix seconds; `None` is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// The first moment inside.
    pub from: Option<i64>,
    /// The first moment after.
    pub until: Option<i64>,
}

impl Window {
    /// Whether `time` is inside.
    pub fn contains(self, time: i64) -> bool {
        self.from.is_none_or(|from| time >= from) && self.until.is_none_or(|until| time < until)
    }
}

/// How many active users come from which territory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quota {
    /// As the draw has it.
    None,
    /// In proportion to the square root of the territory's users with training rows.
    SquareRoot,
    /// The same number from every territory that has users with training rows.
    Equal,
}

/// What happens where a quota cannot be met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortfall {
    /// An error that names the territory.
    #[default]
    Error,
    /// The territory gives all it has and the others fill in, in proportion to their weights; the table of rates shows it.
    /// Still an error if all territories together have too few.
    Others,
}

impl Upsampling {
    fn check(&self, times: &[i64]) -> Result<(), DataError> {
        let wrong = |name: &'static str, found: String, expected: &str| {
            Err(DataError::Setting { name, found, expected: expected.to_owned() })
        };
        if !(self.random > 0.0 && self.random <= 1.0) {
            return wrong("upsampling: random", self.random.to_string(), "a share above 0 to 1");
        }
        if !(0.0..=1000.0).contains(&self.ratio) {
            return wrong("upsampling: ratio", self.ratio.to_string(), "a number from 0 to 1000");
        }
        match self.active {
            Active::AtLeast { rows: 0 } => {
                return wrong("upsampling: active rows", "0".to_owned(), "at least 1");
            }
            Active::TopShare { share } if !(share > 0.0 && share <= 1.0) => {
                return wrong("upsampling: active share", share.to_string(), "a share above 0 to 1");
            }
            _ => {}
        }
        if let (Some(from), Some(until)) = (self.window.from, self.window.until)
            && from >= until
        {
            let found = format!("from {from} until {until}");
            return wrong("upsampling: window", found, "a window that begins before it ends");
        }
        let Some(held) = self.held_out_from else { return Ok(()) };
        if let Some(until) = self.window.until.filter(|&until| until > held) {
            let expected = format!("an end not after {held}, where the held-out rows begin");
            return wrong("upsampling: window", format!("until {until}"), &expected);
        }
        if let Some(row) = times.iter().position(|&time| time >= held) {
            let expected = format!("training rows before {held}, where the held-out rows begin");
            return wrong("upsampling: time", format!("{} in training row {row}", times[row]), &expected);
        }
        Ok(())
    }
}
