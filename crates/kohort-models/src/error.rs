//! What can go wrong when a model is made, trained or taken up again.

use std::path::PathBuf;

use kohort_core::checkpoint::CheckpointError;
use kohort_data::DataError;
use kohort_objectives::ObjectiveError;

/// Why a model could not be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A setting outside its range.
    #[error("{key} = {value}, allowed is {allowed}")]
    Setting {
        /// The setting's key in the config.
        key: String,
        /// What it was set to.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A config file with an unknown key or a value of the wrong type.
    #[error("config: {0}")]
    Config(String),
    /// There is nothing to learn from.
    #[error("the training part has no rows")]
    NoRows,
    /// No row is a positive that anything could be learned from.
    #[error(
        "none of {rows} rows is a positive beside which a negative is left: check the threshold, or the parts of the split"
    )]
    NoPositives {
        /// The rows that were looked at.
        rows: usize,
    },
    /// Parts of an input that are not about the same users, items or rows.
    #[error("{what}: {found}, expected {expected}")]
    Size {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A training row that is not among the rows which histories and negatives are made from.
    #[error(
        "user {user}, item {item}: a row to learn from that is not among the known rows, so that its item could be drawn as its \
         own negative"
    )]
    NotKnown {
        /// The user.
        user: u32,
        /// The item.
        item: u32,
    },
    /// A user in a group that does not exist.
    #[error("user {user} is in group {group}, allowed are 0 to below {count}")]
    UnknownGroup {
        /// The user.
        user: usize,
        /// The user's group.
        group: u32,
        /// Number of groups.
        count: usize,
    },
    /// An edge of a behaviour that leads nowhere.
    #[error("behaviour {behaviour:?}, edge {edge}: {what} {id}, allowed is {allowed}")]
    Edge {
        /// The behaviour's name.
        behaviour: String,
        /// Which edge, from 0.
        edge: usize,
        /// What the id is of: a user or an item.
        what: &'static str,
        /// What stands there.
        id: u32,
        /// What may stand there.
        allowed: String,
    },
    /// A row of a cohort that does not exist.
    #[error(
        "row {row} is of cohort {cohort}, allowed are 0 to below {count}, or u32::MAX for an unknown one"
    )]
    UnknownCohort {
        /// The row.
        row: usize,
        /// Its cohort.
        cohort: u32,
        /// Number of cohorts.
        count: usize,
    },
    /// A row that no model is there for.
    #[error("row {row} is of cohort {cohort}, which has no model of its own, and there is none of all rows")]
    NoModel {
        /// The row.
        row: usize,
        /// Its cohort.
        cohort: u32,
    },
    /// A group with no training row.
    #[error("group {group} of {count} has no training row: leave it out, or draw a larger sample")]
    EmptyGroup {
        /// The group.
        group: usize,
        /// Number of groups.
        count: usize,
    },
    /// A loss that is infinite or not a number.
    #[error(
        "the loss of {objective} is {value} in epoch {epoch}, step {step}; the first value that is not finite came from {op}: \
         lower the learning rate, or look for extreme inputs"
    )]
    NonFinite {
        /// Name of the objective.
        objective: String,
        /// Its loss.
        value: f64,
        /// Name of the op that made the first non-finite value.
        op: &'static str,
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step of the run, counted from 0.
        step: u64,
    },
    /// A gradient, a parameter or a validation value that is infinite or not a number.
    #[error(
        "{what} is not finite in epoch {epoch}, step {step}: lower the learning rate, or look for extreme inputs"
    )]
    Diverged {
        /// What it is: the gradient or the value of a parameter, or the validation value.
        what: String,
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step of the run, counted from 0.
        step: u64,
    },
    /// A checkpoint that does not belong to this run.
    #[error("{}: can't go on from this checkpoint: {what}", path.display())]
    Resume {
        /// The checkpoint.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// Data that don't fit the model.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Weights or masks that can't be used.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// Rules that speak of what is not there, or contradict each other.
    #[error(transparent)]
    Rule(#[from] kohort_objectives::rules::RuleError),
    /// Experts that cannot be made.
    #[error(transparent)]
    Experts(#[from] kohort_layers::experts::ExpertError),
    /// Adapters that cannot be made or used.
    #[error(transparent)]
    Adapters(#[from] kohort_layers::lora::AdapterError),
    /// Adapters that a store refuses.
    #[error(transparent)]
    Store(#[from] kohort_layers::lora::store::StoreError),
    /// Entries that no sparse matrix can hold.
    #[error(transparent)]
    Sparse(#[from] kohort_core::sparse::SparseError),
    /// A matrix that can't be decomposed.
    #[error(transparent)]
    Svd(#[from] kohort_core::svd::SvdError),
    /// Exported weights that can't be read or written.
    #[error(transparent)]
    Weights(#[from] kohort_core::weights::WeightsError),
    /// A checkpoint that can't be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl ModelError {
    pub(crate) fn setting(key: &str, value: impl ToString, allowed: &'static str) -> ModelError {
        ModelError::Setting { key: key.to_owned(), value: value.to_string(), allowed }
    }
}
