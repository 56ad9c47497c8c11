//! Louvain: move, join, repeat.
//!
//! Nodes go to their best community, sweep after sweep in a random order, until a sweep moves nobody; communities become nodes; on,
//! until no community has more than one node. Faster to write down than [`Leiden`](super::Leiden), but its communities may
//! fall apart inside, and its result is the worse one more often than not: here for comparison.
//!
//! Source: V. D. Blondel, J.-L. Guillaume, R. Lambiotte and E. Lefebvre, "Fast unfolding of communities in large networks", Journal of Statistical
//! Mechanics, 2008. Differences: a new order for each sweep; a node may also leave for an empty community; restarts.

use std::time::Duration;

use kohort_random::{permutation, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::errors::{CommunityError, at_least_one};
use super::join::{Groups, join};
use super::leiden::{better, stream_seed};
use super::moving::{Level, PATIENCE, Partition, sweep, without_gaps};
use super::{Communities, Criterion, Deadline, Ended, Hierarchy, by_size};
use crate::graph::Graph;

/// Settings of a search.
///
/// ```
/// use kohort_cohorts::communities::Louvain;
/// use kohort_cohorts::graph::Graph;
///
/// let graph = Graph::simple(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (2, 3)])?;
/// assert_eq!(Louvain::default().fit(&graph)?.labels, [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Louvain {
    /// What to maximise.
    pub criterion: Criterion,
    /// Independent searches of which the best is kept, ties to the earliest. At least 1.
    pub restarts: usize,
    /// A level ends when a sweep moves at most this share of the nodes; 0 to 1, 0 until nobody moves.
    pub tolerance: f64,
    /// Seed of all random streams.
    pub seed: u64,
    /// Time after which every restart stops with what it has; `None`: none.
    pub time_budget: Option<Duration>,
}

impl Default for Louvain {
    /// Modularity at resolution 1, one search, sweeps until nobody moves, seed 0, no time budget.
    fn default() -> Self {
        Self { criterion: Criterion::default(), restarts: 1, tolerance: 0.0, seed: 0, time_budget: None }
    }
}

impl Louvain {
    /// Communities of `graph`, on the current rayon pool. Same bits for any number of threads.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn fit(&self, graph: &Graph) -> Result<Communities, CommunityError> {
        self.criterion.check()?;
        at_least_one("restarts", self.restarts)?;
        if !(0.0..=1.0).contains(&self.tolerance) {
            let (setting, value) = ("tolerance", self.tolerance.to_string());
            return Err(CommunityError::Setting { setting, value, allowed: "a number from 0 to 1" });
        }
        let deadline = Deadline::after(self.time_budget);
        let sizes = self.criterion.sizes(graph);
        let run = |restart| self.search(graph, &sizes, restart, deadline);
        let best = (0..self.restarts).into_par_iter().map(run).reduce_with(better);
        Ok(best.expect("at least one restart was asked for"))
    }

    /// `history` has one entry a level.
    fn search(&self, graph: &Graph, sizes: &[f64], restart: usize, deadline: Deadline) -> Communities {
        let first_sizes = sizes;
        let (criterion, seed) = (self.criterion, stream_seed(self.seed, restart));
        let pull = criterion.pull(sizes);
        let mut hierarchy = Hierarchy::of_nodes(graph.nodes());
        let mut joined: Option<(Graph, Vec<f64>)> = None;
        let (mut history, mut ended) = (Vec::new(), Ended::Converged);
        for depth in 0.. {
            let (graph, sizes) = match &joined {
                None => (graph, sizes),
                Some((graph, sizes)) => (graph, sizes.as_slice()),
            };
            let (level, nodes) = (Level { graph, sizes, pull }, graph.nodes());
            let mut partition = Partition::new((0..nodes as u32).collect(), sizes);
            for round in 0..PATIENCE as u64 {
                let order = permutation(nodes, &mut stream(seed, "louvain order", &[depth, round]));
                let moves = sweep(level, &mut partition, &order);
                if moves as f64 <= self.tolerance * nodes as f64 || deadline.passed() {
                    break;
                }
            }
            let mut of = partition.of;
            let count = without_gaps(&mut of);
            if count == nodes && depth > 0 {
                break;
            }
            let groups = Groups::new(&of, count);
            let next = join(graph, &of, &groups);
            let next_sizes: Vec<f64> = (0..count)
                .map(|part| groups.members(part).iter().map(|&node| sizes[node as usize]).sum())
                .collect();
            hierarchy.push(of, count);
            let alone: Vec<u32> = (0..count as u32).collect();
            history.push(criterion.value(criterion.raw(&next, &next_sizes, &alone, pull), first_sizes));
            joined = Some((next, next_sizes));
            if deadline.passed() {
                ended = Ended::Time;
                break;
            }
        }
        let mut labels = hierarchy.labels(hierarchy.levels());
        let counts = by_size(&mut labels);
        hierarchy.rename_top(&labels);
        let quality = *history.last().expect("the first level is always kept");
        Communities { labels, counts, quality, hierarchy, history, ended, restart }
    }
}
