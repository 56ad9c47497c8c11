//! What a method found, in numbers: how many cohorts, how good, how stable, how fast; and what they are made of.

use std::time::Instant;

use anyhow::Result;
use kohort_cohorts::Points;
use kohort_cohorts::communities::Criterion;
use kohort_cohorts::profile::Resampling;
use kohort_cohorts::quality::{normalised_mutual_information, silhouette_sampled};

use super::cohorts::{folded, parents};
use super::methods::Method;
use super::portrait;
use super::settings::Settings;
use super::worlds::World;
use crate::outcome::{Number, Outcome};

/// Protocol of these numbers.
pub(crate) const FOUND: &str = "cohorts found";
/// Their task.
pub(crate) const COHORTS: &str = "cohorts";

/// Names of metrics.
pub(crate) const COUNT: &str = "cohorts found";
pub(crate) const USED: &str = "cohorts after folding";
pub(crate) const WITHOUT: &str = "users without a cohort";
pub(crate) const MODULARITY: &str = "modularity";
pub(crate) const SILHOUETTE: &str = "silhouette";
pub(crate) const NMI: &str = "NMI with the given cohorts";
pub(crate) const STABILITY: &str = "ARI of resampled fits";
pub(crate) const SECONDS: &str = "seconds to find";

/// Measures a method on a seed's training rows; `shown` asks for a portrait of what it found, too.
pub(crate) fn judge(
    world: &World,
    method: &Method,
    settings: &Settings,
    seed: u64,
    shown: bool,
) -> Result<Outcome> {
    let scene = world.scene(seed)?;
    let material = method.material(world, &scene, settings, seed)?;
    let among = material.everybody();
    let start = Instant::now();
    let found = method.find(&material, &among, seed)?;
    let seconds = start.elapsed().as_secs_f64();

    let mut outcome = Outcome::default();
    let mut say = |metric: &str, value: f64| {
        outcome.numbers.push(Number::new(FOUND, COHORTS, metric, value));
    };
    let mut distinct = found.labels.clone();
    distinct.sort_unstable();
    distinct.dedup();
    say(COUNT, distinct.len() as f64);
    let vectors = world.vectors(seed, settings)?;
    let up = parents(&found, &among, (&vectors.values, vectors.width))?;
    let kept = folded(&found.labels, &up, settings.least(among.len()))?;
    let mut used: Vec<u32> = kept.iter().flatten().copied().collect();
    let without = 1.0 - used.len() as f64 / among.len().max(1) as f64;
    used.sort_unstable();
    used.dedup();
    say(USED, used.len() as f64);
    say(WITHOUT, without);
    if let Some(graph) = &found.graph {
        say(MODULARITY, Criterion::default().of(graph, &found.labels)?);
    }
    // One cohort for all has none.
    if used.len() > 1 {
        let known: Vec<usize> = (0..kept.len()).filter(|&place| kept[place].is_some()).collect();
        let labels: Vec<u32> = known.iter().filter_map(|&place| kept[place]).collect();
        let width = vectors.width;
        let values: Vec<f32> =
            known.iter().flat_map(|&place| &vectors.values[place * width..][..width]).copied().collect();
        let points = Points::new(&values, width)?;
        say(SILHOUETTE, silhouette_sampled(&points, &labels, settings.silhouette, seed)?.mean);
    }
    if let Some(given) = &scene.given {
        let both =
            scene.present.iter().zip(&kept).filter_map(|(&user, own)| Some((given[user as usize], (*own)?)));
        let (known, own): (Vec<u32>, Vec<u32>) = both.unzip();
        say(NMI, normalised_mutual_information(&known, &own)?);
    }
    let again = |sample: &[u32], seed: u64| {
        method.find(&material, sample, seed).map(|found| found.labels).map_err(|error| format!("{error:#}"))
    };
    let resampling = Resampling { pairs: settings.pairs, seed, ..Resampling::default() };
    say(STABILITY, resampling.of(among.len(), again)?.adjusted_rand.mean);
    say(SECONDS, seconds);
    if shown {
        outcome.extend(portrait::of(world, method, &material, &found, seed)?);
    }
    Ok(outcome)
}
