//! Which cohort each user is in, under ids that outlive a fit.
//!
//! A fit numbers its clusters as it likes. To keep reports and adapters attached to the same people, each new
//! cluster takes over the id of one earlier cohort at most: those pairs are taken that share the most users
//! in total (or, where the users differ, whose centres lie closest in total). A new cluster without a partner
//! is a birth and gets an id never used before; a cohort without one is a death, and its id is not given
//! again.

use std::collections::BTreeMap;

use kohort_core::Real;
use serde::{Deserialize, Serialize};

use crate::KMeans;
use crate::matching::cheapest;
use crate::points::squared_distance;

/// Cohorts of users, under stable ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The stable id of each user's cohort, `[users]`.
    pub labels: Vec<u32>,
    /// The stable id of each cluster of the fit, `[clusters]`, no two alike.
    pub ids: Vec<u32>,
    /// The id that the next birth gets: above every id ever given.
    pub next_id: u32,
}

/// How a fit's clusters continue an earlier assignment's cohorts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The stable id of each new cluster, `[new clusters]`.
    pub ids: Vec<u32>,
    /// Ids that live on, ascending.
    pub kept: Vec<u32>,
    /// Ids that are new, ascending.
    pub births: Vec<u32>,
    /// Ids that ended, ascending.
    pub deaths: Vec<u32>,
    /// The id that the next birth gets.
    pub next_id: u32,
}

/// Why fits could not be matched.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MatchError {
    /// Not the same number of users.
    #[error("{previous} users before, {new} now: matching by overlap needs the same users in the same order")]
    Users {
        /// Users of the previous assignment.
        previous: usize,
        /// Users of the new fit.
        new: usize,
    },
    /// A label without a cluster, or an id without a cohort.
    #[error("user {user}: cluster {label} does not exist, there are {clusters}")]
    Label {
        /// Which user, from 0.
        user: usize,
        /// Its label.
        label: u32,
        /// Clusters there are.
        clusters: usize,
    },
    /// Centres that do not fit the ids or one another.
    #[error("{what}: {values} values do not make {clusters} centres of {dim} dimensions")]
    Centres {
        /// Which centres.
        what: &'static str,
        /// Values given.
        values: usize,
        /// Centres needed.
        clusters: usize,
        /// Dimensions of each.
        dim: usize,
    },
    /// A centre coordinate that is NaN, infinite or too large.
    #[error("{what}: {source}")]
    Value {
        /// Which centres.
        what: &'static str,
        /// What is wrong with them.
        source: crate::PointsError,
    },
    /// All 2³² ids have been given.
    #[error("no ids are left: the next would be above {}", u32::MAX)]
    NoIdsLeft,
}

impl Assignment {
    /// A first fit: ids are the cluster numbers.
    pub fn first<F: Real>(fit: &KMeans<F>) -> Self {
        let clusters = fit.clusters() as u32;
        Self { labels: fit.labels.clone(), ids: (0..clusters).collect(), next_id: clusters }
    }

    /// A later fit of the same users: keeps the ids that `match_ids` finds. Also says who was born and who
    /// died.
    ///
    /// ```
    /// use kohort_cohorts::{Assignment, KMeansConfig, Points};
    ///
    /// let fit = |values: &[f32], centres: &[f32]| {
    ///     let points = Points::new(values, 1).expect("points on a line");
    ///     KMeansConfig::from_centres(centres.len(), centres.to_vec()).fit(&points).expect("clear clusters")
    /// };
    /// let before = Assignment::first(&fit(&[0.0, 0.1, 5.0, 5.1, 9.0], &[0.0, 5.0, 9.0]));
    /// // The same users a month later, clusters numbered the other way round.
    /// let (after, matched) = before.next(&fit(&[0.1, 0.1, 5.2, 5.1, 9.1], &[9.0, 5.0, 0.0])).expect("the same users");
    /// assert_eq!(after.labels, before.labels);
    /// assert!(matched.births.is_empty() && matched.deaths.is_empty());
    /// ```
    ///
    /// # Errors
    /// Another number of users, or an assignment whose labels are not among its ids.
    pub fn next<F: Real>(&self, fit: &KMeans<F>) -> Result<(Self, Matched), MatchError> {
        let matched = match_ids(self, &fit.labels, fit.clusters())?;
        let labels = fit.labels.iter().map(|&cluster| matched.ids[cluster as usize]).collect();
        Ok((Self { labels, ids: matched.ids.clone(), next_id: matched.next_id }, matched))
    }

