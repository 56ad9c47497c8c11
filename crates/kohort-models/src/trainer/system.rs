//! What the trainer needs to know of a model.

use kohort_core::{Cut, ParamId, Params, Tape, Var};
use kohort_layers::Mode;
use kohort_objectives::{ObjectiveError, Terms};

use crate::ModelError;

/// Where balancers that look at gradients take them. Papers differ, libraries too, and it decides what a step costs and what is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Site {
    /// With respect to the shared representation, as MGDA-UB does: one short sweep an objective, whatever lies below. Objectives of
    /// different rows have no inner products there.
    #[default]
    Representation,
    /// With respect to a few parameters, such as those of the last shared layer (GradNorm's paper): a sweep an objective that goes no
    /// further than these.
    Layer(Vec<ParamId>),
    /// With respect to most or all shared parameters (PCGrad's paper): a whole sweep an objective, whose gradients are kept and
    /// combined. Those that are left out, tables say, are combined and not looked at.
    Shared(Vec<ParamId>),
}

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

    /// Row weights and factors of each loss for a whole batch of training rows, one an objective unless [`System::present`] says otherwise.
    ///
    /// # Errors
    /// If the batch's weights can't be used.
    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError>;

    /// The same at a step of the run, for weights that follow a schedule.
    ///
    /// # Errors
    /// As [`System::terms`].
    fn terms_at(&self, batch: &[u32], _step: u64) -> Result<Vec<Terms>, ModelError> {
        Ok(self.terms(batch)?)
    }

    /// Whether each objective has a row in a batch with these terms: as many entries as objectives. There may be more terms than objectives,
    /// where an objective is the sum of several losses.
    fn present(&self, terms: &[Terms]) -> Vec<bool> {
        terms.iter().map(|terms| terms.scale > 0.0).collect()
    }

    /// Where gradients are looked at, by balancers that do; asked once.
    fn site(&self) -> Site {
        Site::Representation
    }

    /// What every objective's gradient is multiplied by, beside its own coefficient: 1 over their number where they are means that stand
    /// for one loss. Balancers don't see it.
    fn factor(&self) -> f64 {
        1.0
    }

    /// A metric of each objective on rows held out, `None` where it is undefined there; nothing where there are no such rows. Asked after
    /// each epoch for a balancer that listens.
    fn metrics(&self, _params: &Params) -> Option<Vec<Option<f64>>> {
        None
    }

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

    /// What is worth saying after an epoch; asked once.
    fn words(&self, _params: &Params) -> Words {
        Words::default()
    }
}

/// What a system says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    /// Numbers for the log, such as the entropy of an attention.
    pub notes: Vec<(String, f64)>,
    /// What somebody should know: an expert that nobody uses.
    pub remarks: Vec<String>,
}

/// Numbers alone.
impl From<Vec<(String, f64)>> for Words {
    fn from(notes: Vec<(String, f64)>) -> Words {
        Words { notes, remarks: Vec::new() }
    }
}

/// A recorded forward pass.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// One loss per objective, each `[1, 1]`.
    pub losses: Vec<Var>,
    /// The shared representation, where balancers that look at gradients take them: every way from the losses to what they share runs
    /// through it.
    pub shared: Cut,
    /// Whether what lies above it belongs to one objective each, its head. Where not, as with cohorts of one task, all of it is weighted
    /// as what is shared.
    pub heads: bool,
    /// What is minimised beside the objectives and is none of them, `[1, 1]`, its weight included: the balance of experts,
    /// say. Balancers neither see nor weigh it; over a batch it is the mean of the shards', each as heavy as its rows.
    pub penalty: Option<Var>,
}

impl Recorded {
    /// Losses and the representation that they share.
    pub fn new(losses: Vec<Var>, shared: Vec<Var>) -> Recorded {
        Recorded { losses, shared: Cut(shared), heads: true, penalty: None }
    }
}
