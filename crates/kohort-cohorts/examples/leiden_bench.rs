//! Times Leiden, Louvain and the building of the graph, for a side-by-side with peers on the same file (`leiden_bench.py`).
//!
//! ```text
//! leiden_bench edges.u32 nodes iterations repeats
//! ```
//!
//! The file holds pairs of nodes, raw little-endian u32. Prints one line of JSON with times in milliseconds (the least of the
//! repeats), modularities and numbers of communities. `RAYON_NUM_THREADS` sets the number of threads.

use std::error::Error;
use std::time::Instant;

use kohort_cohorts::communities::{Communities, CommunityError, Leiden, Louvain, disconnected};
use kohort_cohorts::graph::Graph;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [edges, nodes, iterations, repeats] = args.as_slice() else {
        return Err("usage: leiden_bench edges.u32 nodes iterations repeats".into());
    };
    let (nodes, iterations): (usize, usize) = (nodes.parse()?, iterations.parse()?);
    let bytes = std::fs::read(edges).map_err(|e| format!("{edges}: {e}"))?;
    let (pairs, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(format!("{edges}: {} bytes are no whole pairs of u32", bytes.len()).into());
    }
    let end =
        |pair: &[u8; 8], at: usize| u32::from_le_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
    let start = Instant::now();
    let graph = Graph::simple(nodes, pairs.iter().map(|pair| (end(pair, 0), end(pair, 4))))?;
    let build = start.elapsed().as_secs_f64() * 1e3;
    let repeats = repeats.parse::<usize>()?.max(1);
    let leiden = Leiden { iterations, seed: 1, ..Leiden::default() };
    let (leiden_ms, found) = least(repeats, || leiden.fit(&graph))?;
    let (louvain_ms, other) = least(repeats, || Louvain::default().fit(&graph))?;
    println!(
        "{{\"edges\": {}, \"build_ms\": {build:.1}, \"leiden_ms\": {leiden_ms:.1}, \"leiden_q\": {:.6}, \"leiden_communities\": {}, \
         \"leiden_iterations\": {}, \"leiden_disconnected\": {}, \"louvain_ms\": {louvain_ms:.1}, \"louvain_q\": {:.6}, \
         \"louvain_disconnected\": {}, \"threads\": {}}}",
        graph.edges(),
        found.quality,
        found.len(),
        found.history.len(),
        disconnected(&graph, &found.labels)?,
        other.quality,
        disconnected(&graph, &other.labels)?,
        rayon::current_num_threads()
    );
    Ok(())
}

fn least(
    repeats: usize,
    fit: impl Fn() -> Result<Communities, CommunityError>,
) -> Result<(f64, Communities), CommunityError> {
    let mut best = f64::INFINITY;
    let mut found = None;
    for _ in 0..repeats {
        let start = Instant::now();
        found = Some(fit()?);
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok((best, found.expect("there is at least one repeat")))
}
