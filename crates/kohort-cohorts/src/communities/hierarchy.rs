//! Communities of communities: the steps by which a search joined nodes.
//!
//! Level 0 are the nodes; `parents[l] [parts of level l]` says to which part of level `l + 1` each part belongs. Every level is a
//! partition of the nodes into unions of the parts below it.

use serde::{Deserialize, Serialize};

/// Nested partitions, finest first.
///
/// ```
/// use kohort_cohorts::communities::Leiden;
/// use kohort_cohorts::graph::Graph;
///
/// // A ring of 30 triangles: modularity joins neighbouring triangles.
/// let triangles = (0..30u32).flat_map(|t| {
///     let (a, b, c) = (3 * t, 3 * t + 1, 3 * t + 2);
///     [(a, b), (b, c), (c, a), (c, (c + 1) % 90)]
/// });
/// let found = Leiden::default().fit(&Graph::simple(90, triangles)?)?;
/// let levels = &found.hierarchy;
/// assert_eq!(levels.labels(levels.levels()), found.labels);
/// assert!(levels.parts(1) >= found.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hierarchy {
    /// Part of the level above for each part of a level, nodes first.
    parents: Vec<Vec<u32>>,
    /// Parts of each level, nodes first, `[levels + 1]`.
    parts: Vec<usize>,
}

impl Hierarchy {
    pub(super) fn of_nodes(nodes: usize) -> Self {
        Self { parents: Vec::new(), parts: vec![nodes] }
    }

    /// Puts a level on top: the new part of each part of the last, and how many there are.
    pub(super) fn push(&mut self, parents: Vec<u32>, parts: usize) {
        debug_assert_eq!(self.parts.last(), Some(&parents.len()));
        self.parents.push(parents);
        self.parts.push(parts);
    }

    /// Renames the parts of the top level.
    pub(super) fn rename_top(&mut self, labels: &[u32]) {
        let top = self.levels();
        let old = self.labels(top);
        let mut names = vec![0; self.parts[top]];
        for (&old, &new) in old.iter().zip(labels) {
            names[old as usize] = new;
        }
        if let Some(parents) = self.parents.last_mut() {
            parents.iter_mut().for_each(|parent| *parent = names[*parent as usize]);
        }
    }

    /// Number of levels above the nodes.
    pub fn levels(&self) -> usize {
        self.parents.len()
    }

    /// Number of parts of a level, from 0 (the nodes) to [`levels`](Self::levels).
    ///
    /// # Panics
    /// If there is no such level.
    pub fn parts(&self, level: usize) -> usize {
        self.parts[level]
    }

    /// Part of each node at a level, `[nodes]`; level 0 gives the nodes themselves.
    ///
    /// # Panics
    /// If there is no such level.
    pub fn labels(&self, level: usize) -> Vec<u32> {
        let mut labels: Vec<u32> = (0..self.parts[0] as u32).collect();
        for parents in &self.parents[..level] {
            labels.iter_mut().for_each(|label| *label = parents[*label as usize]);
        }
        labels
    }
}
