//! General matrix product, served by ndarray: matrixmultiply in pure Rust, or OpenBLAS with the `openblas` feature.

use ndarray::{ArrayView2, s};
use rayon::prelude::*;

use crate::Real;

/// Whether an operand is read as it is stored or transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transpose {
    /// As stored.
    No,
    /// Rows and columns swapped.
    Yes,
}

/// `C ← α·op(A)·op(B) + β·C` with `op(A): [m, k]`, `op(B): [k, n]`, `C: [m, n]`, all row-major and contiguous.
///
/// A transposed operand is stored the other way round: with `Transpose::Yes`, `a` is `[k, m]`. A large product is cut into
/// blocks of rows of `C`, by its shape alone, which rayon may spread over threads: each entry's additions stay in one block and
/// so never depend on the number of threads. Small ones stay on their thread, as callers parallelise over shards.
///
/// # Panics
/// If a slice's length does not match its shape.
#[track_caller]
#[allow(clippy::too_many_arguments)] // BLAS's own signature, known by heart by whoever needs it
pub fn gemm<F: Real>(
    (ta, tb): (Transpose, Transpose),
    (m, n, k): (usize, usize, usize),
    alpha: F,
    a: &[F],
    b: &[F],
    beta: F,
    c: &mut [F],
) {
    assert!(
        a.len() == m * k && b.len() == k * n && c.len() == m * n,
        "gemm: op(A) [{m}, {k}] over {} values, op(B) [{k}, {n}] over {}, C [{m}, {n}] over {}",
        a.len(),
        b.len(),
        c.len()
    );
    #[cfg(feature = "openblas")]
    super::openblas::pin();
    let a = operand(ta, m, k, a);
    let b = operand(tb, k, n, b);
    let blocks = blocks(m, n, k);
    if blocks == 1 {
        return product(alpha, &a, &b, beta, c);
    }
    let rows = m.div_ceil(blocks).next_multiple_of(TILE);
    c.par_chunks_mut(rows * n).enumerate().for_each(|(at, c)| {
        let a = a.slice(s![at * rows..((at + 1) * rows).min(m), ..]);
        product(alpha, &a, &b, beta, c);
    });
}

/// Rows of a kernel's tile, or a multiple of them: no block but the last leaves a part of one.
const TILE: usize = 48;

/// How many blocks of rows a product is cut into. Each has at least 2²⁵ multiplications, a few hundred microseconds, beside
/// which it is nothing to hand it to another thread; and there are at most two, because each packs all of B: whoever has more
/// threads has more shards.
fn blocks(m: usize, n: usize, k: usize) -> usize {
    let work = m.saturating_mul(n).saturating_mul(k) >> 25;
    work.min(m / (2 * TILE)).clamp(1, 2)
}

fn product<F: Real>(alpha: F, a: &ArrayView2<'_, F>, b: &ArrayView2<'_, F>, beta: F, c: &mut [F]) {
    let mut c = shaped_mut(a.nrows(), b.ncols(), c);
    #[allow(clippy::disallowed_methods)] // the one place
    ndarray::linalg::general_mat_mul(alpha, a, b, beta, &mut c);
}

fn operand<F: Real>(t: Transpose, rows: usize, cols: usize, data: &[F]) -> ArrayView2<'_, F> {
    let shaped = |rows, cols| ArrayView2::from_shape((rows, cols), data).expect("length checked by gemm");
    match t {
        Transpose::No => shaped(rows, cols),
        Transpose::Yes => shaped(cols, rows).reversed_axes(),
    }
}

fn shaped_mut<F: Real>(rows: usize, cols: usize, data: &mut [F]) -> ndarray::ArrayViewMut2<'_, F> {
    ndarray::ArrayViewMut2::from_shape((rows, cols), data).expect("length checked by gemm")
}

