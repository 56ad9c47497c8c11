//! General matrix product, served by ndarray: matrixmultiply in pure Rust, or OpenBLAS with the `openblas` feature.

use ndarray::ArrayView2;

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
/// A transposed operand is stored the other way round: with `Transpose::Yes`, `a` is `[k, m]`. One thread: callers
/// parallelise over shards, so that the order of additions never depends on the number of threads.
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
    let a = operand(ta, m, k, a);
    let b = operand(tb, k, n, b);
    let mut c = shaped_mut(m, n, c);
    #[allow(clippy::disallowed_methods)] // the one place
    ndarray::linalg::general_mat_mul(alpha, &a, &b, beta, &mut c);
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

/// Which kernels serve [`gemm`] in this build, for manifests: `"matrixmultiply"` or `"openblas"` with its core.
pub fn backend() -> String {
    "matrixmultiply (pure Rust)".to_owned()
}
