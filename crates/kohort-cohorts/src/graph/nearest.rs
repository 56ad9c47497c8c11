//! Points become a graph: each is joined to those that point the same way.
//!
//! With rows `x_u` `[nodes, dim]` scaled to length 1:
//!
//! ```text
//! cos(u, v) = x_u · x_v                   for all v, a block of rows u at a time
//! N(u)      = the `neighbours` other v of largest cosine above 0; ties to the lower number
//! A_uv      = cos(u, v)   if v ∈ N(u) or u ∈ N(v)              (`Keep::Either`; `Both`: and)
//! ```
//!
//! Exact: time `O(nodes²·dim)`, memory a block of rows beside the result. A point of length 0 has no neighbour. Cosine, because
//! scores of recommenders are inner products, in which an embedding's length says how active its user is and not
//! what they like.

use kohort_core::Real;
use kohort_core::kernels::{Transpose, gemm};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Graph, GraphError, Keep, LIGHTEST};
use crate::Points;

/// Rows per unit of parallel work.
const BLOCK: usize = 128;

/// How points become a graph.
///
/// ```
/// use kohort_cohorts::Points;
/// use kohort_cohorts::graph::Nearest;
///
/// let points = [1.0f32, 0.0, 3.0, 0.5, 0.0, 2.0, -0.1, 1.0];
/// let graph = Nearest { neighbours: 1, ..Nearest::default() }.graph(&Points::new(&points, 2)?)?;
/// assert_eq!(graph.iter_edges().map(|(u, v, _)| (u, v)).collect::<Vec<_>>(), [(0, 1), (2, 3)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    /// Nearest others of each point, at least 1.
    pub neighbours: usize,
    /// Which relations become edges.
    pub keep: Keep,
}

impl Default for Nearest {
    /// 20 neighbours on either side.
    fn default() -> Self {
        Self { neighbours: 20, keep: Keep::Either }
    }
}

impl Nearest {
    /// The graph of `points`, weights of which do not count. Same bits for any number of threads.
    ///
    /// # Errors
    /// `neighbours` of 0.
    pub fn graph<F: Real>(&self, points: &Points<'_, F>) -> Result<Graph, GraphError> {
        if self.neighbours < 1 {
            let (setting, value) = ("neighbours", self.neighbours.to_string());
            return Err(GraphError::Setting { setting, value, allowed: "1 or more" });
        }
        let (nodes, dim) = (points.rows(), points.row(0).len());
        let unit: Vec<F> = (0..nodes).flat_map(|row| directed(points.row(row))).collect();
        let blocks: Vec<Vec<(u32, u32, f64)>> = unit
            .par_chunks(BLOCK * dim)
            .enumerate()
            .map_init(Vec::new, |cosines, (block, own)| {
                let rows = own.len() / dim;
                cosines.resize(rows * nodes, F::zero());
                let shape = (rows, nodes, dim);
                gemm((Transpose::No, Transpose::Yes), shape, F::one(), own, &unit, F::zero(), cosines);
                let all = cosines.chunks_exact(nodes).enumerate();
                all.flat_map(|(row, cosines)| self.of((block * BLOCK + row) as u32, cosines)).collect()
            })
            .collect();
        let edges = blocks.concat();
        drop(blocks);
        self.keep.graph(nodes, edges)
    }

    fn of<F: Real>(&self, own: u32, cosines: &[F]) -> Vec<(u32, u32, f64)> {
        let alike = (0u32..).zip(cosines).map(|(other, cosine)| (own, other, cosine.f64()));
        let mut found: Vec<_> = alike.filter(|&(_, other, w)| other != own && w >= LIGHTEST).collect();
        let nearer = |a: &(u32, u32, f64), b: &(u32, u32, f64)| b.2.total_cmp(&a.2).then(a.1.cmp(&b.1));
        if found.len() > self.neighbours {
            found.select_nth_unstable_by(self.neighbours - 1, nearer);
            found.truncate(self.neighbours);
        }
        found
    }
}

/// The point at distance 1 in the same direction; the origin stays.
fn directed<F: Real>(row: &[F]) -> Vec<F> {
    let length = row.iter().map(|x| x.f64() * x.f64()).sum::<f64>().sqrt();
    row.iter().map(|x| if length > 0.0 { F::of(x.f64() / length) } else { F::zero() }).collect()
}
