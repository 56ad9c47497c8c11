//! Spectral clustering: nodes as points, near each other where the graph is hard to cut.
//!
//! ```text
//! N = D^{-1/2} A D^{-1/2}  [n, n],      D = diag(k_v),      L = I − N
//! X = the k eigenvectors of L with the smallest eigenvalues  [n, k],      rows scaled to length 1
//! communities = KMeans of the rows
//! ```
//!
//! The eigenvectors come from core's truncated SVD of `M = ½(I + N)`: its eigenvalues lie in [0, 1], so that they are singular values, and
//! the largest `σ` belong to the smallest eigenvalues `2 − 2σ` of `L`. How many communities must be said; the largest gap among the
//! smallest eigenvalues is a hint ([`Spectral::eigenvalues`], [`eigengap`]).
//!
//! Nodes without edges have no row in `N`; each becomes a community of its own beside the `k`. Cost: see [`kohort_core::svd`]; memory
//! `O(edges + n (k + oversampling))`.
//!
//! Source: A. Y. Ng, M. I. Jordan and Y. Weiss, "On spectral clustering: analysis and an algorithm", NIPS 2001. Difference: `A` is any weighted
//! graph, not an affinity of points.

use kohort_core::sparse::Csr;
use kohort_core::svd::{Effort, Svd, truncated};
use serde::{Deserialize, Serialize};

use super::errors::{CommunityError, at_least_one};
use super::{Communities, Criterion, Ended, Hierarchy, by_size};
use crate::graph::Graph;
use crate::{KMeansConfig, Points};

/// Settings of spectral clustering.
///
/// ```
/// use kohort_cohorts::communities::{Spectral, eigengap};
/// use kohort_cohorts::graph::Graph;
///
/// let graph = Graph::simple(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (2, 3)])?;
/// let spectral = Spectral::new(2);
/// assert_eq!(eigengap(&spectral.eigenvalues(&graph, 5)?), 2);
/// assert_eq!(spectral.fit(&graph)?.labels, [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spectral {
    /// Number of communities `k` among the nodes that have edges, at least 1.
    pub communities: usize,
    /// Starts of KMeans, of which the best is kept. At least 1.
    pub restarts: usize,
    /// How closely eigenvectors are computed; large graphs with many communities need more iterations.
    pub effort: Effort,
    /// Seed of all random streams.
    pub seed: u64,
}

impl Spectral {
    /// 10 starts of KMeans, 32 columns and 30 iterations beyond the least, seed 0.
    pub fn new(communities: usize) -> Self {
        Self { communities, restarts: 10, effort: Effort { oversampling: 32, iterations: 30 }, seed: 0 }
    }

    /// Communities of `graph`; their `quality` is modularity at resolution 1. Same bits for any number of threads.
    ///
    /// # Errors
    /// A setting out of its range, more communities than nodes with edges, or points that KMeans refuses.
    pub fn fit(&self, graph: &Graph) -> Result<Communities, CommunityError> {
        at_least_one("restarts", self.restarts)?;
        let tied = Tied::of(graph);
        let svd = self.decompose(&tied, self.communities, "communities")?;
        let mut rows = svd.left().to_vec();
        for row in rows.chunks_exact_mut(svd.rank()) {
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            // Fewer vectors than components leave some nodes out of all of them.
            if length > 1e-9 {
                row.iter_mut().for_each(|x| *x /= length);
            }
        }
        let kmeans =
            KMeansConfig { seed: self.seed, restarts: self.restarts, ..KMeansConfig::new(self.communities) };
        let points = Points::new(&rows, svd.rank()).map_err(CommunityError::Points)?;
        let fit = kmeans.fit(&points)?;

        let nodes = graph.nodes();
        let mut fresh = self.communities as u32;
        let mut labels = vec![0u32; nodes];
        let mut next = tied.nodes.iter().zip(&fit.labels).peekable();
        for (node, label) in labels.iter_mut().enumerate() {
            *label = match next.next_if(|&(&tied, _)| tied as usize == node) {
                Some((_, &label)) => label,
                None => {
                    fresh += 1;
                    fresh - 1
                }
            };
        }
        let counts = by_size(&mut labels);
        let mut hierarchy = Hierarchy::of_nodes(nodes);
        hierarchy.push(labels.clone(), counts.len());
        let quality = Criterion::default().of(graph, &labels)?;
        let ended = if fit.converged { Ended::Converged } else { Ended::Iterations };
        Ok(Communities {
            labels,
            counts,
            quality,
            hierarchy,
            history: vec![quality],
            ended,
            restart: fit.restart,
        })
    }

    /// The `count` smallest eigenvalues of `L`, ascending, of the nodes that have edges; in [0, 2]. As many are 0 as the
    /// graph has components with edges. May be fewer than asked for, if others are 2.
    ///
    /// # Errors
    /// A count that is 0 or above the number of nodes with edges.
    pub fn eigenvalues(&self, graph: &Graph, count: usize) -> Result<Vec<f64>, CommunityError> {
        let svd = self.decompose(&Tied::of(graph), count, "count")?;
        Ok(svd.values().iter().map(|sigma| (2.0 - 2.0 * sigma).max(0.0)).collect())
    }

    fn decompose(
        &self,
        tied: &Tied<'_>,
        rank: usize,
        setting: &'static str,
    ) -> Result<Svd<f64>, CommunityError> {
        if rank == 0 || rank > tied.nodes.len() {
            let value = format!("{rank}, for {} nodes with edges", tied.nodes.len());
            return Err(CommunityError::Setting {
                setting,
                value,
                allowed: "1 to the number of nodes with edges",
            });
        }
        Ok(truncated(&tied.matrix()?, rank, self.effort, self.seed)?)
    }
}

/// How many of the smallest eigenvalues, ascending, lie below the largest gap; 0 of none or one.
pub fn eigengap(eigenvalues: &[f64]) -> usize {
    let gaps = eigenvalues.windows(2).map(|pair| pair[1] - pair[0]);
    let mut largest = (0, f64::NEG_INFINITY);
    for (at, gap) in gaps.enumerate() {
        if gap > largest.1 {
            largest = (at + 1, gap);
        }
    }
    largest.0
}

/// The nodes that have edges or loops, ascending.
struct Tied<'a> {
    graph: &'a Graph,
    nodes: Vec<u32>,
}

impl<'a> Tied<'a> {
    fn of(graph: &'a Graph) -> Self {
        let nodes = (0..graph.nodes() as u32).filter(|&node| graph.strength(node) > 0.0).collect();
        Self { graph, nodes }
    }

    /// `M = ½(I + N)`, `[tied, tied]`.
    fn matrix(&self) -> Result<Csr<f64>, CommunityError> {
        let mut place = vec![0u32; self.graph.nodes()];
        for (at, &node) in self.nodes.iter().enumerate() {
            place[node as usize] = at as u32;
        }
        let root: Vec<f64> = self.nodes.iter().map(|&node| self.graph.strength(node).sqrt()).collect();
        let mut entries = Vec::with_capacity(2 * self.graph.edges() + self.nodes.len());
        for (at, &node) in self.nodes.iter().enumerate() {
            let own = 0.5 + self.graph.loop_weight(node) / (root[at] * root[at]);
            entries.push((at as u32, at as u32, own));
            for (other, w) in self.graph.neighbours(node) {
                let other = place[other as usize];
                entries.push((at as u32, other, 0.5 * w / (root[at] * root[other as usize])));
            }
        }
        Ok(Csr::from_entries(self.nodes.len(), self.nodes.len(), &entries)?)
    }
}
