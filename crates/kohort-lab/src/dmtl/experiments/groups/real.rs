//! Real groups with ratings of their own (ITM-Rec): can members' scores say what the group will think?
//!
//! A random fifth of the groups' ratings is the test part. Systems that score members learn from all individual ratings and
//! from no group rating; baselines "on group ratings" learn from the other four fifths of the groups' ratings and from no
//! individual rating. A description beside that says how the groups' own ratings relate to their members', and
//! whether KMeans would find such groups.

use std::sync::Arc;

use anyhow::{Context, Result};
use kohort_data::{Aggregate, Dataset, Duplicates, Groups, Index, Split, Test, Train, Way, aggregate};
use kohort_eval::profiling::{adjusted_rand_index, normalised_mutual_information};
use kohort_eval::rating;
use kohort_random::{permutation, stream};
use serde_json::json;

use super::super::{data_settings, fit};
use super::score::{MemberScores, RULES, known, measure};
use super::{COLD, DESCRIPTION, REAL, by_group_ratings, by_members};
use crate::dmtl::cohorts::{Cohorts, GROUPS, HIDDEN};
use crate::dmtl::study::Study;
use crate::dmtl::systems::{Material, System};
use crate::grid::{Cell, Key};
use crate::outcome::{Number, Outcome};
use crate::paper::Scope;

/// Share of the groups' ratings in the test part.
const SHARE: f64 = 0.2;
/// From this many own training ratings on a group is not cold.
const ENOUGH: usize = 5;

pub(super) fn cells<'a>(study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
    if study.dataset.groups.is_none() {
        return Vec::new();
    }
    let mut cells = Vec::new();
    let members = by_members(study, scope.quick).into_iter();
    let members = members.map(|system| (Arc::new(system), false));
    let groups = by_group_ratings().into_iter().map(|mut system| {
        system.variant = Some("on group ratings".to_owned());
        (Arc::new(system), true)
    });
    for (system, direct) in members.chain(groups) {
        for &seed in &scope.seeds {
            let system = Arc::clone(&system);
            cells.push(Cell {
                key: fit::key(study, "groups", "real-groups", seed, &system),
                cost: system.cost * study.dataset.interactions.len() as f64 / 1e5,
                settings: settings(study, &system.config),
                work: Box::new(move || work(study, &system, direct, seed)),
            });
        }
    }
    cells.extend(scope.seeds.iter().map(|&seed| Cell {
        key: Key {
            experiment: "groups".to_owned(),
            dataset: study.name().to_owned(),
            split: "real-groups".to_owned(),
            seed,
            system: "description".to_owned(),
            title: "Description".to_owned(),
            variant: None,
        },
        cost: 0.1,
        settings: settings(study, &serde_json::Value::Null),
        work: Box::new(move || describe(study, seed)),
    }));
    cells
}

fn settings(study: &Study, config: &serde_json::Value) -> serde_json::Value {
    json!({ "data": data_settings(study), "share": SHARE, "enough": ENOUGH, "config": config, "groups": GROUPS, "hidden": HIDDEN })
}

fn groups(dataset: &Dataset) -> Result<&Groups> {
    dataset.groups.as_ref().context("the data set has no real groups")
}

