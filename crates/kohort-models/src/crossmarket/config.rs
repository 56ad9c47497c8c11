//! The ranker's settings.

use kohort_core::optim::{AdamW, Rule};
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::trainer::{Schedule, TrainConfig};

/// From which moment a user is looked at, and which rows the decayed counts see from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Time {
    /// From the nearest day of the history, to both sides: where the split is one by user, whose training rows are all known.
    #[default]
    TwoSided,
    /// A training row from its own day, seeing what came before that day; in scoring from the day after the last training row.
    /// For a split at one moment, with [`History::Before`].
    OneSided,
    /// No times at all: the decayed count is left out, and what decays does not.
    None,
}

/// Which of the user's training rows are the history of another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum History {
    /// All others: those before, latest first, then those after, earliest first.
    #[default]
    Around,
    /// Those before, latest first.
    Before,
}

/// Settings of a [`super::CrossMarket`]; the defaults are those chosen on XMarket's validation items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// From when users are looked at, and what is seen from there.
    pub time: Time,
    /// What a training row's history holds.
    pub history: History,
    /// Items of a history, at most; 1 to 1024.
    pub most_history: usize,
    /// Days after which a row counts 1/e in the decayed count of its item.
    pub popularity_days: f64,
    /// Days after which an item of the history counts 1/e.
    pub recency_days: f64,
    /// Days between two rows of a user after which their pair counts 1/e as near.
    pub near_days: f64,
    /// Added to an item's count where pairs are divided by it.
    pub shrinkage: f64,
    /// Negatives of each training row, drawn once; 1 to 1000. Each keeps 32 bytes until the run ends.
    pub negatives: usize,
    /// Width D of user and title vectors.
    pub width: usize,
    /// Width of the hidden layer of the two towers.
    pub tower: usize,
    /// Width of both hidden layers of the network over the features.
    pub hidden: usize,
    /// Whether the user tower has a block for each territory.
    pub blocks: bool,
    /// Dropout on the pooled history, in [0, 1).
    pub dropout: f64,
    /// Weight decay of the embedding tables.
    pub table_decay: f64,
    /// Weight decay of everything else.
    pub decay: f64,
    /// Standard deviation with which embeddings start.
    pub initial_deviation: f64,
    /// The training run.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            time: Time::TwoSided,
            history: History::Around,
            most_history: 16,
            popularity_days: 365.0,
            recency_days: 180.0,
            near_days: 30.0,
            shrinkage: 3.0,
            negatives: 30,
            width: 32,
            tower: 64,
            hidden: 32,
            blocks: true,
            dropout: 0.5,
            table_decay: 10.0,
            decay: 0.01,
            initial_deviation: 0.1,
            train: TrainConfig {
                epochs: 3,
                batch: 1024,
                shard_rows: 256,
                learning_rate: 0.006,
                schedule: Schedule::Linear(0.02),
                patience: 3,
                rule: Rule::AdamW(AdamW::default()),
                ..TrainConfig::default()
            },
        }
    }
}

impl Config {
    /// Reads and checks a config in TOML. Unknown keys are errors.
    ///
    /// # Errors
    /// The line, the key and what is allowed.
    pub fn from_toml(text: &str) -> Result<Config, ModelError> {
        let config: Config = toml::from_str(text).map_err(|e| ModelError::Config(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        for (key, value, most, allowed) in [
            ("most_history", self.most_history, 1024, "a whole number from 1 to 1024"),
            ("negatives", self.negatives, 1000, "a whole number from 1 to 1000"),
            ("width", self.width, 4096, "a whole number from 1 to 4096"),
            ("tower", self.tower, 4096, "a whole number from 1 to 4096"),
            ("hidden", self.hidden, 4096, "a whole number from 1 to 4096"),
        ] {
            if value == 0 || value > most {
                return Err(ModelError::setting(key, value, allowed));
            }
        }
        for (key, value) in [
            ("popularity_days", self.popularity_days),
            ("recency_days", self.recency_days),
            ("near_days", self.near_days),
            ("shrinkage", self.shrinkage),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number above 0"));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::setting("dropout", self.dropout, "a number in [0, 1)"));
        }
        for (key, value) in [
            ("table_decay", self.table_decay),
            ("decay", self.decay),
            ("initial_deviation", self.initial_deviation),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number of at least 0"));
            }
        }
        self.train.check()
    }
}
