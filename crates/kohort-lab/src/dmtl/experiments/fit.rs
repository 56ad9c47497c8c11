//! The cell that most experiments are made of: a system fitted on a random split and scored under its protocols.

use std::sync::Arc;

use kohort_data::Way;
use kohort_eval::ranking::Candidates;
use serde_json::json;

use super::{MAIN_SPLIT, data_settings};
use crate::dmtl::cohorts::{Cohorts, GROUPS, HIDDEN};
use crate::dmtl::measure::evaluate;
use crate::dmtl::profiling::{self, Trivial};
use crate::dmtl::protocols::SplitPlan;
use crate::dmtl::study::Study;
use crate::dmtl::systems::{Fitted, Material, System};
use crate::grid::{Cell, Key};
use crate::outcome::{Curve, Outcome};

/// The cell of a system on a split.
pub(super) fn cell<'a>(
    study: &'a Study,
    experiment: &str,
    plan: &Arc<SplitPlan>,
    system: &Arc<System>,
    seed: u64,
) -> Cell<'a> {
    let (plan, system) = (Arc::clone(plan), Arc::clone(system));
    let size = study.dataset.interactions.len() as f64 / 1e5;
    let whole = plan.protocols.iter().any(|p| p.ranking.candidates == Candidates::WholeCatalogue);
    Cell {
        key: key(study, experiment, plan.name, seed, &system),
        cost: (system.cost + if whole { system.catalogue_cost } else { 0.0 }) * size,
        settings: json!({
            "data": data_settings(study),
            "plan": &*plan,
            "config": system.config,
            "groups": GROUPS,
            "hidden": HIDDEN,
        }),
        work: Box::new(move || {
            let dataset = &study.dataset;
            let split = Way::RandomRows { share: plan.share }.split(&dataset.interactions, seed)?;
            let cohorts = Cohorts::form(&study.blind, &split.train, GROUPS, seed)?;
            let fitted = system.fit(&Material {
                dataset: &study.blind,
                train: &split.train,
                cohorts: &cohorts,
                seed,
            })?;
            let mut outcome = Outcome::default();
            if fitted.scores_mean_something {
                outcome.extend(evaluate(dataset, &split, &plan, fitted.scorer.as_ref())?);
            }
            // Naming groups has one protocol, so one split.
            if plan.name == MAIN_SPLIT {
                outcome.extend(profiling::of_head(&fitted, &split.test, &cohorts)?);
            }
            outcome.curves = curves(&fitted);
            Ok(outcome)
        }),
    }
}

/// The key of a system's cell.
pub(super) fn key(study: &Study, experiment: &str, split: &str, seed: u64, system: &System) -> Key {
    Key {
        experiment: experiment.to_owned(),
        dataset: study.name().to_owned(),
        split: split.to_owned(),
        seed,
        system: system.name.clone(),
        title: system.title.clone(),
        variant: system.variant.clone(),
    }
}

/// The cell of a classifier that no profiling head should lose to.
pub(super) fn trivial<'a>(
    study: &'a Study,
    experiment: &str,
    plan: &Arc<SplitPlan>,
    trivial: Trivial,
    seed: u64,
) -> Cell<'a> {
    let (name, title) = trivial.names();
    let plan = Arc::clone(plan);
    Cell {
        key: Key {
            experiment: experiment.to_owned(),
            dataset: study.name().to_owned(),
            split: plan.name.to_owned(),
            seed,
            system: name.to_owned(),
            title: title.to_owned(),
            variant: None,
        },
        cost: 0.1,
        settings: json!({
            "data": data_settings(study),
            "share": plan.share,
            "groups": GROUPS,
            "hidden": HIDDEN,
        }),
        work: Box::new(move || {
            let split = Way::RandomRows { share: plan.share }.split(&study.dataset.interactions, seed)?;
            let cohorts = Cohorts::form(&study.blind, &split.train, GROUPS, seed)?;
            trivial.measure(&study.dataset, &cohorts)
        }),
    }
}

/// One line for each number that was seen at every epoch.
pub(super) fn curves(fitted: &Fitted) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for log in &fitted.epochs {
        for (name, value) in log.values.iter().filter(|(_, value)| value.is_finite()) {
            let point = (log.epoch as f64, *value);
            match curves.iter_mut().find(|curve| curve.name == *name) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve { name: name.clone(), points: vec![point] }),
            }
        }
    }
    curves
}

/// A measurement that is only about some of the users.
pub(super) fn merged(parts: Vec<(&str, Outcome)>) -> Outcome {
    let mut all = Outcome::default();
    parts.into_iter().for_each(|(cohort, part)| all.extend(part.of(cohort)));
    all
}
