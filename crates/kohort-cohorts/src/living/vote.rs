//! A new user goes where most of its neighbours are.
//!
//! ```text
//! vote_c = Σ_{v : c_v = c} w_v        cohort = argmax_c vote_c, the lowest id of equals
//! share  = vote_cohort / Σ_c vote_c
//! ```
//!
//! over neighbours v that have a cohort, tied with weight `w_v > 0`. Who has no such neighbour has no cohort.
//!
//! [`spread`] does this on a whole graph: known cohorts stay fixed, and in each round all users without one vote at once, so that
//! the result depends on no order. It is the first step of label propagation with fixed labels (X. Zhu and Z. Ghahramani,
//! "Learning from labeled and unlabeled data with label propagation", 2002), with hard labels that are not changed once given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LivingError;
use crate::graph::Graph;

/// Where a user's neighbours are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// The cohort with the largest vote.
    pub cohort: u32,
    /// Its share of all votes, above 0 and at most 1.
    pub share: f64,
}

/// Known users' cohorts, to place others by. Storable; cannot be read back in a state that [`NeighbourVote::new`] would refuse.
///
/// ```
/// use kohort_cohorts::living::NeighbourVote;
///
/// let known = NeighbourVote::new(vec![Some(4), Some(7), Some(7), None], 0.5)?;
/// let placed = known.place(&[(0, 1.0), (1, 0.8), (2, 0.7)])?;
/// assert_eq!(placed.map(|vote| (vote.cohort, (vote.share * 100.0).round())), Some((7, 60.0)));
/// assert_eq!(known.place(&[(3, 1.0)])?, None);
/// # Ok::<(), kohort_cohorts::living::LivingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct NeighbourVote {
    parts: Parts,
}

/// As it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    cohorts: Vec<Option<u32>>,
    least_share: f64,
}

impl TryFrom<Parts> for NeighbourVote {
    type Error = LivingError;

    fn try_from(parts: Parts) -> Result<Self, LivingError> {
        if !(0.0..=1.0).contains(&parts.least_share) {
            return Err(LivingError::Setting {
                setting: "least_share",
                value: parts.least_share.to_string(),
                allowed: "0 to 1",
            });
        }
        Ok(Self { parts })
    }
}

impl From<NeighbourVote> for Parts {
    fn from(vote: NeighbourVote) -> Self {
        vote.parts
    }
}

impl NeighbourVote {
    /// From each known user's cohort, `[known users]`, and the least share of the votes that places a user: 0 for any.
    ///
    /// # Errors
    /// A share outside 0 to 1.
    pub fn new(cohorts: Vec<Option<u32>>, least_share: f64) -> Result<Self, LivingError> {
        Self::try_from(Parts { cohorts, least_share })
    }

    /// Known users' cohorts.
    pub fn cohorts(&self) -> &[Option<u32>] {
        &self.parts.cohorts
    }

    /// Places a user by its neighbours `(known user, weight)`; `None` without neighbours in a cohort, or where the largest vote
    /// is less than the least share.
    ///
    /// # Errors
    /// An unknown neighbour, a weight that is not finite or below 0.
    pub fn place(&self, neighbours: &[(u32, f64)]) -> Result<Option<Vote>, LivingError> {
        let known = self.cohorts();
        for (index, &(user, value)) in neighbours.iter().enumerate() {
            if user as usize >= known.len() {
                return Err(LivingError::Neighbour { user, users: known.len() });
            }
            if !(0.0..=crate::LARGEST).contains(&value) {
                return Err(LivingError::Value {
                    what: "weights",
                    index,
                    value,
                    allowed: "a number from 0 to 1e15",
                });
            }
        }
        let vote = count(neighbours.iter().map(|&(user, weight)| (known[user as usize], weight)));
        Ok(vote.filter(|vote| vote.share >= self.parts.least_share))
    }
}

/// Gives each node of `graph` without a cohort that of its neighbours' vote, for at most `rounds` rounds; nodes that no known one
/// reaches keep `None`. `known: [nodes]`.
///
/// # Errors
/// Not one entry per node.
pub fn spread(graph: &Graph, known: &[Option<u32>], rounds: usize) -> Result<Vec<Option<u32>>, LivingError> {
    if known.len() != graph.nodes() {
        return Err(LivingError::Length { what: "cohorts", got: known.len(), expected: graph.nodes() });
    }
    let mut cohorts = known.to_vec();
    let mut open: Vec<u32> = (0..known.len() as u32).filter(|&node| known[node as usize].is_none()).collect();
    for _ in 0..rounds {
        let vote = |node: u32| {
            let neighbours = graph.neighbours(node);
            count(neighbours.map(|(other, weight)| (cohorts[other as usize], weight)))
        };
        let placed: Vec<(u32, u32)> =
            open.iter().filter_map(|&node| Some((node, vote(node)?.cohort))).collect();
        if placed.is_empty() {
            break;
        }
        placed.iter().for_each(|&(node, cohort)| cohorts[node as usize] = Some(cohort));
        open.retain(|&node| cohorts[node as usize].is_none());
    }
    Ok(cohorts)
}

fn count(votes: impl Iterator<Item = (Option<u32>, f64)>) -> Option<Vote> {
    let mut sums: BTreeMap<u32, f64> = BTreeMap::new();
    for (cohort, weight) in votes {
        if let Some(cohort) = cohort.filter(|_| weight > 0.0) {
            *sums.entry(cohort).or_insert(0.0) += weight;
        }
    }
    let all: f64 = sums.values().sum();
    let (cohort, most) = sums.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    Some(Vote { cohort, share: most / all })
}
