//! Adapters on a trained model: the base stays as it is, and each cohort's adapters learn together in mixed batches.
//!
//! The base itself is epoch 0: where no epoch is better on validation rows, the adapters stay zero. A base has seen its training
//! rows, and on these its layers say more than they will of new ones, so adapters can well learn what does not last.

use super::body::Adapted;
use super::config::AdaptConfig;
use super::{Input, MultiTask, Run};
use crate::ModelError;
use crate::trainer::{Checkpoint, Epoch};

/// Trains adapters on `base`, a model with a [shared bottom](super::body::SharedBottomConfig), whose columns and tasks `input`
/// must have. Its hierarchy may be another: the base knows no cohort.
///
/// # Errors
/// A base that has no single stack of layers, a setting out of range, data that don't fit, or a loss that is not finite.
pub fn adapt(
    base: &MultiTask,
    input: Input<'_>,
    config: &AdaptConfig,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<MultiTask, ModelError> {
    adapt_with(base, input, config, seed, None, observe)
}

/// The same with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`adapt`], and a checkpoint that is damaged or of another run.
pub fn adapt_with(
    base: &MultiTask,
    input: Input<'_>,
    config: &AdaptConfig,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<MultiTask, ModelError> {
    config.check()?;
    input.check()?;
    let Some(stack) = base.net.body.stack() else {
        return Err(ModelError::Config(
            "adapters go on a shared bottom, and the base has another body".to_owned(),
        ));
    };
    base.targets(input.train.targets())?;
    let inputs = base.columns.inputs(input.train.features())?;
    let mut params = base.params.clone();
    params.set_trainable("", false);
    if config.towers {
        params.set_trainable("tower/", true);
    }
    let before = params.slots().len();
    let gate = base.columns.gate_width().unwrap_or(base.net.inputs());
    let sizes = (base.net.body.width(), base.net.tasks(), gate);
    let adapted = Adapted::new(&mut params, &config.kind, stack, input.hierarchy, sizes, seed)?;
    for (at, slot) in params.slots_mut().iter_mut().enumerate() {
        let towers = slot.trainable && !slot.name.ends_with("/b");
        slot.decay = if at >= before || towers { config.decay as f32 } else { 0.0 };
    }
    let net = base.net.with(adapted);
    let model = MultiTask {
        served: net.body.learns().served(input.hierarchy, input.cohorts),
        net,
        params: kohort_core::Params::new(),
        columns: base.columns.clone(),
        tasks: base.tasks.clone(),
        hierarchy: input.hierarchy.clone(),
        base: Some(base.params.fingerprint()),
        epochs: Vec::new(),
        best: 0,
    };
    let settings = (config, base.params.fingerprint());
    let run = Run {
        settings: &settings,
        weigh: config.weigh_rows,
        balance: &config.balance,
        rules: &config.rules,
        train: &config.train,
        seed,
    };
    let before = match input.validation {
        Some((held, cohorts)) => Some(model.held(held, cohorts)?(&params)),
        None => None,
    };
    let untrained = params.clone();
    let mut model = model.trained(&input, inputs, params, run, None, checkpoint, observe)?;
    let best = model.epochs.iter().filter_map(|epoch| epoch.validation).min_by(f64::total_cmp);
    if before.zip(best).is_some_and(|(before, best)| before <= best) {
        (model.params, model.best) = (untrained, 0);
    }
    Ok(model)
}
