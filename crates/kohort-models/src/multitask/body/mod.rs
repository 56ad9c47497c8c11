//! What stands between the encoded row and the tasks' towers: one file a kind, one line each in [`Body::build`].

mod shared_bottom;

use kohort_core::{Params, Tape, Var};
use kohort_layers::{Hierarchy, Mode};
use serde::{Deserialize, Serialize};

pub use shared_bottom::SharedBottomConfig;

use crate::ModelError;

/// Which body, with its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// One stack of layers for all tasks and cohorts.
    SharedBottom(SharedBottomConfig),
}

impl Default for Body {
    fn default() -> Self {
        Body::SharedBottom(SharedBottomConfig::default())
    }
}

/// What a body is built for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes<'a> {
    /// Width of the encoded row.
    pub(super) inputs: usize,
    /// Number of tasks.
    pub(super) tasks: usize,
    /// All cohorts there are.
    pub(super) hierarchy: &'a Hierarchy,
}

/// The rows of a forward pass, as far as a body is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    /// Cohort of each row; `UNKNOWN` for one that training did not know.
    pub(super) cohorts: &'a [u32],
    /// All cohorts there are.
    pub(super) hierarchy: &'a Hierarchy,
    /// What gates that read neither the row nor its cohort read, `[n, any]`.
    pub(super) gate: Option<Var>,
}

/// What a body makes of rows.
pub(super) struct Represented {
    /// For each task `[n, width]`; the same value for tasks that share it.
    pub(super) tasks: Vec<Var>,
    /// Where all tasks' gradients meet.
    pub(super) shared: Vec<Var>,
    /// What is to be kept small beside the losses, `[1, 1]` as a mean over these rows.
    pub(super) penalty: Option<Var>,
}

/// A recorded kind of body.
pub(super) trait Represent: Send + Sync + std::fmt::Debug {
    /// Width of each task's representation.
    fn width(&self) -> usize;

    /// Whether rows of a cohort should stand together in a batch: products per cohort are then fewer and larger.
    fn by_cohort(&self) -> bool {
        false
    }

    /// Encoded rows `[n, inputs]` to a representation for each task.
    fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        about: &About<'_>,
        mode: &mut Mode,
    ) -> Represented;
}

impl Body {
    /// Adds the body's parameters.
    ///
    /// # Errors
    /// A size out of range.
    pub(super) fn build(
        &self,
        params: &mut Params,
        sizes: Sizes<'_>,
        dropout: f64,
        seed: u64,
    ) -> Result<Box<dyn Represent>, ModelError> {
        Ok(match self {
            Body::SharedBottom(config) => Box::new(config.build(params, sizes, dropout, seed)?),
        })
    }
}

/// Checks the widths of a stack of layers.
pub(super) fn check_widths(key: &str, widths: &[usize], least: usize) -> Result<(), ModelError> {
    if widths.len() < least {
        return Err(ModelError::setting(key, format!("{widths:?}"), "at least one layer"));
    }
    match widths.iter().find(|&&width| width == 0 || width > 65_536) {
        Some(width) => Err(ModelError::setting(key, width, "widths from 1 to 65536")),
        None => Ok(()),
    }
}
