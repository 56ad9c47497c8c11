//! Cold users: does the second task help those with fewer than 5 training ratings?
//!
//! Nobody on MovieLens-100K is cold, so a tenth of the users is made so: of their training rows 4 at random are kept. On
//! other data sets those users are taken who have fewer than 5 training rows by themselves.

use std::sync::Arc;

use anyhow::Result;
use kohort_data::{Index, Interactions, Split, Way};
use kohort_random::{permutation, stream};
use serde_json::json;

use super::sweeps::protocol_a;
use super::{data_settings, fit};
use crate::dmtl::cohorts::{Cohorts, GROUPS, HIDDEN};
use crate::dmtl::measure::evaluate;
use crate::dmtl::protocols::SplitPlan;
use crate::dmtl::study::Study;
use crate::dmtl::systems::{self, Material, System};
use crate::grid::Cell;
use crate::outcome::Outcome;
use crate::paper::Scope;

/// From this many training rows on a user is not cold.
const ENOUGH: usize = 5;
/// Share of users made cold where nobody is.
const SHARE: f64 = 0.1;
/// The cohorts' names in rows.
pub(crate) const COLD: &str = "cold users";
pub(crate) const WARM: &str = "other users";

/// The system under test, the same without its profiling task, and a few baselines.
pub(super) fn cells<'a>(study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
    let Some(plan) = protocol_a(study) else { return Vec::new() };
    let plan = Arc::new(plan);
    let mut all = systems::baselines_named(&["random", "popularity", "item-mean", "bias", "svd++"]);
    all.push(systems::under_test(&study.dataset));
    all.push(systems::single_task(&study.dataset));
    let all: Vec<Arc<System>> = all.into_iter().map(Arc::new).collect();
    let pairs = all.iter().flat_map(|system| scope.seeds.iter().map(move |&seed| (system, seed)));
    pairs
        .map(|(system, seed)| {
            let (plan, system) = (Arc::clone(&plan), Arc::clone(system));
            Cell {
                key: fit::key(study, "cold", plan.name, seed, &system),
                cost: system.cost * study.dataset.interactions.len() as f64 / 1e5,
                settings: json!({
                    "data": data_settings(study),
                    "plan": &*plan,
                    "config": system.config,
                    "groups": GROUPS,
                    "hidden": HIDDEN,
                    "enough": ENOUGH,
                    "share": SHARE,
                }),
                work: Box::new(move || work(study, &plan, &system, seed)),
            }
        })
        .collect()
}

fn work(study: &Study, plan: &SplitPlan, system: &System, seed: u64) -> Result<Outcome> {
    let dataset = &study.dataset;
    let split = Way::RandomRows { share: plan.share }.split(&dataset.interactions, seed)?;
    let split = with_cold_users(&dataset.interactions, split, seed)?;
    let cohorts = Cohorts::form(&study.blind, &split.train, GROUPS, seed)?;
    let fitted =
        system.fit(&Material { dataset: &study.blind, train: &split.train, cohorts: &cohorts, seed })?;
    let mut is_cold = vec![false; dataset.users.len()];
    split.train.cold_users(ENOUGH).into_iter().for_each(|user| is_cold[user as usize] = true);
    let mut parts = Vec::new();
    for (name, wanted) in [(COLD, true), (WARM, false)] {
        let Some(part) = only(&split, &|user| is_cold[user as usize] == wanted)? else { continue };
        let mut outcome = evaluate(dataset, &part, plan, fitted.scorer.as_ref())?;
        outcome.counts.push(("test rows".to_owned(), part.test.answers().len() as f64));
        parts.push((name, outcome));
    }
    Ok(fit::merged(parts))
}

/// The split itself where it has cold users; else a tenth of the users keeps 4 training rows.
fn with_cold_users(whole: &Interactions, split: Split, seed: u64) -> Result<Split> {
    if !split.train.cold_users(ENOUGH).is_empty() {
        return Ok(split);
    }
    let rows = split.train.rows();
    let by_user = Index::new(&rows.user, rows.users);
    let chosen = (SHARE * rows.users as f64).round() as usize;
    let mut dropped = vec![false; rows.len()];
    for &user in permutation(rows.users, &mut stream(seed, "cold users", &[])).iter().take(chosen) {
        let own = by_user.rows(user as usize);
        let order = permutation(own.len(), &mut stream(seed, "cold rows", &[u64::from(user)]));
        order.iter().skip(ENOUGH - 1).for_each(|&at| dropped[own[at as usize] as usize] = true);
    }
    let kept: Vec<u32> = (0..rows.len() as u32).filter(|&row| !dropped[row as usize]).collect();
    Ok(Split::given(rows.select(&kept), split.test.answers().clone(), Some(whole))?)
}

/// The split with only those test rows whose user is wanted; none if there are none.
fn only(split: &Split, wanted: &dyn Fn(u32) -> bool) -> Result<Option<Split>> {
    let test = split.test.answers();
    let rows: Vec<u32> = (0..test.len() as u32).filter(|&row| wanted(test.user[row as usize])).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(Split::given(split.train.rows().clone(), test.select(&rows), None)?))
}
