//! From what a method found to the cohort of every user and row: small ones folded, absent users placed, random ones dealt.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use kohort_cohorts::Points;
use kohort_cohorts::controls::shuffled;
use kohort_cohorts::graph::{Bipartite, Graph};
use kohort_cohorts::living::{fold, parents_by_centres, parents_by_ties, spread};
use kohort_data::Column;
use kohort_data::Features;
use kohort_data::records::RecordSplit;
use kohort_layers::{Hierarchy, UNKNOWN};

use super::methods::{Found, Ground};
use super::settings::Settings;
use super::worlds::{Scene, World};
use crate::modules::worlds::Cohorts;

/// Rounds in which absent users are placed by those they are tied to, and by those placed before.
const ROUNDS: usize = 3;
/// The column that models see.
pub(crate) const COLUMN: &str = "cohort";
/// The set of cohorts that came with the data.
pub(crate) const GIVEN: &str = "given";

/// Cohorts of all users, numbered by falling size; `None`: none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OfUsers {
    /// `[users]`.
    pub(crate) labels: Vec<Option<u32>>,
    /// Number of cohorts.
    pub(crate) count: usize,
}

/// Where users of small cohorts go: along the ties of the graph, or to the nearest centre of the vectors.
pub(crate) fn parents(
    found: &Found,
    among: &[u32],
    (values, width): (&[f32], usize),
) -> Result<BTreeMap<u32, u32>> {
    if let Some(graph) = &found.graph {
        return Ok(parents_by_ties(graph, &found.labels)?);
    }
    let count = found.labels.iter().max().map_or(0, |&most| most as usize + 1);
    let (mut sums, mut counts) = (vec![0.0f64; count * width], vec![0usize; count]);
    for (&place, &label) in among.iter().zip(&found.labels) {
        counts[label as usize] += 1;
        let row = &values[place as usize * width..][..width];
        let sums = &mut sums[label as usize * width..][..width];
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let ids: Vec<u32> = (0..count as u32).filter(|&id| counts[id as usize] > 0).collect();
    let mut centres = Vec::with_capacity(ids.len() * width);
    for &id in &ids {
        let id = id as usize;
        centres.extend(sums[id * width..][..width].iter().map(|sum| (sum / counts[id] as f64) as f32));
    }
    // Checked here once, so that a bad vector is named by what is wrong with it.
    Points::new(&centres, width)?;
    let counts: Vec<usize> = ids.iter().map(|&id| counts[id as usize]).collect();
    Ok(parents_by_centres(&ids, &counts, &centres, width)?)
}

/// Labels with small cohorts folded into larger ones; what is still too small is no cohort.
pub(crate) fn folded(labels: &[u32], parents: &BTreeMap<u32, u32>, least: usize) -> Result<Vec<Option<u32>>> {
    let folded = fold(labels, parents, least)?.labels;
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    folded.iter().for_each(|&label| *sizes.entry(label).or_insert(0) += 1);
    Ok(folded.into_iter().map(|label| (sizes[&label] >= least).then_some(label)).collect())
}

/// What absent users are placed by: a graph of the same kind as the cohorts were found in, of all users.
fn ties_of_all(scene: &Scene, ground: Ground, settings: &Settings) -> Result<Graph> {
    if ground == Ground::Friends {
        return Ok(Graph::simple(scene.users, scene.friends.iter().copied())?);
    }
    let seen = scene.taken.iter().map(|&(place, item)| (scene.present[place as usize], item));
    let (user, item): (Vec<u32>, Vec<u32>) = seen.chain(scene.of_absent.iter().copied()).unzip();
    let taken = Bipartite::new(scene.users, scene.items, &user, &item, None)?;
    Ok(settings.projection().graph(&taken)?)
}

impl OfUsers {
    /// Cohorts that a method found among those present, and the others placed by their ties to them.
    pub(crate) fn found(
        world: &World,
        scene: &Scene,
        name: &str,
        settings: &Settings,
        seed: u64,
    ) -> Result<OfUsers> {
        let method = world.method(name).with_context(|| format!("{} has no method {name}", world.name))?;
        let material = method.material(world, scene, settings, seed)?;
        let among = material.everybody();
        let found = method.find(&material, &among, seed)?;
        let vectors = world.vectors(seed, settings)?;
        let up = parents(&found, &among, (&vectors.values, vectors.width))?;
        let own = folded(&found.labels, &up, settings.least(among.len()))?;
        let mut labels = vec![None; scene.users];
        scene.present.iter().zip(own).for_each(|(&user, label)| labels[user as usize] = label);
        if scene.present.len() < scene.users {
            labels = spread(&ties_of_all(scene, method.ground, settings)?, &labels, ROUNDS)?;
        }
        Ok(OfUsers::numbered(labels))
    }

    /// Cohorts that came with the data.
    pub(crate) fn given(scene: &Scene) -> Result<OfUsers> {
        let given = scene.given.as_ref().context("no cohorts came with the data")?;
        Ok(OfUsers::numbered(given.iter().map(|&label| Some(label)).collect()))
    }

    fn numbered(mut labels: Vec<Option<u32>>) -> OfUsers {
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        labels.iter().flatten().for_each(|&label| *sizes.entry(label).or_insert(0) += 1);
        let mut order: Vec<u32> = sizes.keys().copied().collect();
        order.sort_by_key(|label| (std::cmp::Reverse(sizes[label]), *label));
        let name: BTreeMap<u32, u32> = order.into_iter().zip(0..).collect();
        labels.iter_mut().flatten().for_each(|label| *label = name[label]);
        OfUsers { labels, count: name.len() }
    }

    /// Cohorts of the same sizes, dealt to users at random.
    pub(crate) fn at_random(&self, seed: u64) -> OfUsers {
        OfUsers { labels: shuffled(&self.labels, seed), count: self.count }
    }

    /// Cohorts of the rows of each part.
    pub(crate) fn of_rows(&self, scene: &Scene, split: &RecordSplit) -> Cohorts {
        let of = |rows: &[u32]| -> Vec<u32> {
            let user = |&row: &u32| scene.user_of_row[row as usize] as usize;
            rows.iter().map(|row| self.labels[user(row)].unwrap_or(UNKNOWN)).collect()
        };
        Cohorts {
            hierarchy: Hierarchy::flat(self.count),
            names: (0..self.count).map(|cohort| format!("cohort {cohort}")).collect(),
            train: of(split.train.origin()),
            validation: of(split.validation.origin()),
            test: of(split.test.origin()),
        }
    }

    /// The rows' features with the cohort as a column.
    pub(crate) fn as_column(&self, scene: &Scene) -> Result<Features> {
        let mut features = scene.records.features.clone();
        let name = |user: &u32| match self.labels[*user as usize] {
            Some(cohort) => format!("cohort {cohort}"),
            None => "none".to_owned(),
        };
        let names: Vec<String> = scene.user_of_row.iter().map(name).collect();
        features.push(COLUMN, Column::categorical(names.iter().map(String::as_str)))?;
        Ok(features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cohorts_go_to_their_parent_and_those_without_are_none() {
        let labels = [0, 0, 0, 1, 2, 2];
        let kept = folded(&labels, &BTreeMap::from([(1, 0)]), 3).unwrap();
        assert_eq!(kept, [Some(0), Some(0), Some(0), Some(0), None, None]);
    }

    #[test]
    fn random_cohorts_have_the_same_sizes_and_other_people() {
        let labels: Vec<Option<u32>> = (0..90).map(|user| (user % 9 > 0).then_some(user % 2)).collect();
        let own = OfUsers::numbered(labels);
        let dealt = own.at_random(3);
        let sizes = |of: &OfUsers| {
            let count = |cohort| of.labels.iter().filter(|label| **label == cohort).count();
            [count(Some(0)), count(Some(1)), count(None)]
        };
        assert_eq!(sizes(&own), sizes(&dealt));
        assert_ne!(own, dealt);
    }
}
