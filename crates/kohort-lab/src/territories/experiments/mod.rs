//! Which cells there are: one file an experiment.

pub(crate) mod grouping;
pub(crate) mod markets;
pub(crate) mod planted;
pub(crate) mod published;
pub(crate) mod regions;

use std::sync::Arc;

use serde_json::json;

use super::measure::{What, Yardstick};
use super::settings::Settings;
use super::systems::{Material, System, reported_groups};
use super::world::World;
use crate::grid::{Cell, Key};

/// One system, fitted once on a world's training rows from one seed, measured on its test rows.
///
/// The world's split knows no seed: a seed draws the samples of users, initial weights, training negatives and the
/// candidates of the test, the same ones for every system of that seed.
fn cell<'a>(
    experiment: &str,
    world: &'a World,
    settings: &'a Settings,
    (system, what): (Arc<System>, What),
    seed: u64,
) -> Cell<'a> {
    Cell {
        key: key(experiment, &world.name, world.split, &system, seed),
        cost: system.cost * world.train().rows().len() as f64 / 130e3 + if what.whole { 6.0 } else { 2.0 },
        settings: json!({
            "world": world.settings(),
            "negatives": settings.negatives,
            "config": system.config,
            "what": what,
        }),
        work: Box::new(move || {
            let inputs = if system.takes_inputs { Some(world.inputs(settings)?) } else { None };
            let fitted = system.fit(&Material {
                train: world.train(),
                territories: &world.territories,
                catalogues: Some(&world.catalogues),
                inputs: inputs.as_deref(),
                validation: None,
                held_out_from: world.parts.held_out_from(),
                seed,
            })?;
            let groups = reported_groups(world, settings)?;
            let yardstick = Yardstick { world, negatives: settings.negatives, groups: &groups, what };
            let mut outcome = yardstick.measure(&fitted, seed)?;
            outcome.curves.extend(fitted.curves);
            Ok(outcome)
        }),
    }
}

fn key(experiment: &str, dataset: &str, split: &str, system: &System, seed: u64) -> Key {
    Key {
        experiment: experiment.to_owned(),
        dataset: dataset.to_owned(),
        split: split.to_owned(),
        seed,
        system: system.name.clone(),
        title: system.title.clone(),
        variant: system.variant.clone(),
    }
}

/// A cell for each system and seed.
fn cells<'a>(
    experiment: &str,
    world: &'a World,
    settings: &'a Settings,
    systems: Vec<(System, What)>,
    seeds: &[u64],
) -> Vec<Cell<'a>> {
    let systems: Vec<(Arc<System>, What)> =
        systems.into_iter().map(|(system, what)| (Arc::new(system), what)).collect();
    let pairs = systems.iter().flat_map(|system| seeds.iter().map(move |&seed| (system, seed)));
    pairs
        .map(|((system, what), seed)| cell(experiment, world, settings, (Arc::clone(system), *what), seed))
        .collect()
}
