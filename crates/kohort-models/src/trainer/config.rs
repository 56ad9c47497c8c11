//! How a run goes.

use std::fmt;

use kohort_core::optim::{Adam, Rule, Tables};
use kohort_objectives::conflict::{Record, WatchConfig};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ModelError;

/// How the learning rate moves over the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// It falls linearly from its start to this share of it at the last step of the last epoch.
    Linear(f64),
}

impl Schedule {
    /// The learning rate of step `step` of `total`, both counted over the whole run.
    pub fn rate(self, start: f64, step: u64, total: u64) -> f64 {
        match self {
            Schedule::Constant => start,
            Schedule::Linear(end) => start * (1.0 + (end - 1.0) * step as f64 / total.max(1) as f64),
        }
    }
}

/// Settings of a training run.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the training rows, at most.
    pub epochs: usize,
    /// Rows per step.
    pub batch: usize,
    /// Rows per shard. Part of the numerics: gradients are summed shard by shard.
    pub shard_rows: usize,
    /// Learning rate at the start.
    pub learning_rate: f64,
    /// How it moves.
    pub schedule: Schedule,
    /// Epochs without a better validation value after which the run stops.
    pub patience: usize,
    /// Decay of the average of parameters along the run, in [0, 1); 0 keeps no average.
    pub average: f64,
    /// Which rule steps the parameters.
    pub rule: Rule,
    /// What happens to table rows that a step did not touch.
    pub tables: Tables,
    /// When to warn about the weights of objectives.
    pub watch: WatchConfig,
    /// Whether to measure where the time goes, see [`Profile`](super::Profile). It changes no number of the run, so it is no part of what tells
    /// runs apart: it is read and never written, and not shown.
    #[serde(skip_serializing, deserialize_with = "by_people")]
    pub profile: bool,
}

/// Checkpoints don't have what is not written.
fn by_people<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    if from.is_human_readable() { bool::deserialize(from) } else { Ok(false) }
}

/// By hand, because systems make their identity of it: with the profile in it, a run that is watched could not go on from a
/// checkpoint of one that is not.
impl fmt::Debug for TrainConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrainConfig {
            epochs,
            batch,
            shard_rows,
            learning_rate,
            schedule,
            patience,
            average,
            rule,
            tables,
            watch,
            profile: _,
        } = self;
        f.debug_struct("TrainConfig")
            .field("epochs", epochs)
            .field("batch", batch)
            .field("shard_rows", shard_rows)
            .field("learning_rate", learning_rate)
            .field("schedule", schedule)
            .field("patience", patience)
            .field("average", average)
            .field("rule", rule)
            .field("tables", tables)
            .field("watch", watch)
            .finish()
    }
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig {
            epochs: 20,
            batch: 256,
            shard_rows: 128,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            patience: 5,
            average: 0.0,
            rule: Rule::Adam(Adam::default()),
            tables: Tables::AllRows,
            watch: WatchConfig::default(),
            profile: false,
        }
    }
}

impl TrainConfig {
    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        let positive = "a whole number of at least 1";
        for (key, value) in [
            ("epochs", self.epochs),
            ("batch", self.batch),
            ("shard_rows", self.shard_rows),
            ("patience", self.patience),
        ] {
            if value == 0 {
                return Err(ModelError::setting(key, value, positive));
            }
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err(ModelError::setting("learning_rate", self.learning_rate, "a finite number above 0"));
        }
        if let Err((key, value, allowed)) = self.rule.check() {
            return Err(ModelError::setting(key, value, allowed));
        }
        if !(0.0..1.0).contains(&self.average) {
            return Err(ModelError::setting("average", self.average, "a number in [0, 1)"));
        }
        if let Schedule::Linear(end) = self.schedule
            && !(0.0..=1.0).contains(&end)
        {
            return Err(ModelError::setting("schedule", end, "a final share in [0, 1]"));
        }
        Record::new(Vec::new(), self.watch)?;
        Ok(())
    }
}
