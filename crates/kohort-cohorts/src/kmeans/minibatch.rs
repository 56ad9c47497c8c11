//! Mini-batch KMeans: each step labels a random batch and moves each centre towards its share of it.
//!
//! ```text
//! W_j ← W_j + Σ w_i          c_j ← c_j + Σ w_i (x_i − c_j) / W_j          rows i of the batch with label j
//! ```
//!
//! so a centre is the mean of all rows that were ever drawn for it. Steps stop when the smoothed batch
//! inertia has not reached a new low for `patience` steps, or after `max_iterations` passes. At the end one
//! full pass over the data gives labels, counts and the exact inertia. A centre that drew no row during a
//! whole pass is moved to the point of the current batch that lies farthest from its own centre.
//!
//! Source: D. Sculley, "Web-scale k-means clustering", WWW 2010. Differences: the batch is applied at once
//! rather than row by row (the same mean), the stop by smoothed inertia follows scikit-learn, and k-means++
//! starts from a sample of `max(3 · batch, 3 k)` rows.

use kohort_core::Real;
use kohort_random::{permutation, rand::Rng, stream};

use super::lloyd::{Frame, label_all};
use super::nearest::{Nearest, Scratch};
use super::{Init, KMeans, KMeansConfig, MiniBatch, distinct_rows, init};
use crate::points::{Points, squared_distance};

/// One restart of the mini-batch variant.
pub(super) fn run<F: Real>(
    config: &KMeansConfig<F>,
    settings: MiniBatch,
    points: &Points<'_, F>,
    frame: &Frame<F>,
    restart: usize,
) -> KMeans<F> {
    let (k, dim, n) = (config.clusters, points.dim(), points.rows());
    let batch = settings.batch_size.min(n);
    let mut centres = first_centres(config, points, frame, batch, restart);
    let steps_per_pass = n.div_ceil(batch);
    let smoothing = (2.0 * batch as f64 / (n as f64 + 1.0)).min(1.0);
    let mut seen = vec![0.0; k];
    let mut drawn_in_pass = vec![0usize; k];
    let mut scratch = Scratch::default();
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    let (mut history, mut smoothed, mut best, mut since_best) = (Vec::new(), f64::NAN, f64::INFINITY, 0);
    let mut converged = false;
    for step in 0..config.max_iterations * steps_per_pass {
        let mut numbers = stream(config.seed, "kmeans mini-batch", &[restart as u64, step as u64]);
        rows.clear();
        rows.extend((0..batch).map(|_| numbers.random_range(0..n)));
        values.clear();
        values.extend(rows.iter().flat_map(|&row| points.row(row)));
        let labels = label_batch(&Nearest::new(&centres, &frame.shift), &values, dim, &mut scratch);

        let inertia = absorb(points, &rows, &labels, &mut centres, &mut seen, &mut drawn_in_pass);
        history.push(inertia);
        smoothed = if smoothed.is_nan() { inertia } else { smoothed + smoothing * (inertia - smoothed) };
        if (step + 1) % steps_per_pass == 0 {
            if revive(points, &rows, &labels, &mut centres, &mut seen, &drawn_in_pass) {
                (best, since_best) = (f64::INFINITY, 0);
            }
            drawn_in_pass.fill(0);
        }
        if smoothed < best {
            (best, since_best) = (smoothed, 0);
        } else {
            since_best += 1;
            if since_best >= settings.patience {
                converged = true;
                break;
            }
        }
    }
    let mut labels = vec![0; n];
    label_all(points, &centres, &frame.shift, &mut labels);
    KMeans::from_labels(points, centres, labels, history, converged, restart)
}

fn first_centres<F: Real>(
    config: &KMeansConfig<F>,
    points: &Points<'_, F>,
    frame: &Frame<F>,
    batch: usize,
    restart: usize,
) -> Vec<F> {
    let size = (3 * batch).max(3 * config.clusters);
    if config.init == Init::KMeansPlusPlus && size < points.rows() {
        let numbers = &mut stream(config.seed, "kmeans mini-batch sample", &[restart as u64]);
        let rows = &permutation(points.rows(), numbers)[..size];
        let values: Vec<F> = rows.iter().flat_map(|&row| points.row(row as usize)).copied().collect();
        let weights: Vec<F> = rows.iter().map(|&row| F::of(points.weight(row as usize))).collect();
        let sample = Points::new(&values, points.dim()).and_then(|sample| sample.weighted(&weights));
        // A sample may hold too few distinct points, or none with weight: then all points are used.
        if let Ok(sample) = sample
            && distinct_rows(&sample, config.clusters) == config.clusters
        {
            return init::centres(config, &sample, frame, restart);
        }
    }
    init::centres(config, points, frame, restart)
}

fn label_batch<F: Real>(
    nearest: &Nearest<'_, F>,
    values: &[F],
    dim: usize,
    scratch: &mut Scratch<F>,
) -> Vec<u32> {
    let tile = nearest.tile();
    let mut labels = vec![0; values.len() / dim];
    for (rows, labels) in values.chunks(tile * dim).zip(labels.chunks_mut(tile)) {
        nearest.label(rows, labels, scratch);
    }
    labels
}

/// Moves the centres by one batch; returns the batch's mean squared distance to the centres as they were.
fn absorb<F: Real>(
    points: &Points<'_, F>,
    rows: &[usize],
    labels: &[u32],
    centres: &mut [F],
    seen: &mut [f64],
    drawn: &mut [usize],
) -> f64 {
    let dim = points.dim();
    let (mut sums, mut weights) = (vec![0.0; centres.len()], vec![0.0; seen.len()]);
    let (mut inertia, mut total) = (0.0, 0.0);
    for (&row, &label) in rows.iter().zip(labels) {
        let (label, w) = (label as usize, points.weight(row));
        let centre = &centres[label * dim..][..dim];
        inertia += w * squared_distance(points.row(row), centre);
        total += w;
        weights[label] += w;
        drawn[label] += usize::from(w > 0.0);
        for ((sum, x), c) in sums[label * dim..][..dim].iter_mut().zip(points.row(row)).zip(centre) {
            *sum += w * (x.f64() - c.f64());
        }
    }
    for (j, centre) in centres.chunks_exact_mut(dim).enumerate() {
        if weights[j] > 0.0 {
            seen[j] += weights[j];
            for (c, sum) in centre.iter_mut().zip(&sums[j * dim..]) {
                *c = F::of(c.f64() + sum / seen[j]);
            }
        }
    }
    if total > 0.0 { inertia / total } else { 0.0 }
}

/// Moves every centre that drew nothing in the last pass to a far point of the batch. Says whether one was
/// moved.
fn revive<F: Real>(
    points: &Points<'_, F>,
    rows: &[usize],
    labels: &[u32],
    centres: &mut [F],
    seen: &mut [f64],
    drawn: &[usize],
) -> bool {
    let dim = points.dim();
    if !drawn.contains(&0) {
        return false;
    }
    let mut far: Vec<(f64, usize)> = rows
        .iter()
        .zip(labels)
        .filter(|&(&row, _)| points.weight(row) > 0.0)
        .map(|(&row, &label)| {
            (squared_distance(points.row(row), &centres[label as usize * dim..][..dim]), row)
        })
        .collect();
    far.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    far.dedup_by(|a, b| points.row(a.1) == points.row(b.1));
    let mut moved = false;
    for (j, &(_, row)) in (0..drawn.len()).filter(|&j| drawn[j] == 0).zip(&far) {
        centres[j * dim..][..dim].copy_from_slice(points.row(row));
        seen[j] = 0.0;
        moved = true;
    }
    moved
}
