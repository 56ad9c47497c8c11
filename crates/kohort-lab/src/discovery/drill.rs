//! A drill: cohorts are planted in interactions of two periods, between which one splits, one dies and one is born. Are they found, do
//! the others keep their ids, and is what happened told?
//!
//! | kind | first period | second period |
//! |---|---|---|
//! | 0, 1 | its own items | the same people and items |
//! | 2 | its own items | half of its people take one half of them, the others the other |
//! | 3 | its own items | its people have left |
//! | 4 | its own items | the same people and items |
//! | 5 | – | newcomers, with items of their own |
//!
//! Everything is drawn anew in the second period: who took what, and which rows are astray.

use anyhow::Result;
use kohort_cohorts::communities::Leiden;
use kohort_cohorts::graph::{Bipartite, Projection};
use kohort_cohorts::living::{Change, ChangeRules, Living, Refit};
use kohort_random::{rand::Rng, stream};
use serde::{Deserialize, Serialize};

use crate::outcome::{Matrix, Number, Outcome};

pub(crate) const NAME: &str = "drift-drill";
/// Protocol and task of its numbers.
pub(crate) const DRILL: &str = "drill";
pub(crate) const CHANGES: &str = "changes";
pub(crate) const SPLITS: &str = "splits told (1 planted)";
pub(crate) const BIRTHS: &str = "births told (1 planted)";
pub(crate) const DEATHS: &str = "deaths told (1 planted)";
pub(crate) const MERGERS: &str = "mergers told (none planted)";
pub(crate) const KEPT: &str = "ids kept (3 planted)";
pub(crate) const RIGHT: &str = "all as planted";

/// Kinds of people in the first period.
const KINDS: usize = 5;
const SPLIT: usize = 2;
const DEAD: usize = 3;

/// Sizes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Users of a kind.
    pub(crate) users: usize,
    /// Items of a kind.
    pub(crate) items: usize,
    /// Items that a user took in a period.
    pub(crate) taken: usize,
    /// Share of them that are of any kind.
    pub(crate) astray: f64,
}

/// Runs it.
pub(crate) fn measure(settings: &Settings, seed: u64) -> Result<Outcome> {
    let first = period(settings, seed, false)?;
    let second = period(settings, seed, true)?;
    let before: Vec<Option<u32>> = first[..KINDS * settings.users].to_vec();
    let refit = Living::first(&before)?.next(&second, &Default::default(), 0, ChangeRules::default())?;
    Ok(told(settings, &before, &refit))
}

/// Cohorts of all users in a period: those of the five kinds, and after them the newcomers. `None` for who is not there.
fn period(settings: &Settings, seed: u64, second: bool) -> Result<Vec<Option<u32>>> {
    let Settings { users, items, taken, astray } = *settings;
    let mut numbers = stream(seed, "drift drill", &[u64::from(second)]);
    let (all_users, all_items) = ((KINDS + 1) * users, (KINDS + 1) * items);
    let there = |kind: usize| if second { kind != DEAD } else { kind < KINDS };
    let (mut who, mut what) = (Vec::new(), Vec::new());
    let present: Vec<usize> = (0..all_users).filter(|user| there(user / users)).collect();
    for (place, &user) in present.iter().enumerate() {
        let kind = user / users;
        // Halves of the kind that splits: even numbers and odd ones.
        let (from, many) = match second && kind == SPLIT {
            true => (kind * items + user % 2 * (items / 2), items / 2),
            false => (kind * items, items),
        };
        for _ in 0..taken {
            let own = numbers.random::<f64>() >= astray;
            let item =
                if own { from + numbers.random_range(0..many) } else { numbers.random_range(0..all_items) };
            who.push(place as u32);
            what.push(item as u32);
        }
    }
    let graph = Projection::default().graph(&Bipartite::new(present.len(), all_items, &who, &what, None)?)?;
    let found = Leiden { seed, ..Leiden::default() }.fit(&graph)?;
    let mut cohorts = vec![None; all_users];
    present.iter().zip(found.labels).for_each(|(&user, label)| cohorts[user] = Some(label));
    Ok(cohorts)
}

fn told(settings: &Settings, before: &[Option<u32>], refit: &Refit) -> Outcome {
    let changes = &refit.changes;
    let count = |is: fn(&Change) -> bool| changes.changes.iter().filter(|change| is(change)).count();
    let [splits, births, deaths, mergers] = [
        count(|change| matches!(change, Change::Split { parts, .. } if parts.len() == 2)),
        count(|change| matches!(change, Change::Born { .. })),
        count(|change| matches!(change, Change::Died { .. })),
        count(|change| matches!(change, Change::Merged { .. })),
    ];
    // The id that most of a kind's people have.
    let foremost = |of: &[Option<u32>], kind: usize| -> Option<u32> {
        let own: Vec<u32> =
            of[kind * settings.users..(kind + 1) * settings.users].iter().flatten().copied().collect();
        own.iter().copied().max_by_key(|id| (own.iter().filter(|other| *other == id).count(), *id))
    };
    let same = |&kind: &usize| {
        let was = foremost(before, kind);
        was.is_some() && was == foremost(&refit.living.cohorts, kind)
    };
    let kept = [0, 1, 4].iter().filter(|kind| same(kind)).count();
    let right = (splits, births, deaths, mergers, kept) == (1, 1, 1, 0, 3) && changes.changes.len() == 6;
    let mut outcome = Outcome::default();
    for (metric, value) in [
        (SPLITS, splits as f64),
        (BIRTHS, births as f64),
        (DEATHS, deaths as f64),
        (MERGERS, mergers as f64),
        (KEPT, kept as f64),
        (RIGHT, f64::from(u8::from(right))),
    ] {
        outcome.numbers.push(Number::new(DRILL, CHANGES, metric, value));
    }
    outcome.remarks.extend(changes.to_string().lines().map(str::to_owned));
    let flow = &changes.flow;
    let side =
        |cohorts: Vec<u32>| -> Vec<Option<u32>> { cohorts.into_iter().map(Some).chain([None]).collect() };
    let (from, to) = (side(flow.cohorts_before()), side(flow.cohorts_after()));
    let name = |cohort: &Option<u32>, none: &str| match cohort {
        Some(cohort) => format!("cohort {cohort}"),
        None => none.to_owned(),
    };
    outcome.matrices.push(Matrix {
        name: super::portrait::FLOW.to_owned(),
        rows: from.iter().map(|cohort| name(cohort, super::portrait::ABSENT)).collect(),
        columns: to.iter().map(|cohort| name(cohort, "left")).collect(),
        values: from.iter().map(|&a| to.iter().map(|&b| Some(flow.users(a, b) as f64)).collect()).collect(),
    });
    outcome
}
