//! Whether cohorts help a model: the same model without them, with the cohort as a column, with experts of its own as well, and with
//! experts of random cohorts of the same sizes.
//!
//! | arm | sees the cohort as a column | has experts of it |
//! |---|---|---|
//! | no cohorts | no | no |
//! | column | yes | no |
//! | experts | yes | yes |
//! | random | yes, of random cohorts | yes, of random cohorts |
//!
//! Everything else is the same: rows, split, seed, settings. So experts less random is what *these* cohorts bring, and experts
//! less column what a capacity of their own does beside knowing them.

use std::time::Instant;

use anyhow::{Context, Result};
use kohort_data::records::{RecordSplit, Records};
use kohort_models::multitask::{self, Body, Config, Input, Predict};

use super::cohorts::{GIVEN, OfUsers};
use super::settings::Settings;
use super::worlds::{Scene, World};
use crate::modules::measure::{MEAN, of_task};
use crate::modules::settings as modules;
use crate::modules::worlds::Material;
use crate::outcome::{Number, Outcome};

/// What a model is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arm {
    Nothing,
    Column,
    Experts,
    Random,
}

/// Arms that are there for each set of cohorts.
pub(crate) const ARMS: [Arm; 3] = [Arm::Column, Arm::Experts, Arm::Random];
/// System of the arm without cohorts.
pub(crate) const NOTHING: &str = "no-cohorts";
/// Task of the rows that say what a fit costs.
pub(crate) const COST: &str = "cost";
pub(crate) const SECONDS: &str = "seconds to train";

impl Arm {
    /// System in cells.
    pub(crate) fn system(self, set: &str) -> String {
        match self {
            Arm::Nothing => NOTHING.to_owned(),
            Arm::Column => format!("{set} column"),
            Arm::Experts => format!("{set} experts"),
            Arm::Random => format!("{set} random"),
        }
    }

    /// Title in tables.
    pub(crate) fn title(self, set: &str) -> String {
        match self {
            Arm::Nothing => "No cohorts".to_owned(),
            Arm::Column => format!("{set}: a column"),
            Arm::Experts => format!("{set}: experts and a column"),
            Arm::Random => format!("{set}: random ones of the same sizes, experts and a column"),
        }
    }

    fn experts(self) -> bool {
        matches!(self, Arm::Experts | Arm::Random)
    }

    /// The model's setting.
    pub(crate) fn config(self, world: &World, models: &modules::Settings) -> Result<Config> {
        let body = |name: &str| -> Result<Body> {
            models
                .bodies
                .get(name)
                .cloned()
                .with_context(|| format!("configs/modules.toml has no body {name}"))
        };
        let body = body(if self.experts() { "cohort-experts" } else { "shared-bottom" })?;
        // What only iLoRA's gate reads is not made here.
        Ok(Config { gate: None, ..models.of(world.models)?.with(&body) })
    }
}

/// Cohorts of all users of a set, by name.
pub(crate) fn cohorts(world: &World, set: &str, settings: &Settings, seed: u64) -> Result<OfUsers> {
    let scene = world.scene(seed)?;
    if set == GIVEN { OfUsers::given(&scene) } else { OfUsers::found(world, &scene, set, settings, seed) }
}

/// Fits one arm with one set of cohorts and measures it on the test rows, over all of them and as the mean over the set's cohorts.
pub(crate) fn measure(scene: &Scene, own: &OfUsers, arm: Arm, config: &Config, seed: u64) -> Result<Outcome> {
    let dealt = own.at_random(seed);
    let seen = if arm == Arm::Random { &dealt } else { own };
    let features = match arm {
        Arm::Nothing => scene.records.features.clone(),
        _ => seen.as_column(scene)?,
    };
    let records = Records { features, ..(*scene.records).clone() };
    let parts = &scene.split;
    let split =
        RecordSplit::given(&records, parts.train.origin(), parts.validation.origin(), parts.test.origin())?;
    let cohorts = seen.of_rows(scene, &split);
    let start = Instant::now();
    let input = Input {
        train: &split.train,
        cohorts: &cohorts.train,
        hierarchy: &cohorts.hierarchy,
        validation: Some((&split.validation, &cohorts.validation)),
    };
    let model = multitask::fit(input, config, seed, &mut |_| {})?;
    let seconds = start.elapsed().as_secs_f64();
    let predictions = model.predict(split.test.questions().features, &cohorts.test)?;

    // All arms are measured by the same cohorts: the set's own.
    let judged = own.of_rows(scene, &split);
    let material = Material::new(split, judged)?;
    let mut outcome = Outcome::default();
    for (target, predictions) in material.split.test.answers().targets.iter().zip(&predictions) {
        of_task(&mut outcome, target, predictions, &material)?;
    }
    // Cohort 3 of one seed is not cohort 3 of the next: only what is over all of them can be averaged.
    let over_all = |cohort: Option<&str>| cohort.is_none() || (arm != Arm::Nothing && cohort == Some(MEAN));
    outcome.numbers.retain(|number| over_all(number.cohort.as_deref()));
    outcome.undefined.retain(|missing| over_all(missing.cohort.as_deref()));
    outcome.counts.clear();
    outcome.numbers.push(Number::new("cost", COST, SECONDS, seconds));
    Ok(outcome)
}
