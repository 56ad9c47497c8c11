//! GroupCE's settings.

use kohort_core::{Init, ListLoss};
use kohort_layers::EncoderConfig;
use kohort_objectives::Exposure;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::parts::{self, Composition, Fairness, Part};
use crate::trainer::TrainConfig;

/// Where a row's lists come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lists {
    /// No lists: log loss alone.
    None,
    /// One list of all rows of a shard.
    Batch,
    /// A list of each user.
    User,
    /// A list of each group of users whose codes begin alike, on every level.
    #[default]
    Codes,
    /// The same with codes drawn at random once: groups of the same number that mean nothing. What remains of a gain over this is
    /// the codes'.
    RandomCodes,
}

/// What the levels' losses weigh.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelWeights {
    /// Each level's `1/(2σ²)` is learned, with this learning rate for `ln σ²`.
    Learned(f64),
    /// All levels have this weight.
    Fixed(f64),
}

/// What early stopping looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// 1 less the mean over users of the AUC of their validation rows, weighed by rows; users with both labels count.
    #[default]
    Gauc,
    /// Log loss of the validation rows.
    LogLoss,
}

/// Settings of a [`super::GroupCe`]; the defaults are `configs/groupce.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Columns that describe the user; the first of them says who it is.
    pub user: Vec<String>,
    /// Name of the target, a yes or no.
    pub target: String,
    /// Name of the categorical column that says which item a row is of; only weights by exposure and novelty ask.
    pub item: Option<String>,
    /// Weights of rows by how often their item is there.
    pub exposure: Option<Exposure>,
    /// What is minimised in place of the log loss, by cohort; nothing for log loss.
    pub compositions: Vec<Composition>,
    /// What should be alike between cohorts.
    pub fairness: Vec<Fairness>,
    /// How columns are embedded.
    pub encoder: EncoderConfig,
    /// Width d of the user embedding that is quantised.
    pub width: usize,
    /// Width of each hidden layer above user embedding and the rest of the row.
    pub hidden: Vec<usize>,
    /// Dropout after each hidden layer, in [0, 1).
    pub dropout: f64,
    /// Where lists come from.
    pub lists: Lists,
    /// Number of codes on each level, the coarsest first.
    pub codes: Vec<usize>,
    /// Epochs before there are codes and lists.
    pub warm_up: usize,
    /// Epochs from one fit of the code-books to the next.
    pub refresh: usize,
    /// The loss within a list.
    pub list_loss: ListLoss,
    /// What levels weigh.
    pub levels: LevelWeights,
    /// Weight λ of the log loss of predictions from quantised user embeddings.
    pub quantised: f64,
    /// What early stopping looks at.
    pub stop: Stop,
    /// Weight decay of tables.
    pub table_decay: f64,
    /// Weight decay of dense weights.
    pub decay: f64,
    /// The training run. A list does not reach beyond a shard: with `shard_rows = batch` it is the batch's.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            user: vec!["user".to_owned()],
            target: "like".to_owned(),
            item: None,
            exposure: None,
            compositions: Vec::new(),
            fairness: Vec::new(),
            encoder: EncoderConfig { width: 16, init: Init::Normal(0.1) },
            width: 32,
            hidden: vec![64, 32],
            dropout: 0.1,
            lists: Lists::Codes,
            codes: vec![8, 4, 4],
            warm_up: 2,
            refresh: 1,
            list_loss: ListLoss::Sigmoid,
            levels: LevelWeights::Learned(0.01),
            quantised: 0.1,
            stop: Stop::Gauc,
            table_decay: 0.0,
            decay: 0.0,
            train: TrainConfig {
                epochs: 20,
                batch: 4096,
                shard_rows: 4096,
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

    /// Number of levels on which there are lists.
    pub(super) fn depth(&self) -> usize {
        match self.lists {
            Lists::None => 0,
            Lists::Batch | Lists::User => 1,
            Lists::Codes | Lists::RandomCodes => self.codes.len(),
        }
    }

    /// Checks every setting against its range; what depends on the data is checked when the model is built.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        if self.user.is_empty() {
            return Err(ModelError::setting(
                "user",
                "[]",
                "the user's column and any others that describe it",
            ));
        }
        let novelty = |composition: &Composition| composition.parts.iter().any(|w| w.part == Part::Novelty);
        if self.item.is_none() && (self.exposure.is_some() || self.compositions.iter().any(novelty)) {
            let asks = if self.exposure.is_some() { "exposure asks for it" } else { "novelty asks for it" };
            return Err(ModelError::setting("item", asks, "the name of the items' column"));
        }
        if let Some(exposure) = &self.exposure {
            exposure.check()?;
        }
        parts::check(&self.compositions, &self.fairness)?;
        let one_to = |key: &str, value: usize| match value {
            1..=4096 => Ok(()),
            _ => Err(ModelError::setting(key, value, "a whole number from 1 to 4096")),
        };
        one_to("encoder.width", self.encoder.width)?;
        one_to("width", self.width)?;
        one_to("refresh", self.refresh)?;
        crate::multitask::body::check_widths("hidden", &self.hidden, 0)?;
        if matches!(self.lists, Lists::Codes | Lists::RandomCodes)
            && !((1..=8).contains(&self.codes.len())
                && self.codes.iter().all(|codes| (2..=4096).contains(codes)))
        {
            let found = format!("{:?}", self.codes);
            return Err(ModelError::setting("codes", found, "one to eight levels of 2 to 4096 codes"));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::setting("dropout", self.dropout, "a number in [0, 1)"));
        }
        let (key, weight) = match self.levels {
            LevelWeights::Learned(rate) => ("levels.learned", rate),
            LevelWeights::Fixed(weight) => ("levels.fixed", weight),
        };
        if !(weight > 0.0 && weight.is_finite()) {
            return Err(ModelError::setting(key, weight, "a finite number above 0"));
        }
        for (key, value) in
            [("quantised", self.quantised), ("table_decay", self.table_decay), ("decay", self.decay)]
        {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number of at least 0"));
            }
        }
        self.train.check()
    }
}
