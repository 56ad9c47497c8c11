//! An edge list becomes compressed sparse rows.
//!
//! Two counting passes, no comparison sort: the first puts both directions of each edge in the rows of their
//! sources, the second transposes. A symmetric matrix is its own transpose, and a transposition visits sources in
//! ascending order, so that rows come out sorted. Both passes keep the order of repeated edges, therefore `A_uv`
//! and `A_vu` are sums in the same order and have the same bits. `O(nodes + edges)`.

use serde::{Deserialize, Serialize};

use super::{Graph, GraphError, HEAVIEST, LIGHTEST};

/// What becomes of an edge that is told more than once, in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeats {
    /// Weights add up.
    #[default]
    Sum,
    /// The largest weight counts.
    Max,
}

/// What becomes of an edge from a node to itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loops {
    /// It stays, and counts twice in the node's strength.
    #[default]
    Keep,
    /// It is left out.
    Drop,
}

/// How a list of edges is understood.
///
/// ```
/// use kohort_cohorts::graph::{EdgeRules, Loops, Repeats};
///
/// let told = [(0, 1, 2.0), (1, 0, 3.0), (1, 1, 1.0)];
/// let most = EdgeRules { repeats: Repeats::Max, loops: Loops::Drop }.build(2, told)?;
/// assert_eq!((most.weight(0, 1), most.loop_weight(1)), (3.0, 0.0));
/// let all = EdgeRules::default().build(2, told)?;
/// assert_eq!((all.weight(0, 1), all.loop_weight(1), all.strength(1)), (5.0, 1.0, 7.0));
/// # Ok::<(), kohort_cohorts::graph::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeRules {
    /// Repeated edges.
    pub repeats: Repeats,
    /// Edges from a node to itself.
    pub loops: Loops,
}

impl Repeats {
    fn join(self, a: f64, b: f64) -> f64 {
        match self {
            Repeats::Sum => a + b,
            Repeats::Max => a.max(b),
        }
    }
}

impl EdgeRules {
    /// The graph of `edges`, each `(u, v, weight)`, in any order and direction. The list is walked three times
    /// and not copied.
    ///
    /// # Errors
    /// A node that is not below `nodes`, a weight that is not 0 or between 1e-15 and 1e15, more than 2³² − 1 nodes.
    pub fn build<I>(self, nodes: usize, edges: I) -> Result<Graph, GraphError>
    where
        I: IntoIterator<Item = (u32, u32, f64)>,
        I::IntoIter: Clone,
    {
        if nodes > u32::MAX as usize {
            return Err(GraphError::TooManyNodes { nodes });
        }
        let edges = edges.into_iter();
        check(nodes, edges.clone())?;
        let mut loops = vec![0.0f64; nodes];
        let mut starts = vec![0usize; nodes + 1];
        for (u, v, w) in edges.clone().filter(|&(_, _, w)| w > 0.0) {
            if u == v {
                if self.loops == Loops::Keep {
                    loops[u as usize] = self.repeats.join(loops[u as usize], w);
                }
            } else {
                starts[u as usize + 1] += 1;
                starts[v as usize + 1] += 1;
            }
        }
        running_sums(&mut starts);

        let entries = starts[nodes];
        let (mut targets, mut weights) = (vec![0u32; entries], vec![0.0f64; entries]);
        let mut next = starts.clone();
        let mut put = |from: u32, to: u32, w: f64| {
            let at = &mut next[from as usize];
            (targets[*at], weights[*at]) = (to, w);
            *at += 1;
        };
        for (u, v, w) in edges.filter(|&(u, v, w)| u != v && w > 0.0) {
            put(u, v, w);
            put(v, u, w);
        }

        // The transposition. A repeated edge is next to its twin: rows are filled from one source at a time.
        let (mut sorted, mut sorted_weights) = (vec![0u32; entries], vec![0.0f64; entries]);
        let mut ends = starts.clone();
        for source in 0..nodes {
            for at in starts[source]..starts[source + 1] {
                let row = targets[at] as usize;
                let end = &mut ends[row];
                if *end > starts[row] && sorted[*end - 1] == source as u32 {
                    sorted_weights[*end - 1] = self.repeats.join(sorted_weights[*end - 1], weights[at]);
                } else {
                    (sorted[*end], sorted_weights[*end]) = (source as u32, weights[at]);
                    *end += 1;
                }
            }
        }
        drop((targets, weights));
        close_gaps(&mut starts, &ends, &mut sorted, &mut sorted_weights);
        if let Some(value) = sorted_weights.iter().chain(&loops).find(|&&w| w > HEAVIEST) {
            let (setting, value) = ("summed weight of a repeated edge", value.to_string());
            return Err(GraphError::Setting { setting, value, allowed: "at most 1e15" });
        }
        Ok(Graph::from_rows(starts, sorted, sorted_weights, loops))
    }
}

fn check(nodes: usize, edges: impl Iterator<Item = (u32, u32, f64)>) -> Result<(), GraphError> {
    for (edge, (u, v, value)) in edges.enumerate() {
        if let Some(node) = [u, v].into_iter().find(|&node| node as usize >= nodes) {
            return Err(GraphError::Node { edge, node, nodes });
        }
        if !(value == 0.0 || (LIGHTEST..=HEAVIEST).contains(&value)) {
            return Err(GraphError::Weight { edge, value });
        }
    }
    Ok(())
}

/// Counts at `1..` become starts.
pub(super) fn running_sums(counts: &mut [usize]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

/// Moves rows that end before the next one starts to the left, and shortens the columns.
fn close_gaps(starts: &mut [usize], ends: &[usize], targets: &mut Vec<u32>, weights: &mut Vec<f64>) {
    let mut filled = 0;
    for row in 0..starts.len() - 1 {
        let (start, end) = (starts[row], ends[row]);
        starts[row] = filled;
        if start != filled {
            targets.copy_within(start..end, filled);
            weights.copy_within(start..end, filled);
        }
        filled += end - start;
    }
    let nodes = starts.len() - 1;
    starts[nodes] = filled;
    targets.truncate(filled);
    weights.truncate(filled);
    if filled < targets.capacity() / 2 {
        targets.shrink_to_fit();
        weights.shrink_to_fit();
    }
}
