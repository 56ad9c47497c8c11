//! Leiden: communities that hang together.
//!
//! One iteration, from the partition `P` that the last one left (at first, each node alone):
//!
//! 1. **Move**: nodes go to their best community until none can do better (`moving::settle`).
//! 2. **Refine**: each community of `P` falls into well-connected parts `R` (`refine`).
//! 3. **Join**: the parts become nodes (`join`), which start in the communities of `P`; on with 1, until every community is one node.
//!
//! Iterations go on until one changes nothing. Quality never falls: moves gain, refining and joining leave `P` as it is. Every
//! community is connected: at the end it is one part, and parts are.
//!
//! Source: V. A. Traag, L. Waltman and N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected communities", Scientific Reports 9, 2019.
//! Differences: if refining leaves all nodes alone, the connected pieces of `P`'s communities are joined instead of stopping (cutting a
//! community where it has no edges loses nothing); `θ` in units of the mean edge weight (see `refine`); restarts.
//!
//! Time is near-linear in the edges for each iteration.

use std::time::Duration;

use kohort_random::{permutation, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::components::pieces;
use super::errors::{CommunityError, at_least_one};
use super::join::{Groups, join};
use super::moving::{Level, Partition, settle, without_gaps};
use super::refine::refine;
use super::{Communities, Criterion, Deadline, Ended, Hierarchy, by_size};
use crate::graph::Graph;

/// Settings of a search. The fields are public and plain; [`fit`](Self::fit) checks them first.
///
/// ```
/// use kohort_cohorts::communities::{Criterion, Leiden};
/// use kohort_cohorts::graph::Graph;
///
/// // Two triangles with an edge between them.
/// let graph = Graph::simple(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (2, 3)])?;
/// let found = Leiden::default().fit(&graph)?;
/// assert_eq!(found.labels, [0, 0, 0, 1, 1, 1]);
///
/// // Denser than 0.1 inside: the whole is (7 edges of 15 possible).
/// let criterion = Criterion::Cpm { resolution: 0.1 };
/// assert_eq!(Leiden { criterion, ..Leiden::default() }.fit(&graph)?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leiden {
    /// What to maximise.
    pub criterion: Criterion,
    /// Iterations at most, at least 1; fewer if one changes nothing.
    pub iterations: usize,
    /// Independent searches of which the best is kept, ties to the earliest. At least 1.
    pub restarts: usize,
    /// `θ`, the randomness of refinement in mean edge weights; 0 is greedy.
    pub randomness: f64,
    /// Seed of all random streams.
    pub seed: u64,
    /// Time after which every restart stops with what it has; `None`: none. A search that ends so depends on the
    /// machine, see [`Communities::ended`].
    pub time_budget: Option<Duration>,
}

impl Default for Leiden {
    /// Modularity at resolution 1, at most 10 iterations, one search, `θ = 0.01`, seed 0, no time budget.
    fn default() -> Self {
        Self {
            criterion: Criterion::default(),
            iterations: 10,
            restarts: 1,
            randomness: 0.01,
            seed: 0,
            time_budget: None,
        }
    }
}

impl Leiden {
    /// Communities of `graph`, on the current rayon pool. Same bits for any number of threads.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn fit(&self, graph: &Graph) -> Result<Communities, CommunityError> {
        self.criterion.check()?;
        at_least_one("iterations", self.iterations)?;
        at_least_one("restarts", self.restarts)?;
        if !(0.0..=1e15).contains(&self.randomness) {
            let (setting, value) = ("randomness", self.randomness.to_string());
            return Err(CommunityError::Setting { setting, value, allowed: "a number from 0 to 1e15" });
        }
        let deadline = Deadline::after(self.time_budget);
        let sizes = self.criterion.sizes(graph);
        let run = |restart| self.search(graph, &sizes, restart, deadline);
        let best = (0..self.restarts).into_par_iter().map(run).reduce_with(better);
        Ok(best.expect("at least one restart was asked for"))
    }

    fn search(&self, graph: &Graph, sizes: &[f64], restart: usize, deadline: Deadline) -> Communities {
        let nodes = graph.nodes();
        let search = Search {
            graph,
            sizes,
            pull: self.criterion.pull(sizes),
            theta: self.randomness * mean_weight(graph),
            seed: stream_seed(self.seed, restart),
            deadline,
        };
        let mut labels: Vec<u32> = (0..nodes as u32).collect();
        let mut hierarchy = Hierarchy::of_nodes(nodes);
        let (mut history, mut ended) = (Vec::new(), Ended::Iterations);
        for iteration in 0..self.iterations {
            let (mut next, levels) = search.iterate(labels.clone(), iteration as u64);
            without_gaps(&mut next);
            let same = next == labels;
            (labels, hierarchy) = (next, levels);
            let raw = self.criterion.raw(graph, sizes, &labels, search.pull);
            history.push(self.criterion.value(raw, sizes));
            if deadline.passed() {
                ended = Ended::Time;
                break;
            }
            if same {
                ended = Ended::Converged;
                break;
            }
        }
        let counts = by_size(&mut labels);
        hierarchy.rename_top(&labels);
        let quality = *history.last().expect("at least one iteration was asked for");
        Communities { labels, counts, quality, hierarchy, history, ended, restart }
    }
}

