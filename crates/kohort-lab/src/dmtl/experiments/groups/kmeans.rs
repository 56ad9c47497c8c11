//! KMeans groups: formed on training rows, rated by what their members rated in the test part.
//!
//! Of the held-out rows those (group, item) pairs count that at least two members rated. Training rows of other
//! members on the same item are fair: nobody's held-out rating is among them.

use std::sync::Arc;

use anyhow::Result;
use kohort_data::{Train, Way};
use serde_json::json;

use super::super::{MAIN_SPLIT, data_settings, fit};
use super::score::{MemberScores, RULES, known, measure};
use super::{KMEANS, by_group_ratings, by_members};
use crate::dmtl::cohorts::{Cohorts, GROUPS, HIDDEN};
use crate::dmtl::study::Study;
use crate::dmtl::systems::{Material, System};
use crate::grid::Cell;
use crate::outcome::Outcome;
use crate::paper::Scope;

/// Share of the rows in the test part, as in (a).
const SHARE: f64 = 0.2;
/// Members that must have rated an item for the group to have.
const RATERS: usize = 2;

pub(super) fn cells<'a>(study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
    let mut cells = Vec::new();
    let members = by_members(study, scope.quick).into_iter().map(|system| (system, false));
    let groups = by_group_ratings().into_iter().map(|mut system| {
        system.variant = Some("on group ratings".to_owned());
        (system, true)
    });
    for (system, direct) in members.chain(groups) {
        let system = Arc::new(system);
        for &seed in &scope.seeds {
            let system = Arc::clone(&system);
            cells.push(Cell {
                key: fit::key(study, "groups", MAIN_SPLIT, seed, &system),
                cost: (system.cost + system.catalogue_cost) * study.dataset.interactions.len() as f64 / 1e5,
                settings: json!({
                    "data": data_settings(study),
                    "share": SHARE,
                    "raters": RATERS,
                    "config": system.config,
                    "groups": GROUPS,
                    "hidden": HIDDEN,
                }),
                work: Box::new(move || work(study, &system, direct, seed)),
            });
        }
    }
    cells
}

fn work(study: &Study, system: &System, direct: bool, seed: u64) -> Result<Outcome> {
    let split = Way::RandomRows { share: SHARE }.split(&study.dataset.interactions, seed)?;
    let cohorts = Cohorts::form(&study.blind, &split.train, GROUPS, seed)?;
    let members = cohorts.members()?;
    let scale = study.dataset.scale;
    let fit = |train: &Train| system.fit(&Material { dataset: &study.blind, train, cohorts: &cohorts, seed });
    // Every rule rates the same pairs, so members are scored once.
    let pairs = split.test.by_group(&members, RULES[0].0, RATERS)?;
    let mut outcome = Outcome::default();
    if pairs.answers().is_empty() {
        return Ok(outcome);
    }
    let by_members = if direct {
        None
    } else {
        let fitted = fit(&split.train)?;
        let known = known(split.train.rows());
        let scores = MemberScores::new(fitted.scorer.as_ref(), pairs.queries(), &members, &known);
        Some((scores, fitted.scorer.rates()))
    };
    for ((how, _), protocol) in RULES.into_iter().zip(KMEANS) {
        let test = split.test.by_group(&members, how, RATERS)?;
        let (scores, rates) = match &by_members {
            Some((scores, rates)) => (scores.together(how), *rates),
            None => {
                let fitted = fit(&split.train.by_group(&members, how, 1)?)?;
                (fitted.scorer.score(test.queries()), fitted.scorer.rates())
            }
        };
        outcome.extend(measure(protocol, scale, &test, &scores, rates)?);
    }
    Ok(outcome)
}
