//! Settings of a multi-task model over rows. A comparison's setting is a file in a `configs/` folder, not code.

use kohort_layers::EncoderConfig;
use serde::{Deserialize, Serialize};

use kohort_objectives::rules::WeightRule;

use super::balance::BalanceConfig;
use super::body::{AdapterKind, Body, Penalty, check_widths};
use crate::ModelError;
use crate::trainer::TrainConfig;

/// Settings of a multi-task model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How columns are embedded.
    pub encoder: EncoderConfig,
    /// What stands between the encoded row and the towers.
    pub body: Body,
    /// What keeps experts in use and apart.
    pub penalties: Vec<Penalty>,
    /// A column of vectors that gates read and the encoder does not: behaviour, or the representation of a sequence.
    pub gate: Option<String>,
    /// Width of each hidden layer of a task's tower; without any, a task is a linear layer on its representation.
    pub tower: Vec<usize>,
    /// Names of the targets to learn, in the order of all predictions; all of them where empty.
    pub tasks: Vec<String>,
    /// Weight of each task's loss; 1 for all where empty.
    pub task_weights: Vec<f64>,
    /// Who gets how much of the gradient: tasks, cohorts or pairs of them, by any method. `task_weights` are a short form of fixed weights.
    pub balance: BalanceConfig,
    /// What weighs rows by task, cohort and columns, in the losses and never in a metric.
    pub rules: Vec<WeightRule>,
    /// Whether the rows' own weights weigh their losses. They never weigh a metric.
    pub weigh_rows: bool,
    /// Dropout after each hidden layer, in [0, 1).
    pub dropout: f64,
    /// Weight decay of tables.
    pub table_decay: f64,
    /// Weight decay of dense weights.
    pub decay: f64,
    /// The training run.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            encoder: EncoderConfig::default(),
            body: Body::default(),
            penalties: Vec::new(),
            gate: None,
            tower: vec![32],
            tasks: Vec::new(),
            task_weights: Vec::new(),
            balance: BalanceConfig::default(),
            rules: Vec::new(),
            weigh_rows: false,
            dropout: 0.0,
            table_decay: 0.0,
            decay: 0.0,
            train: TrainConfig::default(),
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

    /// Checks every setting against its range; what depends on the data is checked when the model is built.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        if self.encoder.width == 0 || self.encoder.width > 4096 {
            return Err(ModelError::setting(
                "encoder.width",
                self.encoder.width,
                "a whole number from 1 to 4096",
            ));
        }
        check_widths("tower", &self.tower, 0)?;
        if let Some(twice) = self.tasks.iter().enumerate().find(|(at, task)| self.tasks[..*at].contains(task))
        {
            return Err(ModelError::setting("tasks", twice.1, "each name once"));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::setting("dropout", self.dropout, "a number in [0, 1)"));
        }
        let weights = self.task_weights.iter().map(|&weight| ("task_weights", weight));
        let decays = [("table_decay", self.table_decay), ("decay", self.decay)];
        for (key, value) in decays.into_iter().chain(weights) {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number of at least 0"));
            }
        }
        if !self.task_weights.is_empty() && self.balance != BalanceConfig::default() {
            let what = "task_weights and balance are two answers to one question: keep one";
            return Err(ModelError::Config(what.to_owned()));
        }
        self.train.check()
    }
}

/// Settings of adapters on a trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptConfig {
    /// Which adapters.
    pub kind: AdapterKind,
    /// Whether the tasks' towers go on learning; else they are frozen like all of the base.
    pub towers: bool,
    /// Whether the rows' own weights weigh their losses, as they may have for the base.
    #[serde(default)]
    pub weigh_rows: bool,
    /// Weight decay of the adapters and, where they learn, the towers.
    pub decay: f64,
    /// Who gets how much of the gradient; a look at gradients costs what is trainable alone.
    #[serde(default)]
    pub balance: BalanceConfig,
    /// What weighs rows by task, cohort and columns, as [`Config::rules`]. The base's rules are not taken over.
    #[serde(default)]
    pub rules: Vec<WeightRule>,
    /// The training run.
    pub train: TrainConfig,
}

impl AdaptConfig {
    /// Reads and checks a config in TOML. Unknown keys are errors.
    ///
    /// # Errors
    /// The line, the key and what is allowed.
    pub fn from_toml(text: &str) -> Result<AdaptConfig, ModelError> {
        let config: AdaptConfig = toml::from_str(text).map_err(|e| ModelError::Config(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        if !(self.decay >= 0.0 && self.decay.is_finite()) {
            return Err(ModelError::setting("decay", self.decay, "a finite number of at least 0"));
        }
        self.train.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configs_of_this_crate_are_read_and_in_range() {
        for text in [
            include_str!("../../configs/multitask-mmoe.toml"),
            include_str!("../../configs/multitask-cohort-experts.toml"),
        ] {
            Config::from_toml(text).unwrap();
        }
        AdaptConfig::from_toml(include_str!("../../configs/multitask-lora.toml")).unwrap();
    }
}
