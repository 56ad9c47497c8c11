//! Truncated singular value decomposition of a sparse matrix by random projection.
//!
//! `A ≈ U·diag(σ)·Vᵀ` with `A: [rows, cols]`, `U: [rows, k]`, `V: [cols, k]`, orthonormal columns, σ descending. For a tall A
//! (a wide one is transposed first), with `l = min(k + oversampling, cols)`:
//!
//! 1. `V ← Ω`, `[cols, l]`, independent standard normal numbers;
//! 2. `iterations + 1` times: `V ← orth(Aᵀ(A·V))`;
//! 3. `G = Vᵀ·Aᵀ(A·V)`, `[l, l]`, `G = W·diag(λ)·Wᵀ`, λ descending;
//! 4. `σ_i = √λ_i`, `V ← V·W_k`, `U = A·V·diag(1/σ)`.
//!
//! Columns of V are turned so that the entry of largest magnitude, the first of equals, is positive; U follows.
//!
//! Source: Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011, algorithms 4.4 and
//! 5.1. Differences: everything is kept on the shorter side, so V is orthonormalised once a power of `AᵀA` and not after
//! each half, and the projected problem is solved through G. Both square the singular values, which in f64 leaves those
//! above `10⁻⁵·σ_1` their first four digits and more; those below are taken for zero, with their vectors. So **the result may
//! have fewer than k values**: as many as the matrix has rank.
//!
//! Cost: about `(4·iterations + 12)·min(rows, cols)·l²` for products and `9·l³` for step 3, beside
//! `4·(iterations + 2)·l` for each entry. All products are core's, in f64.
//!
//! Measured on XMarket's training pairs, `[17893, 8354]` with 129,247 entries, a flat spectrum, at k = 768 and the default
//! [`Effort`]: 157 GFLOP in 7 s of CPU time on both cores together; against ARPACK's values (`scipy.sparse.linalg.svds`) the
//! first two agree to 10⁻¹¹, number 100 is 3·10⁻⁹ too low, number 300 5·10⁻⁵, number 500 0.2 % and the last 4 %.

mod dense;
mod orthonormal;
mod product;
mod symmetric;

use ndarray_rand::rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::Real;
use crate::random::stream;
use crate::sparse::Csr;

use orthonormal::orthonormal;
pub use product::of_product;

/// Singular values below this share of the first are zero.
const NEGLIGIBLE: f64 = 1e-5;
/// Columns that are multiplied at a time: the longer side never holds more of them.
const PANEL: usize = 128;

/// How closely [`truncated`] looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Effort {
    /// Columns beyond the rank asked for; the last singular values get better with more.
    pub oversampling: usize,
    /// Powers of `AᵀA` after the first; flat spectra need more.
    pub iterations: usize,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { oversampling: 32, iterations: 4 }
    }
}

/// Singular values and vectors, the largest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Svd<F: Real> {
    left: Vec<F>,
    values: Vec<f64>,
    right: Vec<F>,
}

/// Why a matrix could not be decomposed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SvdError {
    /// A rank that the matrix cannot have.
    #[error("svd: found rank {rank}, expected 1 to {most}, the shorter side of the matrix [{rows}, {cols}]")]
    Rank {
        /// The rank asked for.
        rank: usize,
        /// The highest there can be.
        most: usize,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
    },
    /// Entries so large or so small that their squares leave the range of f64, or QL that does not settle.
    #[error(
        "svd: the decomposition of the projected matrix did not converge; entries are of size {largest:e} at most"
    )]
    Diverged {
        /// Largest magnitude in the matrix.
        largest: f64,
    },
}

