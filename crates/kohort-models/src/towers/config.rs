//! The towers' settings. The paper's reading is `configs/towers.toml`.

use kohort_core::Activation;
use kohort_objectives::Denominator;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::trainer::TrainConfig;

/// What a group of territories has of its own, all of it on the user tower. With neither a residual block nor own layers
/// groups only divide the loss ([`Config::denominator`]), and the network is the baseline's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blocks {
    /// Whether each group adds a block to the tower's output: `z + g_k(z)`. `g_k`'s last layer starts at zero, so the
    /// first step is the baseline's.
    pub residual: bool,
    /// Whether `g_k` looks at `ReLU(z)` instead of `z`.
    pub relu_first: bool,
    /// Widths of the block's hidden layers, with ReLU after each; empty for a single layer.
    pub hidden: Vec<usize>,
    /// How many of the user tower's last layers each group has of its own instead of shared ones, from 0 to all of
    /// them. All groups start from the weights that the shared layer would start from: again the baseline's first step.
    pub own_layers: usize,
}

impl Default for Blocks {
    fn default() -> Self {
        Blocks { residual: true, relu_first: true, hidden: Vec::new(), own_layers: 0 }
    }
}

/// How two representations become a logit: `scale · ⟨g_k(f_u(u)), f_t(t)⟩ + bias`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logit {
    /// One over the temperature, to start from.
    pub scale: f64,
    /// Whether the scale is learned.
    pub learn_scale: bool,
    /// The bias to start from.
    pub bias: f64,
    /// Whether the bias is learned.
    pub learn_bias: bool,
}

impl Default for Logit {
    fn default() -> Self {
        Logit { scale: 1.0, learn_scale: true, bias: 0.0, learn_bias: true }
    }
}

/// How the towers' layers start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Weights as He's before a ReLU and Glorot's before none, biases at 0.
    #[default]
    He,
    /// Weights and biases uniform between `±1/√fan_in`, as PyTorch's linear layers: the first scores are smaller.
    FanIn,
}

/// Where labels come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Labels {
    /// Every training row is a positive; so many negatives are drawn for each, uniformly from the items of the user's
    /// territory that the user does not have, anew in each epoch.
    Sampled {
        /// Negatives of a positive. 0 only for the softmax loss.
        negatives: usize,
    },
    /// Every training row was shown: a positive from this rating on, else a negative. With folded users
    /// ([`UserInput::Folded`](super::UserInput::Folded)) only positives are history, so the vector of a positive row is made
    /// of one item less than that of the same user's negative rows, and at scoring all have the whole history.
    Shown {
        /// The lowest rating of a positive.
        threshold: f32,
    },
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// The paper's: binary cross-entropy of each example's logit.
    Logistic,
    /// In-batch negatives: cross-entropy of the positive among all titles of its *shard*, so that
    /// [`TrainConfig::shard_rows`] bounds the pool; other titles that the user has are left out. The pool mixes
    /// territories: most of it may be titles that are not on offer where the user is, which are easy to tell apart. For
    /// [`Labels::Sampled`], whose negatives join the pool.
    Softmax {
        /// Whether `ln q_t` is taken from each logit, with `q_t` the expected number of title `t` per row, so that a
        /// title's popularity in the pool is not held against it (Yi et al., RecSys 2019).
        log_q: bool,
    },
}

/// What early stopping maximises on the validation candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The area under the precision-recall curve over a territory's candidates, averaged over territories.
    #[default]
    PrAuc,
    /// nDCG@10 over a territory's users, averaged over territories.
    Ndcg,
}

