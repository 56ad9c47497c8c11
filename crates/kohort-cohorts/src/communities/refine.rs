//! A community falls into well-connected parts.
//!
//! Inside each community `C`, nodes start alone. In a random order, each node `v` that is still alone and well connected joins a part
//! `R ⊆ C` that is well connected, drawn from those (and staying alone, `Δ = 0`) with
//!
//! ```text
//! w(v, C∖v) ≥ π s_v (S_C − s_v)         v is well connected
//! w(R, C∖R) ≥ π S_R (S_C − S_R)         R is well connected
//! P(R) ∝ exp(Δ(v, R) / (θ w̄)),  Δ(v, R) = w(v, R) − π s_v S_R ≥ 0,  w(v, R) > 0
//! ```
//!
//! A part only grows by its neighbours, so every part is connected. The random choice lets the search reach partitions that a
//! greedy one cannot.
//!
//! Source: V. A. Traag, L. Waltman and N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected communities", Scientific Reports 9,
//! 2019 (`MergeNodesSubset`). Difference: `θ` is in units of `w̄`, the mean weight of an edge of the first graph, so that weights in
//! other units give the same communities.
//!
//! Communities do not see each other: they are refined in parallel, each with its own random stream.

use kohort_random::rand::Rng;
use kohort_random::{Stream, permutation, stream};
use rayon::prelude::*;

use super::join::Groups;
use super::moving::Level;

/// Differences of exponents beyond which a choice never happens: `exp(−40) < 1e-17`.
const HOPELESS: f64 = 40.0;

/// Parts of all communities: `part [nodes]`, numbered community by community, and how many there are.
/// `theta` is `θ w̄`; `name` tells the streams apart.
pub(super) fn refine(
    level: Level<'_>,
    labels: &[u32],
    communities: &Groups,
    theta: f64,
    seed: u64,
    name: [u64; 2],
) -> (Vec<u32>, usize) {
    let nodes = labels.len();
    // Where each node stands among the members of its community.
    let mut place = vec![0u32; nodes];
    for community in 0..communities.parts() {
        for (at, &node) in communities.members(community).iter().enumerate() {
            place[node as usize] = at as u32;
        }
    }
    // Per block: parts of the members, numbered within the block, and how many.
    let blocks: Vec<(Vec<u32>, u32)> = communities
        .blocks(level.graph)
        .into_par_iter()
        .map_init(Scratch::default, |scratch, block| {
            let (mut parts, mut count) = (Vec::new(), 0);
            for community in block {
                let members = communities.members(community);
                if members.len() == 1 {
                    parts.push(count);
                    count += 1;
                    continue;
                }
                let mut numbers = stream(seed, "leiden refine", &[name[0], name[1], u64::from(members[0])]);
                scratch.split(level, labels, members, &place, theta, &mut numbers);
                count = scratch.number_from(count, &mut parts);
            }
            (parts, count)
        })
        .collect();
    let mut part = vec![0u32; nodes];
    let (mut before, mut at) = (0, 0);
    for (parts, count) in blocks {
        for p in parts {
            part[communities.members[at] as usize] = before + p;
            at += 1;
        }
        before += count;
    }
    (part, before as usize)
}

/// What one thread writes on; as long as the community at hand.
#[derive(Default)]
struct Scratch {
    /// Part of each member, named by one of its members.
    part: Vec<u32>,
    /// `S_R`.
    size: Vec<f64>,
    /// Members of each part.
    count: Vec<u32>,
    /// `w(R, C∖R)`.
    outward: Vec<f64>,
    /// Weight from the node at hand to each part; 0 between nodes.
    near: Vec<f64>,
    seen: Vec<u32>,
    /// Parts that may be chosen, with `Δ`.
    choices: Vec<(u32, f64)>,
    names: Vec<u32>,
}