/// The `rank` largest singular values of `matrix` with their vectors, or all that are not zero if there are fewer.
///
/// The same seed gives the same bits for any number of threads.
///
/// ```
/// use kohort_core::sparse::Csr;
/// use kohort_core::svd::{Effort, truncated};
///
/// // Rank 2: the third row is the sum of the others.
/// let a = Csr::from_entries(3, 2, &[(0, 0, 3.0), (1, 1, 4.0), (2, 0, 3.0), (2, 1, 4.0)])?;
/// let svd = truncated(&a, 1, Effort::default(), 7)?;
/// assert!((svd.values()[0] - 39.0f64.sqrt()).abs() < 1.0);
/// assert_eq!((svd.left().len(), svd.right().len(), svd.rank()), (3, 2, 1));
///
/// let error = truncated(&a, 3, Effort::default(), 7).unwrap_err();
/// assert_eq!(error.to_string(), "svd: found rank 3, expected 1 to 2, the shorter side of the matrix [3, 2]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SvdError`].
pub fn truncated<F: Real>(
    matrix: &Csr<F>,
    rank: usize,
    effort: Effort,
    seed: u64,
) -> Result<Svd<F>, SvdError> {
    let (rows, cols) = (matrix.rows(), matrix.cols());
    let most = rows.min(cols);
    if rank == 0 || rank > most {
        return Err(SvdError::Rank { rank, most, rows, cols });
    }
    let largest = (0..rows).flat_map(|row| matrix.row(row)).fold(0.0, |most, (_, x)| x.abs().f64().max(most));
    let diverged = || SvdError::Diverged { largest };
    // Fourth powers of entries are added below: a power of two keeps them in range, and every digit.
    let size = if largest > 0.0 { 2f64.powf(largest.log2().floor().clamp(-1000.0, 1000.0)) } else { 1.0 };
    let wide = matrix.map(|_, _, value| value.f64() / size).map_err(|_| diverged())?;
    let (tall, flat) = if rows >= cols {
        let flat = wide.transposed();
        (wide, flat)
    } else {
        (wide.transposed(), wide)
    };

    let mut width = rank.saturating_add(effort.oversampling).min(most);
    let mut basis = normal(most, width, seed);
    for power in 0..=effort.iterations {
        let squared = squared(&tall, &flat, &basis, width);
        let last = power == effort.iterations;
        (basis, width) = orthonormal(squared, most, width, last);
    }
    let projected =
        dense::transposed_times(&basis, &squared(&tall, &flat, &basis, width), most, width, width);
    let (lambda, vectors) = symmetric::eigen(projected, width).ok_or_else(diverged)?;
    let least = NEGLIGIBLE * NEGLIGIBLE * lambda.first().copied().unwrap_or(0.0);
    let rank = lambda.iter().take(rank).take_while(|&&lambda| lambda > least).count();
    let mut values: Vec<f64> = lambda[..rank].iter().map(|lambda| lambda.sqrt()).collect();

    let short =
        dense::times(&basis, &dense::transpose(&vectors[..rank * width], rank, width), most, width, rank);
    let mut long = tall.times(&short, rank);
    for row in long.chunks_exact_mut(rank.max(1)) {
        row.iter_mut().zip(&values).for_each(|(x, sigma)| *x /= sigma);
    }
    values.iter_mut().for_each(|sigma| *sigma *= size);
    if values.first().is_some_and(|sigma| sigma.is_infinite()) {
        return Err(diverged());
    }
    let (left, right) = if rows >= cols { (long, short) } else { (short, long) };
    let sign = signs(&right, rank);
    let turned = |side: Vec<f64>| -> Vec<F> {
        side.iter().enumerate().map(|(at, &x)| F::of(x * sign[at % rank.max(1)])).collect()
    };
    Ok(Svd { left: turned(left), values, right: turned(right) })
}

impl<F: Real> Svd<F> {
    /// Number of singular values.
    pub fn rank(&self) -> usize {
        self.values.len()
    }

    /// Singular values, descending, `[rank]`; all positive.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Left singular vectors in columns, `[rows, rank]`, row-major.
    pub fn left(&self) -> &[F] {
        &self.left
    }

    /// Right singular vectors in columns, `[cols, rank]`, row-major.
    pub fn right(&self) -> &[F] {
        &self.right
    }
}

/// Independent standard normal numbers, each row from a stream of its own.
fn normal(rows: usize, width: usize, seed: u64) -> Vec<f64> {
    let mut all = vec![0.0; rows * width];
    all.par_chunks_mut(width).enumerate().for_each(|(row, out)| {
        let mut numbers = stream(seed, "svd projection", &[row as u64]);
        out.iter_mut().for_each(|x| *x = StandardNormal.sample(&mut numbers));
    });
    all
}

/// `Aᵀ(A·V)`, `[cols, width]`, in panels of columns.
fn squared(tall: &Csr<f64>, flat: &Csr<f64>, v: &[f64], width: usize) -> Vec<f64> {
    let mut out = vec![0.0; v.len()];
    let mut long = Vec::new();
    for from in (0..width).step_by(PANEL) {
        let own = PANEL.min(width - from);
        let panel: Vec<f64> = v.chunks_exact(width).flat_map(|row| &row[from..from + own]).copied().collect();
        long.resize(tall.rows() * own, 0.0);
        tall.times_into(&panel, own, &mut long);
        for (out, row) in out.chunks_exact_mut(width).zip(flat.times(&long, own).chunks_exact(own)) {
            out[from..from + own].copy_from_slice(row);
        }
    }
    out
}

/// For each column +1 or −1, so that its entry of largest magnitude (the first of equals) becomes positive.
fn signs(matrix: &[f64], width: usize) -> Vec<f64> {
    let mut largest = vec![0.0f64; width];
    for row in matrix.chunks_exact(width.max(1)) {
        for (largest, &x) in largest.iter_mut().zip(row) {
            if x.abs() > largest.abs() {
                *largest = x;
            }
        }
    }
    largest.into_iter().map(f64::signum).collect()
}
