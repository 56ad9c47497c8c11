//! SASRec's settings.

use kohort_core::optim::{Adam, Rule};
use kohort_layers::SequenceConfig;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::trainer::TrainConfig;

/// Settings of a [`super::SasRec`]; the defaults are `configs/sequence.toml`: the paper's form and training, with the width, length
/// and dropout that this repository uses on MovieLens-100K.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Width of embeddings and of the representation.
    pub width: usize,
    /// Heads of attention; a divisor of the width.
    pub heads: usize,
    /// Blocks of attention and two pointwise layers.
    pub blocks: usize,
    /// Items of a history, at most: a user's last so many.
    pub most: usize,
    /// Dropout, in [0, 1).
    pub dropout: f64,
    /// Negatives of each position, drawn anew in each epoch; 1 to 1000.
    pub negatives: usize,
    /// Weight decay of everything, as [`TrainConfig::rule`] understands it.
    pub decay: f64,
    /// The training run. A row is a user.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            width: 48,
            heads: 1,
            blocks: 2,
            most: 50,
            dropout: 0.2,
            negatives: 1,
            decay: 0.0,
            train: TrainConfig {
                epochs: 200,
                batch: 128,
                shard_rows: 32,
                patience: 20,
                rule: Rule::Adam(Adam { beta2: 0.98, ..Adam::default() }),
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

    /// The encoder's part, for a table of `items` items.
    pub fn encoder(&self, items: usize) -> SequenceConfig {
        let Config { width, heads, blocks, most, dropout, .. } = *self;
        SequenceConfig { items, width, heads, blocks, most, dropout }
    }

    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        self.encoder(1).check()?;
        if !(1..=1000).contains(&self.negatives) {
            return Err(ModelError::setting("negatives", self.negatives, "a whole number from 1 to 1000"));
        }
        if !(self.decay >= 0.0 && self.decay.is_finite()) {
            return Err(ModelError::setting("decay", self.decay, "a finite number of at least 0"));
        }
        self.train.check()
    }
}

impl From<kohort_layers::SequenceError> for ModelError {
    fn from(error: kohort_layers::SequenceError) -> ModelError {
        ModelError::setting(error.key, error.value, error.allowed)
    }
}