fn work(study: &Study, system: &System, direct: bool, seed: u64) -> Result<Outcome> {
    let groups = groups(&study.dataset)?;
    let own = groups.interactions.merge_duplicates(Duplicates::Mean)?;
    let split = Way::RandomRows { share: SHARE }.split(&own, seed)?;
    let individual = Train::new(study.dataset.interactions.clone())?;
    let cohorts = Cohorts::form(&study.blind, &individual, GROUPS, seed)?;
    let train = if direct { &split.train } else { &individual };
    let fitted = system.fit(&Material { dataset: &study.blind, train, cohorts: &cohorts, seed })?;
    let (scorer, scale) = (fitted.scorer.as_ref(), study.dataset.scale);
    let known = known(individual.rows());
    let rules = if direct { &RULES[..1] } else { &RULES };
    let mut outcome = Outcome::default();
    let mut score = |test: &Test, cohort: Option<&str>, rules: &[(Aggregate, &str)]| -> Result<()> {
        let members = (!direct).then(|| MemberScores::new(scorer, test.queries(), &groups.members, &known));
        for (&(how, _), protocol) in rules.iter().zip(REAL) {
            let scores = match &members {
                Some(members) => members.together(how),
                None => scorer.score(test.queries()),
            };
            let part = measure(protocol, scale, test, &scores, scorer.rates())?;
            outcome.extend(cohort.map_or(part.clone(), |cohort| part.of(cohort)));
        }
        Ok(())
    };
    score(&split.test, None, rules)?;
    if let Some(cold) = of_cold_groups(&split)? {
        score(&cold.test, Some(COLD), &rules[..1])?;
    }
    Ok(outcome)
}

/// The split with only those test rows whose group has few training ratings of its own; none if there are none.
fn of_cold_groups(split: &Split) -> Result<Option<Split>> {
    let test = split.test.answers();
    let cold = split.train.cold_users(ENOUGH);
    let rows: Vec<u32> =
        (0..test.len() as u32).filter(|&row| cold.contains(&test.user[row as usize])).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(Split::given(split.train.rows().clone(), test.select(&rows), None)?))
}

/// How groups and members agree, without any model.
fn describe(study: &Study, seed: u64) -> Result<Outcome> {
    let (dataset, groups) = (&study.dataset, groups(&study.dataset)?);
    let mut outcome = Outcome::default();
    let mut push = |metric: &str, value: f64| {
        outcome.numbers.push(Number::new(DESCRIPTION, "description", metric, value));
    };
    let own = groups.interactions.merge_duplicates(Duplicates::Mean)?;
    let by_group = Index::new(&own.user, own.users);
    for (how, rule) in RULES {
        let of_members = aggregate(&dataset.interactions, &groups.members, how, 1)?;
        let (mut predicted, mut rated) = (Vec::new(), Vec::new());
        for at in 0..of_members.len() {
            let same = by_group.rows(of_members.user[at] as usize).iter();
            for &row in same.filter(|&&row| own.item[row as usize] == of_members.item[at]) {
                predicted.push(of_members.rating[at]);
                rated.push(own.rating[row as usize]);
            }
        }
        if !rated.is_empty() {
            push(
                &format!("RMSE of the members' {rule} against the group's own rating"),
                rating::rmse(&predicted, &rated)?,
            );
            // Every rule is about the same pairs.
            if rule == RULES[0].1 {
                push("(group, item) pairs rated by both", rated.len() as f64);
            }
        }
    }
    let train = Train::new(dataset.interactions.clone())?;
    let cohorts = Cohorts::form(&study.blind, &train, GROUPS, seed)?;
    let of_user = groups.members.groups_of(dataset.users.len());
    let single: Vec<usize> = (0..of_user.len()).filter(|&user| of_user[user].len() == 1).collect();
    let real: Vec<u32> = single.iter().map(|&user| of_user[user][0]).collect();
    let found: Vec<u32> = single.iter().map(|&user| cohorts.labels[user]).collect();
    push("users in exactly one real group", single.len() as f64);
    push("ARI of KMeans groups with real groups", adjusted_rand_index(&found, &real)?);
    push("NMI of KMeans groups with real groups", normalised_mutual_information(&found, &real)?);
    let shuffled: Vec<u32> = permutation(found.len(), &mut stream(seed, "shuffled groups", &[]))
        .into_iter()
        .map(|at| found[at as usize])
        .collect();
    push(
        "NMI of shuffled labels with real groups (chance)",
        normalised_mutual_information(&shuffled, &real)?,
    );
    Ok(outcome)
}
