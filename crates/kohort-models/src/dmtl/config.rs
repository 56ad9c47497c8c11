//! DMTL's settings. A paper's setting is a file in `configs/`, not code.

use kohort_layers::GateScale;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::context::ContextConfig;
use crate::trainer::TrainConfig;

/// What the attention weighs (descriptions of the paper disagree, see [`kohort_layers::GateAttention`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attention {
    /// The dimensions of the item embedding, given user and item.
    #[default]
    Item,
    /// The members of the user's group, given the item; `h_u` becomes the group's embedding.
    Members,
    /// Every dimension alike: with [`GateScale::Paper`] the item shrinks to `1/d_i`, else nothing happens.
    Uniform,
    /// No attention: `ĥ_i = h_i`.
    None,
}

/// Which tasks are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tasks {
    /// Rating and profiling over the shared layer.
    #[default]
    Both,
    /// Rating alone: the single-task model.
    Rating,
    /// Profiling alone.
    Profiling,
}

/// How the two losses are added.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lambda {
    /// `L_rec + λ·L_profile`.
    Fixed(f64),
    /// Both weights learned from the losses' uncertainty, with this learning rate.
    Learned(f64),
}

/// Settings of a DMTL model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Width of user and item embeddings, `d_u = d_i`.
    pub embedding: usize,
    /// Width of the shared layer, `d_z`.
    pub shared: usize,
    /// Width of the rating head's hidden layer; 0 for the paper's linear head.
    pub head: usize,
    /// What the attention weighs.
    pub attention: Attention,
    /// How the gate over item dimensions is scaled.
    pub gate: GateScale,
    /// Members of a group that attention looks at, at most; a seeded sample of larger groups.
    pub members: usize,
    /// Which tasks are trained.
    pub tasks: Tasks,
    /// How the two losses are added.
    pub lambda: Lambda,
    /// Whether side features of users and items enter their embeddings.
    pub side_features: bool,
    /// Whether the user's history and the item's raters enter their embeddings (implicit and residual-weighted).
    pub history: bool,
    /// Whether `h_u · ĥ_i` is added to the rating head's output.
    pub dot: bool,
    /// Numbers about the neighbourhood of (user, item, time) as further inputs; none for the paper's inputs.
    pub context: Option<ContextConfig>,
    /// Dropout on embeddings and on the shared layer, in [0, 1).
    pub dropout: f64,
    /// Dropout on the context's numbers.
    pub context_dropout: f64,
    /// Share of training rows whose user (and, independently, item) embedding is left out, so that side features and
    /// history learn to stand alone.
    pub id_dropout: f64,
    /// Weight decay of tables.
    pub table_decay: f64,
    /// Weight decay of dense weights.
    pub decay: f64,
    /// Standard deviation with which embeddings start.
    pub initial_deviation: f64,
    /// The training run.
    pub train: TrainConfig,
}

impl Default for Config {
    /// The paper's inputs with the starting point of its reading: `d_u = d_i = 64`, `d_z = 128`, λ = 0.5.
    fn default() -> Self {
        Config {
            embedding: 64,
            shared: 128,
            head: 0,
            attention: Attention::Item,
            gate: GateScale::Width,
            members: 32,
            tasks: Tasks::Both,
            lambda: Lambda::Fixed(0.5),
            side_features: true,
            history: false,
            dot: false,
            context: None,
            dropout: 0.1,
            context_dropout: 0.0,
            id_dropout: 0.0,
            table_decay: 0.0,
            decay: 0.0,
            initial_deviation: 0.05,
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

    /// The setting that goes with a data set: `"ml-100k"`, `"itm-rec"`, or a general one for any other name.
    pub fn for_dataset(name: &str) -> Config {
        let text = match name {
            "ml-100k" => include_str!("../../configs/dmtl-ml-100k.toml"),
            "itm-rec" => include_str!("../../configs/dmtl-itm-rec.toml"),
            _ => include_str!("../../configs/dmtl.toml"),
        };
        Config::from_toml(text).expect("the configs of this crate are tested")
    }

    /// The inputs that the paper names and nothing else: ids and side features, no history, no context, a linear head.
    pub fn paper() -> Config {
        Config::from_toml(include_str!("../../configs/dmtl-paper.toml"))
            .expect("the configs of this crate are tested")
    }

    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        for (key, value) in
            [("embedding", self.embedding), ("shared", self.shared), ("members", self.members)]
        {
            if value == 0 || value > 4096 {
                return Err(ModelError::setting(key, value, "a whole number from 1 to 4096"));
            }
        }
        if self.head > 4096 {
            return Err(ModelError::setting("head", self.head, "a whole number from 0 to 4096"));
        }
        for (key, value) in [
            ("dropout", self.dropout),
            ("context_dropout", self.context_dropout),
            ("id_dropout", self.id_dropout),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(ModelError::setting(key, value, "a number in [0, 1)"));
            }
        }
        let (Lambda::Fixed(lambda) | Lambda::Learned(lambda)) = self.lambda;
        for (key, value) in [
            ("lambda", lambda),
            ("table_decay", self.table_decay),
            ("decay", self.decay),
            ("initial_deviation", self.initial_deviation),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number of at least 0"));
            }
        }
        if let Some(context) = &self.context {
            context.check()?;
        }
        self.train.check()
    }
}
