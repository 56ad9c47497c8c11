//! Singular value decomposition of a product of two slim matrices, without the product.
//!
//! `A·B = U·diag(σ)·Vᵀ` with `A: [rows, r]`, `B: [r, cols]`: `A = Q_A·R_A` and `Bᵀ = Q_B·R_B` with orthonormal Q, then `C = R_A·R_Bᵀ`, which is
//! small, and `CᵀC = W·diag(λ)·Wᵀ`: `σ = √λ`, `V = Q_B·W`, `U = Q_A·C·W·diag(1/σ)`. About `2·(rows + cols)·r²` operations and `9·r³`.
//! The square costs digits as in [`truncated`](super::truncated): values below `10⁻⁵·σ_1` are taken for zero.

use super::orthonormal::orthonormal;
use super::{NEGLIGIBLE, Svd, SvdError, dense, signs, symmetric};

/// All singular values of `a·b` that are not zero, with their vectors; `a: [rows, inner]`, `b: [inner, cols]`, row-major.
///
/// ```
/// use kohort_core::svd::of_product;
///
/// // Columns (3, 4) and (0, 0) times rows (1, 0) and (5, 5): [[3, 0], [4, 0]], of rank 1.
/// let svd = of_product(&[3.0, 0.0, 4.0, 0.0], &[1.0, 0.0, 5.0, 5.0], (2, 2, 2))?;
/// assert_eq!(svd.rank(), 1);
/// assert!((svd.values()[0] - 5.0).abs() < 1e-12);
/// # Ok::<(), kohort_core::svd::SvdError>(())
/// ```
///
/// # Errors
/// Entries that are not finite, or whose squares leave the range of f64.
///
/// # Panics
/// If a slice does not fill its shape.
#[track_caller]
pub fn of_product(
    a: &[f64],
    b: &[f64],
    (rows, inner, cols): (usize, usize, usize),
) -> Result<Svd<f64>, SvdError> {
    if a.len() != rows * inner || b.len() != inner * cols {
        let (a, b) = (a.len(), b.len());
        crate::shape::fail("svd", &format!("{a} and {b} values for [{rows}, {inner}] and [{inner}, {cols}]"));
    }
    let largest =
        |x: &[f64]| x.iter().fold(0.0f64, |most, x| if x.is_nan() { f64::NAN } else { most.max(x.abs()) });
    let (size_a, size_b) = (largest(a), largest(b));
    let none = || Svd { left: Vec::new(), values: Vec::new(), right: Vec::new() };
    let diverged = || SvdError::Diverged { largest: size_a.max(size_b) };
    if !(a.iter().chain(b).all(|x| x.is_finite())) {
        return Err(SvdError::Diverged { largest: f64::INFINITY });
    }
    if size_a == 0.0 || size_b == 0.0 {
        return Ok(none());
    }
    // Fourth powers of entries are added below: sides of size 1 stay in range.
    let a: Vec<f64> = a.iter().map(|x| x / size_a).collect();
    let b: Vec<f64> = dense::transpose(b, inner, cols).iter().map(|x| x / size_b).collect();
    let (q_a, width_a) = orthonormal(a.clone(), rows, inner, true);
    let (q_b, width_b) = orthonormal(b.clone(), cols, inner, true);
    let r_a = dense::transposed_times(&q_a, &a, rows, width_a, inner);
    let r_b = dense::transposed_times(&q_b, &b, cols, width_b, inner);
    let c = dense::times(&r_a, &dense::transpose(&r_b, width_b, inner), width_a, inner, width_b);
    let squared = dense::transposed_times(&c, &c, width_a, width_b, width_b);
    let (lambda, vectors) = symmetric::eigen(squared, width_b).ok_or_else(diverged)?;
    let least = NEGLIGIBLE * NEGLIGIBLE * lambda.first().copied().unwrap_or(0.0);
    let rank = lambda.iter().take(width_a).take_while(|&&lambda| lambda > least).count();
    if rank == 0 {
        return Ok(none());
    }
    let w = dense::transpose(&vectors[..rank * width_b], rank, width_b);
    let mut right = dense::times(&q_b, &w, cols, width_b, rank);
    let mut left = dense::times(&q_a, &dense::times(&c, &w, width_a, width_b, rank), rows, width_a, rank);
    let sign = signs(&right, rank);
    let root: Vec<f64> = lambda[..rank].iter().map(|lambda| lambda.sqrt()).collect();
    for row in left.chunks_exact_mut(rank) {
        row.iter_mut().zip(sign.iter().zip(&root)).for_each(|(x, (sign, root))| *x *= sign / root);
    }
    right.chunks_exact_mut(rank).for_each(|row| row.iter_mut().zip(&sign).for_each(|(x, sign)| *x *= sign));
    let values: Vec<f64> = root.iter().map(|root| root * size_a * size_b).collect();
    if values.iter().any(|sigma| !sigma.is_finite()) {
        return Err(diverged());
    }
    Ok(Svd { left, values, right })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_what_its_singular_triples_add_up_to_also_when_columns_repeat() {
        let value = |count: usize, f: f64| (0..count).map(|i| ((i * i) as f64 * f).sin()).collect::<Vec<_>>();
        for (rows, inner, cols, rank) in [(7, 3, 5, 3), (4, 6, 3, 3), (2, 1, 9, 1), (9, 4, 9, 2)] {
            let mut a = value(rows * inner, 0.7);
            let b = value(inner * cols, 1.3);
            if rank == 2 {
                // Columns 2 and 3 repeat 0 and 1.
                for row in a.chunks_exact_mut(4) {
                    (row[2], row[3]) = (row[0], row[1]);
                }
            }
            let svd = of_product(&a, &b, (rows, inner, cols)).unwrap();
            assert_eq!(svd.rank(), rank);
            let product = dense::times(&a, &b, rows, inner, cols);
            let mut left = svd.left().to_vec();
            for row in left.chunks_exact_mut(rank) {
                row.iter_mut().zip(svd.values()).for_each(|(x, sigma)| *x *= sigma);
            }
            let again = dense::times(&left, &dense::transpose(svd.right(), cols, rank), rows, rank, cols);
            for (x, y) in product.iter().zip(&again) {
                assert!((x - y).abs() < 1e-9, "{rows} {inner} {cols}: {x} {y}");
            }
            let gram = dense::transposed_times(svd.left(), svd.left(), rows, rank, rank);
            for (at, x) in gram.iter().enumerate() {
                let unit = if at / rank == at % rank { 1.0 } else { 0.0 };
                assert!((x - unit).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn zeros_have_no_singular_values_and_an_infinity_is_an_error() {
        assert_eq!(of_product(&[0.0; 6], &[1.0; 8], (3, 2, 4)).unwrap().rank(), 0);
        assert_eq!(of_product(&[], &[], (3, 0, 4)).unwrap().rank(), 0);
        assert!(of_product(&[f64::INFINITY], &[1.0], (1, 1, 1)).is_err());
        let tiny = of_product(&[1e-150; 2], &[1e-140; 2], (2, 1, 2)).unwrap();
        assert!((tiny.values()[0] / 2e-290 - 1.0).abs() < 1e-12);
    }
}
