//! Lifecycle stages: unseen, dormant, new, growing, mature.
//!
//! A user without events is unseen; one who has not come for long is dormant, however new; of the others, who came first
//! not long ago is new, who comes more often than before is growing, and the rest are mature. Thresholds are choices,
//! not facts: a shop of sofas is not a news feed.

use serde::{Deserialize, Serialize};

use super::{BehaviourError, Is, Rule, Stage, Stages};

/// Thresholds of the stages, on the features of [`RecencyConfig`](super::RecencyConfig).
///
/// ```
/// use kohort_cohorts::behaviour::Lifecycle;
///
/// assert_eq!(
///     Lifecycle::default().stages()?.to_string(),
///     "unseen: if events is at most 0\n\
///      dormant: else if recency is at least 60 days\n\
///      new: else if tenure is below 30 days\n\
///      growing: else if trend is at least 1 doublings\n\
///      mature: else\n"
/// );
/// # Ok::<(), kohort_cohorts::behaviour::BehaviourError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifecycle {
    /// Days without an event from which on a user is dormant, above 0.
    pub dormant_days: f64,
    /// Days since the first event up to which a user is new, above 0.
    pub new_days: f64,
    /// Doublings of the events of a window from which on a user is growing.
    pub growing_doublings: f64,
}

impl Default for Lifecycle {
    /// Dormant from 60 days, new up to 30 days, growing from one doubling.
    fn default() -> Self {
        Self { dormant_days: 60.0, new_days: 30.0, growing_doublings: 1.0 }
    }
}

impl Lifecycle {
    /// The stages as rules.
    ///
    /// # Errors
    /// A threshold out of its range.
    pub fn stages(&self) -> Result<Stages, BehaviourError> {
        for (setting, days) in [("dormant_days", self.dormant_days), ("new_days", self.new_days)] {
            if !(days > 0.0 && days.is_finite()) {
                return Err(BehaviourError::Setting {
                    setting: setting.to_owned(),
                    value: days.to_string(),
                    allowed: "a finite number above 0",
                });
            }
        }
        Stages::new(
            vec![
                Stage::new("unseen", Rule::when("events", Is::AtMost, 0.0, "events")),
                Stage::new("dormant", Rule::when("recency", Is::AtLeast, self.dormant_days, "days")),
                Stage::new("new", Rule::when("tenure", Is::Below, self.new_days, "days")),
                Stage::new("growing", Rule::when("trend", Is::AtLeast, self.growing_doublings, "doublings")),
            ],
            "mature",
        )
    }
}
