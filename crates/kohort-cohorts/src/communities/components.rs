//! What hangs together at all: connected components, of a graph or within communities.
//!
//! A search from the lowest node not yet reached, `O(nodes + edges)`.

use super::errors::{CommunityError, check_labels};
use super::{Communities, Ended, Hierarchy, by_size};
use crate::graph::Graph;

/// Connected components; their `quality` is how many there are, negated, so that fewer are better.
///
/// ```
/// use kohort_cohorts::communities::components;
/// use kohort_cohorts::graph::Graph;
///
/// let parts = components(&Graph::simple(5, [(0, 4), (1, 2), (2, 3)])?);
/// assert_eq!(parts.labels, [1, 0, 0, 0, 1]);
/// assert_eq!(parts.counts, [3, 2]);
/// # Ok::<(), kohort_cohorts::graph::GraphError>(())
/// ```
pub fn components(graph: &Graph) -> Communities {
    let whole = vec![0; graph.nodes()];
    let (mut labels, parts) = pieces(graph, &whole);
    let counts = by_size(&mut labels);
    let mut hierarchy = Hierarchy::of_nodes(graph.nodes());
    hierarchy.push(labels.clone(), parts);
    let quality = -(parts as f64);
    Communities {
        labels,
        counts,
        quality,
        hierarchy,
        history: vec![quality],
        ended: Ended::Converged,
        restart: 0,
    }
}

/// How many communities are not connected within themselves. 0 for what [`Leiden`](super::Leiden) finds.
///
/// # Errors
/// Labels that do not fit the graph.
pub fn disconnected(graph: &Graph, labels: &[u32]) -> Result<usize, CommunityError> {
    check_labels(labels, graph.nodes())?;
    let (parts, count) = pieces(graph, labels);
    let mut community = vec![0u32; count];
    for (&part, &label) in parts.iter().zip(labels) {
        community[part as usize] = label;
    }
    let mut pieces_of = vec![0usize; graph.nodes()];
    community.iter().for_each(|&label| pieces_of[label as usize] += 1);
    Ok(pieces_of.iter().filter(|&&pieces| pieces > 1).count())
}

/// The connected pieces of each community: a label per node, and how many pieces there are.
pub(super) fn pieces(graph: &Graph, labels: &[u32]) -> (Vec<u32>, usize) {
    const UNSEEN: u32 = u32::MAX;
    let mut piece = vec![UNSEEN; graph.nodes()];
    let mut count = 0;
    let mut waiting = Vec::new();
    for start in 0..graph.nodes() as u32 {
        if piece[start as usize] != UNSEEN {
            continue;
        }
        piece[start as usize] = count;
        waiting.push(start);
        while let Some(node) = waiting.pop() {
            for &other in graph.row(node).0 {
                if piece[other as usize] == UNSEEN && labels[other as usize] == labels[node as usize] {
                    piece[other as usize] = count;
                    waiting.push(other);
                }
            }
        }
        count += 1;
    }
    (piece, count as usize)
}
