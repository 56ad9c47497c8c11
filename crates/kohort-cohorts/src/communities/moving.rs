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

use kohort_core::kernels::fetch;

use super::Deadline;
use crate::graph::Graph;

/// Gains below this share of their terms are rounding.
const ROUNDING: f64 = 1e-10;

/// Visits of each node after which a level ends, moves or not. Usual are fewer than 10; where weights span so many orders of
/// magnitude that sums of strengths lose the small ones, rounding could go on for ever.
pub(super) const PATIENCE: usize = 1000;

/// Visits between two looks at the clock.
const VISITS: usize = 1 << 14;

/// Neighbours of a node that are asked for before its visit.
const FETCHED: usize = 64;

/// A graph whose nodes may stand for several, and what pulls them apart.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) graph: &'a Graph,
    /// `s_v`, `[nodes]`.
    pub(super) sizes: &'a [f64],
    /// `π`.
    pub(super) pull: f64,
}

/// What a visit reads of a community, side by side, so that a neighbour asks for one line of the cache and not for two.
#[derive(Clone, Copy)]
struct Place {
    /// Weight from the node at hand to the community; 0 between nodes.
    near: f64,
    /// `S_c`.
    size: f64,
}

/// Who is where, with as many places for communities as there are nodes.
pub(super) struct Partition {
    /// Community of each node, `[nodes]`.
    pub(super) of: Vec<u32>,
    /// Communities, `[nodes]`.
    places: Vec<Place>,
    /// Nodes of each community, `[nodes]`.
    count: Vec<u32>,
    /// Communities without nodes.
    empty: Vec<u32>,
    /// Communities around the node at hand, in the order in which they were met.
    met: Vec<u32>,
}

impl Partition {
    /// From labels below the number of nodes.
    pub(super) fn new(of: Vec<u32>, sizes: &[f64]) -> Self {
        let mut places = vec![Place { near: 0.0, size: 0.0 }; of.len()];
        let mut count = vec![0u32; of.len()];
        for (&label, s) in of.iter().zip(sizes) {
            places[label as usize].size += s;
            count[label as usize] += 1;
        }
        // Lowest last, so that it is taken first.
        let empty = (0..of.len() as u32).rev().filter(|&c| count[c as usize] == 0).collect();
        Self { of, places, count, empty, met: Vec::new() }
    }

    fn shift(&mut self, node: u32, to: u32, size: f64) {
        let from = std::mem::replace(&mut self.of[node as usize], to) as usize;
        let to = to as usize;
        self.count[from] -= 1;
        self.places[from].size -= size;
        if self.count[from] == 0 {
            self.places[from].size = 0.0; // differences leave rounding behind
            self.empty.push(from as u32);
        }
        self.count[to] += 1;
        self.places[to].size += size;
    }

    /// Asks memory for what visits to come will read, one link of the chain for each: where a node's row is, the row, the communities
    /// of its neighbours, and what is known of them. In a graph larger than the caches a visit would else wait for each of them in turn.
    /// Long rows only begin so: their own visit has enough to ask for at once.
    #[inline]
    fn fetch(&self, graph: &Graph, ahead: impl Fn(usize) -> u32) {
        graph.fetch_start(ahead(12));
        graph.fetch_row(ahead(8), FETCHED);
        for &target in graph.row(ahead(4)).0.iter().take(FETCHED) {
            fetch(std::slice::from_ref(&self.of[target as usize]));
        }
        for &target in graph.row(ahead(2)).0.iter().take(FETCHED) {
            fetch(std::slice::from_ref(&self.places[self.of[target as usize] as usize]));
        }
    }

    /// Adds up the weights from `node` to the communities around it: [`Place::near`] of those in the first so many of
    /// [`Partition::met`].
    #[inline]
    fn look_around(&mut self, graph: &Graph, node: u32) -> usize {
        let (targets, weights) = graph.row(node);
        if self.met.len() < targets.len() {
            self.met.resize(targets.len(), 0);
        }
        let mut met = 0;
        for (&target, &w) in targets.iter().zip(weights) {
            let community = self.of[target as usize];
            let near = &mut self.places[community as usize].near;
            // Weights are positive: 0 means not met yet. Written always and kept if new: whether it is nobody can guess, so a
            // branch would be paid for.
            self.met[met] = community;
            met += usize::from(*near == 0.0);
            *near += w;
        }
        met
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

/// The community that `node` should be in, if that is another one.
#[inline]
fn better(level: Level<'_>, partition: &mut Partition, node: u32) -> Option<u32> {
    let met = partition.look_around(level.graph, node);
    let own = partition.of[node as usize];
    let size = level.sizes[node as usize];
    let here = partition.places[own as usize];
    let stay_pull = level.pull * size * (here.size - size).max(0.0);
    let stay = here.near - stay_pull;
    let (mut best, mut gain, mut terms) = (own, stay, here.near + stay_pull);
    for &community in &partition.met[..met] {
        let place = &mut partition.places[community as usize];
        let (joined, pull) = (std::mem::take(&mut place.near), level.pull * size * place.size);
        if community != own && joined - pull > gain {
            (best, gain, terms) = (community, joined - pull, here.near + stay_pull + joined + pull);
        }
    }
    if gain < 0.0 && partition.count[own as usize] > 1 {
        // More than one node in a place leaves another place empty.
        best = *partition.empty.last()?;
        (gain, terms) = (0.0, here.near + stay_pull);
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
        let ahead = |visits: usize| {
            let at = first + visits.min(waiting - 1);
            queue[if at >= nodes { at - nodes } else { at }]
        };
        partition.fetch(level.graph, ahead);
        let node = queue[first];
        first = if first + 1 == nodes { 0 } else { first + 1 };
        waiting -= 1;
        waits[node as usize] = false;
        let Some(to) = better(level, partition, node) else { continue };
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
pub(super) fn sweep(level: Level<'_>, partition: &mut Partition, order: &[u32]) -> usize {
    let mut moves = 0;
    for (at, &node) in order.iter().enumerate() {
        partition.fetch(level.graph, |visits| order[(at + visits).min(order.len() - 1)]);
        if let Some(to) = better(level, partition, node) {
            partition.shift(node, to, level.sizes[node as usize]);
            moves += 1;
        }
    }
    moves
}
