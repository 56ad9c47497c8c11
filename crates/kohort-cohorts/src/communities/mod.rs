//! Communities: parts of a graph with more inside them than chance would put there.
//!
//! | File | Idea |
//! |---|---|
//! | `criterion` | modularity and CPM: how good is a partition |
//! | `leiden` | move, refine, join, repeat: communities that hang together |
//! | `louvain` | the same without refinement |
//! | `label_propagation` | everybody does as most neighbours do |
//! | `spectral` | nodes as points, clustered by KMeans |
//! | `components` | what hangs together at all |
//! | `moving` | the best community for one node, given all others |
//! | `refine` | a community falls into well-connected parts |
//! | `join` | parts become nodes |
//! | `hierarchy` | communities of communities |
//! | `errors` | what can be refused |
//!
//! All of them give a [`Communities`]. For a given graph, config and seed the result has the same bits on any number
//! of threads (unless a time budget ends it): random orders come from named streams, moves of nodes are made one
//! after another, and what is made in parallel (refinement, joining, qualities, restarts) is independent or summed in
//! a fixed order.
//!
//! Defined results for odd graphs: without nodes there are no communities; without edges each node is one, and
//! modularity is 0.

mod components;
mod criterion;
mod errors;
mod hierarchy;
mod join;
mod label_propagation;
mod leiden;
mod louvain;
mod moving;
mod refine;
mod spectral;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use components::{components, disconnected};
pub use criterion::Criterion;
pub use errors::CommunityError;
pub use hierarchy::Hierarchy;
pub use label_propagation::LabelPropagation;
pub use leiden::Leiden;
pub use louvain::Louvain;
pub use spectral::{Spectral, eigengap};

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Nothing was left to improve.
    Converged,
    /// It made as many iterations as allowed.
    Iterations,
    /// Its time was up; the result is whole, but another run may get farther.
    Time,
}

/// A partition of a graph's nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Communities {
    /// Community of each node, `[nodes]`; the largest is 0, ties to the one with the lowest node.
    pub labels: Vec<u32>,
    /// Nodes of each community, `[communities]`, never rising.
    pub counts: Vec<usize>,
    /// What the search maximised, of `labels`.
    pub quality: f64,
    /// The steps by which nodes were joined; its last level is `labels`.
    pub hierarchy: Hierarchy,
    /// Quality after each iteration, `[iterations]`.
    pub history: Vec<f64>,
    /// Why it ended.
    pub ended: Ended,
    /// Which restart won, from 0.
    pub restart: usize,
}

impl Communities {
    /// Number of communities.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is none, which is so for a graph without nodes.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// Renames labels to `0..`, by falling size, ties to the lowest node; gives the sizes.
fn by_size(labels: &mut [u32]) -> Vec<usize> {
    let top = labels.iter().max().map_or(0, |&label| label as usize + 1);
    // (count, first node) of each label.
    let mut found = vec![(0usize, u32::MAX); top];
    for (node, &label) in labels.iter().enumerate() {
        let entry = &mut found[label as usize];
        entry.0 += 1;
        entry.1 = entry.1.min(node as u32);
    }
    let mut order: Vec<u32> = (0..top as u32).filter(|&label| found[label as usize].0 > 0).collect();
    order
        .sort_unstable_by_key(|&label| (std::cmp::Reverse(found[label as usize].0), found[label as usize].1));
    let mut name = vec![0u32; top];
    for (new, &old) in order.iter().enumerate() {
        name[old as usize] = new as u32;
    }
    labels.iter_mut().for_each(|label| *label = name[*label as usize]);
    order.iter().map(|&label| found[label as usize].0).collect()
}

/// When a search has to stop.
#[derive(Clone, Copy)]
struct Deadline(Option<Instant>);

impl Deadline {
    fn after(budget: Option<Duration>) -> Self {
        // A budget beyond the clock's range is none.
        Self(budget.and_then(|budget| Instant::now().checked_add(budget)))
    }

    fn passed(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}