/// Settings of the two towers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Widths of the user tower's layers; the last is the representation's.
    pub user: Vec<usize>,
    /// Widths of the title tower's layers; the last equals the user tower's.
    pub title: Vec<usize>,
    /// Applied after each layer but the last.
    pub activation: Activation,
    /// How layers start.
    pub start: Start,
    /// What each group has of its own, where there are groups.
    pub blocks: Blocks,
    /// From representations to a logit.
    pub logit: Logit,
    /// Where labels come from.
    pub labels: Labels,
    /// What is minimised.
    pub loss: Loss,
    /// What a group's losses are divided by: `rows`, the batch's rows (the paper's 1/B; small groups weigh little), or
    /// `mask`, the group's own rows, with the mean over groups (all groups weigh alike).
    pub denominator: Denominator,
    /// A history of `h` items is the sum of their factors over `h` to this power: 0 the sum, 0.5, 1 the mean.
    pub history_power: f64,
    /// Dropout on the towers' inputs and hidden layers, in [0, 1).
    pub dropout: f64,
    /// Weight decay of the shared weights.
    pub decay: f64,
    /// Weight decay of what groups have of their own.
    pub block_decay: f64,
    /// What the learning rate is multiplied by for what groups have of their own.
    pub block_rate: f64,
    /// What early stopping maximises.
    pub stop: Stop,
    /// The training run. A row is a positive with its negatives ([`Labels::Sampled`]) or an example
    /// ([`Labels::Shown`]).
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            user: vec![256, 128],
            title: vec![256, 128],
            activation: Activation::Relu,
            start: Start::He,
            blocks: Blocks::default(),
            logit: Logit::default(),
            labels: Labels::Sampled { negatives: 4 },
            loss: Loss::Logistic,
            denominator: Denominator::Rows,
            history_power: 0.5,
            dropout: 0.0,
            decay: 0.0,
            block_decay: 0.0,
            block_rate: 1.0,
            stop: Stop::PrAuc,
            train: TrainConfig { batch: 820, shard_rows: 205, ..TrainConfig::default() },
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

    /// The reading of the paper: 512→256→128 and 768→256→128, residual blocks of 128, Adam at 1e-3, 1/B.
    pub fn paper() -> Config {
        Config::from_toml(include_str!("../../configs/towers.toml"))
            .expect("the configs of this crate are tested")
    }

    /// The same model with a recipe chosen on the validation items of XMarket Electronics.
    pub fn xmarket() -> Config {
        Config::from_toml(include_str!("../../configs/towers-xmarket.toml"))
            .expect("the configs of this crate are tested")
    }

    /// Negatives drawn for a positive; 0 where every row is an example.
    pub fn negatives(&self) -> usize {
        match self.labels {
            Labels::Sampled { negatives } => negatives,
            Labels::Shown { .. } => 0,
        }
    }

    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        const WIDTH: usize = 8192;
        for (key, widths, least) in
            [("user", &self.user, 1), ("title", &self.title, 1), ("blocks.hidden", &self.blocks.hidden, 0)]
        {
            if widths.len() < least || widths.len() > 16 {
                return Err(ModelError::setting(key, format!("{widths:?}"), "up to 16 layers"));
            }
            if widths.iter().any(|&width| width == 0 || width > WIDTH) {
                return Err(ModelError::setting(key, format!("{widths:?}"), "widths from 1 to 8192"));
            }
        }
        if self.user.last() != self.title.last() {
            let found = format!("{:?} beside user = {:?}", self.title, self.user);
            return Err(ModelError::setting("title", found, "the same last width for both towers"));
        }
        if self.blocks.own_layers > self.user.len() {
            let found = self.blocks.own_layers;
            return Err(ModelError::setting("blocks.own_layers", found, "at most the user tower's layers"));
        }
        for (key, value) in [("logit.scale", self.logit.scale), ("logit.bias", self.logit.bias)] {
            if !value.is_finite() {
                return Err(ModelError::setting(key, value, "a finite number"));
            }
        }
        if self.logit.scale <= 0.0 {
            return Err(ModelError::setting("logit.scale", self.logit.scale, "a finite number above 0"));
        }
        match (self.labels, self.loss) {
            (Labels::Sampled { negatives: 0 }, Loss::Logistic) => {
                let allowed = "from 1 to 1000 for the logistic loss, which needs both classes";
                return Err(ModelError::setting("labels.sampled.negatives", 0, allowed));
            }
            (Labels::Sampled { negatives }, _) if negatives > 1000 => {
                return Err(ModelError::setting("labels.sampled.negatives", negatives, "from 0 to 1000"));
            }
            (Labels::Shown { threshold }, _) if !threshold.is_finite() => {
                return Err(ModelError::setting("labels.shown.threshold", threshold, "a finite rating"));
            }
            (Labels::Shown { .. }, Loss::Softmax { .. }) => {
                let allowed = "logistic where labels are shown: a softmax needs a positive in each row";
                return Err(ModelError::setting("loss", "softmax", allowed));
            }
            _ => {}
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::setting("dropout", self.dropout, "a number in [0, 1)"));
        }
        for (key, value) in
            [("history_power", self.history_power), ("decay", self.decay), ("block_decay", self.block_decay)]
        {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number of at least 0"));
            }
        }
        if !(self.block_rate > 0.0 && self.block_rate.is_finite()) {
            return Err(ModelError::setting("block_rate", self.block_rate, "a finite number above 0"));
        }
        if let Denominator::Fixed(value) = self.denominator
            && !(value > 0.0 && value.is_finite())
        {
            return Err(ModelError::setting("denominator.fixed", value, "a finite number above 0"));
        }
        self.train.check()
    }
}
