//! General matrix product. On x86 f32 is served by this crate's own tiles; f64, and f32 elsewhere, by ndarray: matrixmultiply in pure
//! Rust, or OpenBLAS with the `openblas` feature.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};

use super::tiles::Product;
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
    let wide = |t: Transpose, rows: usize, cols: usize| if t == Transpose::No { cols } else { rows };
    gemm_strided((ta, tb), (m, n, k), alpha, (a, wide(ta, m, k)), (b, wide(tb, k, n)), beta, (c, n));
}

/// [`gemm`] on matrices that lie among the columns of wider ones: each is a slice that begins with the matrix's first value,
/// and the distance from one stored row to the next.
///
/// # Panics
/// If a slice is too short for its shape, or rows overlap.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn gemm_strided<F: Real>(
    (ta, tb): (Transpose, Transpose),
    (m, n, k): (usize, usize, usize),
    alpha: F,
    a: (&[F], usize),
    b: (&[F], usize),
    beta: F,
    c: (&mut [F], usize),
) {
    gemm_then((ta, tb), (m, n, k), alpha, a, b, beta, c, |_, _, _| {});
}

/// [`gemm_strided`], then `finish` on every piece of a row of C: it gets the row, the piece's first column and the piece. Each entry is handed out
/// once, when its sum is complete and still close by: bias and activation cost no walk of their own.
///
/// # Panics
/// As [`gemm_strided`].
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub(crate) fn gemm_then<F: Real>(
    (ta, tb): (Transpose, Transpose),
    (m, n, k): (usize, usize, usize),
    alpha: F,
    a: (&[F], usize),
    b: (&[F], usize),
    beta: F,
    c: (&mut [F], usize),
    finish: impl Fn(usize, usize, &mut [F]) + Copy + Sync,
) {
    if m == 0 || n == 0 {
        return;
    }
    check(ta, (m, k), a, (tb, (k, n), b), (m, n), &c);
    let (c, wide) = (&mut c.0[..(m - 1) * c.1 + n], c.1);
    if k == 0 {
        for (at, row) in c.chunks_mut(wide).enumerate() {
            let row = &mut row[..n];
            scale(beta, row);
            finish(at, 0, row);
        }
        return;
    }
    let part = |rows: Range<usize>, c: &mut [F]| {
        // Rows of op(A) are columns of a transposed A.
        let from = rows.start * if ta == Transpose::No { a.1 } else { 1 };
        let product = Product {
            transposed: (ta, tb),
            shape: (rows.len(), n, k),
            alpha,
            a: (&a.0[from..], a.1),
            b,
            beta,
            c: (c, wide),
        };
        if F::tiles() {
            F::tiled(
                product,
                #[inline(always)]
                |row, from, piece| finish(rows.start + row, from, piece),
            );
        } else {
            library(product, |row, from, piece| finish(rows.start + row, from, piece));
        }
    };
    let blocks = blocks(m, n, k);
    if blocks == 1 {
        return part(0..m, c);
    }
    let cut = m.div_ceil(blocks).next_multiple_of(TILE);
    let (top, bottom) = c.split_at_mut(cut * wide);
    rayon::join(|| part(0..cut, top), || part(cut..m, bottom));
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

/// A product by the library that this build is linked with.
fn library<F: Real>(product: Product<'_, F>, finish: impl Fn(usize, usize, &mut [F])) {
    #[cfg(feature = "openblas")]
    super::openblas::pin();
    let Product { transposed: (ta, tb), shape: (m, n, k), alpha, a, b, beta, c: (c, wide) } = product;
    let (a, b) = (operand(ta, m, k, a), operand(tb, k, n, b));
    let mut view = among_mut(m, n, (c, wide));
    #[allow(clippy::disallowed_methods)] // the one place
    ndarray::linalg::general_mat_mul(alpha, &a, &b, beta, &mut view);
    c.chunks_mut(wide).enumerate().for_each(|(at, row)| finish(at, 0, &mut row[..n]));
}

/// What is left of a product over nothing: `β·C`, where a zero overwrites.
fn scale<F: Real>(beta: F, c: &mut [F]) {
    let zero = F::zero();
    c.iter_mut().for_each(|c| *c = if beta == zero { zero } else { beta * *c });
}

/// Panics unless each slice reaches as far as its matrix, whose rows don't overlap.
#[track_caller]
fn check<F>(
    ta: Transpose,
    a_shape: (usize, usize),
    a: (&[F], usize),
    (tb, b_shape, b): (Transpose, (usize, usize), (&[F], usize)),
    c_shape: (usize, usize),
    c: &(&mut [F], usize),
) {
    let stored = |t: Transpose, (rows, cols): (usize, usize)| {
        if t == Transpose::No { (rows, cols) } else { (cols, rows) }
    };
    let within = |(rows, cols): (usize, usize), length: usize, stride: usize| {
        let fits = rows == 0 || cols == 0 || (stride >= cols && (rows - 1) * stride + cols <= length);
        assert!(fits, "gemm: [{rows}, {cols}] with rows {stride} apart over {length} values");
    };
    within(stored(ta, a_shape), a.0.len(), a.1);
    within(stored(tb, b_shape), b.0.len(), b.1);
    within(c_shape, c.0.len(), c.1);
}

fn operand<F: Real>(t: Transpose, rows: usize, cols: usize, x: (&[F], usize)) -> ArrayView2<'_, F> {
    match t {
        Transpose::No => among(rows, cols, x),
        Transpose::Yes => among(cols, rows, x).reversed_axes(),
    }
}

