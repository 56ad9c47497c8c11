//! Lloyd's algorithm: label every point by its nearest centre, move every centre to the mean of its points,
//! repeat.
//!
//! ```text
//! label_i = argmin_j |x_i − c_j|²          c_j = Σ_{i: label_i = j} w_i x_i / Σ_{i: label_i = j} w_i
//! J = Σ_i w_i |x_i − c_{label_i}|²         x: [rows, dim], c: [k, dim]
//! ```
//!
//! One pass over the data per iteration: labels and the sums of the next centres are made while a tile of
//! rows is in the cache. Sums are f64 per fixed block of rows and added in block order, so the bits do not
//! depend on the number of threads. J never rises; its value per iteration costs nothing, because for centres
//! that are means `J = Σ w|x − m|² − Σ_j W_j |c_j − m|²` for any fixed point m.
//!
//! Source: S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28,
//! 1982. Stopping, the tolerance's scale and moving empty clusters to the farthest points follow
//! scikit-learn's `KMeans`.

use kohort_core::Real;
use kohort_core::kernels::wide;
use rayon::prelude::*;

use super::nearest::{Nearest, Scratch};
use super::{KMeans, KMeansConfig};
use crate::points::{Points, squared_distance};

/// What every restart needs to know about the data: computed once.
pub(super) struct Frame<F> {
    /// The data's mean, rounded to the points' type: the origin for scoring.
    pub(super) shift: Vec<F>,
    /// `Σ w |x − shift|²`.
    spread: f64,
    /// Sum of squared centre shifts below which iterations stop.
    tolerance: f64,
}

impl<F: Real> Frame<F> {
    pub(super) fn new(points: &Points<'_, F>, tolerance: f64) -> Self {
        let shift: Vec<F> = points.mean().into_iter().map(F::of).collect();
        let spread = points.sum(|row| points.weight(row) * squared_distance(points.row(row), &shift));
        let weight = match points.weights() {
            None => points.rows() as f64,
            Some(_) => points.sum(|row| points.weight(row)),
        };
        let tolerance = tolerance * spread / (weight * points.dim() as f64);
        Self { shift, spread, tolerance }
    }
}

/// One block's share of a pass.
struct Block<F> {
    /// `Σ w x` per cluster, `[k, dim]`.
    sums: Vec<f64>,
    /// `Σ w` per cluster, `[k]`.
    weights: Vec<f64>,
    changed: bool,
    scratch: Scratch<F>,
}

/// Runs Lloyd's iterations from `centres: [k, dim]`.
pub(super) fn run<F: Real>(
    config: &KMeansConfig<F>,
    points: &Points<'_, F>,
    frame: &Frame<F>,
    mut centres: Vec<F>,
    restart: usize,
) -> KMeans<F> {
    let (k, dim) = (config.clusters, points.dim());
    let mut blocks: Vec<Block<F>> = (0..points.blocks())
        .map(|_| Block {
            sums: vec![0.0; k * dim],
            weights: vec![0.0; k],
            changed: false,
            scratch: Scratch::default(),
        })
        .collect();
    // No cluster has this number, so the first pass changes every label.
    let mut labels = vec![u32::MAX; points.rows()];
    let mut history = Vec::new();
    // `stable`: the labels are those of the nearest centres, and the centres are the labels' means.
    let (mut stable, mut converged) = (false, false);
    while !converged && history.len() < config.max_iterations {
        let nearest = Nearest::new(&centres, &frame.shift);
        blocks.par_iter_mut().zip(labels.par_chunks_mut(points.block_rows())).enumerate().for_each(
            |(index, (block, labels))| pass(points, &nearest, points.block(index).start, labels, block),
        );
        let (mut sums, mut weights) = (vec![0.0; k * dim], vec![0.0; k]);
        for block in &blocks {
            add(&mut sums, &block.sums);
            add(&mut weights, &block.weights);
        }
        let relocated = weights.contains(&0.0);
        if relocated {
            relocate_empty(points, &centres, &labels, &mut sums, &mut weights);
        }
        let (moved, inertia) = step(&mut centres, &sums, &weights, frame);
        history.push(inertia);
        let unchanged = !blocks.iter().any(|b| b.changed);
        converged = unchanged || moved <= frame.tolerance;
        stable = unchanged && !relocated;
    }
    if !stable {
        // The last step moved centres: the labels must belong to where they are now.
        label_all(points, &centres, &frame.shift, &mut labels);
    }
    KMeans::from_labels(points, centres, labels, history, converged, restart)
}

