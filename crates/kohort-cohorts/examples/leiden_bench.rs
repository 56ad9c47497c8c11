//! Times Leiden or Louvain on one graph, for a side-by-side with peers on the same file (`cargo xtask bench --only leiden-100k`).
//!
//! ```text
//! leiden_bench edges.u32 nodes leiden|louvain iterations repeats
//! ```
//!
//! The file holds pairs of nodes, raw little-endian u32. Prints one line of JSON: the median time of the repeats in milliseconds,
//! the building of the graph not included but told (`build_ms`), modularity, number of communities, how many of them are not connected,
//! and the most memory that was used (`peak_mb`, where the system says it). `RAYON_NUM_THREADS` sets the number of threads.

use std::error::Error;
use std::time::Instant;

use kohort_cohorts::communities::{Leiden, Louvain, disconnected};
use kohort_cohorts::graph::Graph;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [edges, nodes, method, iterations, repeats] = args.as_slice() else {
        return Err("usage: leiden_bench edges.u32 nodes leiden|louvain iterations repeats".into());
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
    let fit = || match method.as_str() {
        "leiden" => Ok(Leiden { iterations, seed: 1, ..Leiden::default() }.fit(&graph)?),
        "louvain" => Ok(Louvain { seed: 1, ..Louvain::default() }.fit(&graph)?),
        other => Err(Box::<dyn Error>::from(format!("method {other:?}: allowed are leiden and louvain"))),
    };
    let (mut times, mut last) = (Vec::new(), None);
    for _ in 0..repeats.parse::<usize>()?.max(1) {
        let start = Instant::now();
        last = Some(fit()?);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let found = last.ok_or("no repeats")?;
    println!(
        "{{\"ms\": {:.2}, \"modularity\": {:?}, \"build_ms\": {build:.1}, \"edges\": {}, \"communities\": {}, \"iterations\": {}, \
         \"disconnected\": {}, \"peak_mb\": {:.0}, \"threads\": {}}}",
        times[times.len() / 2],
        found.quality,
        graph.edges(),
        found.len(),
        found.history.len(),
        disconnected(&graph, &found.labels)?,
        peak(),
        rayon::current_num_threads()
    );
    Ok(())
}

/// The most resident memory so far in MB; 0 where there is no `/proc`.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok())
        .map_or(0.0, |kb| kb / 1024.0)
}
