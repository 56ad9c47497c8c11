//! The first centres: greedy k-means++, or points drawn at random.
//!
//! k-means++ takes the first centre in proportion to the weights, and each further one with probability
//! `w_i D_i² / Σ w D²`, where `D_i` is the distance to the nearest centre so far. The greedy variant draws
//! `2 + ⌊ln k⌋` candidates at each step and keeps the one that leaves the smallest `Σ w D²` (the earliest on
//! a tie).
//!
//! Source: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007; the
//! greedy step is in their conclusion, and the number of candidates is scikit-learn's.

use kohort_core::Real;
use kohort_random::{Stream, permutation, rand::Rng, stream};
use rayon::prelude::*;

use super::lloyd::Frame;
use super::nearest::{Nearest, Scratch, shifted_norm};
use super::{Init, KMeansConfig};
use crate::points::Points;

/// The centres restart number `restart` begins with, `[k, dim]`. `points` has at least `k` distinct rows of
/// positive weight.
pub(super) fn centres<F: Real>(
    config: &KMeansConfig<F>,
    points: &Points<'_, F>,
    frame: &Frame<F>,
    restart: usize,
) -> Vec<F> {
    let named = |purpose| stream(config.seed, purpose, &[restart as u64]);
    let rows = match &config.init {
        Init::Given(centres) => return centres.clone(),
        Init::Random => random(config.clusters, points, &mut named("kmeans random")),
        Init::KMeansPlusPlus => plus_plus(config.clusters, points, &frame.shift, &mut named("kmeans++")),
    };
    rows.iter().flat_map(|&row| points.row(row)).copied().collect()
}

fn random<F: Real>(k: usize, points: &Points<'_, F>, numbers: &mut Stream) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::with_capacity(k);
    for row in permutation(points.rows(), numbers) {
        if chosen.len() == k {
            break;
        }
        if is_new(points, &chosen, row as usize) {
            chosen.push(row as usize);
        }
    }
    chosen
}

fn is_new<F: Real>(points: &Points<'_, F>, chosen: &[usize], row: usize) -> bool {
    points.weight(row) > 0.0 && !chosen.iter().any(|&other| points.row(other) == points.row(row))
}

fn plus_plus<F: Real>(k: usize, points: &Points<'_, F>, shift: &[F], numbers: &mut Stream) -> Vec<usize> {
    let norms: Vec<F> =
        (0..points.rows()).into_par_iter().map(|row| shifted_norm(points.row(row), shift)).collect();
    let trials = 2 + (k as f64).ln() as usize;
    // Before there is a centre, every point is as far away as any other.
    let mut closest = vec![F::of(1.0); points.rows()];
    let first = draw(points, &closest, 1, numbers)[0];
    let mut chosen = vec![first];
    closest.fill(F::of(f64::MAX));
    take(points, shift, &norms, first, &mut closest);
    while chosen.len() < k {
        let candidates = draw(points, &closest, trials, numbers);
        let row = if candidates.is_empty() {
            // All that is left lies within rounding of a centre: take the first point that is not itself one.
            let fresh = (0..points.rows()).find(|&row| is_new(points, &chosen, row));
            fresh.expect("the caller counted at least k distinct points")
        } else {
            let left = potentials(points, shift, &norms, &candidates, &closest);
            let best = (0..left.len()).reduce(|best, i| if left[i] < left[best] { i } else { best });
            candidates[best.expect("not empty")]
        };
        chosen.push(row);
        take(points, shift, &norms, row, &mut closest);
    }
    chosen
}

/// Draws `count` rows in proportion to weight times squared distance; none if all of these are 0.
fn draw<F: Real>(points: &Points<'_, F>, closest: &[F], count: usize, numbers: &mut Stream) -> Vec<usize> {
    let mass = |row: usize| points.weight(row) * closest[row].f64();
    let blocks: Vec<f64> =
        (0..points.blocks()).into_par_iter().map(|b| points.block(b).map(mass).sum::<f64>()).collect();
    let total: f64 = blocks.iter().sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let mut drawn = Vec::with_capacity(count);
    for _ in 0..count {
        let mut left = numbers.random::<f64>() * total;
        let mut block = 0;
        while block + 1 < blocks.len() && left >= blocks[block] {
            left -= blocks[block];
            block += 1;
        }
        // Rounding may leave a rest after the last row: then the last row with any mass before it is the one.
        let mut found = None;
        for row in points.block(block) {
            if mass(row) > 0.0 {
                found = Some(row);
                left -= mass(row);
                if left < 0.0 {
                    break;
                }
            }
        }
        let earlier = || (0..points.block(block).start).rev().find(|&row| mass(row) > 0.0);
        drawn.push(found.or_else(earlier).unwrap_or(0));
    }
    drawn
}

/// `Σ w min(D², distance to the candidate²)` for each candidate.
fn potentials<F: Real>(
    points: &Points<'_, F>,
    shift: &[F],
    norms: &[F],
    candidates: &[usize],
    closest: &[F],
) -> Vec<f64> {
    let centres: Vec<F> = candidates.iter().flat_map(|&row| points.row(row)).copied().collect();
    let nearest = Nearest::new(&centres, shift);
    let (dim, tile) = (points.dim(), nearest.tile());
    let partial: Vec<Vec<f64>> = (0..points.blocks())
        .into_par_iter()
        .map_init(Scratch::default, |scratch, block| {
            let mut left = vec![0.0; candidates.len()];
            let block = points.block(block);
            for first in block.clone().step_by(tile) {
                let last = (first + tile).min(block.end);
                let rows = &points.values()[first * dim..last * dim];
                let closest = &closest[first..last];
                nearest.squared_distances(rows, &norms[first..last], scratch, |j, i, distance| {
                    let kept = if distance < closest[i] { distance } else { closest[i] };
                    left[j] += points.weight(first + i) * kept.f64();
                });
            }
            left
        })
        .collect();
    let mut left = vec![0.0; candidates.len()];
    for block in &partial {
        left.iter_mut().zip(block).for_each(|(left, part)| *left += part);
    }
    left
}

/// Lowers `closest` to the distances from the new centre, row number `row`.
fn take<F: Real>(points: &Points<'_, F>, shift: &[F], norms: &[F], row: usize, closest: &mut [F]) {
    let nearest = Nearest::new(points.row(row), shift);
    let (dim, tile) = (points.dim(), nearest.tile());
    let tiles =
        points.values().par_chunks(tile * dim).zip(norms.par_chunks(tile)).zip(closest.par_chunks_mut(tile));
    tiles.for_each_init(Scratch::default, |scratch, ((rows, norms), closest)| {
        nearest.squared_distances(rows, norms, scratch, |_, i, distance| {
            if distance < closest[i] {
                closest[i] = distance;
            }
        });
    });
    closest[row] = F::default();
}