/// Labels one block and sums its rows by cluster.
fn pass<F: Real>(
    points: &Points<'_, F>,
    nearest: &Nearest<'_, F>,
    start: usize,
    labels: &mut [u32],
    block: &mut Block<F>,
) {
    let (dim, tile) = (points.dim(), nearest.tile());
    block.sums.fill(0.0);
    block.weights.fill(0.0);
    block.changed = false;
    let mut fresh = vec![0u32; tile];
    for (index, labels) in labels.chunks_mut(tile).enumerate() {
        let first = start + index * tile;
        let rows = &points.values()[first * dim..][..labels.len() * dim];
        let fresh = &mut fresh[..labels.len()];
        nearest.label(rows, fresh, &mut block.scratch);
        block.changed |= *fresh != *labels;
        labels.copy_from_slice(fresh);
        let Block { sums, weights, .. } = &mut *block;
        let own = points.weights().map(|all| &all[first..]);
        wide(
            #[inline(always)]
            || tally(rows, labels, own, (sums, weights)),
        );
    }
}

/// Adds rows and their weights to the sums of their clusters.
#[inline(always)]
fn tally<F: Real>(rows: &[F], labels: &[u32], own: Option<&[F]>, (sums, weights): (&mut [f64], &mut [f64])) {
    let dim = rows.len() / labels.len();
    let rows = rows.chunks_exact(dim).zip(labels);
    match own {
        None => {
            for (row, &label) in rows {
                let label = label as usize;
                weights[label] += 1.0;
                for (sum, x) in sums[label * dim..][..dim].iter_mut().zip(row) {
                    *sum += x.f64();
                }
            }
        }
        Some(own) => {
            for ((row, &label), w) in rows.zip(own) {
                let (label, w) = (label as usize, w.f64());
                weights[label] += w;
                for (sum, x) in sums[label * dim..][..dim].iter_mut().zip(row) {
                    *sum += w * x.f64();
                }
            }
        }
    }
}

fn add(into: &mut [f64], from: &[f64]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += from;
    }
}

/// Moves centres to their means. Returns the summed squared shift and the inertia of the labels at the new
/// centres.
fn step<F: Real>(centres: &mut [F], sums: &[f64], weights: &[f64], frame: &Frame<F>) -> (f64, f64) {
    let dim = frame.shift.len();
    let (mut moved, mut explained) = (0.0, 0.0);
    for ((centre, sums), &weight) in centres.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)).zip(weights) {
        if weight == 0.0 {
            continue; // nothing could be moved here: the centre stays
        }
        for ((c, sum), shift) in centre.iter_mut().zip(sums).zip(&frame.shift) {
            let mean = sum / weight;
            explained += weight * (mean - shift.f64()).powi(2);
            moved += (mean - c.f64()).powi(2);
            *c = F::of(mean);
        }
    }
    (moved, (frame.spread - explained).max(0.0))
}

/// Gives each empty cluster the point that lies farthest from its centre, taking it from the cluster it was in.
///
/// A point is passed over if it is its cluster's only one, if it coincides with its centre, or if a point
/// equal to it has been moved already; if none is left, the cluster stays empty for now. Ties in distance go
/// to the point whose coordinates are larger in dictionary order, so that the order of rows does not matter.
fn relocate_empty<F: Real>(
    points: &Points<'_, F>,
    centres: &[F],
    labels: &[u32],
    sums: &mut [f64],
    weights: &mut [f64],
) {
    let dim = points.dim();
    let distances: Vec<f64> = (0..points.rows())
        .into_par_iter()
        .map(|row| squared_distance(points.row(row), &centres[labels[row] as usize * dim..][..dim]))
        .collect();
    let mut members = vec![0usize; weights.len()];
    for (row, &label) in labels.iter().enumerate() {
        members[label as usize] += usize::from(points.weight(row) > 0.0);
    }
    let mut taken: Vec<usize> = Vec::new();
    for empty in (0..weights.len()).filter(|&j| members[j] == 0).collect::<Vec<_>>() {
        let eligible = |&row: &usize| {
            distances[row] > 0.0
                && points.weight(row) > 0.0
                && members[labels[row] as usize] > 1
                && !taken.iter().any(|&other| points.row(other) == points.row(row))
        };
        let farther = |&a: &usize, &b: &usize| {
            distances[a].total_cmp(&distances[b]).then_with(|| {
                points
                    .row(a)
                    .partial_cmp(points.row(b))
                    .expect("Points holds no NaN, so its rows are ordered")
            })
        };
        let Some(row) = (0..points.rows()).filter(eligible).max_by(farther) else { return };
        let (donor, w) = (labels[row] as usize, points.weight(row));
        for (column, x) in points.row(row).iter().enumerate() {
            sums[donor * dim + column] -= w * x.f64();
            sums[empty * dim + column] = w * x.f64();
        }
        weights[donor] -= w;
        weights[empty] = w;
        members[donor] -= 1;
        taken.push(row);
    }
}

/// Labels every row by its nearest centre.
pub(super) fn label_all<F: Real>(points: &Points<'_, F>, centres: &[F], shift: &[F], labels: &mut [u32]) {
    let nearest = Nearest::new(centres, shift);
    let (dim, tile) = (points.dim(), nearest.tile());
    points
        .values()
        .par_chunks(tile * dim)
        .zip(labels.par_chunks_mut(tile))
        .for_each_init(Scratch::default, |scratch, (rows, labels)| nearest.label(rows, labels, scratch));
}
