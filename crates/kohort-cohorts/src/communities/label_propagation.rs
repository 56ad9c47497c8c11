//! Label propagation: everybody does as most neighbours do.
//!
//! ```text
//! c_v ← argmax_c Σ_{u : c_u = c} A_vu         ties at random; own label kept if it is among the best
//! ```
//!
//! one node after another in a random order, new for each sweep, until every label is among the best for its node. Needs no
//! resolution, and gives no quality: on graphs without clear groups all nodes end in one. `O(edges)` a sweep. A community may fall
//! apart inside; [`disconnected`](super::disconnected) tells.
//!
//! Source: U. N. Raghavan, R. Albert and S. Kumara, "Near linear time algorithm to detect community structures in large-scale networks", Physical
//! Review E 76, 2007. Difference: weights count.

use kohort_random::rand::Rng;
use kohort_random::{permutation, stream};
use serde::{Deserialize, Serialize};

use super::errors::{CommunityError, at_least_one};
use super::moving::without_gaps;
use super::{Communities, Criterion, Ended, Hierarchy, by_size};
use crate::graph::Graph;

/// Settings of a search.
///
/// ```
/// use kohort_cohorts::communities::LabelPropagation;
/// use kohort_cohorts::graph::Graph;
///
/// let graph = Graph::simple(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (2, 3)])?;
/// let found = LabelPropagation::default().fit(&graph)?;
/// assert_eq!(found.labels[0], found.labels[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelPropagation {
    /// Sweeps at most, at least 1.
    pub sweeps: usize,
    /// Seed of all random streams.
    pub seed: u64,
}

impl Default for LabelPropagation {
    /// At most 100 sweeps, seed 0.
    fn default() -> Self {
        Self { sweeps: 100, seed: 0 }
    }
}

impl LabelPropagation {
    /// Communities of `graph`; their `quality` is modularity at resolution 1. Runs on one thread.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn fit(&self, graph: &Graph) -> Result<Communities, CommunityError> {
        at_least_one("sweeps", self.sweeps)?;
        let nodes = graph.nodes();
        let mut labels: Vec<u32> = (0..nodes as u32).collect();
        let mut weight = vec![0.0f64; nodes];
        let (mut seen, mut best): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut ended = Ended::Iterations;
        for round in 0..self.sweeps {
            let mut numbers = stream(self.seed, "label propagation", &[round as u64]);
            let mut changed = false;
            for node in permutation(nodes, &mut numbers) {
                for (other, w) in graph.neighbours(node) {
                    let label = labels[other as usize];
                    if weight[label as usize] == 0.0 {
                        seen.push(label);
                    }
                    weight[label as usize] += w;
                }
                let most = seen.iter().map(|&label| weight[label as usize]).fold(0.0, f64::max);
                best.clear();
                for label in seen.drain(..) {
                    if std::mem::take(&mut weight[label as usize]) == most {
                        best.push(label);
                    }
                }
                let own = &mut labels[node as usize];
                if !best.is_empty() && !best.contains(own) {
                    *own = best[numbers.random_range(0..best.len())];
                    changed = true;
                }
            }
            if !changed {
                ended = Ended::Converged;
                break;
            }
        }
        let parts = without_gaps(&mut labels);
        let counts = by_size(&mut labels);
        let mut hierarchy = Hierarchy::of_nodes(nodes);
        hierarchy.push(labels.clone(), parts);
        let quality = Criterion::default().of(graph, &labels)?;
        Ok(Communities { labels, counts, quality, hierarchy, history: vec![quality], ended, restart: 0 })
    }
}
