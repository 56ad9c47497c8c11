//! The best community for one node, given all others.
//!
//! For node `v` in community `c₀`, over the communities `c` of its neighbours, its own and an empty one:
//!
//! ```text
//! Δ(v, c) = Σ_{u ∈ c, u ≠ v} A_vu − π s_v (S_c − [c = c₀] s_v),      S_c = Σ_{u∈c} s_u        (empty: 0)
//! ```
//!
//! The node moves to the largest `Δ`, ties to its own, then to the one first met in its row. A gain must exceed `1e-10` of the
//! terms it is the difference of: smaller ones are rounding, and could be won in a circle for ever.
//!
//! Two orders of visits: [`settle`] keeps a queue of nodes whose surroundings changed (Leiden's fast local moving),
//! [`sweep`] visits everybody (Louvain).

use super::Deadline;
use crate::graph::Graph;

/// Gains below this share of their terms are rounding.
const ROUNDING: f64 = 1e-10;

/// Visits of each node after which a level ends, moves or not. Usual are fewer than 10; where weights span so many orders of
/// magnitude that sums of strengths lose the small ones, rounding could go on for ever.
pub(super) const PATIENCE: usize = 1000;

/// Visits between two looks at the clock.
const VISITS: usize = 1 << 14;

/// A graph whose nodes may stand for several, and what pulls them apart.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) graph: &'a Graph,
    /// `s_v`, `[nodes]`.
    pub(super) sizes: &'a [f64],
    /// `π`.
    pub(super) pull: f64,
}

/// Who is where, with as many places for communities as there are nodes.
pub(super) struct Partition {
    /// Community of each node, `[nodes]`.
    pub(super) of: Vec<u32>,
    /// `S_c`, `[nodes]`.
    size: Vec<f64>,
    /// Nodes of each community, `[nodes]`.
    count: Vec<u32>,
    /// Communities without nodes.
    empty: Vec<u32>,
}

impl Partition {
    /// From labels below the number of nodes.
    pub(super) fn new(of: Vec<u32>, sizes: &[f64]) -> Self {
        let (mut size, mut count) = (vec![0.0; of.len()], vec![0u32; of.len()]);
        for (&label, s) in of.iter().zip(sizes) {
            size[label as usize] += s;
            count[label as usize] += 1;
        }
        // Lowest last, so that it is taken first.
        let empty = (0..of.len() as u32).rev().filter(|&c| count[c as usize] == 0).collect();
        Self { of, size, count, empty }
    }

    fn shift(&mut self, node: u32, to: u32, size: f64) {
        let from = std::mem::replace(&mut self.of[node as usize], to) as usize;
        let to = to as usize;
        self.count[from] -= 1;
        self.size[from] -= size;
        if self.count[from] == 0 {
            self.size[from] = 0.0; // differences leave rounding behind
            self.empty.push(from as u32);
        }
        self.count[to] += 1;
        self.size[to] += size;
    }
}

/// Gives labels numbers without gaps, in order of first appearance; and how many there are.
pub(super) fn without_gaps(labels: &mut [u32]) -> usize {
    const NONE: u32 = u32::MAX;
    let top = labels.iter().max().map_or(0, |&label| label as usize + 1);
    let (mut name, mut next) = (vec![NONE; top], 0);
    for label in labels {
        let name = &mut name[*label as usize];
        if *name == NONE {
            *name = next;
            next += 1;
        }
        *label = *name;
    }
    next as usize
}

/// Weights from one node to the communities around it; all 0 between nodes.
pub(super) struct Near {
    weight: Vec<f64>,
    seen: Vec<u32>,
}

impl Near {
    pub(super) fn new(communities: usize) -> Self {
        Self { weight: vec![0.0; communities], seen: Vec::new() }
    }
}

/// The community that `node` should be in, if that is another one.
#[inline]
fn better(level: Level<'_>, partition: &mut Partition, near: &mut Near, node: u32) -> Option<u32> {
    let Near { weight, seen } = near;
    let (targets, weights) = level.graph.row(node);
    for (&target, &w) in targets.iter().zip(weights) {
        let community = partition.of[target as usize];
        let sum = &mut weight[community as usize];
        // Weights are positive: 0 means not met yet.
        if *sum == 0.0 {
            seen.push(community);
        }
        *sum += w;
    }
    let own = partition.of[node as usize];
    let size = level.sizes[node as usize];
    let pulled = |community: u32| level.pull * size * partition.size[community as usize];
    let stay_weight = weight[own as usize];
    let stay_pull = level.pull * size * (partition.size[own as usize] - size).max(0.0);
    let stay = stay_weight - stay_pull;
    let (mut best, mut gain, mut terms) = (own, stay, stay_weight + stay_pull);
    for &community in seen.iter() {
        let (joined, pull) = (std::mem::take(&mut weight[community as usize]), pulled(community));
        if community != own && joined - pull > gain {
            (best, gain, terms) = (community, joined - pull, stay_weight + stay_pull + joined + pull);
        }
    }
    seen.clear();
    if gain < 0.0 && partition.count[own as usize] > 1 {
        // More than one node in a place leaves another place empty.
        best = *partition.empty.last()?;
        (gain, terms) = (0.0, stay_weight + stay_pull);
    }
    if best == own || gain - stay <= ROUNDING * terms {
        return None;
    }
    if partition.empty.last() == Some(&best) {
        partition.empty.pop();
    }
    Some(best)
}

/// Moves nodes until none can do better, first all in `order`, then those around a move. Stops early at the
/// deadline. Gives the number of moves.
pub(super) fn settle(
    level: Level<'_>,
    partition: &mut Partition,
    order: Vec<u32>,
    deadline: Deadline,
) -> usize {
    let nodes = order.len();
    let mut near = Near::new(nodes);
    // A ring: each node is in it at most once.
    let mut queue = order;
    let mut waits = vec![true; nodes];
    let (mut first, mut waiting) = (0, nodes);
    let (mut moves, mut visits) = (0, 0usize);
    while waiting > 0 && visits < PATIENCE.saturating_mul(nodes) {
        visits += 1;
        if visits.is_multiple_of(VISITS) && deadline.passed() {
            break;
        }
        let node = queue[first];
        first = if first + 1 == nodes { 0 } else { first + 1 };
        waiting -= 1;
        waits[node as usize] = false;
        let Some(to) = better(level, partition, &mut near, node) else { continue };
        partition.shift(node, to, level.sizes[node as usize]);
        moves += 1;
        for &other in level.graph.row(node).0 {
            if !waits[other as usize] && partition.of[other as usize] != to {
                waits[other as usize] = true;
                let end = first + waiting;
                queue[if end >= nodes { end - nodes } else { end }] = other;
                waiting += 1;
            }
        }
    }
    moves
}

/// Visits every node once in `order`; the number of moves.
pub(super) fn sweep(level: Level<'_>, partition: &mut Partition, near: &mut Near, order: &[u32]) -> usize {
    let mut moves = 0;
    for &node in order {
        if let Some(to) = better(level, partition, near, node) {
            partition.shift(node, to, level.sizes[node as usize]);
            moves += 1;
        }
    }
    moves
}
