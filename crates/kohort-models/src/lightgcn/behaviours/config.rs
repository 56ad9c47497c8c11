//! Settings of the graph network over several behaviours.

use serde::{Deserialize, Serialize};

use super::super::Config as Plain;
use crate::ModelError;
use crate::trainer::TrainConfig;

/// Settings of a [`super::BehaviourGcn`]. NAH-GNN's are not known; the defaults are LightGCN's with hops of up to four.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Width d of the embeddings.
    pub width: usize,
    /// Numbers of layers K: each behaviour is seen through each of them, and attention is over all.
    pub hops: Vec<usize>,
    /// ω: what a behaviour beside the target counts in the loss; 0 for its edges alone.
    pub auxiliary: f64,
    /// Standard deviation with which embeddings start.
    pub initial_deviation: f64,
    /// λ: what half the squared length of the embeddings of a row's nodes costs.
    pub penalty: f64,
    /// The training run. A batch is one shard, because every shard propagates all graphs.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Config {
        let Plain { width, initial_deviation, penalty, train, .. } = Plain::default();
        Config { width, hops: vec![1, 4], auxiliary: 0.1, initial_deviation, penalty, train }
    }
}

impl Config {
    /// A recipe chosen on validation rows of HetRec Last.fm, with friendships as the second behaviour.
    pub fn lastfm() -> Config {
        let text = include_str!("../../../configs/lightgcn-lastfm-behaviours.toml");
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
        let mut distinct = self.hops.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if !(1..=8).contains(&self.hops.len())
            || distinct.len() < self.hops.len()
            || distinct.iter().any(|&hops| hops > 64)
        {
            let allowed = "1 to 8 different whole numbers from 0 to 64";
            return Err(ModelError::setting("hops", format!("{:?}", self.hops), allowed));
        }
        if !(self.auxiliary >= 0.0 && self.auxiliary.is_finite()) {
            return Err(ModelError::setting("auxiliary", self.auxiliary, "a finite number of at least 0"));
        }
        self.plain().check()
    }

    /// The setting of LightGCN on the target's rows alone.
    pub(super) fn plain(&self) -> Plain {
        Plain {
            width: self.width,
            layers: self.hops.iter().copied().max().unwrap_or(0),
            initial_deviation: self.initial_deviation,
            penalty: self.penalty,
            train: self.train,
        }
    }
}
