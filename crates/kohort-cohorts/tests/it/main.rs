//! Claims about the crate's public items, in one binary.
#![allow(clippy::unwrap_used)] // what helps tests is a test too, which clippy does not see

mod assigner;
mod behaviour;
mod blobs;
mod communities;
mod controls;
mod errors;
mod golden;
mod graphs;
mod ids;
mod known_graphs;
mod living;
mod map;
mod nearest;
mod profile;
mod properties;
mod quality;
mod threads;

use kohort_cohorts::graph::Graph;
use kohort_cohorts::{KMeansConfig, Points};
use kohort_random::{rand::Rng, stream};
use serde_json::Value;

/// Rows around planted middles: `(values [rows, dim], planted label of each row)`. Middles lie on a line of
/// slope 1, `apart` from one another in each column; the noise is uniform in ±1.
fn planted(rows: usize, dim: usize, clusters: usize, apart: f32, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let mut numbers = stream(seed, "planted", &[]);
    let labels: Vec<u32> = (0..rows).map(|_| numbers.random_range(0..clusters as u32)).collect();
    let noisy = |&label: &u32| -> Vec<f32> {
        (0..dim).map(|_| label as f32 * apart + numbers.random_range(-1.0f32..1.0)).collect()
    };
    (labels.iter().flat_map(noisy).collect(), labels)
}

fn points(values: &[f32], dim: usize) -> Points<'_, f32> {
    Points::new(values, dim).unwrap()
}

fn config(clusters: usize) -> KMeansConfig<f32> {
    KMeansConfig { seed: 3, ..KMeansConfig::new(clusters) }
}

/// Whether two labellings split rows alike, whatever the numbers.
fn same_partition(a: &[u32], b: &[u32]) -> bool {
    let mut pairs: Vec<(u32, u32)> = a.iter().copied().zip(b.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let distinct = |mut labels: Vec<u32>| {
        labels.sort_unstable();
        labels.dedup();
        labels.len()
    };
    distinct(a.to_vec()) == pairs.len() && distinct(b.to_vec()) == pairs.len()
}

/// A graph of equal communities, `(graph, planted label of each node)`: every node draws as many neighbours inside and
/// outside its community as half these means say.
fn planted_graph(nodes: u32, communities: u32, inside: f64, outside: f64, seed: u64) -> (Graph, Vec<u32>) {
    let mut numbers = stream(seed, "planted graph", &[]);
    let planted: Vec<u32> = (0..nodes).map(|node| node % communities).collect();
    let mut pairs = Vec::new();
    for node in 0..nodes {
        for (mean, own) in [(inside, true), (outside, false)] {
            for _ in 0..(mean / 2.0).round() as u32 {
                let other = numbers.random_range(0..nodes / communities) * communities;
                let community = if own { node % communities } else { numbers.random_range(0..communities) };
                pairs.push((node, other + community));
            }
        }
    }
    (Graph::simple(nodes as usize, pairs).unwrap(), planted)
}

/// The golden values for graphs.
fn goldens() -> Value {
    serde_json::from_str(include_str!("../golden/graphs.json")).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Runs `work` on so many threads.
fn under<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
