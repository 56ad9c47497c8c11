//! LightGCN's settings. The paper's are `configs/lightgcn.toml`.

use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::trainer::TrainConfig;

/// Settings of a [`super::LightGcn`]; the defaults are those of the paper's code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Width d of the embeddings.
    pub width: usize,
    /// Layers K of propagation; 0 is matrix factorisation.
    pub layers: usize,
    /// Standard deviation with which embeddings start.
    pub initial_deviation: f64,
    /// λ: what half the squared length of the embeddings of a row's user, item and negative costs.
    pub penalty: f64,
    /// The training run. A batch is one shard, because every shard propagates the whole graph.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            width: 64,
            layers: 3,
            initial_deviation: 0.1,
            penalty: 1e-4,
            train: TrainConfig {
                epochs: 1000,
                batch: 2048,
                shard_rows: 2048,
                learning_rate: 1e-3,
                patience: 50,
                ..TrainConfig::default()
            },
        }
    }
}

impl Config {
    /// The setting of the paper's code.
    pub fn paper() -> Config {
        Config::shipped(include_str!("../../configs/lightgcn.toml"))
    }

    /// A recipe chosen on validation rows of HetRec Last.fm.
    pub fn lastfm() -> Config {
        Config::shipped(include_str!("../../configs/lightgcn-lastfm.toml"))
    }

    /// Matrix factorisation by the same loss, the recipe chosen on the same rows in the same way.
    pub fn lastfm_factors() -> Config {
        Config::shipped(include_str!("../../configs/lightgcn-lastfm-factors.toml"))
    }

    fn shipped(text: &str) -> Config {
        Config::from_toml(text).expect("the configs of this crate are tested")
    }

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
        if !(1..=4096).contains(&self.width) {
            return Err(ModelError::setting("width", self.width, "a whole number from 1 to 4096"));
        }
        if self.layers > 64 {
            return Err(ModelError::setting("layers", self.layers, "a whole number from 0 to 64"));
        }
        for (key, value) in [("initial_deviation", self.initial_deviation), ("penalty", self.penalty)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number of at least 0"));
            }
        }
        self.train.check()?;
        if self.train.shard_rows < self.train.batch {
            let allowed = "at least train.batch, as every shard propagates the whole graph";
            return Err(ModelError::setting("train.shard_rows", self.train.shard_rows, allowed));
        }
        Ok(())
    }
}
