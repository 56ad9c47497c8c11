//! What stands between the encoded row and the tasks' towers: one file a kind, one line each in [`Body::build`].

mod adapted;
mod balance;
mod cohort_experts;
mod mixture;
mod shared_bottom;

use kohort_core::{Params, Tape, Var};
use kohort_layers::experts::{CohortConfig, Mixed, MixtureConfig, PleConfig};
use kohort_layers::{Hierarchy, Mlp, Mode, UNKNOWN};
use serde::{Deserialize, Serialize};

pub use adapted::AdapterKind;
pub(super) use adapted::{Adapted, Adapters};
pub use balance::{Penalty, PenaltyKind};
pub use cohort_experts::BehaviourConfig;
pub use shared_bottom::SharedBottomConfig;

use crate::ModelError;
use cohort_experts::OwnExperts;
use mixture::TaskExperts;

/// Which body, with its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// One stack of layers for all tasks and cohorts.
    SharedBottom(SharedBottomConfig),
    /// Experts that all tasks share: MoE with one gate, MMoE with a gate for each task.
    Mixture(MixtureConfig),
    /// Experts of a task's own beside shared ones: CGC with one level, PLE with several.
    Ple(PleConfig),
    /// An expert of each cohort's own beside global ones.
    CohortExperts(CohortConfig),
    /// The same under a gate that may give a row any cohort's expert.
    SoftCohortExperts(CohortConfig),
    /// An expert of each cohort on each level of the hierarchy, added up along a row's path.
    HierarchicalExperts(CohortConfig),
    /// Cohorts' experts chosen by behaviour.
    BehaviourExperts(BehaviourConfig),
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
    /// Names of the tasks.
    pub(super) tasks: &'a [String],
    /// Width of what gates read that read neither the row nor its cohort, where there is any.
    pub(super) gate: Option<usize>,
    /// All cohorts there are.
    pub(super) hierarchy: &'a Hierarchy,
}

/// The rows of a forward pass, as far as a body is concerned.
#[derive(Clone, Debug)]
pub(super) struct About<'a> {
    /// Cohort of each row; `UNKNOWN` for one that training did not know.
    pub(super) cohorts: &'a [u32],
    /// What gates that read neither the row nor its cohort read, `[n, any]`, and which rows have it.
    pub(super) gate: Option<(Var, Vec<bool>)>,
}

/// What a body makes of rows.
pub(super) struct Represented {
    /// For each task `[n, width]` (the same value for tasks that share it), and what gates and experts said.
    pub(super) mixed: Mixed,
    /// What is to be kept small beside the losses, `[1, 1]` as a mean over these rows.
    pub(super) penalty: Option<Var>,
}

/// Of which training rows a cohort's own part of a body learns. Without any it still is as it was drawn, and nobody may be served
/// by that: a row of such a cohort counts as one of the nearest cohort around it that has learned, or of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learns {
    /// Nothing random is the cohort's own: what has not learned is zero.
    Always,
    /// Of rows that name the cohort itself.
    Itself,
    /// Of rows that name it or a cohort within it.
    Within,
}

impl Learns {
    /// For each cohort the one that its rows are served as.
    pub(super) fn served(self, hierarchy: &Hierarchy, train: &[u32]) -> Vec<u32> {
        let mut learned = vec![self == Learns::Always; hierarchy.len()];
        for &cohort in train.iter().filter(|&&cohort| cohort != UNKNOWN) {
            match self {
                Learns::Always => {}
                Learns::Itself => learned[cohort as usize] = true,
                Learns::Within => {
                    hierarchy.path(cohort).into_iter().for_each(|node| learned[node as usize] = true);
                }
            }
        }
        let nearest = |cohort| {
            let path = hierarchy.path(cohort);
            path.into_iter().rev().find(|&node| learned[node as usize]).unwrap_or(UNKNOWN)
        };
        (0..hierarchy.len() as u32).map(nearest).collect()
    }
}

/// A kind of body.
pub(super) trait Represent: Send + Sync + std::fmt::Debug {
    /// Width of each task's representation.
    fn width(&self) -> usize;

    /// Whether rows of a cohort should stand together in a batch: products per cohort are then fewer and larger.
    fn by_cohort(&self) -> bool {
        false
    }

    /// What a cohort has to have learned from to be served as itself.
    fn learns(&self) -> Learns {
        Learns::Always
    }

    /// Names of the experts, where it has any.
    fn experts(&self) -> &[String] {
        &[]
    }

    /// Whether some experts only reach rows of their own, so that no two of them can be compared on the rows as they come.
    fn keeps_rows_apart(&self) -> bool {
        false
    }

    /// The stack of layers that adapters can be put on, where it is one.
    fn stack(&self) -> Option<&Mlp> {
        None
    }

    /// The adapters, where it has any.
    fn adapters(&self) -> Option<&Adapters> {
        None
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
        penalties: &[Penalty],
        dropout: f64,
        seed: u64,
    ) -> Result<Box<dyn Represent>, ModelError> {
        balance::check(penalties)?;
        Ok(match self {
            Body::SharedBottom(config) => {
                if let Some(penalty) = penalties.first() {
                    let kind = format!("{:?}", penalty.kind);
                    let allowed = "none: a shared bottom has neither gates nor experts";
                    return Err(ModelError::setting("penalties", kind, allowed));
                }
                Box::new(config.build(params, sizes, dropout, seed)?)
            }
            Body::Mixture(config) => Box::new(TaskExperts::mixture(params, config, sizes, penalties, seed)?),
            Body::Ple(config) => Box::new(TaskExperts::ple(params, config, sizes, penalties, seed)?),
            Body::CohortExperts(config) => {
                Box::new(OwnExperts::hard(params, config, sizes, penalties, seed)?)
            }
            Body::SoftCohortExperts(config) => {
                Box::new(OwnExperts::soft(params, config, sizes, penalties, seed)?)
            }
            Body::HierarchicalExperts(config) => {
                Box::new(OwnExperts::levels(params, config, sizes, penalties, seed)?)
            }
            Body::BehaviourExperts(config) => {
                Box::new(OwnExperts::behaviour(params, config, sizes, penalties, seed)?)
            }
        })
    }
}

/// Checks the widths of a stack of layers.
pub(crate) fn check_widths(key: &str, widths: &[usize], least: usize) -> Result<(), ModelError> {
    if widths.len() < least {
        return Err(ModelError::setting(key, format!("{widths:?}"), "at least one layer"));
    }
    match widths.iter().find(|&&width| width == 0 || width > 65_536) {
        Some(width) => Err(ModelError::setting(key, width, "widths from 1 to 65536")),
        None => Ok(()),
    }
}
