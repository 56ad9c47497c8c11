//! One step: losses, coefficients, gradients.

use kohort_core::shards::Shards;
use kohort_core::{Grads, Params};
use kohort_layers::Mode;
use kohort_objectives::conflict::Record;
use kohort_objectives::{Balancer, Seen, Wants};
use kohort_random::stream;

use super::gradients::Gradients;
use super::profile::{Clock, SUMS};
use super::{Recorded, System};
use crate::ModelError;

/// Where in the run a step is: what names its random streams and its errors.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) epoch: usize,
    pub(super) step: u64,
    pub(super) seed: u64,
}

/// Who weighs, who watches it, and how gradients are had.
pub(super) struct Weighting<'a> {
    pub(super) balancer: &'a mut dyn Balancer,
    pub(super) record: &'a mut Record,
    pub(super) gradients: &'a mut Gradients,
    pub(super) clock: &'a mut Clock,
}

// What is timed beside shards.
const LOSSES: &str = "losses, summed and checked";
const BALANCER: &str = "the balancer and its record";

pub(super) struct Done<'a> {
    pub(super) losses: Vec<f64>,
    pub(super) penalty: f64,
    pub(super) coefficients: Vec<f64>,
    pub(super) grads: &'a Grads,
}

pub(super) fn run<'a>(
    system: &dyn System,
    weighting: &mut Weighting<'_>,
    shards: &'a mut Shards,
    params: &Params,
    batch: &[u32],
    at: At,
) -> Result<Done<'a>, ModelError> {
    let Weighting { balancer, record, gradients, clock } = weighting;
    let terms = system.terms_at(batch, at.step)?;
    clock.lap("preparing batches");
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
    clock.lap_shards("shards, forward", LOSSES, shards);
    let losses = sum_losses(shards, &recorded, system.objectives().len());
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
    let present = system.present(&terms);
    clock.lap(LOSSES);
    let gram = match balancer.wants() {
        Wants::Losses => None,
        wants => Some(gradients.gram(shards, params, &recorded, &present, wants == Wants::Gram)),
    };
    clock.lap_shards("shards, backward for the balancer's look at gradients", BALANCER, shards);
    let seen = Seen { losses: &losses, present: &present, gram: gram.as_deref(), step: at.step };
    let mut coefficients = balancer.coefficients(seen);
    record.update(seen, &coefficients, *balancer);
    let shown = coefficients.trunk.clone();
    let factor = system.factor();
    coefficients.trunk.iter_mut().chain(&mut coefficients.heads).for_each(|c| *c *= factor);
    clock.lap(BALANCER);
    gradients.weighted(shards, params, &recorded, &coefficients, gram.is_some());
    clock.lap_shards("shards, backward", SUMS, shards);
    let grads = shards.total();
    if let Some(id) = grads.first_non_finite(params) {
        let what = format!("the gradient of {}", params.slot(id).name);
        return Err(ModelError::Diverged { what, epoch: at.epoch + 1, step: at.step });
    }
    clock.lap("a look for numbers that are not finite");
    Ok(Done { losses, penalty, coefficients: shown, grads })
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
