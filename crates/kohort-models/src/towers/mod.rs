//! Two towers with a block per group of territories on the user tower (R. Gampa, S. Javadi, B. Bayar and A. Yessenalina,
//! "Multi-Task Learning For Reduced Popularity Bias In Multi-Territory Video Recommendations", 2023, arXiv 2310.03148).

mod config;

use kohort_core::Params;
use kohort_data::territories::Territories;
use kohort_data::{Queries, RankingCandidates, Train, Vectors};

pub use config::{Blocks, Config, Labels, Logit, Loss, Stop};

use crate::ModelError;
use crate::baselines::Scorer;
use crate::trainer::{Checkpoint, Epoch};

/// Where user vectors come from.
#[derive(Clone, Copy, Debug)]
pub enum UserInput<'a> {
    /// The users' own vectors, `[users, width]`, as brought.
    Given(&'a Vectors),
    /// Factors of items, `[items, width]`: a user is the sum of the factors of the items in the own history, over a
    /// power of their number ([`Config::history_power`]). **When training, without the row's own item**: at evaluation
    /// the target is not in the history either, and a tower that finds the target in its input learns to look there.
    Folded(&'a Vectors),
}

/// The group of each user.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a> {
    /// Group of each user, `[users]`.
    pub of_user: &'a [u32],
    /// Number of groups.
    pub count: usize,
}

/// What the towers learn from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The rows to learn from: all, or a sample of users.
    pub train: &'a Train,
    /// The rows that histories and sampled negatives are made from, where `train` is a sample of them; `train` itself
    /// without. Under [`Labels::Shown`] only positives are history.
    pub known: Option<&'a Train>,
    /// User vectors.
    pub users: UserInput<'a>,
    /// Title vectors, `[items, width]`.
    pub titles: &'a Vectors,
    /// Who lives where: negatives are drawn, and early stopping averages, by territory.
    pub territories: &'a Territories,
    /// Groups of territories with a block each; without, one group and no block: the baseline.
    pub groups: Option<Groups<'a>>,
    /// Weight of each row of `train`, `[rows]`, such as the importance weights of an upsampled set; 1 without.
    pub weights: Option<&'a [f32]>,
    /// Candidates of the *validation* part for early stopping; without, the run goes through all epochs.
    pub validation: Option<&'a RankingCandidates>,
}

/// A trained model: representations of all users and titles, and the weights that made them.
#[derive(Debug)]
pub struct Towers {
    params: Params,
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Trains the towers.
///
/// # Errors
/// A setting out of range, data that don't fit, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Towers, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains the towers with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    _input: Input<'_>,
    config: &Config,
    _seed: u64,
    _checkpoint: Option<Checkpoint<'_>>,
    _observe: &mut dyn FnMut(&Epoch),
) -> Result<Towers, ModelError> {
    config.check()?;
    Err(ModelError::Config("the towers are being written".to_owned()))
}

impl Towers {
    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Scores of the whole catalogue for some users: fills `scores` `[users, items]`, row-major, as
    /// `Catalogue::evaluate_blocks` of kohort-eval wants it.
    pub fn lists(&self, _users: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
    }
}

/// Scores are logits, `scale · ⟨g_k(f_u(u)), f_t(t)⟩ + bias`.
impl Scorer for Towers {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        vec![0.0; queries.user.len()]
    }

    fn rates(&self) -> bool {
        false
    }
}