pub(super) fn better(a: Communities, b: Communities) -> Communities {
    if a.quality.total_cmp(&b.quality).reverse().then(a.restart.cmp(&b.restart)).is_le() { a } else { b }
}

/// Restart 0 is the seed itself, so that asking for more restarts keeps the first search.
pub(super) fn stream_seed(seed: u64, restart: usize) -> u64 {
    match restart {
        0 => seed,
        _ => {
            use kohort_random::rand::Rng;
            stream(seed, "restart", &[restart as u64]).random()
        }
    }
}

fn mean_weight(graph: &Graph) -> f64 {
    let (mut sum, mut count) = (0.0, 0usize);
    for node in 0..graph.nodes() as u32 {
        let weights = graph.row(node).1;
        sum += weights.iter().sum::<f64>();
        count += weights.len();
    }
    if count > 0 { sum / count as f64 } else { 1.0 }
}

struct Search<'a> {
    graph: &'a Graph,
    sizes: &'a [f64],
    pull: f64,
    theta: f64,
    seed: u64,
    deadline: Deadline,
}

impl Search<'_> {
    /// One iteration from `labels`: the new partition, and the levels that led to it.
    fn iterate(&self, labels: Vec<u32>, iteration: u64) -> (Vec<u32>, Hierarchy) {
        let mut levels = Hierarchy::of_nodes(labels.len());
        // Level 0 is borrowed, the levels above are made here.
        let mut joined: Option<(Graph, Vec<f64>)> = None;
        let mut start = labels;
        for depth in 0.. {
            let (graph, sizes) = match &joined {
                None => (self.graph, self.sizes),
                Some((graph, sizes)) => (graph, sizes.as_slice()),
            };
            let level = Level { graph, sizes, pull: self.pull };
            let nodes = graph.nodes();
            let name = [iteration, depth];
            let mut partition = Partition::new(start, sizes);
            let order = permutation(nodes, &mut stream(self.seed, "leiden order", &name));
            settle(level, &mut partition, order, self.deadline);
            let mut of = partition.of;
            let mut count = without_gaps(&mut of);
            if self.deadline.passed() {
                // Moves were cut short: communities may have lost the node that held them together.
                (of, count) = pieces(graph, &of);
                levels.push(of, count);
                break;
            }
            if count == nodes {
                if depth == 0 {
                    levels.push(of, count);
                }
                break;
            }
            let groups = Groups::new(&of, count);
            let (mut parts, mut parts_count) = refine(level, &of, &groups, self.theta, self.seed, name);
            if parts_count == nodes {
                (parts, parts_count) = pieces(graph, &of);
                if parts_count == nodes {
                    levels.push(parts, parts_count);
                    break;
                }
            }
            let groups = Groups::new(&parts, parts_count);
            let next = join(graph, &parts, &groups);
            let next_sizes = (0..parts_count)
                .map(|part| groups.members(part).iter().map(|&node| sizes[node as usize]).sum())
                .collect();
            start = (0..parts_count).map(|part| of[groups.members(part)[0] as usize]).collect();
            levels.push(parts, parts_count);
            joined = Some((next, next_sizes));
        }
        (levels.labels(levels.levels()), levels)
    }
}
