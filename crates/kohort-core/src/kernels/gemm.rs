//! General matrix product, served by ndarray: matrixmultiply in pure Rust, or OpenBLAS with the `openblas` feature.

use ndarray::{ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, s};

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
    if m == 0 || n == 0 {
        return;
    }
    let c = among_mut(m, n, c);
    if k == 0 {
        return scale(beta, c);
    }
    #[cfg(feature = "openblas")]
    super::openblas::pin();
    let a = operand(ta, m, k, a);
    let b = operand(tb, k, n, b);
    let blocks = blocks(m, n, k);
    if blocks == 1 {
        return product(alpha, &a, &b, beta, c);
    }
    let half = m.div_ceil(blocks).next_multiple_of(TILE);
    let (top, bottom) = c.split_at(Axis(0), half);
    rayon::join(
        || product(alpha, &a.slice(s![..half, ..]), &b, beta, top),
        || product(alpha, &a.slice(s![half.., ..]), &b, beta, bottom),
    );
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

fn product<F: Real>(
    alpha: F,
    a: &ArrayView2<'_, F>,
    b: &ArrayView2<'_, F>,
    beta: F,
    mut c: ArrayViewMut2<'_, F>,
) {
    #[allow(clippy::disallowed_methods)] // the one place
    ndarray::linalg::general_mat_mul(alpha, a, b, beta, &mut c);
}

/// What is left of a product over nothing: `β·C`, where a zero overwrites.
fn scale<F: Real>(beta: F, mut c: ArrayViewMut2<'_, F>) {
    let zero = F::zero();
    c.iter_mut().for_each(|c| *c = if beta == zero { zero } else { beta * *c });
}

#[track_caller]
fn operand<F: Real>(t: Transpose, rows: usize, cols: usize, x: (&[F], usize)) -> ArrayView2<'_, F> {
    match t {
        Transpose::No => among(rows, cols, x),
        Transpose::Yes => among(cols, rows, x).reversed_axes(),
    }
}

#[track_caller]
fn among<F: Real>(rows: usize, cols: usize, (data, stride): (&[F], usize)) -> ArrayView2<'_, F> {
    let length = data.len();
    match ArrayView2::from_shape((rows, cols).strides((stride, 1)), data) {
        Ok(view) => view,
        Err(_) => panic!("gemm: [{rows}, {cols}] with rows {stride} apart over {length} values"),
    }
}

#[track_caller]
fn among_mut<F: Real>(rows: usize, cols: usize, (data, stride): (&mut [F], usize)) -> ArrayViewMut2<'_, F> {
    let length = data.len();
    match ArrayViewMut2::from_shape((rows, cols).strides((stride, 1)), data) {
        Ok(view) => view,
        Err(_) => panic!("gemm: [{rows}, {cols}] with rows {stride} apart over {length} values"),
    }
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
