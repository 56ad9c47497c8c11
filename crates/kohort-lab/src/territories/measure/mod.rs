//! A fitted system on a world's test part, in numbers by territory.
//!
//! | file | of what | numbers |
//! |---|---|---|
//! | `sampled` | each held-out row beside sampled negatives | PR-AUC (with bootstrap draws), nDCG@10, calibration |
//! | `precision` | the same | average precision on samples of users |
//! | `whole` | all titles of the user's territory | nDCG@10, popularity bias, local titles, score distributions |
//!
//! Cohorts are territories, by name; a number without a cohort is the mean over the territories where it is defined.

mod precision;
pub(crate) mod sampled;
pub(crate) mod whole;

use std::collections::BTreeMap;

use anyhow::Result;

use super::systems::Fitted;
use super::world::World;
use crate::outcome::{Number, Outcome, Undefined};

/// Candidates: the held-out row and sampled negatives of the own territory.
pub(crate) const SAMPLED: &str = "sampled";
/// Candidates: all titles of the own territory.
pub(crate) const WHOLE: &str = "whole market";

/// What to measure beside PR-AUC and nDCG@10 on sampled candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub(crate) struct What {
    /// Bootstrap draws of PR-AUC.
    pub(crate) draws: u64,
    /// nDCG@10 of every user.
    pub(crate) per_user: bool,
    /// Whether probabilities come true.
    pub(crate) calibration: bool,
    /// The whole market, with popularity bias.
    pub(crate) whole: bool,
    /// The standing of single titles and the distribution of scores.
    pub(crate) titles: bool,
}

/// Where to measure, and against how many negatives.
#[derive(Clone, Copy)]
pub(crate) struct Yardstick<'a> {
    /// The data.
    pub(crate) world: &'a World,
    /// Negatives a user among the sampled candidates.
    pub(crate) negatives: u32,
    /// Groups of several territories whose PR-AUC is reported too, by name.
    pub(crate) groups: &'a [(String, Vec<usize>)],
    /// What to measure.
    pub(crate) what: What,
}

impl Yardstick<'_> {
    /// All that is asked for; negatives are drawn from `seed`.
    pub(crate) fn measure(&self, fitted: &Fitted, seed: u64) -> Result<Outcome> {
        let mut outcome = sampled::measure(self, fitted, seed)?;
        if self.what.whole {
            outcome.extend(whole::measure(self, fitted)?);
        }
        add_means(&mut outcome, self.world);
        Ok(outcome)
    }
}

/// For each metric the mean over territories; floors and ceilings likewise.
fn add_means(outcome: &mut Outcome, world: &World) {
    let mut order: Vec<(String, String, String)> = Vec::new();
    let mut of: BTreeMap<(String, String, String), Vec<&Number>> = BTreeMap::new();
    let territories = world.territories.names();
    for number in &outcome.numbers {
        if number.cohort.as_ref().is_some_and(|cohort| territories.contains(cohort)) {
            let key = (number.protocol.clone(), number.task.clone(), number.metric.clone());
            if !of.contains_key(&key) {
                order.push(key.clone());
            }
            of.entry(key).or_default().push(number);
        }
    }
    let mean = |numbers: &[&Number], field: fn(&Number) -> Option<f64>| {
        let values: Option<Vec<f64>> = numbers.iter().map(|number| field(number)).collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    let means: Vec<Number> = order
        .iter()
        .filter_map(|key| {
            let numbers = of.get(key)?;
            let value = mean(numbers, |number| Some(number.value))?;
            let number = Number::new(&key.0, &key.1, key.2.clone(), value);
            Some(number.between(mean(numbers, |n| n.floor), mean(numbers, |n| n.ceiling)))
        })
        .collect();
    outcome.numbers.extend(means);
}

/// A number that a territory has not.
fn undefined(protocol: &str, task: &str, cohort: &str, metric: &str, why: &str) -> Undefined {
    Undefined {
        protocol: protocol.to_owned(),
        task: task.to_owned(),
        cohort: Some(cohort.to_owned()),
        metric: metric.to_owned(),
        why: why.to_owned(),
    }
}
