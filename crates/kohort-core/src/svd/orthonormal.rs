//! An orthonormal basis of the columns of a tall matrix.
//!
//! **Usually** by Cholesky: `G = YᵀY = RᵀR`, `Q = Y·R⁻¹`, all of it large products; done twice, Q is orthonormal to rounding
//! (Yamamoto, Nakatsukasa, Yanagisawa and Fukaya, "Roundoff error analysis of the CholeskyQR2 algorithm", ETNA 44, 2015).
//! That needs `cond(Y) < 10⁸`; a pivot that loses more than twelve digits to the columns before it ends the attempt.
//!
//! **Otherwise** by modified Gram–Schmidt, twice for each column, which leaves out a column that lies in the span of those
//! before it: the basis is then narrower, and of the rank of Y. It is slow, and its input (a matrix of lower rank than
//! asked for) usually small.

use super::dense;

/// Share of a column's squared length that must be left once the columns before it are taken out.
const PIVOT: f64 = 1e-12;
/// Share of a column's length below which it lies in the span of the columns before it.
const DEPENDENT: f64 = 1e-13;

/// `(Q, width)` with `QᵀQ = I` and the span of `y: [rows, width]`; with `closely` to rounding, else as well as one pass of
/// Cholesky does, which is enough between two powers.
pub(super) fn orthonormal(mut y: Vec<f64>, rows: usize, width: usize, closely: bool) -> (Vec<f64>, usize) {
    for _ in 0..=usize::from(closely) {
        let gram = dense::transposed_times(&y, &y, rows, width, width);
        let Some(inverse) = inverse_cholesky(gram, width) else { return gram_schmidt(&y, rows, width) };
        y = dense::times(&y, &inverse, rows, width, width);
    }
    (y, width)
}

/// `R⁻¹`, upper triangular, for `G = RᵀR` `[n, n]`; `None` if G is too close to singular.
fn inverse_cholesky(mut g: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    let whole: Vec<f64> = (0..n).map(|k| g[k * n + k]).collect();
    for k in 0..n {
        let pivot = g[k * n + k];
        if pivot.is_nan() || pivot <= PIVOT * whole[k] || pivot.is_infinite() {
            return None;
        }
        let root = pivot.sqrt();
        let (above, below) = g.split_at_mut((k + 1) * n);
        let row = &mut above[k * n + k..];
        row.iter_mut().for_each(|x| *x /= root);
        for (i, below) in (1..).zip(below.chunks_exact_mut(n)) {
            dense::add_scaled(&mut below[k + i..], -row[i], &row[i..]);
        }
    }
    // Row k of the inverse, from the last one up: R⁻¹_k = (e_k − Σ_{j > k} R_kj R⁻¹_j) / R_kk.
    let mut inverse = vec![0.0; n * n];
    for k in (0..n).rev() {
        let (above, below) = inverse.split_at_mut((k + 1) * n);
        let own = &mut above[k * n..];
        for j in k + 1..n {
            dense::add_scaled(&mut own[j..], -g[k * n + j], &below[(j - k - 1) * n + j..(j - k) * n]);
        }
        own[k] = 1.0;
        own[k..].iter_mut().for_each(|x| *x /= g[k * n + k]);
    }
    Some(inverse)
}

fn gram_schmidt(y: &[f64], rows: usize, width: usize) -> (Vec<f64>, usize) {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for mut column in dense::transpose(y, rows, width).chunks_exact(rows.max(1)).map(<[f64]>::to_vec) {
        let length = |column: &[f64]| dense::dot(column, column).sqrt();
        let whole = length(&column);
        for _ in 0..2 {
            for known in &basis {
                let along = dense::dot(known, &column);
                dense::add_scaled(&mut column, -along, known);
            }
        }
        let left = length(&column);
        if left > DEPENDENT * whole && left.is_finite() {
            column.iter_mut().for_each(|x| *x /= left);
            // What rounding left along the basis was small beside the column, not beside what remained of it.
            for known in &basis {
                let along = dense::dot(known, &column);
                dense::add_scaled(&mut column, -along, known);
            }
            let left = length(&column);
            column.iter_mut().for_each(|x| *x /= left);
            basis.push(column);
        }
    }
    let kept = basis.len();
    (dense::transpose(&basis.concat(), kept, rows), kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{rand::Rng, stream};

    fn made_up(rows: usize, width: usize, seed: u64) -> Vec<f64> {
        let mut numbers = stream(seed, "orthonormal", &[]);
        (0..rows * width).map(|_| numbers.random_range(-1.0..1.0)).collect()
    }

    #[track_caller]
    fn is_basis_of(q: &[f64], kept: usize, y: &[f64], rows: usize, width: usize, residual: f64) {
        let gram = dense::transposed_times(q, q, rows, kept, kept);
        for (at, &x) in gram.iter().enumerate() {
            let unit = f64::from(u8::from(at / kept == at % kept));
            assert!((x - unit).abs() < 1e-13, "QᵀQ[{}, {}] = {x}", at / kept, at % kept);
        }
        let along = dense::transposed_times(q, y, rows, kept, width);
        let again = dense::times(q, &along, rows, kept, width);
        for (x, y) in again.iter().zip(y) {
            assert!((x - y).abs() < residual, "{x}, expected {y}");
        }
    }

    #[test]
    fn independent_columns_keep_their_number_and_span() {
        for (rows, width) in [(1, 1), (7, 7), (300, 40), (1200, 65)] {
            let y = made_up(rows, width, 1);
            let (q, kept) = orthonormal(y.clone(), rows, width, true);
            assert_eq!(kept, width);
            is_basis_of(&q, kept, &y, rows, width, 1e-11);
        }
    }

    #[test]
    fn dependent_and_zero_columns_are_left_out() {
        let (rows, rank, width) = (90, 6, 20);
        let mut y = dense::times(&made_up(rows, rank, 2), &made_up(rank, width, 3), rows, rank, width);
        y.iter_mut().step_by(width).for_each(|x| *x = 0.0);
        let (q, kept) = orthonormal(y.clone(), rows, width, true);
        assert_eq!(kept, rank);
        is_basis_of(&q, kept, &y, rows, width, 1e-12);
        assert_eq!(orthonormal(vec![0.0; 30], 10, 3, true), (vec![], 0));
    }

    #[test]
    fn nearly_dependent_columns_are_kept_and_orthonormal() {
        let (rows, width) = (200, 12);
        let scale: Vec<f64> = (0..width).map(|column| 10f64.powi(-(column as i32))).collect();
        let mixed: Vec<f64> = made_up(width, width, 5);
        let mut y = made_up(rows, width, 4);
        y.chunks_exact_mut(width).for_each(|row| row.iter_mut().zip(&scale).for_each(|(x, s)| *x *= s));
        let y = dense::times(&y, &mixed, rows, width, width);
        let (q, kept) = orthonormal(y.clone(), rows, width, true);
        assert_eq!(kept, width);
        is_basis_of(&q, kept, &y, rows, width, 1e-12);
    }
}
