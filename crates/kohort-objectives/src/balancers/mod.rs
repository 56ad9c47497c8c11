//! Who gets how much of the gradient. One file per method, with formula, source and differences.
//!
//! A balancer says once what it [`Wants`], and the trainer pays for no more: `Losses` costs nothing, `Norms` one pruned
//! sweep per objective down to the shared representation, `Gram` one sweep per objective over the shared parameters.
//! Methods that work on gradient vectors (PCGrad, GradVac, CAGrad, MGDA, Nash-MTL) are exact on the Gram matrix, because their results lie
//! in the span of the gradients.
//!
//! Methods that weigh losses give weights that average 1, so that none changes the learning rate on the side, and weigh heads along.
//! Methods that combine gradients keep their paper's length: a sum for PCGrad and GradVac, a mean for CAGrad and MGDA; heads
//! keep their own gradients. [`WithHeads`] overrides the choice for heads. An objective that is absent from a step moves nothing
//! that is kept for it.

mod cagrad;
mod config;
mod dwa;
mod equal;
mod fixed;
mod gap;
mod gradnorm;
mod gradvac;
mod gram;
mod groupdro;
mod heads;
mod metric;
mod mgda;
mod min_norm;
mod nashmtl;
mod pcgrad;
mod rlw;
mod schedule;
mod support;
mod uncertainty;

pub use cagrad::{Cagrad, CagradConfig, Rescale};
pub use config::BalancerConfig;
pub use dwa::{Dwa, DwaConfig};
pub use equal::Equal;
pub use fixed::Fixed;
pub use gap::{Gap, GapConfig};
pub use gradnorm::{GradNorm, GradNormConfig};
pub use gradvac::{GradVac, GradVacConfig};
pub use groupdro::{GroupDro, GroupDroConfig};
pub use heads::{HeadWeights, WithHeads};
pub use metric::{MetricConfig, MetricDriven, Target};
pub use mgda::{Mgda, Normaliser};
pub use nashmtl::NashMtl;
pub use pcgrad::Pcgrad;
pub use rlw::Rlw;
pub use schedule::{Schedule, Scheduled};
pub use uncertainty::{Uncertainty, UncertaintyConfig, UncertaintyForm};

use crate::ObjectiveError;

/// What a balancer needs to see in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wants {
    /// The losses.
    Losses,
    /// The losses and the norms of their gradients: the Gram matrix's diagonal.
    Norms,
    /// The losses and the whole Gram matrix of gradients.
    Gram,
}

/// What a balancer sees in one step.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Loss of each objective, `[objectives]`, unweighted.
    pub losses: &'a [f64],
    /// Whether each objective has any row in this step; an absent one has loss 0 and should move nothing.
    pub present: &'a [bool],
    /// Inner products of the objectives' gradients, `[objectives, objectives]`, row-major; only the diagonal is
    /// filled for [`Wants::Norms`], and it is `None` for [`Wants::Losses`].
    pub gram: Option<&'a [f64]>,
    /// Step of the training, from 0.
    pub step: u64,
}

/// What each objective's gradient is multiplied by.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    /// For the parameters that objectives share.
    pub trunk: Vec<f64>,
    /// For each objective's own parameters. Papers and libraries differ here, so it is apart.
    pub heads: Vec<f64>,
}

impl Coefficients {
    /// The same coefficients for trunk and heads: whole losses are weighted.
    pub fn whole(coefficients: Vec<f64>) -> Coefficients {
        Coefficients { heads: coefficients.clone(), trunk: coefficients }
    }
}

/// A rule that weighs objectives from step to step.
///
/// ```
/// use kohort_objectives::{Balancer, Coefficients, ObjectiveError, Seen, Wants};
///
/// /// Weights that are inverse to the losses: a new balancer is one file like this.
/// struct Inverse;
/// impl Balancer for Inverse {
///     fn wants(&self) -> Wants {
///         Wants::Losses
///     }
///     fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
///         Coefficients::whole(seen.losses.iter().map(|l| 1.0 / l.max(1e-6)).collect())
///     }
/// }
/// let seen = Seen { losses: &[0.5, 2.0], present: &[true, true], gram: None, step: 0 };
/// assert_eq!(Inverse.coefficients(seen).trunk, [2.0, 0.5]);
/// ```
pub trait Balancer: Send {
    /// What this method needs; asked once.
    fn wants(&self) -> Wants;

    /// The coefficients for this step.
    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients;

    /// Takes a measurement of each objective, `None` where there is none: a validation metric or a business figure, fed after an
    /// evaluation. Most methods look at losses and gradients only and ignore it.
    ///
    /// # Errors
    /// If the number of metrics is not that of objectives.
    fn observe(&mut self, metrics: &[Option<f64>]) -> Result<(), ObjectiveError> {
        let _ = metrics;
        Ok(())
    }

    /// Whether this method makes anything of [`Balancer::observe`]: measurements may cost an evaluation, which nobody else should pay.
    fn listens(&self) -> bool {
        false
    }

    /// Whether what this method keeps for an objective has been held at a bound, which deserves a warning.
    fn at_bound(&self, objective: usize) -> bool {
        let _ = objective;
        false
    }

    /// What has been learned so far, for checkpoints. Empty for a method without memory.
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state does not fit.
    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        if state.is_empty() {
            return Ok(());
        }
        Err(ObjectiveError::State { what: format!("{} values for a method without memory", state.len()) })
    }
}
