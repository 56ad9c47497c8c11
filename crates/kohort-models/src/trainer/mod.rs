//! The trainer: epochs over shuffled batches, early stopping on validation rows only, checkpoints whose resumption equals
//! never having stopped, a log line per epoch, and a clear stop when a loss is not finite.
//!
//! It trains anything that implements [`System`] and never asks for its name. The test part of a split has a type that
//! nothing here accepts.
//!
//! One step: the batch is cut into shards; each shard records its forward pass; losses are summed in shard order; the
//! balancer says what each objective's gradient is multiplied by; one sweep runs per shard (for balancers that look at gradients,
//! as many more as their [`Site`] takes); gradients are summed in shard order; the optimiser steps. All random
//! numbers come from streams named by seed, epoch, step and shard, so there is no generator state to save.

mod config;
mod gradients;
mod log;
mod profile;
mod progress;
mod state;
mod step;
mod system;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Instant;

use kohort_core::Params;
use kohort_core::shards::{Shards, on_pool};
use kohort_objectives::Balancer;
use kohort_objectives::conflict::Record;
use kohort_random::{permutation, stream};

pub use config::{Schedule, TrainConfig};
pub use log::{Epoch, JsonLines};
pub use profile::{Phase, Profile};
pub use progress::Progress;
#[cfg(test)]
pub(crate) use state::saved;
pub use system::{Recorded, Site, System, Words};

use crate::ModelError;
use gradients::Gradients;
use profile::Clock;
use state::State;

/// What a training run leaves.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The parameters: the average along the run where the config asks for one; of the best validation epoch where there
    /// is validation.
    pub params: Params,
    /// Every epoch that was run, in order.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made [`Trained::params`].
    pub best: usize,
    /// Where the wall time of its epochs and of what lies between them went, where [`TrainConfig::profile`] asks for it; of none that a
    /// checkpoint brought.
    pub profile: Option<Profile>,
}

/// Where a run is saved after each epoch and taken up again.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// The file.
    pub path: &'a Path,
    /// Stop after this many epochs in all, as an interruption would; `None` runs to the end.
    pub pause_after: Option<usize>,
}

