//! Times the search for cohorts on data of any size, made here, for the curves of `cargo xtask bench --growth`.
//!
//! ```text
//! cohorts_growth <repeats> method=leiden|kmeans [nodes=100000] [rows=100000]
//! ```
//!
//! Leiden: a planted graph, communities of a hundred nodes, ten edges a node, seven of ten within a community, two iterations. KMeans:
//! rows of 16 around 64 middles, ten iterations from the first 64 rows. Prints one JSON object: ms (median), peak_mb (the most memory
//! that the process had, the data included; null where the system does not say it), kernels.

use std::error::Error;
use std::time::Instant;

use kohort_cohorts::communities::Leiden;
use kohort_cohorts::graph::Graph;
use kohort_cohorts::{KMeansConfig, Points};
use kohort_random::rand::Rng;
use kohort_random::stream;

const USAGE: &str =
    "usage: cohorts_growth <repeats> method=leiden|kmeans [nodes=N] [rows=N], all of them above 0";
const MEMBERS: u32 = 100;
const EDGES: u32 = 10;
const INSIDE: f64 = 0.7;
const WIDTH: usize = 16;
const CLUSTERS: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (repeats, words) = args.split_first().ok_or(USAGE)?;
    let (repeats, mut nodes, mut rows): (usize, u32, usize) = (repeats.parse()?, 100_000, 100_000);
    let mut method = None;
    for word in words {
        match word.split_once('=') {
            Some(("method", value)) => method = Some(value),
            Some(("nodes", value)) => nodes = value.parse()?,
            Some(("rows", value)) => rows = value.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    if repeats == 0 || nodes == 0 || rows < CLUSTERS {
        return Err(USAGE.into());
    }
    let mut times = match method {
        Some("leiden") => leiden(nodes, repeats)?,
        Some("kmeans") => kmeans(rows, repeats)?,
        _ => return Err(USAGE.into()),
    };
    times.sort_by(f64::total_cmp);
    let line = serde_json::json!({
        "ms": (times[(repeats - 1) / 2] + times[repeats / 2]) / 2.0,
        "peak_mb": peak(),
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}

fn timed(
    repeats: usize,
    mut fit: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let once = |_| {
        let start = Instant::now();
        fit().map(|()| start.elapsed().as_secs_f64() * 1e3)
    };
    (0..repeats).map(once).collect()
}

fn leiden(nodes: u32, repeats: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut numbers = stream(4, "planted", &[]);
    let mut edges = Vec::with_capacity(nodes as usize * EDGES as usize);
    for node in 0..nodes {
        let first = node / MEMBERS * MEMBERS;
        for _ in 0..EDGES {
            let near = numbers.random_bool(INSIDE);
            let others = if near { first..nodes.min(first + MEMBERS) } else { 0..nodes };
            let other = numbers.random_range(others);
            if other != node {
                edges.push((node, other));
            }
        }
    }
    let graph = Graph::simple(nodes as usize, edges.iter().copied())?;
    drop(edges);
    timed(repeats, || Ok(Leiden { iterations: 2, seed: 1, ..Leiden::default() }.fit(&graph).map(drop)?))
}

fn kmeans(rows: usize, repeats: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut numbers = stream(3, "points", &[]);
    let mut uniform = || numbers.random::<f32>() - 0.5;
    let middles: Vec<f32> = (0..CLUSTERS * WIDTH).map(|_| 4.0 * uniform()).collect();
    let values: Vec<f32> =
        (0..rows * WIDTH).map(|at| middles[at % middles.len()] + 2.0 * uniform()).collect();
    let config = KMeansConfig {
        max_iterations: 10,
        tolerance: 0.0,
        ..KMeansConfig::from_centres(CLUSTERS, values[..CLUSTERS * WIDTH].to_vec())
    };
    timed(repeats, || Ok(config.fit(&Points::new(&values, WIDTH)?).map(drop)?))
}

/// The most resident memory so far in MB.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}
