//! A later fit continues the cohorts of an earlier one, for users who come and go.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::changes::Known;
use super::{ChangeRules, Changes, Flow, Folded, LivingError, fold};
use crate::{Assignment, MatchError, match_ids};

/// Users' cohorts under stable ids. Users are numbered for good: whoever has left keeps the number, newcomers get the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Living {
    /// Cohort of each user; `None` for those who are not there (any more), `[users]`.
    pub cohorts: Vec<Option<u32>>,
    /// The id that the next birth gets: above every id ever given.
    pub next_id: u32,
}

/// A later fit, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Refit {
    /// The cohorts now.
    pub living: Living,
    /// Stable id of each cluster of the fit that has users after folding.
    pub ids: BTreeMap<u32, u32>,
    /// What folding did, in numbers of the fit's clusters and over the users who are there.
    pub folded: Folded,
    /// What changed.
    pub changes: Changes,
}

impl Living {
    /// A first fit: ids are the cluster numbers.
    ///
    /// # Errors
    /// The label `u32::MAX`, above which there is no id.
    pub fn first(labels: &[Option<u32>]) -> Result<Self, LivingError> {
        let past = labels.iter().flatten().max().map_or(Some(0), |&label| label.checked_add(1));
        Ok(Self { cohorts: labels.to_vec(), next_id: past.ok_or(MatchError::NoIdsLeft)? })
    }

    /// A later fit: `labels[user]` is the user's cluster in it, `None` for who is not there; at least as many users as before.
    /// Clusters of fewer than `minimum` users go over into the `parents` of their numbers (see [`fold`](super::fold)), then each
    /// takes over the id of the cohort it shares most users with, as [`match_ids`] does, if they are a real part (`rules.part`)
    /// of those it had and are still there, and of those it has, newcomers included: a few who strayed from a dying cohort into
    /// a new one do not carry the id along. The others get new ids. A
    /// parent that is no cluster of the fit gets an id like one. What changed is read by `rules`.
    ///
    /// # Errors
    /// Fewer users than before, a circle of parents, no ids left, a rule out of its range.
    pub fn next(
        &self,
        labels: &[Option<u32>],
        parents: &BTreeMap<u32, u32>,
        minimum: usize,
        rules: ChangeRules,
    ) -> Result<Refit, LivingError> {
        if labels.len() < self.cohorts.len() {
            return Err(LivingError::Length {
                what: "users, who keep their numbers",
                got: labels.len(),
                expected: self.cohorts.len(),
            });
        }
        rules.check()?;
        let present: Vec<u32> = labels.iter().flatten().copied().collect();
        let folded = fold(&present, parents, minimum)?;
        let clusters: Vec<u32> =
            folded.labels.iter().copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let place = |cluster: u32| clusters.partition_point(|&other| other < cluster) as u32;
        // Where each user is now, as a place among the clusters that are left.
        let mut now = folded.labels.iter().map(|&cluster| place(cluster));
        let placed: Vec<Option<u32>> = labels.iter().map(|label| label.and_then(|_| now.next())).collect();
        let both = self.cohorts.iter().zip(&placed).filter_map(|(&was, &is)| was.zip(is));
        let (was, is): (Vec<u32>, Vec<u32>) = both.unzip();
        let earlier = distinct(self.cohorts.iter().flatten().copied());
        let previous = Assignment { labels: was, ids: earlier, next_id: self.next_id };
        let mut matched = match_ids(&previous, &is, clusters.len())?;
        // Between earlier cohorts and clusters of the fit, newcomers included.
        let mut before = self.cohorts.clone();
        before.resize(labels.len(), None);
        let met = Flow::new(&before, &placed)?;
        let known = Known::of(&met);
        for (cluster, id) in matched.ids.iter_mut().enumerate() {
            let shared = met.users(Some(*id), Some(cluster as u32)) as f64;
            let all = met.after(cluster as u32) as f64;
            if shared > 0.0 && (shared < rules.part * known.out_of(*id) || shared < rules.part * all) {
                *id = matched.next_id;
                matched.next_id = matched.next_id.checked_add(1).ok_or(MatchError::NoIdsLeft)?;
            }
        }
        let cohorts: Vec<Option<u32>> =
            placed.iter().map(|place| place.map(|place| matched.ids[place as usize])).collect();
        let changes = Changes::of(Flow::new(&before, &cohorts)?, rules)?;
        let ids = clusters.iter().copied().zip(matched.ids.iter().copied()).collect();
        Ok(Refit { living: Self { cohorts, next_id: matched.next_id }, ids, folded, changes })
    }
}

fn distinct(cohorts: impl Iterator<Item = u32>) -> Vec<u32> {
    cohorts.collect::<BTreeSet<_>>().into_iter().collect()
}
