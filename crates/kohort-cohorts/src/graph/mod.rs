//! Who is tied to whom: undirected weighted graphs, and where they come from.
//!
//! | File | Idea |
//! |---|---|
//! | `edges` | an edge list becomes compressed sparse rows |
//! | `errors` | what a graph can refuse |
//! | `bipartite` | users and items, kept apart |
//! | `similarity` | how alike two users are, from what they share |
//! | `projection` | the users' nearest neighbours become a graph |
//! | `nearest` | so do points, embeddings for one |
//! | `read` | edge lists and GML from files |
//!
//! # Conventions
//!
//! A graph with `n` nodes stands for a symmetric matrix `A [n, n]`. The edge `{u, v}` of weight `w` is
//! `A_uv = A_vu = w`; a loop at `v` of weight `w` is `A_vv = 2w`, since both its ends are at `v`. So
//!
//! ```text
//! k_v = Σ_u A_vu = Σ of the edges' weights at v + 2 × loop of v      (strength)
//! m   = Σ of the edges' weights + Σ of the loops = ½ Σ_v k_v         (total)
//! ```
//!
//! and joining nodes to one node, whose loop holds what ran between them, changes neither. Weights are finite
//! and not negative; weight 0 is no edge.

mod bipartite;
mod edges;
mod errors;
mod nearest;
mod projection;
pub mod read;
mod similarity;

pub use bipartite::Bipartite;
pub use edges::{EdgeRules, Loops, Repeats};
pub use errors::GraphError;
pub use nearest::Nearest;
pub use projection::{Keep, Projection};
pub use similarity::Similarity;

use kohort_core::kernels::fetch;

/// Weights outside `LIGHTEST..=HEAVIEST` (and other than 0) are refused: their sums and quotients stay exact enough
/// inside.
pub const LIGHTEST: f64 = 1e-15;
/// See [`LIGHTEST`].
pub const HEAVIEST: f64 = 1e15;

/// An undirected weighted graph in compressed sparse rows: each edge stands in the rows of both its ends, rows
/// are sorted by neighbour, no neighbour twice. See the [module](self) for loops.
///
/// ```
/// use kohort_cohorts::graph::Graph;
///
/// // A triangle with a tail; the edge 0-1 is told twice, and its weights add up.
/// let graph = Graph::from_edges(4, [(0, 1, 1.0), (1, 0, 0.5), (1, 2, 1.0), (2, 0, 1.0), (2, 3, 2.0)])?;
/// assert_eq!((graph.nodes(), graph.edges(), graph.total()), (4, 4, 5.5));
/// assert_eq!(graph.neighbours(1).collect::<Vec<_>>(), [(0, 1.5), (2, 1.0)]);
/// assert_eq!(graph.strength(2), 4.0);
/// # Ok::<(), kohort_cohorts::graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Where each row starts, `[nodes + 1]`.
    starts: Vec<usize>,
    /// Neighbours, `[2 × edges]`.
    targets: Vec<u32>,
    /// Their weights, `[2 × edges]`.
    weights: Vec<f64>,
    /// Loop of each node, counted once, `[nodes]`.
    loops: Vec<f64>,
}

impl Graph {
    /// Edges `(u, v, weight)` in any order and direction; repeated ones add up, loops are kept.
    /// [`EdgeRules`] has other ways.
    ///
    /// # Errors
    /// A node that is not below `nodes`, a weight that is not 0 or between 1e-15 and 1e15.
    pub fn from_edges<I>(nodes: usize, edges: I) -> Result<Self, GraphError>
    where
        I: IntoIterator<Item = (u32, u32, f64)>,
        I::IntoIter: Clone,
    {
        EdgeRules::default().build(nodes, edges)
    }

    /// Pairs `(u, v)` in any order and direction, all of weight 1 however often they are told; loops are left out.
    ///
    /// # Errors
    /// A node that is not below `nodes`.
    pub fn simple<I>(nodes: usize, pairs: I) -> Result<Self, GraphError>
    where
        I: IntoIterator<Item = (u32, u32)>,
        I::IntoIter: Clone,
    {
        let rules = EdgeRules { repeats: Repeats::Max, loops: Loops::Drop };
        rules.build(nodes, pairs.into_iter().map(|(u, v)| (u, v, 1.0)))
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.loops.len()
    }

    /// Number of edges between different nodes.
    pub fn edges(&self) -> usize {
        self.targets.len() / 2
    }

    /// Neighbours of `node` and the edges' weights, neighbours ascending, the node itself never among them.
    ///
    /// # Panics
    /// If there is no such node.
    #[inline]
    pub fn neighbours(&self, node: u32) -> impl ExactSizeIterator<Item = (u32, f64)> + Clone + '_ {
        let (targets, weights) = self.row(node);
        targets.iter().copied().zip(weights.iter().copied())
    }

    /// Number of neighbours of `node`, itself not counted.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn degree(&self, node: u32) -> usize {
        self.starts[node as usize + 1] - self.starts[node as usize]
    }

    /// Weight of the loop at `node`, counted once; 0 without one.
    ///
    /// # Panics
    /// If there is no such node.
    #[inline]
    pub fn loop_weight(&self, node: u32) -> f64 {
        self.loops[node as usize]
    }

    /// Summed weights at `node`, its loop twice.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn strength(&self, node: u32) -> f64 {
        self.row(node).1.iter().sum::<f64>() + 2.0 * self.loop_weight(node)
    }

    /// Weight of the edge between `u` and `v` (of the loop, for `u = v`); 0 where there is none.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn weight(&self, u: u32, v: u32) -> f64 {
        if u == v {
            return self.loop_weight(u);
        }
        let (targets, weights) = self.row(u);
        targets.binary_search(&v).map_or(0.0, |at| weights[at])
    }

    /// Summed weights of all edges and loops, each once: `m`.
    pub fn total(&self) -> f64 {
        (0..self.nodes() as u32).map(|node| self.strength(node)).sum::<f64>() / 2.0
    }

    /// Every edge once, as `(u, v, weight)` with `u < v`, without the loops.
    pub fn iter_edges(&self) -> impl Iterator<Item = (u32, u32, f64)> + Clone + '_ {
        (0..self.nodes() as u32)
            .flat_map(move |u| self.neighbours(u).filter(move |&(v, _)| u < v).map(move |(v, w)| (u, v, w)))
    }

    #[inline]
    pub(crate) fn row(&self, node: u32) -> (&[u32], &[f64]) {
        let row = self.starts[node as usize]..self.starts[node as usize + 1];
        (&self.targets[row.clone()], &self.weights[row])
    }

    /// Asks memory for where the row of `node` is.
    #[inline]
    pub(crate) fn fetch_start(&self, node: u32) {
        fetch(&self.starts[node as usize..][..2]);
    }

    /// Asks memory for the first `most` entries of the row of `node`.
    #[inline]
    pub(crate) fn fetch_row(&self, node: u32, most: usize) {
        let (targets, weights) = self.row(node);
        let most = most.min(targets.len());
        fetch(&targets[..most]);
        fetch(&weights[..most]);
    }

    /// Rows that are known to fit together: made by this crate, never read.
    pub(crate) fn from_rows(
        starts: Vec<usize>,
        targets: Vec<u32>,
        weights: Vec<f64>,
        loops: Vec<f64>,
    ) -> Self {
        debug_assert_eq!(starts.len(), loops.len() + 1);
        debug_assert_eq!(starts.last(), Some(&targets.len()));
        debug_assert_eq!(targets.len(), weights.len());
        Self { starts, targets, weights, loops }
    }
}