/// Which kernels serve [`gemm`] in this build, for manifests.
pub fn backend() -> String {
    #[cfg(feature = "openblas")]
    return format!("OpenBLAS ({})", super::openblas::describe());
    #[cfg(not(feature = "openblas"))]
    "matrixmultiply (pure Rust)".to_owned()
}

/// Why the kernels may be slower than this machine allows, if they may.
///
/// A machine can export `OPENBLAS_CORETYPE`, which OpenBLAS obeys when it is loaded: AVX2 kernels on an AVX-512 CPU
/// run at half the rate.
pub fn warning() -> Option<String> {
    let forced = std::env::var("OPENBLAS_CORETYPE").ok()?;
    if !cfg!(feature = "openblas") {
        return None;
    }
    #[cfg(target_arch = "x86_64")]
    let slower = std::is_x86_feature_detected!("avx512f") && forced.eq_ignore_ascii_case("haswell");
    #[cfg(not(target_arch = "x86_64"))]
    let slower = false;
    slower.then(|| {
        format!("OPENBLAS_CORETYPE={forced} is set: OpenBLAS runs AVX2 kernels on a CPU that has AVX-512, at about half the rate")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook triple loop.
    fn naive(
        ta: Transpose,
        tb: Transpose,
        (m, n, k): (usize, usize, usize),
        a: &[f64],
        b: &[f64],
    ) -> Vec<f64> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                for l in 0..k {
                    let x = if ta == Transpose::No { a[i * k + l] } else { a[l * m + i] };
                    let y = if tb == Transpose::No { b[l * n + j] } else { b[j * k + l] };
                    c[i * n + j] += x * y;
                }
            }
        }
        c
    }

    #[test]
    fn products_agree_with_the_triple_loop_for_every_transpose_and_odd_shape() {
        use Transpose::{No, Yes};
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 1, 9), (1, 33, 4), (64, 65, 66), (2, 3, 0)] {
            let value = |count: usize, f: f64| (0..count).map(|i| (i as f64 * f).sin()).collect::<Vec<_>>();
            let (a, b) = (value(m * k, 0.7), value(k * n, 1.3));
            for (ta, tb) in [(No, No), (No, Yes), (Yes, No), (Yes, Yes)] {
                let mut c = vec![1.0; m * n];
                gemm((ta, tb), (m, n, k), 2.0, &a, &b, 3.0, &mut c);
                for (got, want) in c.iter().zip(naive(ta, tb, (m, n, k), &a, &b)) {
                    assert!((got - (2.0 * want + 3.0)).abs() < 1e-12, "{ta:?} {tb:?} {m} {n} {k}");
                }
            }
        }
    }

    #[test]
    fn large_products_agree_with_the_triple_loop_and_have_the_same_bits_for_any_number_of_threads() {
        use Transpose::{No, Yes};
        let (m, n, k) = (701, 251, 397);
        assert!(blocks(m, n, k) > 1);
        let value = |count: usize, f: f64| (0..count).map(|i| (i as f64 * f).sin()).collect::<Vec<_>>();
        let (a, b) = (value(m * k, 0.7), value(k * n, 1.3));
        for (ta, tb) in [(No, No), (Yes, No), (No, Yes)] {
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut c = vec![1.0; m * n];
                pool.install(|| gemm((ta, tb), (m, n, k), 2.0, &a, &b, 3.0, &mut c));
                c
            };
            let c = with(1);
            assert_eq!(c, with(3));
            for (got, want) in c.iter().zip(naive(ta, tb, (m, n, k), &a, &b)) {
                assert!((got - (2.0 * want + 3.0)).abs() < 1e-10, "{ta:?} {tb:?}");
            }
        }
    }

    #[test]
    fn a_zero_beta_overwrites_even_nan() {
        let mut c = [f32::NAN];
        gemm((Transpose::No, Transpose::No), (1, 1, 1), 1.0, &[2.0], &[3.0], 0.0, &mut c);
        assert_eq!(c, [6.0]);
    }
}
