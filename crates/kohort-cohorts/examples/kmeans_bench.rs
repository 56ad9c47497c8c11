//! Times Lloyd's algorithm from given centres, for a side-by-side with a peer on the same files
//! (`kmeans_bench.py`).
//!
//! ```text
//! kmeans_bench points.f32 rows dim centres.f32 clusters iterations repeats
//! ```
//!
//! Files are raw little-endian f32, row-major. Prints one line of JSON: median_ms, inertia, threads and more.
//! `RAYON_NUM_THREADS` sets the number of threads.

use std::error::Error;
use std::time::Instant;

use kohort_cohorts::{KMeansConfig, Points};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [points, rows, dim, centres, clusters, iterations, repeats] = args.as_slice() else {
        return Err("usage: kmeans_bench points.f32 rows dim centres.f32 clusters iterations repeats".into());
    };
    let (rows, dim, clusters): (usize, usize, usize) = (rows.parse()?, dim.parse()?, clusters.parse()?);
    let values = read(points, rows * dim)?;
    let config = KMeansConfig {
        max_iterations: iterations.parse()?,
        tolerance: 0.0,
        ..KMeansConfig::from_centres(clusters, read(centres, clusters * dim)?)
    };
    let repeats = repeats.parse::<usize>()?.max(1);
    let mut times = Vec::with_capacity(repeats);
    let mut fit = None;
    for _ in 0..repeats {
        let start = Instant::now();
        // Checking the points is part of what a user pays, as it is for the peer.
        fit = Some(config.fit(&Points::new(&values, dim)?)?);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let fit = fit.ok_or("no repeats")?;
    println!(
        "{{\"median_ms\": {:.3}, \"min_ms\": {:.3}, \"inertia\": {:?}, \"iterations\": {}, \"threads\": {}}}",
        times[times.len() / 2],
        times[0],
        fit.inertia,
        fit.iterations,
        rayon::current_num_threads()
    );
    Ok(())
}

fn read(path: &str, count: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    if bytes.len() != count * 4 {
        return Err(format!("{path}: {} bytes, expected {count} values of 4", bytes.len()).into());
    }
    Ok(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
}