impl Scratch {
    fn split(
        &mut self,
        level: Level<'_>,
        labels: &[u32],
        members: &[u32],
        place: &[u32],
        theta: f64,
        numbers: &mut Stream,
    ) {
        let count = members.len();
        let community = labels[members[0] as usize];
        let Level { graph, sizes, pull } = level;
        self.part.clear();
        self.part.extend(0..count as u32);
        self.size.clear();
        self.size.extend(members.iter().map(|&node| sizes[node as usize]));
        self.count.clear();
        self.count.resize(count, 1);
        self.near.resize(self.near.len().max(count), 0.0);
        self.outward.clear();
        self.outward.extend(members.iter().map(|&node| {
            let (targets, weights) = graph.row(node);
            let mut sum = 0.0;
            for (&target, &w) in targets.iter().zip(weights) {
                if labels[target as usize] == community {
                    sum += w;
                }
            }
            sum
        }));
        let total: f64 = self.size.iter().sum();
        let bound = |outward: f64, size: f64| outward >= pull * size * (total - size);

        for v in permutation(count, numbers) {
            let v = v as usize;
            let (size, outward) = (sizes[members[v] as usize], self.outward[v]);
            // Its part may have been joined by others: then it is not alone any more, even if it did not move.
            if self.part[v] as usize != v || self.count[v] > 1 || !bound(outward, size) {
                continue;
            }
            let (targets, weights) = graph.row(members[v]);
            for (&target, &w) in targets.iter().zip(weights) {
                if labels[target as usize] == community {
                    let part = self.part[place[target as usize] as usize];
                    if self.near[part as usize] == 0.0 {
                        self.seen.push(part);
                    }
                    self.near[part as usize] += w;
                }
            }
            self.choices.clear();
            self.choices.push((v as u32, 0.0));
            for &part in &self.seen {
                let p = part as usize;
                let gain = self.near[p] - pull * size * self.size[p];
                if gain >= 0.0 && bound(self.outward[p], self.size[p]) {
                    self.choices.push((part, gain));
                }
            }
            let chosen = choose(&mut self.choices, theta, numbers);
            let joined = self.near[chosen as usize];
            self.seen.drain(..).for_each(|part| self.near[part as usize] = 0.0);
            if chosen as usize != v {
                let c = chosen as usize;
                self.part[v] = chosen;
                self.count[v] = 0;
                self.count[c] += 1;
                self.size[c] += size;
                self.outward[c] += outward - 2.0 * joined;
            }
        }
    }

    /// Appends the members' parts, numbered from `next` in order of their members; gives the next free number.
    fn number_from(&mut self, mut next: u32, parts: &mut Vec<u32>) -> u32 {
        const NONE: u32 = u32::MAX;
        self.names.clear();
        self.names.resize(self.part.len(), NONE);
        for &part in &self.part {
            let name = &mut self.names[part as usize];
            if *name == NONE {
                *name = next;
                next += 1;
            }
            parts.push(*name);
        }
        next
    }
}

/// Draws one choice with probability `∝ exp(Δ / θ)`; leaves running sums in the place of `Δ`.
fn choose(choices: &mut [(u32, f64)], theta: f64, numbers: &mut Stream) -> u32 {
    let most = choices.iter().map(|&(_, gain)| gain).fold(0.0, f64::max);
    let mut sum = 0.0;
    for (_, gain) in choices.iter_mut() {
        // θ = 0: among the best alone.
        let behind = if *gain == most { 0.0 } else { (most - *gain) / theta };
        if behind < HOPELESS {
            sum += (-behind).exp();
        }
        *gain = sum;
    }
    let drawn = numbers.random::<f64>() * sum;
    choices.iter().find(|&&(_, up_to)| drawn < up_to).unwrap_or(&choices[choices.len() - 1]).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn the_outward_weight_of_a_grown_part_is_that_of_its_edges() {
        let nodes = 40usize;
        let mut numbers = stream(3, "edges", &[]);
        let edges: Vec<(u32, u32, f64)> = (0..160)
            .map(|_| {
                (
                    numbers.random_range(0..40u32),
                    numbers.random_range(0..40u32),
                    1.0 + numbers.random::<f64>(),
                )
            })
            .filter(|(from, to, _)| from != to)
            .collect();
        let graph = Graph::from_edges(nodes, edges).unwrap();
        let (labels, sizes, members) =
            (vec![0u32; nodes], vec![1.0; nodes], (0..nodes as u32).collect::<Vec<_>>());
        let level = Level { graph: &graph, sizes: &sizes, pull: 0.05 };
        let mut scratch = Scratch::default();
        scratch.split(level, &labels, &members, &members, 0.01, &mut numbers);
        let mut grown = 0;
        for part in (0..nodes).filter(|&part| scratch.count[part] > 0) {
            let inside = |node: usize| scratch.part[node] as usize == part;
            let mut outward = 0.0;
            for node in (0..nodes).filter(|&node| inside(node)) {
                let (targets, weights) = graph.row(node as u32);
                let across = targets.iter().zip(weights).filter(|(target, _)| !inside(**target as usize));
                outward += across.map(|(_, w)| w).sum::<f64>();
            }
            assert!((scratch.outward[part] - outward).abs() < 1e-9, "part {part}");
            grown += usize::from(scratch.count[part] > 2);
        }
        assert!(grown >= 3, "parts of three nodes or more: {grown}");
    }
}
