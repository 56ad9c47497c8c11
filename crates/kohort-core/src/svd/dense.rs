//! Products of tall matrices on all cores, in fixed pieces that are added in their order.

use rayon::prelude::*;

use crate::kernels::{Transpose, gemm};

/// Pieces of a sum over rows. Fixed: the sum's bits depend on it, and on nothing else.
const PIECES: usize = 16;
/// Rows of a product that one task computes.
const CHUNK: usize = 512;

/// `Aᵀ·B` `[k, l]` with `a: [rows, k]`, `b: [rows, l]`.
pub(super) fn transposed_times(a: &[f64], b: &[f64], rows: usize, k: usize, l: usize) -> Vec<f64> {
    let mut sum = vec![0.0; k * l];
    if rows == 0 || k == 0 || l == 0 {
        return sum;
    }
    let piece = rows.div_ceil(PIECES);
    let pieces: Vec<Vec<f64>> = a
        .par_chunks(piece * k)
        .zip(b.par_chunks(piece * l))
        .map(|(a, b)| {
            let mut part = vec![0.0; k * l];
            gemm((Transpose::Yes, Transpose::No), (k, l, a.len() / k), 1.0, a, b, 0.0, &mut part);
            part
        })
        .collect();
    for part in pieces {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sum
}

/// `A·B` `[rows, l]` with `a: [rows, k]`, `b: [k, l]`.
pub(super) fn times(a: &[f64], b: &[f64], rows: usize, k: usize, l: usize) -> Vec<f64> {
    let mut out = vec![0.0; rows * l];
    if k == 0 || l == 0 {
        return out;
    }
    out.par_chunks_mut(CHUNK * l).zip(a.par_chunks(CHUNK * k)).for_each(|(out, a)| {
        gemm((Transpose::No, Transpose::No), (a.len() / k, l, k), 1.0, a, b, 0.0, out);
    });
    out
}

/// `Aᵀ` `[cols, rows]`.
pub(super) fn transpose(a: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    (0..cols).flat_map(|col| (0..rows).map(move |row| a[row * cols + col])).collect()
}

/// `Σ a_i·b_i` in eight interleaved sums, which the compiler turns into vector instructions.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// `y ← y + α·x`.
pub(super) fn add_scaled(y: &mut [f64], alpha: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y += alpha * x);
}
