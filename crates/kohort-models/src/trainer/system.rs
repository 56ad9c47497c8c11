//! What the trainer needs to know of a model.

use kohort_core::{Cut, Params, Tape, Var};
use kohort_layers::Mode;
use kohort_objectives::{ObjectiveError, Terms};

use crate::ModelError;

/// A model with its training rows, ready to be trained.
pub trait System: Sync {
    /// Number of training rows.
    fn rows(&self) -> usize;

    /// Names of the objectives, in the order of all lists of losses.
    fn objectives(&self) -> &[String];

    /// Parameters to start from.
    fn initial(&self, seed: u64) -> Params;

    /// What makes a run this run besides its training config and seed: the model's config and its rows, in any words. A
    /// checkpoint with another identity is refused.
    fn identity(&self) -> String {
        String::new()
    }

    /// Before an epoch, counted from 0: writes what no gradient reaches, such as centres of groups, into parameters that don't take part
    /// in training. They are saved with the others, so a run that is taken up again must get from them what it would have got.
    ///
    /// # Errors
    /// If what is to be written can't be made.
    fn prepare(&self, _params: &mut Params, _epoch: usize) -> Result<(), ModelError> {
        Ok(())
    }

    /// Puts the rows of a batch into the order in which they are cut into shards: rows that share work, a cohort's weights
    /// say, belong into one shard. As they come, unless a system says otherwise.
    fn arrange(&self, _batch: &mut [u32]) {}

    /// Row weights and factors of each objective for a whole batch of training rows.
    ///
    /// # Errors
    /// If the batch's weights can't be used.
    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError>;

    /// Records the forward pass of some training rows with one loss per objective. `weights` and `scales` are the
    /// batch's [`Terms`], cut to these rows.
    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        rows: &[u32],
        weights: &[Option<&[f32]>],
        scales: &[f64],
        mode: &mut Mode,
    ) -> Recorded;

    /// What is worth a line in the log after an epoch, such as the entropy of an attention.
    fn notes(&self, _params: &Params) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// What somebody should know after an epoch, in words: an expert that nobody uses.
    fn remarks(&self, _params: &Params) -> Vec<String> {
        Vec::new()
    }
}

/// A recorded forward pass.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// One loss per objective, each `[1, 1]`.
    pub losses: Vec<Var>,
    /// The shared representation, where balancers that look at gradients take them.
    pub shared: Cut,
    /// What is minimised beside the objectives and is none of them, `[1, 1]`, its weight included: the balance of experts,
    /// say. Balancers neither see nor weigh it; over a batch it is the mean of the shards', each as heavy as its rows.
    pub penalty: Option<Var>,
}

impl Recorded {
    /// Losses and the representation that they share.
    pub fn new(losses: Vec<Var>, shared: Vec<Var>) -> Recorded {
        Recorded { losses, shared: Cut(shared), penalty: None }
    }
}
