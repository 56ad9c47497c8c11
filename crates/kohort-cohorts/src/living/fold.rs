//! Small cohorts become part of larger ones.
//!
//! Every cohort may have a parent. From the leaves up, one with fewer users than the minimum goes over into its parent, with all
//! that went over into it; a parent that is still too small goes on into its own. One without a parent stays as it is.

use std::collections::BTreeMap;

use kohort_core::Real;
use serde::{Deserialize, Serialize};

use super::LivingError;
use crate::graph::Graph;
use crate::points::{Points, squared_distance};

/// What folding did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// Cohort of each user now, `[users]`.
    pub labels: Vec<u32>,
    /// `(cohort, where its users are now, users it had)`, ascending; cohorts folded on the way to another are told with
    /// those that had gone over into them before.
    pub folded: Vec<(u32, u32, usize)>,
    /// Cohorts that are too small and have no parent, ascending.
    pub left: Vec<u32>,
}

/// Folds cohorts of fewer than `minimum` users into their parents. A parent need not have users of its own.
///
/// ```
/// use std::collections::BTreeMap;
/// use kohort_cohorts::living::fold;
///
/// // Two districts of city 9; the smaller one is too small.
/// let folded = fold(&[1, 1, 1, 2], &BTreeMap::from([(1, 9), (2, 9)]), 2)?;
/// assert_eq!((folded.labels, folded.folded, folded.left), (vec![1, 1, 1, 9], vec![(2, 9, 1)], vec![9]));
/// # Ok::<(), kohort_cohorts::living::LivingError>(())
/// ```
///
/// # Errors
/// A cohort that is its own ancestor.
pub fn fold(labels: &[u32], parents: &BTreeMap<u32, u32>, minimum: usize) -> Result<Folded, LivingError> {
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    labels.iter().for_each(|&label| *sizes.entry(label).or_insert(0) += 1);
    let mut depths: BTreeMap<u32, usize> = BTreeMap::new();
    for &cohort in sizes.keys() {
        // The way up; every cohort on it may be asked to take users in.
        let mut way = vec![cohort];
        while let Some(&parent) = parents.get(&way[way.len() - 1]) {
            if way.contains(&parent) {
                return Err(LivingError::Circle { cohort: parent });
            }
            way.push(parent);
        }
        way.iter().rev().enumerate().for_each(|(depth, &cohort)| {
            depths.insert(cohort, depth);
        });
    }
    let mut order: Vec<u32> = depths.keys().copied().collect();
    order.sort_by_key(|cohort| (std::cmp::Reverse(depths[cohort]), *cohort));
    let mut into: BTreeMap<u32, (u32, usize)> = BTreeMap::new();
    let mut left = Vec::new();
    for cohort in order {
        let size = sizes.get(&cohort).copied().unwrap_or(0);
        if size == 0 || size >= minimum {
            continue;
        }
        match parents.get(&cohort) {
            Some(&parent) => {
                into.insert(cohort, (parent, size));
                sizes.insert(cohort, 0);
                *sizes.entry(parent).or_insert(0) += size;
            }
            None => left.push(cohort),
        }
    }
    let end = |cohort: u32| {
        let mut at = cohort;
        while let Some(&(parent, _)) = into.get(&at) {
            at = parent;
        }
        at
    };
    left.sort_unstable();
    Ok(Folded {
        labels: labels.iter().map(|&label| end(label)).collect(),
        folded: into.iter().map(|(&cohort, &(_, size))| (cohort, end(cohort), size)).collect(),
        left,
    })
}

/// Parents for a flat clustering: the nearest centre of a larger cohort, of equally large ones that with the lower id.
/// `centres: [ids, dim]`, `counts: [ids]`. The largest has none.
///
/// # Errors
/// Lists of different lengths, a centre that is not finite.
pub fn parents_by_centres<F: Real>(
    ids: &[u32],
    counts: &[usize],
    centres: &[F],
    dim: usize,
) -> Result<BTreeMap<u32, u32>, LivingError> {
    for (what, got, expected) in
        [("counts", counts.len(), ids.len()), ("values of centres", centres.len(), ids.len() * dim)]
    {
        if got != expected {
            return Err(LivingError::Length { what, got, expected });
        }
    }
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let points = Points::new(centres, dim)?;
    let distance = |a: usize, b: usize| squared_distance(points.row(a), points.row(b));
    Ok(nearest_larger(ids, counts, |a, b| Some(distance(a, b))))
}

/// Parents for communities of a graph: the larger cohort with which it has the heaviest ties in all, of equally large ones
/// that with the lower id. `labels: [nodes]`. A cohort without ties to a larger one has none.
///
/// # Errors
/// Not one label per node.
pub fn parents_by_ties(graph: &Graph, labels: &[u32]) -> Result<BTreeMap<u32, u32>, LivingError> {
    if labels.len() != graph.nodes() {
        return Err(LivingError::Length { what: "labels", got: labels.len(), expected: graph.nodes() });
    }
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    labels.iter().for_each(|&label| *sizes.entry(label).or_insert(0) += 1);
    let mut ties: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for (u, v, weight) in graph.iter_edges() {
        let (a, b) = (labels[u as usize], labels[v as usize]);
        if a != b {
            *ties.entry((a.min(b), a.max(b))).or_insert(0.0) += weight;
        }
    }
    let (ids, counts): (Vec<u32>, Vec<usize>) = sizes.into_iter().unzip();
    Ok(nearest_larger(&ids, &counts, |a, b| {
        ties.get(&(ids[a].min(ids[b]), ids[a].max(ids[b]))).map(|weight| -weight)
    }))
}

/// Each cohort's nearest among the larger ones; size and id order all cohorts, so that nobody is its own ancestor.
fn nearest_larger(
    ids: &[u32],
    counts: &[usize],
    distance: impl Fn(usize, usize) -> Option<f64>,
) -> BTreeMap<u32, u32> {
    let rank = |at: usize| (counts[at], std::cmp::Reverse(ids[at]));
    let parent = |at: usize| {
        let larger = (0..ids.len()).filter(|&other| rank(other) > rank(at));
        let reached = larger.filter_map(|other| Some((distance(at, other)?, ids[other])));
        reached.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
    };
    (0..ids.len()).filter_map(|at| Some((ids[at], parent(at)?.1))).collect()
}
