//! Inner products of two slices.

use crate::Real;

/// `Σ a[i]·b[i]`, in eight lanes: the order of additions is fixed, and the compiler can use vectors.
#[inline(always)] // into loops that are compiled for wide vectors
pub fn dot<F: Real>(a: &[F], b: &[F]) -> F {
    let mut lanes = [F::zero(); 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: F = a8.remainder().iter().zip(b8.remainder()).map(|(&x, &y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().copied().sum::<F>() + rest
}

/// `Σ a[i]·b[i]` in f64, summed over runs of 128 that [`dot`] makes: for sums over millions of entries.
pub fn dot_f64<F: Real>(a: &[F], b: &[F]) -> f64 {
    a.chunks(128).zip(b.chunks(128)).map(|(a, b)| dot(a, b).f64()).sum()
}
