//! Benches of cohorts: Leiden beside igraph's, Louvain beside networkx's, KMeans beside the better of scikit-learn and faiss.
//!
//! Graphs are planted: communities of a hundred nodes, ten edges a node, seven of ten within a community. The two larger and the
//! two middle sizes are the curve: time and memory over edges.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cases::{Case, SVD, Tolerance};
use super::generate;
use super::inputs::Input;
use super::peers::Libraries;

/// What both sides work on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A planted graph, ten edges a node, for a method by name.
    Graph { nodes: usize, method: &'static str },
    /// Points around as many middles as there are clusters.
    Points { rows: usize, dim: usize, clusters: usize },
}

/// Nodes of a planted community.
const MEMBERS: usize = 100;
/// Edges for each node.
const EDGES: usize = 10;
/// Of ten edges, those within a community.
const INSIDE: usize = 7;
/// Iterations of Leiden (igraph's default) and of Lloyd.
const LEIDEN_ITERATIONS: usize = 2;
const LLOYD_ITERATIONS: usize = 20;

const LEIDEN: Case = Case {
    name: "leiden-100k",
    by_default: true,
    package: "kohort-cohorts",
    example: "leiden_bench",
    script: "graph_communities.py",
    size: "planted, 100,000 nodes, 1,000,000 edges, 2 iterations",
    input: Input::Cohorts(Work::Graph { nodes: 100_000, method: "leiden" }),
    peers: Libraries::Cohorts,
    ours: ("ms", "modularity"),
    tolerance: Tolerance::NotBelow(1e-3),
    at_least: 1.5,
    repeats: 1,
    ..SVD
};

const KMEANS: Case = Case {
    name: "kmeans-200k",
    by_default: false,
    package: "kohort-cohorts",
    example: "kmeans_bench",
    script: "best_kmeans.py",
    size: "200,000 × 32, k = 64, 20 iterations, the better of scikit-learn and faiss",
    parallel: true,
    input: Input::Cohorts(Work::Points { rows: 200_000, dim: 32, clusters: 64 }),
    peers: Libraries::Cohorts,
    products: true,
    ours: ("median_ms", "inertia"),
    tolerance: Tolerance::Relative(1e-4),
    at_least: 2.0,
    repeats: 3,
    ..SVD
};

/// All of them.
pub(super) const CASES: [Case; 7] = [
    LEIDEN,
    Case {
        name: "leiden-200k",
        by_default: false,
        size: "planted, 200,000 nodes, 2,000,000 edges, 2 iterations",
        input: Input::Cohorts(Work::Graph { nodes: 200_000, method: "leiden" }),
        ..LEIDEN
    },
    Case {
        name: "leiden-500k",
        by_default: false,
        size: "planted, 500,000 nodes, 5,000,000 edges, 2 iterations",
        input: Input::Cohorts(Work::Graph { nodes: 500_000, method: "leiden" }),
        ..LEIDEN
    },
    Case {
        name: "leiden-1m",
        by_default: false,
        size: "planted, 1,000,000 nodes, 10,000,000 edges, 2 iterations",
        input: Input::Cohorts(Work::Graph { nodes: 1_000_000, method: "leiden" }),
        ..LEIDEN
    },
    Case {
        name: "louvain-100k",
        by_default: false,
        size: "planted, 100,000 nodes, 1,000,000 edges",
        input: Input::Cohorts(Work::Graph { nodes: 100_000, method: "louvain" }),
        at_least: 20.0,
        ..LEIDEN
    },
    KMEANS,
    Case {
        name: "kmeans-1m",
        size: "1,000,000 × 16, k = 100, 20 iterations, the better of scikit-learn and faiss",
        input: Input::Cohorts(Work::Points { rows: 1_000_000, dim: 16, clusters: 100 }),
        ..KMEANS
    },
];

impl Work {
    /// Makes the files.
    pub(super) fn prepare(self, folder: &Path) -> Result<[PathBuf; 2]> {
        let write = |name: &str, bytes: Vec<u8>| {
            let path = folder.join(name);
            fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
            Ok::<PathBuf, anyhow::Error>(path)
        };
        match self {
            Work::Graph { nodes, .. } => {
                let pairs = generate::planted(nodes, MEMBERS, EDGES, INSIDE);
                let bytes = pairs.iter().flat_map(|pair| pair.map(u32::to_le_bytes)).flatten().collect();
                let path = write("edges.u32", bytes)?;
                Ok([path.clone(), path])
            }
            Work::Points { rows, dim, clusters } => {
                let (points, centres) = generate::points(rows, dim, clusters);
                let points = write("points.f32", generate::bytes(&points))?;
                Ok([points, write("centres.f32", generate::bytes(&centres))?])
            }
        }
    }

    /// Words on the command line, the same for both sides.
    pub(super) fn words(self, first: String, second: String, repeats: String) -> Vec<String> {
        match self {
            Work::Graph { nodes, method } => {
                vec![first, nodes.to_string(), method.to_owned(), LEIDEN_ITERATIONS.to_string(), repeats]
            }
            Work::Points { rows, dim, clusters } => vec![
                first,
                rows.to_string(),
                dim.to_string(),
                second,
                clusters.to_string(),
                LLOYD_ITERATIONS.to_string(),
                repeats,
            ],
        }
    }
}
