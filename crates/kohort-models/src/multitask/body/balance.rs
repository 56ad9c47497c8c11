//! Penalties on gates, by config: which, and how heavy. Formulas and sources stand in [`kohort_layers::experts::balance`].

use kohort_core::{Params, Tape, Var};
use kohort_layers::experts::{Mixed, balance};
use serde::{Deserialize, Serialize};

use super::About;
use crate::ModelError;

/// What is kept small beside the losses, a mean over the gates it applies to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Penalty {
    /// Which.
    pub kind: PenaltyKind,
    /// What it is multiplied by.
    pub weight: f64,
}

/// A penalty on gates or on the outputs of experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PenaltyKind {
    /// `CV²` of the experts' summed gates.
    Importance,
    /// `CV²` of the experts' expected load; noisy gates alone have one.
    Load,
    /// Switch's product of shares and means.
    Switch,
    /// The router's z-loss.
    RouterZ,
    /// Less entropy of the mean gate.
    Evenness,
    /// Entropy of each row's gate.
    Sharpness,
    /// Less mutual information of cohorts and experts.
    CohortInformation,
    /// Cosines between experts' outputs.
    Orthogonality,
}

/// Checks the weights.
pub(super) fn check(penalties: &[Penalty]) -> Result<(), ModelError> {
    match penalties.iter().find(|penalty| !(penalty.weight >= 0.0 && penalty.weight.is_finite())) {
        Some(penalty) => {
            Err(ModelError::setting("penalties.weight", penalty.weight, "a finite number of at least 0"))
        }
        None => Ok(()),
    }
}

/// The weighted sum of all penalties, where there is any that applies.
pub(super) fn total(
    tape: &mut Tape,
    params: &Params,
    penalties: &[Penalty],
    mixed: &Mixed,
    about: &About<'_>,
) -> Option<Var> {
    let mut sum: Option<Var> = None;
    for penalty in penalties.iter().filter(|penalty| penalty.weight > 0.0) {
        let parts = parts(tape, params, penalty.kind, mixed, about);
        let weight = penalty.weight / parts.len().max(1) as f64;
        for part in parts {
            let part = tape.scale(part, weight as f32, 0.0);
            sum = Some(sum.map_or(part, |sum| tape.add(sum, part)));
        }
    }
    sum
}

fn parts(tape: &mut Tape, params: &Params, kind: PenaltyKind, mixed: &Mixed, about: &About<'_>) -> Vec<Var> {
    let of_gates = |tape: &mut Tape, penalty: fn(&mut Tape, &Params, Var) -> Var| {
        mixed.gates.iter().map(|used| penalty(tape, params, used.gate)).collect()
    };
    match kind {
        PenaltyKind::Importance => of_gates(tape, balance::importance),
        PenaltyKind::Switch => of_gates(tape, balance::switch),
        PenaltyKind::Evenness => of_gates(tape, balance::evenness),
        PenaltyKind::Sharpness => of_gates(tape, balance::sharpness),
        PenaltyKind::Load => {
            mixed.gates.iter().filter_map(|used| Some(balance::load(tape, params, used.load?))).collect()
        }
        PenaltyKind::RouterZ => {
            mixed.gates.iter().map(|used| balance::router_z(tape, params, used.logits)).collect()
        }
        PenaltyKind::CohortInformation => mixed
            .gates
            .iter()
            .map(|used| balance::cohort_information(tape, params, used.gate, about.cohorts))
            .collect(),
        PenaltyKind::Orthogonality => mixed
            .outputs
            .iter()
            .map(|outputs| balance::orthogonality(tape, params, outputs.x, outputs.experts.len()))
            .collect(),
    }
}