fn among<F: Real>(rows: usize, cols: usize, (data, stride): (&[F], usize)) -> ArrayView2<'_, F> {
    match ArrayView2::from_shape((rows, cols).strides((stride, 1)), data) {
        Ok(view) => view,
        Err(_) => unreachable!("checked before"),
    }
}

fn among_mut<F: Real>(rows: usize, cols: usize, (data, stride): (&mut [F], usize)) -> ArrayViewMut2<'_, F> {
    match ArrayViewMut2::from_shape((rows, cols).strides((stride, 1)), data) {
        Ok(view) => view,
        Err(_) => unreachable!("checked before"),
    }
}

/// Which kernels serve [`gemm`] in this build on this machine, for manifests: this crate's own for f32 where the CPU has AVX2, and a
/// library's for f64 and elsewhere.
pub fn backend() -> String {
    #[cfg(feature = "openblas")]
    let library = format!("OpenBLAS ({})", super::openblas::describe());
    #[cfg(not(feature = "openblas"))]
    let library = "matrixmultiply (pure Rust)".to_owned();
    match super::tiles::name().filter(|_| super::available()) {
        Some(vectors) => format!("own {vectors} tiles for f32, {library} for f64"),
        None => library,
    }
}

/// Why the kernels may be slower than this machine allows, if they may.
///
/// A machine can export `OPENBLAS_CORETYPE`, which OpenBLAS obeys when it is loaded: AVX2 kernels on an AVX-512 CPU
/// run at half the rate. Own tiles don't look at it.
pub fn warning() -> Option<String> {
    let forced = std::env::var("OPENBLAS_CORETYPE").ok()?;
    if !cfg!(feature = "openblas") || super::available() {
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

    /// f32 goes through tiles where the machine has them, and a large product is cut into rows for two threads.
    #[test]
    fn every_entry_is_finished_once_in_its_place_however_the_rows_are_cut() {
        use Transpose::{No, Yes};
        let (m, n, k) = (701, 251, 397);
        assert!(blocks(m, n, k) > 1);
        let whole =
            |count: usize, step: usize| (0..count).map(|i| (i * step % 7) as f32 - 3.0).collect::<Vec<_>>();
        let (a, b) = (whole(m * k, 5), whole(k * n, 3));
        let wide = |t: Transpose, rows: usize, cols: usize| if t == No { cols } else { rows };
        for (ta, tb) in [(No, No), (Yes, No), (No, Yes)] {
            let (a64, b64): (Vec<f64>, Vec<f64>) =
                (a.iter().map(|&x| x.into()).collect(), b.iter().map(|&x| x.into()).collect());
            let want = naive(ta, tb, (m, n, k), &a64, &b64);
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut c = vec![f32::NAN; m * n];
                let (a, b) = ((&a[..], wide(ta, m, k)), (&b[..], wide(tb, k, n)));
                pool.install(|| {
                    gemm_then((ta, tb), (m, n, k), 1.0, a, b, 0.0, (&mut c, n), |row, from, piece| {
                        piece.iter_mut().zip(from..).for_each(|(c, col)| *c += (row * n + col) as f32);
                    });
                });
                // All are whole numbers below 2²⁴, so that sums are exact.
                assert!(
                    c.iter().zip(&want).enumerate().all(|(at, (&c, &want))| f64::from(c) == want + at as f64)
                );
            }
        }
    }

    #[test]
    fn a_product_among_wider_rows_is_the_product_of_its_columns_and_leaves_the_others_alone() {
        use Transpose::{No, Yes};
        let value = |count: usize, f: f64| (0..count).map(|i| (i as f64 * f).sin()).collect::<Vec<_>>();
        for (m, n, k) in [(5, 3, 4), (1, 2, 1), (400, 300, 600)] {
            let pick = |wide: &[f64], rows: usize, cols: usize, from: usize, stride: usize| -> Vec<f64> {
                (0..rows).flat_map(|r| wide[r * stride + from..r * stride + from + cols].to_vec()).collect()
            };
            for (ta, tb) in [(No, No), (Yes, No), (No, Yes)] {
                let (ra, ca) = if ta == No { (m, k) } else { (k, m) };
                let (rb, cb) = if tb == No { (k, n) } else { (n, k) };
                let (sa, sb, sc) = (ca + 3, cb + 5, n + 2);
                let (a, b) = (value(ra * sa, 0.7), value(rb * sb, 1.3));
                let mut c = value(m * sc, 0.1);
                let mut want = pick(&c, m, n, 1, sc);
                let (a3, b5) = (pick(&a, ra, ca, 3, sa), pick(&b, rb, cb, 5, sb));
                gemm((ta, tb), (m, n, k), 2.0, &a3, &b5, 3.0, &mut want);
                let before = c.clone();
                gemm_strided((ta, tb), (m, n, k), 2.0, (&a[3..], sa), (&b[5..], sb), 3.0, (&mut c[1..], sc));
                assert_eq!(pick(&c, m, n, 1, sc), want, "{ta:?} {tb:?} {m} {n} {k}");
                assert!(
                    (0..m)
                        .all(|r| c[r * sc] == before[r * sc] && c[r * sc + n + 1] == before[r * sc + n + 1])
                );
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
