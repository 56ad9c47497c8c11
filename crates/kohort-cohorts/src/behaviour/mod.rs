//! Cohorts from what users do: features of their events, and rules that read as sentences.
//!
//! | File | Idea |
//! |---|---|
//! | `events` | who did something when, checked once |
//! | `table` | named features with units, some of them undefined |
//! | `recency` | recency, frequency, value and trend up to a moment |
//! | `moments` | the same, each row at a moment of its own |
//! | `rule` | a condition on features |
//! | `stages` | the first condition that holds names the cohort |
//! | `lifecycle` | new, growing, mature, dormant |
//! | `errors` | what can be refused |
//!
//! Events at or after the moment are never looked at: features of a training period cannot know the test period.
//!
//! ```
//! use kohort_cohorts::behaviour::{Events, Lifecycle, RecencyConfig};
//!
//! const DAY: i64 = 86_400;
//! // User 0 came once, long ago; user 1 came yesterday for the first time; nobody has seen user 2.
//! let events = Events::new(3, &[0, 1], &[0, 99 * DAY], None)?;
//! let features = RecencyConfig::at(100 * DAY).of(&events)?;
//! let stages = Lifecycle::default().stages()?;
//! let labels = stages.assign(&features)?;
//! let names: Vec<&str> = labels.iter().map(|&stage| stages.names()[stage as usize]).collect();
//! assert_eq!(names, ["dormant", "new", "unseen"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod errors;
mod events;
mod lifecycle;
mod moments;
mod recency;
mod rule;
mod stages;
mod table;

pub use errors::BehaviourError;
pub use events::Events;
pub use lifecycle::Lifecycle;
pub use moments::Moments;
pub use recency::{DAY, RecencyConfig};
pub use rule::{Condition, Is, Rule};
pub use stages::{Stage, Stages};
pub use table::{Column, Features};
