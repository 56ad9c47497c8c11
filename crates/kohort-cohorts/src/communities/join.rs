//! Parts become nodes: what ran between two parts is an edge, what ran inside a part is its loop.
//!
//! ```text
//! A'_ab = Σ_{u∈a, v∈b} A_uv          loop_a = Σ_{v∈a} (loop_v + ½ Σ_{u∈a} A_vu)
//! ```
//!
//! Strengths and the total stay as they were. Rows are made in parallel, blocks of parts with about equally many edges,
//! and put together in order.

use std::ops::Range;

use rayon::prelude::*;

use crate::graph::Graph;

/// Entries of the old graph per unit of parallel work, about.
const ENTRIES: usize = 1 << 16;

/// Nodes by part: those of part `p` are `members[starts[p]..starts[p + 1]]`, ascending.
pub(super) struct Groups {
    pub(super) starts: Vec<usize>,
    pub(super) members: Vec<u32>,
}

impl Groups {
    /// Of labels below `parts`.
    pub(super) fn new(labels: &[u32], parts: usize) -> Self {
        let mut starts = vec![0usize; parts + 1];
        labels.iter().for_each(|&label| starts[label as usize + 1] += 1);
        for part in 0..parts {
            starts[part + 1] += starts[part];
        }
        let mut next = starts.clone();
        let mut members = vec![0u32; labels.len()];
        for (node, &label) in labels.iter().enumerate() {
            members[next[label as usize]] = node as u32;
            next[label as usize] += 1;
        }
        Self { starts, members }
    }

    pub(super) fn parts(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn members(&self, part: usize) -> &[u32] {
        &self.members[self.starts[part]..self.starts[part + 1]]
    }

    /// Runs of parts whose nodes have about `ENTRIES` neighbours together. They depend on the graph alone.
    pub(super) fn blocks(&self, graph: &Graph) -> Vec<Range<usize>> {
        let mut blocks = Vec::new();
        let (mut start, mut entries) = (0, 0);
        for part in 0..self.parts() {
            entries += self.members(part).iter().map(|&node| graph.degree(node) + 1).sum::<usize>();
            if entries >= ENTRIES || part + 1 == self.parts() {
                blocks.push(start..part + 1);
                (start, entries) = (part + 1, 0);
            }
        }
        blocks
    }
}

/// Rows of a block of parts.
#[derive(Default)]
struct Rows {
    lengths: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    loops: Vec<f64>,
}

/// The graph of the parts, `[parts]` nodes.
pub(super) fn join(graph: &Graph, labels: &[u32], groups: &Groups) -> Graph {
    let parts = groups.parts();
    let rows: Vec<Rows> = groups
        .blocks(graph)
        .into_par_iter()
        .map_init(
            || (vec![0.0f64; parts], Vec::new()),
            |(weight, seen), block| {
                let mut rows = Rows::default();
                for part in block {
                    row(graph, labels, groups.members(part), part as u32, weight, seen, &mut rows);
                }
                rows
            },
        )
        .collect();
    let entries = rows.iter().map(|rows| rows.targets.len()).sum();
    let mut starts = Vec::with_capacity(parts + 1);
    let (mut targets, mut weights) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
    let mut loops = Vec::with_capacity(parts);
    let mut end = 0;
    starts.push(0);
    for rows in rows {
        starts.extend(rows.lengths.iter().map(|length| {
            end += length;
            end
        }));
        targets.extend(rows.targets);
        weights.extend(rows.weights);
        loops.extend(rows.loops);
    }
    Graph::from_rows(starts, targets, weights, loops)
}

fn row(
    graph: &Graph,
    labels: &[u32],
    members: &[u32],
    part: u32,
    weight: &mut [f64],
    seen: &mut Vec<u32>,
    rows: &mut Rows,
) {
    let (mut inside, mut loops) = (0.0, 0.0);
    for &node in members {
        loops += graph.loop_weight(node);
        let (targets, weights) = graph.row(node);
        for (&target, &w) in targets.iter().zip(weights) {
            let other = labels[target as usize];
            if other == part {
                inside += w;
            } else {
                // Weights are positive: 0 means not seen yet.
                if weight[other as usize] == 0.0 {
                    seen.push(other);
                }
                weight[other as usize] += w;
            }
        }
    }
    seen.sort_unstable();
    rows.lengths.push(seen.len());
    rows.loops.push(loops + 0.5 * inside);
    for other in seen.drain(..) {
        rows.targets.push(other);
        rows.weights.push(std::mem::take(&mut weight[other as usize]));
    }
}
