//! What is minimised, and who gets how much of the gradient.
//!
//! A batch yields one summed loss per **objective**: a task, a cohort, or a (task, cohort) pair. [`Objective`] states
//! the loss, its row weights and masks, and, explicitly, its denominator. A [`Balancer`] sees losses, gradient norms or
//! the Gram matrix of gradients, whatever it [`Wants`], and returns [`Coefficients`]; a [`BalancerConfig`] builds any of them.
//! [`rules`] weigh rows by what is known of them, [`Exposure`] by how often their item is shown, [`conflict`] makes weighting visible, and a [`Part`] is what workers that hold a
//! part of a batch exchange.
//!
//! This crate never sees a tape: an objective is numbers in, weights and a factor out, and a balancer is arithmetic on
//! small matrices, tested as such.
//!
//! ```
//! use kohort_objectives::{Balancer, Denominator, Fixed, Objective, Seen};
//! use kohort_core::LossKind;
//!
//! let rating = Objective::entrywise(LossKind::Squared, Denominator::Rows);
//! let terms = rating.terms(4, None, Some(&[true, true, false, true]))?;
//! assert_eq!(terms.weight.as_deref(), Some(&[1.0, 1.0, 0.0, 1.0][..]));
//! assert_eq!(terms.scale, 0.25); // Denominator::Mask would give 1/3
//!
//! let mut balancer = Fixed::new(vec![1.0, 0.5])?;
//! let seen = Seen { losses: &[0.9, 2.0], present: &[true, true], gram: None, step: 0 };
//! assert_eq!(balancer.coefficients(seen).trunk, [1.0, 0.5]);
//! # Ok::<(), kohort_objectives::ObjectiveError>(())
//! ```

pub mod balancers;
pub mod conflict;
mod error;
mod exposure;
mod objective;
mod parts;
pub mod rules;

pub use balancers::{
    Balancer, BalancerConfig, Cagrad, CagradConfig, Coefficients, Dwa, DwaConfig, Equal, Fixed, Gap,
    GapConfig, GradNorm, GradNormConfig, GradVac, GradVacConfig, GroupDro, GroupDroConfig, HeadWeights,
    MetricConfig, MetricDriven, Mgda, NashMtl, Normaliser, Pcgrad, Rescale, Rlw, Schedule, Scheduled, Seen,
    Target, Uncertainty, UncertaintyConfig, UncertaintyForm, Wants, WithHeads,
};
pub use error::ObjectiveError;
pub use exposure::Exposure;
pub use objective::{Denominator, Loss, Objective, Terms};
pub use parts::{Part, gram_of_sum};
