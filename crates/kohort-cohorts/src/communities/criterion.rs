//! Modularity and CPM: how good is a partition.
//!
//! ```text
//! modularity   Q = Σ_c [ e_c / m − γ (K_c / 2m)² ]            0 for a graph without edges
//! CPM          H = Σ_c [ e_c − γ n_c (n_c − 1) / 2 ]
//! ```
//!
//! `e_c`: weight inside community `c`, loops once; `K_c = Σ_{v∈c} k_v`: its strength; `m`: total weight; `n_c`: nodes; `γ`: the
//! resolution. Both reward the same thing, up to constants: with `s_v = k_v, π = γ/2m` for modularity and
//! `s_v = 1, π = γ` for CPM, joining parts `a` and `b` gains
//!
//! ```text
//! Δ(a, b) = w(a, b) − π s_a s_b          (in units of edge weight: ΔQ = Δ/m, ΔH = Δ)
//! ```
//!
//! which is all that [`Leiden`](super::Leiden) and [`Louvain`](super::Louvain) know. Modularity at `γ = 1` does not see communities
//! much smaller than `√(2m)` edges; CPM has no such limit, but its `γ` must be chosen: communities are denser than `γ` inside, and
//! less dense than `γ` between each other.
//!
//! Sources: M. E. J. Newman and M. Girvan, "Finding and evaluating community structure in networks", Physical Review E 69, 2004 (resolution:
//! J. Reichardt and S. Bornholdt, 2006); V. A. Traag, P. Van Dooren and Y. Nesterov, "Narrow scope for resolution-limit-free community
//! detection", Physical Review E 84, 2011. Loops: see [`graph`](crate::graph).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::errors::{CommunityError, check_labels};
use crate::graph::Graph;

/// Nodes per unit of parallel work; partial sums are added in order.
const BLOCK: usize = 4096;

/// What makes a partition good.
///
/// ```
/// use kohort_cohorts::communities::Criterion;
/// use kohort_cohorts::graph::Graph;
///
/// // Two triangles with an edge between them.
/// let graph = Graph::simple(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (2, 3)])?;
/// let q = Criterion::Modularity { resolution: 1.0 }.of(&graph, &[0, 0, 0, 1, 1, 1])?;
/// assert!((q - (6.0 / 7.0 - 0.5)).abs() < 1e-12);
/// let h = Criterion::Cpm { resolution: 0.5 }.of(&graph, &[0, 0, 0, 1, 1, 1])?;
/// assert_eq!(h, 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Criterion {
    /// More inside than a random graph of the same strengths has.
    Modularity {
        /// `γ`, finite and not negative; 1 is the usual definition, more gives smaller communities.
        resolution: f64,
    },
    /// The constant Potts model: denser inside than `γ`.
    Cpm {
        /// `γ`, finite and not negative, in edge weight per pair of nodes.
        resolution: f64,
    },
}

impl Default for Criterion {
    /// Modularity at resolution 1.
    fn default() -> Self {
        Self::Modularity { resolution: 1.0 }
    }
}

impl Criterion {
    /// The quality of the partition `labels`, `[nodes]`; labels are any numbers below the number of nodes. Same bits for
    /// any number of threads.
    ///
    /// # Errors
    /// A resolution out of its range, labels that do not fit the graph.
    pub fn of(self, graph: &Graph, labels: &[u32]) -> Result<f64, CommunityError> {
        self.check()?;
        check_labels(labels, graph.nodes())?;
        let sizes = self.sizes(graph);
        Ok(self.value(self.raw(graph, &sizes, labels, self.pull(&sizes)), &sizes))
    }

    pub(super) fn check(self) -> Result<(), CommunityError> {
        let (Self::Modularity { resolution } | Self::Cpm { resolution }) = self;
        if (0.0..=1e15).contains(&resolution) {
            return Ok(());
        }
        let (setting, value) = ("resolution", resolution.to_string());
        Err(CommunityError::Setting { setting, value, allowed: "a number from 0 to 1e15" })
    }

    /// `s_v`, `[nodes]`.
    pub(super) fn sizes(self, graph: &Graph) -> Vec<f64> {
        match self {
            Self::Modularity { .. } => {
                (0..graph.nodes() as u32).into_par_iter().map(|node| graph.strength(node)).collect()
            }
            Self::Cpm { .. } => vec![1.0; graph.nodes()],
        }
    }

    /// `π`, from the nodes' `s_v`.
    pub(super) fn pull(self, sizes: &[f64]) -> f64 {
        match self {
            Self::Modularity { resolution } => {
                let twice_total: f64 = sizes.iter().sum();
                if twice_total > 0.0 { resolution / twice_total } else { 0.0 }
            }
            Self::Cpm { resolution } => resolution,
        }
    }

    /// `Σ_c (e_c − π s_c² / 2)` in units of edge weight.
    pub(super) fn raw(self, graph: &Graph, sizes: &[f64], labels: &[u32], pull: f64) -> f64 {
        let nodes = graph.nodes();
        let inside: Vec<f64> = (0..nodes.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let block = block * BLOCK..((block + 1) * BLOCK).min(nodes);
                block.map(|node| inside_of(graph, labels, node as u32)).sum::<f64>()
            })
            .collect();
        let mut totals = vec![0.0; nodes];
        for (&label, size) in labels.iter().zip(sizes) {
            totals[label as usize] += size;
        }
        inside.iter().sum::<f64>() - 0.5 * pull * totals.iter().map(|s| s * s).sum::<f64>()
    }

    /// The quality as it is defined, from [`raw`](Self::raw).
    pub(super) fn value(self, raw: f64, sizes: &[f64]) -> f64 {
        match self {
            Self::Modularity { .. } => {
                let twice_total: f64 = sizes.iter().sum();
                if twice_total > 0.0 { 2.0 * raw / twice_total } else { 0.0 }
            }
            // Pairs of a node with itself are no pairs.
            Self::Cpm { resolution } => raw + 0.5 * resolution * sizes.len() as f64,
        }
    }
}

/// Half of what leads from `node` to its own community, and its loop.
fn inside_of(graph: &Graph, labels: &[u32], node: u32) -> f64 {
    let (targets, weights) = graph.row(node);
    let label = labels[node as usize];
    let mut sum = 0.0;
    for (&target, &weight) in targets.iter().zip(weights) {
        if labels[target as usize] == label {
            sum += weight;
        }
    }
    0.5 * sum + graph.loop_weight(node)
}