/// Trains `system` from its initial parameters (or from `checkpoint`, if its file exists).
///
/// `validate` gives the value that early stopping minimises, from rows held out of training; without it the run goes
/// through all epochs. `observe` sees each epoch as it ends. The steps of an epoch are one job of rayon's pool: runs side by side should each
/// have a pool of their own, see [`on_pool`].
///
/// # Errors
/// A loss, gradient, parameter or validation value that is not finite, named with its step; a config out of range; a
/// checkpoint of another run.
pub fn train(
    system: &dyn System,
    balancer: &mut dyn Balancer,
    config: &TrainConfig,
    seed: u64,
    validate: Option<&dyn Fn(&Params) -> f64>,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Trained, ModelError> {
    config.check()?;
    let rows = system.rows();
    if rows == 0 {
        return Err(ModelError::NoRows);
    }
    let identity = format!("seed {seed}, {rows} rows, {}", system.identity());
    let record = Record::new(system.objectives().to_vec(), config.watch)?;
    let mut state = State::new(system.initial(seed), record, config, identity);
    if balancer.listens() && system.metrics(&state.params).is_none() {
        let what = "the balancer follows metrics on validation rows, and there are none";
        return Err(ModelError::Config(what.to_owned()));
    }
    let mut gradients = Gradients::new(system.site(), &state.params);
    if let Some(point) = checkpoint.filter(|point| point.path.exists()) {
        state.resume(point.path, balancer)?;
    }
    let mut shards = Shards::new(&state.params, config.shard_rows);
    let mut clock = Clock::new(config.profile, &mut shards);
    let mut whole: Option<Profile> = None;
    let batches = rows.div_ceil(config.batch);
    let total = (config.epochs as u64).saturating_mul(batches as u64);

    while state.epochs.len() < config.epochs && !state.patience_is_over(config) {
        let paused = checkpoint.and_then(|point| point.pause_after);
        if paused.is_some_and(|after| state.epochs.len() >= after) {
            break;
        }
        let epoch = state.epochs.len();
        let start = Instant::now();
        system.prepare(&mut state.params, epoch)?;
        let mut order = permutation(rows, &mut stream(seed, "order", &[epoch as u64]));
        let mut sums = vec![0.0; system.objectives().len()];
        let mut penalty = 0.0;
        let mut coefficients = Vec::new();
        clock.lap("before the epoch");
        on_pool(|| -> Result<(), ModelError> {
            for batch in order.chunks_mut(config.batch) {
                system.arrange(batch);
                let at = step::At { epoch, step: state.step, seed };
                let rate = config.schedule.rate(config.learning_rate, state.step, total);
                let (record, gradients, clock) = (&mut state.record, &mut gradients, &mut clock);
                let mut weighting = step::Weighting { balancer, record, gradients, clock };
                let done = step::run(system, &mut weighting, &mut shards, &state.params, batch, at)?;
                for (sum, loss) in sums.iter_mut().zip(&done.losses) {
                    *sum += loss * batch.len() as f64;
                }
                penalty += done.penalty / batches as f64;
                coefficients = done.coefficients;
                state.optimizer.step(&mut state.params, done.grads, rate as f32);
                clock.lap("the optimiser");
                if let Some(average) = &mut state.average {
                    average.update(&state.params);
                    clock.lap("the average along the run");
                }
                state.step += 1;
                clock.step();
            }
            Ok(())
        })?;
        let current = state.current();
        let bad = current.slots().iter().find(|slot| slot.value.iter().any(|x| !x.is_finite()));
        if let Some(slot) = bad {
            return Err(diverged(slot.name.clone(), epoch, state.step));
        }
        clock.lap("after the epoch: a copy of the parameters, checked");
        let validation = validate.map(|validate| validate(&current));
        if validation.is_some_and(|value| !value.is_finite()) {
            return Err(diverged("the validation value".to_owned(), epoch, state.step));
        }
        clock.lap("after the epoch: validation");
        if balancer.listens()
            && let Some(metrics) = system.metrics(&current)
        {
            balancer.observe(&metrics)?;
            clock.lap("after the epoch: metrics that the balancer follows");
        }
        let Words { notes, mut remarks } = system.words(&current);
        remarks.extend(state.record.warnings().iter().map(ToString::to_string));
        let losses =
            system.objectives().iter().zip(sums).map(|(name, sum)| (name.clone(), sum / rows as f64));
        clock.lap("after the epoch: remarks and notes, such as the experts' health");
        let profile = clock.take(&mut shards, &state.params, 1);
        let report = Epoch {
            epoch: epoch + 1,
            losses: losses.collect(),
            penalty,
            coefficients,
            weighting: state.record.snapshot(),
            validation,
            notes,
            remarks,
            seconds: start.elapsed().as_secs_f64(),
            profile,
        };
        add(&mut whole, report.profile.as_ref());
        observe(&report);
        clock.lap("between epochs: whoever observes");
        state.finish_epoch(report, current);
        if let Some(point) = checkpoint {
            state.save(point.path, balancer)?;
        }
        clock.lap("between epochs: the checkpoint and the best parameters so far");
        add(&mut whole, clock.take(&mut shards, &state.params, 0).as_ref());
    }
    Ok(state.into_trained(whole))
}

/// Adds what was measured, if anything was.
fn add(whole: &mut Option<Profile>, part: Option<&Profile>) {
    if let Some(part) = part {
        whole.get_or_insert_default().add(part);
    }
}

fn diverged(what: String, epoch: usize, step: u64) -> ModelError {
    ModelError::Diverged { what, epoch: epoch + 1, step }
}
