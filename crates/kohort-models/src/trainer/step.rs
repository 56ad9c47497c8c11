//! One step: losses, coefficients, gradients.

use kohort_core::shards::Shards;
use kohort_core::{Adjoint, Grads, Params};
use kohort_layers::Mode;
use kohort_objectives::{Balancer, Coefficients, Seen, Wants};
use kohort_random::stream;

use super::{Recorded, System};
use crate::ModelError;

/// Where in the run a step is: what names its random streams and its errors.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) epoch: usize,
    pub(super) step: u64,
    pub(super) seed: u64,
}

pub(super) struct Done<'a> {
    pub(super) losses: Vec<f64>,
    pub(super) penalty: f64,
    pub(super) coefficients: Vec<f64>,
    pub(super) grads: &'a Grads,
}

pub(super) fn run<'a>(
    system: &dyn System,
    balancer: &mut dyn Balancer,
    shards: &'a mut Shards,
    params: &Params,
    batch: &[u32],
    at: At,
) -> Result<Done<'a>, ModelError> {
    let terms = system.terms(batch)?;
    let recorded = shards.forward(params, batch.len(), |shard, tape| {
        let weights: Vec<Option<&[f32]>> =
            terms.iter().map(|t| t.weight.as_ref().map(|w| &w[shard.rows.clone()])).collect();
        let scales: Vec<f64> = terms.iter().map(|t| t.scale).collect();
        let masks = stream(at.seed, "dropout", &[at.step, shard.index as u64]);
        let mut mode = Mode::train(masks).in_epoch(at.epoch as u64);
        let share = shard.rows.len() as f32 / batch.len() as f32;
        let mut recorded = system.record(tape, params, &batch[shard.rows], &weights, &scales, &mut mode);
        recorded.penalty = recorded.penalty.map(|penalty| tape.scale(penalty, share, 0.0));
        recorded
    });
    let losses = sum_losses(shards, &recorded, terms.len());
    if let Some(objective) = losses.iter().position(|loss| !loss.is_finite()) {
        let op = shards.tapes().find_map(|tape| tape.first_non_finite()).map_or("loss", |(_, op)| op);
        return Err(ModelError::NonFinite {
            objective: system.objectives()[objective].clone(),
            value: losses[objective],
            op,
            epoch: at.epoch + 1,
            step: at.step,
        });
    }
    let penalty: f64 = shards
        .tapes()
        .zip(&recorded)
        .filter_map(|(tape, recorded)| recorded.penalty.map(|penalty| tape.scalar(penalty)))
        .sum();
    let gram = match balancer.wants() {
        Wants::Losses => None,
        wants => Some(gram(shards, params, &recorded, terms.len(), wants == Wants::Gram)),
    };
    let present: Vec<bool> = terms.iter().map(|t| t.scale > 0.0).collect();
    let seen = Seen { losses: &losses, present: &present, gram: gram.as_deref(), step: at.step };
    let coefficients = balancer.coefficients(seen);
    let grads = sweep(shards, params, &recorded, &coefficients);
    if let Some(id) = grads.first_non_finite(params) {
        let what = format!("the gradient of {}", params.slot(id).name);
        return Err(ModelError::Diverged { what, epoch: at.epoch + 1, step: at.step });
    }
    Ok(Done { losses, penalty, coefficients: coefficients.trunk, grads })
}

/// Sums over shards, in shard order.
fn sum_losses(shards: &Shards, recorded: &[Recorded], objectives: usize) -> Vec<f64> {
    let mut sums = vec![0.0; objectives];
    for (tape, recorded) in shards.tapes().zip(recorded) {
        for (sum, &loss) in sums.iter_mut().zip(&recorded.losses) {
            *sum += tape.scalar(loss);
        }
    }
    sums
}

/// Inner products of the objectives' gradients with respect to the shared representation, `[objectives, objectives]`.
fn gram(
    shards: &mut Shards,
    params: &Params,
    recorded: &[Recorded],
    objectives: usize,
    whole: bool,
) -> Vec<f64> {
    let parts = std::sync::Mutex::new(vec![Vec::new(); recorded.len()]);
    shards.backward(|shard, tape, grads| {
        let Recorded { losses, shared, .. } = &recorded[shard];
        let adjoints: Vec<Adjoint<f32>> = losses
            .iter()
            .map(|&loss| {
                let mut adjoint = Adjoint::default();
                tape.backward_to(params, &[(loss, 1.0)], shared, &mut adjoint, grads);
                adjoint
            })
            .collect();
        let mut products = vec![0.0; objectives * objectives];
        for a in 0..objectives {
            for b in a..if whole { objectives } else { a + 1 } {
                let dot = adjoints[a].dot(&adjoints[b]);
                products[a * objectives + b] = dot;
                products[b * objectives + a] = dot;
            }
        }
        // A panic elsewhere can't leave a half-written entry: each is replaced as a whole.
        parts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[shard] = products;
    });
    let parts = parts.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut sum = vec![0.0; objectives * objectives];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
    sum
}

/// Gradients of the weighted objectives: one sweep where trunk and heads are weighted alike, else one sweep per part.
fn sweep<'a>(
    shards: &'a mut Shards,
    params: &Params,
    recorded: &[Recorded],
    coefficients: &Coefficients,
) -> &'a Grads {
    let seeds = |losses: &[kohort_core::Var], weights: &[f64]| {
        losses.iter().zip(weights).map(|(&loss, &w)| (loss, w as f32)).collect::<Vec<_>>()
    };
    shards.backward(|shard, tape, grads| {
        let Recorded { losses, shared, penalty } = &recorded[shard];
        if coefficients.trunk == coefficients.heads {
            let mut all = seeds(losses, &coefficients.trunk);
            all.extend(penalty.map(|penalty| (penalty, 1.0)));
            tape.backward(params, &all, grads);
            return;
        }
        if let Some(penalty) = *penalty {
            tape.backward(params, &[(penalty, 1.0)], grads);
        }
        let mut adjoint = Adjoint::default();
        tape.backward_to(params, &seeds(losses, &coefficients.heads), shared, &mut adjoint, grads);
        // The heads have their gradients; what the sweep to the trunk adds above the cut is not wanted.
        let mut above = Grads::new(params);
        tape.backward_to(params, &seeds(losses, &coefficients.trunk), shared, &mut adjoint, &mut above);
        tape.backward_from(params, shared, &adjoint, grads);
    })
}
