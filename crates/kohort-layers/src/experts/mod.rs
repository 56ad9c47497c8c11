//! Mixtures of experts: shared, task by task, cohort by cohort, and cohorts within cohorts.
//!
//! | You want | Look at |
//! |---|---|
//! | experts that all tasks share, under a gate for each task or one for all | [`Mixture`] (MMoE, OMoE) |
//! | experts of each task's own beside shared ones, on one level or several | [`Ple`] (CGC, PLE) |
//! | experts of each cohort's own beside global ones | [`CohortExperts`], [`SoftCohortExperts`] |
//! | the same for cohorts within cohorts | [`HierarchicalExperts`] |
//! | cohorts' experts chosen by behaviour | [`DynamicExperts`] |
//! | parts for a mixture of your own | [`Experts`], [`RoutedExperts`], [`Gate`] |
//! | to keep experts in use, and apart | [`balance`] |
//! | to see whether they are | [`ExpertHealth`] |

pub mod balance;
mod cohort;
mod config;
mod dynamic;
mod error;
mod gate;
mod health;
mod hierarchical;
mod mixture;
mod ple;
mod routed;
mod soft;
mod wide;

pub use cohort::{CohortConfig, CohortExperts};
pub use config::ExpertConfig;
pub use dynamic::DynamicExperts;
pub use error::ExpertError;
pub use gate::{Gate, GateConfig, Gated, MASKED, Routing};
pub use health::{ExpertHealth, Finding, HealthReport};
pub use hierarchical::HierarchicalExperts;
pub use mixture::{Mixture, MixtureConfig};
pub use ple::{Ple, PleConfig};
pub use routed::{RoutedExperts, Routes};
pub use soft::SoftCohortExperts;
pub use wide::Experts;

use kohort_core::Var;

use crate::UNKNOWN;

/// Number of an expert within its layer.
pub type Expert = u32;

/// Stands where a row has no expert.
pub const NO_EXPERT: Expert = UNKNOWN;

/// What a mixture gives.
#[derive(Clone, Debug, Default)]
pub struct Mixed {
    /// One value `[n, out]` for each task.
    pub tasks: Vec<Var>,
    /// What each gate said, to be watched and kept balanced.
    pub gates: Vec<GateUse>,
    /// Outputs of the experts that read every row, to be watched and kept apart.
    pub outputs: Vec<Outputs>,
    /// Outputs of all experts on every row, also of those that have rows of their own, where the [mode](crate::Mode::comparing) asks for them.
    pub compared: Option<Outputs>,
}

/// One gate's weights.
#[derive(Clone, Debug)]
pub struct GateUse {
    /// Whose gate; `None` for a gate that serves all tasks.
    pub task: Option<usize>,
    /// Weight of each expert, `[n, columns]`.
    pub gate: Var,
    /// The logits of its softmax, `[n, columns]`; of hierarchical experts, those of the global ones.
    pub logits: Var,
    /// Expected number of rows that choose each expert, `[1, columns]`, from a noisy gate in training.
    pub load: Option<Var>,
    /// Which expert each column is: `[columns]`, or `[n·columns]` where a column is another expert on each row, [`NO_EXPERT`]
    /// where a row has none there.
    pub experts: Vec<Expert>,
}

impl GateUse {
    fn new(task: Option<usize>, Gated { gate, logits, load }: Gated, experts: Vec<Expert>) -> GateUse {
        GateUse { task, gate, logits, load, experts }
    }
}

/// Outputs of experts that lie side by side.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `[n, experts·out]`.
    pub x: Var,
    /// Which expert each block is.
    pub experts: Vec<Expert>,
}
