//! The users' nearest neighbours become a graph.
//!
//! For each user `u` the others who share an item are found through the items' columns, row by row:
//!
//! ```text
//! common_uv = |I_u ∩ I_v|,  product_uv = Σ_{i ∈ I_u} W_ui W_vi        for all v with a shared item
//! N(u)      = the `neighbours` most alike v; ties to the lower number
//! A_uv      = similarity(u, v)   if v ∈ N(u) or u ∈ N(v)              (`Keep::Either`; `Both`: and)
//! ```
//!
//! Time `O(Σ_i n_i²)` for items with `n_i` users; memory `O(users)` per thread beside the result: the matrix of all
//! pairs never exists. Users are walked in blocks on the rayon pool, and the blocks' lists joined in order.
//!
//! Items that most people took say little and cost most; `most_popular` leaves them out of the search for common
//! items (and of `common` and `product`), not of the norms.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::similarity::Overlap;
use super::{Bipartite, EdgeRules, Graph, GraphError, HEAVIEST, LIGHTEST, Loops, Repeats, Similarity};

/// Users per unit of parallel work.
const BLOCK: usize = 256;

/// Which of the nearest-neighbour relations become edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// One of the two has the other among the nearest.
    #[default]
    Either,
    /// Each has the other among the nearest: hubs lose most of their edges.
    Both,
}

impl Keep {
    /// The graph of `nodes` whose nearest are `edges` (node, one of its nearest, weight): each node's together, nodes ascending.
    pub(super) fn graph(self, nodes: usize, mut edges: Vec<(u32, u32, f64)>) -> Result<Graph, GraphError> {
        if self == Keep::Both {
            // Whether v lists u: lists of one node lie together, in the order of nodes.
            let mut starts = vec![0usize; nodes + 1];
            edges.iter().for_each(|&(u, _, _)| starts[u as usize + 1] += 1);
            super::edges::running_sums(&mut starts);
            let mutual: Vec<bool> = edges
                .iter()
                .map(|&(u, v, _)| {
                    edges[starts[v as usize]..starts[v as usize + 1]].iter().any(|&(_, back, _)| back == u)
                })
                .collect();
            let mut mutual = mutual.into_iter();
            edges.retain(|_| mutual.next() == Some(true));
        }
        EdgeRules { repeats: Repeats::Max, loops: Loops::Drop }.build(nodes, edges.iter().copied())
    }
}

/// How interactions become a graph of users.
///
/// ```
/// use kohort_cohorts::graph::{Bipartite, Projection, Similarity};
///
/// // Users 0 and 1 share both their items, user 2 shares one with each of them, user 3 shares nothing.
/// let user = [0, 0, 1, 1, 2, 2, 3];
/// let item = [0, 1, 0, 1, 1, 2, 3];
/// let taken = Bipartite::new(4, 4, &user, &item, None)?;
/// let graph = Projection { similarity: Similarity::Jaccard, ..Projection::default() }.graph(&taken)?;
/// assert_eq!(graph.weight(0, 1), 1.0);
/// assert_eq!(graph.weight(0, 2), 1.0 / 3.0);
/// assert_eq!(graph.degree(3), 0);
/// # Ok::<(), kohort_cohorts::graph::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// How alike two users are; becomes the weight.
    pub similarity: Similarity,
    /// Nearest others of each user, at least 1.
    pub neighbours: usize,
    /// Which relations become edges.
    pub keep: Keep,
    /// Items two users must share, at least 1.
    pub least_common: usize,
    /// Items with more users than this are not searched; at least 2.
    pub most_popular: usize,
}

impl Default for Projection {
    /// Cosine, 20 neighbours on either side, one shared item, no item too popular.
    fn default() -> Self {
        Self {
            similarity: Similarity::Cosine,
            neighbours: 20,
            keep: Keep::Either,
            least_common: 1,
            most_popular: usize::MAX,
        }
    }
}

impl Projection {
    /// The graph of the users of `taken`, `[users]` nodes. Same bits for any number of threads.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn graph(&self, taken: &Bipartite) -> Result<Graph, GraphError> {
        for (setting, value, least, allowed) in [
            ("neighbours", self.neighbours, 1, "1 or more"),
            ("least_common", self.least_common, 1, "1 or more"),
            ("most_popular", self.most_popular, 2, "2 or more"),
        ] {
            if value < least {
                return Err(GraphError::Setting { setting, value: value.to_string(), allowed });
            }
        }
        let users = taken.users();
        let norms: Vec<f64> = (0..users as u32)
            .map(|user| taken.weights_of(user).iter().map(|w| w * w).sum::<f64>().sqrt())
            .collect();
        let blocks: Vec<Vec<(u32, u32, f64)>> = (0..users.div_ceil(BLOCK))
            .into_par_iter()
            .map_init(
                || Search::new(users),
                |search, block| {
                    let mut edges = Vec::new();
                    for user in block * BLOCK..((block + 1) * BLOCK).min(users) {
                        self.nearest(taken, &norms, user as u32, search);
                        edges.extend(search.found.iter().map(|&(w, v)| (user as u32, v, w)));
                    }
                    edges
                },
            )
            .collect();
        let edges = blocks.concat();
        drop(blocks);
        self.keep.graph(users, edges)
    }

    /// Leaves the nearest others of `user` in `search.found`.
    fn nearest(&self, taken: &Bipartite, norms: &[f64], user: u32, search: &mut Search) {
        let Search { common, product, seen, found } = search;
        for (&item, &weight) in taken.items_of(user).iter().zip(taken.weights_of(user)) {
            let (others, weights) = taken.column(item);
            if others.len() > self.most_popular {
                continue;
            }
            for (&other, &w) in others.iter().zip(weights) {
                if common[other as usize] == 0 {
                    seen.push(other);
                }
                common[other as usize] += 1;
                product[other as usize] += weight * w;
            }
        }
        found.clear();
        let size = |user: u32| taken.items_of(user).len() as f64;
        for other in seen.drain(..) {
            let pair = Overlap {
                common: f64::from(common[other as usize]),
                product: product[other as usize],
                taken: [size(user), size(other)],
                norms: [norms[user as usize], norms[other as usize]],
                items: taken.items() as f64,
            };
            let enough = common[other as usize] as usize >= self.least_common;
            (common[other as usize], product[other as usize]) = (0, 0.0);
            if other != user && enough {
                let alike = self.similarity.of(pair);
                if alike >= LIGHTEST {
                    found.push((alike.min(HEAVIEST), other));
                }
            }
        }
        let nearer = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if found.len() > self.neighbours {
            found.select_nth_unstable_by(self.neighbours - 1, nearer);
            found.truncate(self.neighbours);
        }
    }
}

/// What one thread writes on while it looks for neighbours; empty between users.
struct Search {
    common: Vec<u32>,
    product: Vec<f64>,
    seen: Vec<u32>,
    found: Vec<(f64, u32)>,
}

impl Search {
    fn new(users: usize) -> Self {
        Self { common: vec![0; users], product: vec![0.0; users], seen: Vec::new(), found: Vec::new() }
    }
}