    /// The cohorts to match against: `ids` and any label beyond them, each once, ascending.
    fn cohorts(&self) -> Vec<u32> {
        let mut cohorts: Vec<u32> = self.ids.iter().chain(&self.labels).copied().collect();
        cohorts.sort_unstable();
        cohorts.dedup();
        cohorts
    }
}

/// Gives new clusters, `new: [users]` with numbers below `clusters`, the ids of the earlier cohorts that they
/// share most users with: the matching with the largest total overlap. Clusters that share nobody with their
/// partner are births.
///
/// # Errors
/// Another number of users than before, or a label that is not below `clusters`.
pub fn match_ids(previous: &Assignment, new: &[u32], clusters: usize) -> Result<Matched, MatchError> {
    if previous.labels.len() != new.len() {
        return Err(MatchError::Users { previous: previous.labels.len(), new: new.len() });
    }
    let cohorts = previous.cohorts();
    let place: BTreeMap<u32, usize> = cohorts.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let mut costs = vec![0.0; clusters * cohorts.len()];
    for (user, (&before, &now)) in previous.labels.iter().zip(new).enumerate() {
        if now as usize >= clusters {
            return Err(MatchError::Label { user, label: now, clusters });
        }
        costs[now as usize * cohorts.len() + place[&before]] -= 1.0;
    }
    let of_cluster = cheapest(&costs, clusters, cohorts.len());
    let shares = |cluster: usize, cohort: usize| costs[cluster * cohorts.len() + cohort] < 0.0;
    name(&cohorts, previous.next_id, of_cluster, shares)
}

/// The same by centres, `[ids, dim]` before and `[clusters, dim]` now, in the same units: for fits on other
/// users. The matching with the least total distance; a pair farther apart than `reach` is a death and a
/// birth.
///
/// # Errors
/// Centres that do not match the ids or `dim`, or are not finite.
pub fn match_ids_by_centres<F: Real>(
    previous: &Assignment,
    previous_centres: &[F],
    new_centres: &[F],
    dim: usize,
    reach: f64,
) -> Result<Matched, MatchError> {
    let clusters = new_centres.len().checked_div(dim).unwrap_or(0);
    for (what, centres, count) in
        [("previous centres", previous_centres, previous.ids.len()), ("new centres", new_centres, clusters)]
    {
        if dim == 0 || count.checked_mul(dim) != Some(centres.len()) {
            return Err(MatchError::Centres { what, values: centres.len(), clusters: count, dim });
        }
        if !centres.is_empty() {
            crate::Points::new(centres, dim).map_err(|source| MatchError::Value { what, source })?;
        }
    }
    let mut costs = Vec::with_capacity(clusters * previous.ids.len());
    for new in new_centres.chunks_exact(dim) {
        costs.extend(previous_centres.chunks_exact(dim).map(|old| squared_distance(new, old).sqrt()));
    }
    let of_cluster = cheapest(&costs, clusters, previous.ids.len());
    let near = |cluster: usize, cohort: usize| costs[cluster * previous.ids.len() + cohort] <= reach;
    name(&previous.ids, previous.next_id, of_cluster, near)
}

/// Names clusters by their partners, and those without one by fresh ids in cluster order.
fn name(
    cohorts: &[u32],
    next_id: u32,
    partners: Vec<Option<usize>>,
    counts: impl Fn(usize, usize) -> bool,
) -> Result<Matched, MatchError> {
    // A hand-made assignment may claim a next id that is in use.
    let past = cohorts.iter().max().map_or(0, |&id| u64::from(id) + 1);
    let mut next = u64::from(next_id).max(past);
    let mut matched = Matched { ids: vec![], kept: vec![], births: vec![], deaths: vec![], next_id };
    for (cluster, partner) in partners.into_iter().enumerate() {
        let id = match partner.filter(|&cohort| counts(cluster, cohort)) {
            Some(cohort) => {
                matched.kept.push(cohorts[cohort]);
                cohorts[cohort]
            }
            None => {
                let id = u32::try_from(next).map_err(|_| MatchError::NoIdsLeft)?;
                matched.births.push(id);
                next += 1;
                id
            }
        };
        matched.ids.push(id);
    }
    matched.kept.sort_unstable();
    matched.deaths = cohorts.iter().copied().filter(|id| matched.kept.binary_search(id).is_err()).collect();
    matched.deaths.sort_unstable();
    matched.next_id = u32::try_from(next).map_err(|_| MatchError::NoIdsLeft)?;
    Ok(matched)
}
