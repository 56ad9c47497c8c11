//! STAN's settings.

use kohort_core::Init;
use kohort_layers::EncoderConfig;
use kohort_layers::experts::{ExpertConfig, PleConfig};
use serde::{Deserialize, Serialize};

use super::stage::Attention;
use crate::ModelError;
use crate::trainer::TrainConfig;

/// What a row weighs in a task's loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// 1: the preferences are learned beside the tasks and weigh nothing.
    One,
    /// The predicted preference itself, which is how “STAN without Beta” is read here.
    Preference,
    /// The mean α/(α + β) of the Beta distribution: as little noise as there can be.
    Mean,
    /// A draw from the Beta distribution, anew in each step.
    #[default]
    Beta,
}

/// Settings of a [`super::Stan`]; the defaults are `configs/stan.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Columns that describe the user, the fields of `U`.
    pub user: Vec<String>,
    /// Names of the targets to learn, all of them yes or no; all of the rows' where empty.
    pub tasks: Vec<String>,
    /// How fields are put in relation.
    pub attention: Attention,
    /// What a row weighs in a task's loss.
    pub weights: Weights,
    /// Weight of the loss of preferences against what users did before.
    pub stage_loss: f64,
    /// Whether a task's tower reads the stage beside what the experts give.
    pub into_towers: bool,
    /// How columns are embedded.
    pub encoder: EncoderConfig,
    /// Width d₁ of a field.
    pub width: usize,
    /// Experts of each task's own beside shared ones; one level is CGC.
    pub experts: PleConfig,
    /// Width of each hidden layer of a task's tower.
    pub tower: Vec<usize>,
    /// Dropout of the row and after each hidden layer, in [0, 1).
    pub dropout: f64,
    /// Weight decay of tables.
    pub table_decay: f64,
    /// Weight decay of dense weights.
    pub decay: f64,
    /// The training run.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            user: vec!["user".to_owned()],
            tasks: Vec::new(),
            attention: Attention::SelfAttention,
            weights: Weights::Beta,
            stage_loss: 1.0,
            into_towers: false,
            encoder: EncoderConfig { width: 16, init: Init::Normal(0.1) },
            width: 16,
            experts: PleConfig {
                levels: 1,
                own: 1,
                shared: 1,
                expert: ExpertConfig { widths: vec![64, 64], ..ExpertConfig::default() },
                ..PleConfig::default()
            },
            tower: vec![32],
            dropout: 0.1,
            table_decay: 0.0,
            decay: 0.0,
            train: TrainConfig {
                epochs: 20,
                batch: 512,
                shard_rows: 512,
                patience: 3,
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

    /// Whether anything asks what users prefer; without, the model is its experts alone.
    pub(super) fn has_stage(&self) -> bool {
        self.weights != Weights::One || self.stage_loss > 0.0 || self.into_towers
    }

    /// Checks every setting against its range; what depends on the data is checked when the model is built.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        if self.user.is_empty() {
            return Err(ModelError::setting("user", "[]", "columns that describe the user"));
        }
        for (key, value) in [("encoder.width", self.encoder.width), ("width", self.width)] {
            if !(1..=4096).contains(&value) {
                return Err(ModelError::setting(key, value, "a whole number from 1 to 4096"));
            }
        }
        crate::multitask::body::check_widths("tower", &self.tower, 0)?;
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::setting("dropout", self.dropout, "a number in [0, 1)"));
        }
        for (key, value) in
            [("stage_loss", self.stage_loss), ("table_decay", self.table_decay), ("decay", self.decay)]
        {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number of at least 0"));
            }
        }
        self.train.check()
    }
}
