//! Who gets how much of the gradient. One file per method, with formula, source and differences.
//!
//! A balancer says once what it [`Wants`], and the trainer pays for no more: `Losses` costs nothing, `Norms` one pruned
//! sweep per objective down to the shared representation, `Gram` one sweep per objective over the shared parameters.
//! Methods that work on gradient vectors (PCGrad, CAGrad, MGDA) are exact on the Gram matrix, because their results lie in the span of
//! the gradients.

mod fixed;
mod uncertainty;

pub use fixed::Fixed;
pub use uncertainty::{Uncertainty, UncertaintyForm};

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
