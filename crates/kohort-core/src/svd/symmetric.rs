//! All eigenvalues and eigenvectors of a small symmetric matrix.
//!
//! Householder reflections make it tridiagonal, `Hᵀ·A·H = T`; implicit QL steps with Wilkinson's shift make T diagonal, and
//! their rotations turn H into the eigenvectors. About `9·n³` operations: a second and a half at n = 800, where Jacobi's
//! method takes ten times that.
//!
//! Source: Martin, Reinsch and Wilkinson, "Householder's tridiagonalization of a symmetric matrix", and Dubrulle, Martin
//! and Wilkinson, "The implicit QL algorithm", Numerische Mathematik 11 and 12, 1968. Our own code, because the crates that
//! have it (nalgebra, faer) bring matrix types and kernels of their own, of which this needs two hundred lines.

use rayon::prelude::*;

use super::dense::{add_scaled, dot};

/// QL steps for one eigenvalue; two are usual.
const MOST_STEPS: usize = 60;
/// Rows that one task updates.
const CHUNK: usize = 64;

/// Eigenvalues of `a: [n, n]`, descending, and eigenvectors in rows, `[n, n]`. The upper and the lower triangle are averaged.
/// `None` for values that are not finite or QL steps that do not settle.
pub(super) fn eigen(mut a: Vec<f64>, n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    if a.iter().any(|x| !x.is_finite()) {
        return None;
    }
    for i in 0..n {
        for j in 0..i {
            let mean = (a[i * n + j] + a[j * n + i]) / 2.0;
            (a[i * n + j], a[j * n + i]) = (mean, mean);
        }
    }
    let (mut diagonal, mut beside, mut vectors) = tridiagonal(a, n);
    implicit_ql(&mut diagonal, &mut beside, &mut vectors, n)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| diagonal[j].total_cmp(&diagonal[i]));
    let values = order.iter().map(|&i| diagonal[i]).collect();
    let vectors = order.iter().flat_map(|&i| &vectors[i * n..(i + 1) * n]).copied().collect();
    Some((values, vectors))
}

/// Diagonal `[n]`, subdiagonal `[n]` (last entry 0) and Hᵀ `[n, n]` of a symmetric matrix.
fn tridiagonal(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut beside = vec![0.0; n];
    // Reflection k is I − τ·v·vᵀ on the coordinates from k + 1; v takes the place of row k.
    let mut tau = vec![0.0; n];
    for k in 0..n.saturating_sub(1) {
        let (above, below) = a.split_at_mut((k + 1) * n);
        let v = &mut above[k * n + k + 1..];
        // The product of a tail near the smallest numbers could vanish; it is then as good as reflected already.
        let tail = dot(&v[1..], &v[1..]);
        if tail == 0.0 {
            beside[k] = v[0];
            continue;
        }
        let length = (v[0] * v[0] + tail).sqrt();
        beside[k] = if v[0] > 0.0 { -length } else { length };
        v[0] -= beside[k];
        tau[k] = 2.0 / (v[0] * v[0] + tail);
        let v = &*v;
        let mut w: Vec<f64> =
            below.par_chunks(n).with_min_len(CHUNK).map(|row| tau[k] * dot(&row[k + 1..], v)).collect();
        let half = tau[k] * dot(&w, v) / 2.0;
        add_scaled(&mut w, -half, v);
        below.par_chunks_mut(n).with_min_len(CHUNK).enumerate().for_each(|(i, row)| {
            let (own_v, own_w) = (v[i], w[i]);
            for ((x, v), w) in row[k + 1..].iter_mut().zip(v).zip(&w) {
                *x -= own_v * w + own_w * v;
            }
        });
    }
    let diagonal = (0..n).map(|k| a[k * n + k]).collect();
    // Rows of Hᵀ = H_{n−2}⋯H_0: each reflection acts on the coordinates of every row, from the last to the first.
    let mut vectors = vec![0.0; n * n];
    vectors.par_chunks_mut(n.max(1)).with_min_len(CHUNK).enumerate().for_each(|(i, row)| {
        row[i] = 1.0;
        for k in (0..n.saturating_sub(1)).rev().filter(|&k| tau[k] != 0.0) {
            let v = &a[k * n + k + 1..(k + 1) * n];
            let along = tau[k] * dot(&row[k + 1..], v);
            add_scaled(&mut row[k + 1..], -along, v);
        }
    });
    (diagonal, beside, vectors)
}

/// Turns `diagonal` into the eigenvalues of the tridiagonal matrix and the rows of `vectors` into eigenvectors.
fn implicit_ql(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [f64], n: usize) -> Option<()> {
    for first in 0..n {
        for step in 0.. {
            let negligible =
                |&i: &usize| beside[i].abs() <= f64::EPSILON * (diagonal[i].abs() + diagonal[i + 1].abs());
            let last = (first..n - 1).find(negligible).unwrap_or(n - 1);
            if last == first {
                break;
            }
            if step == MOST_STEPS {
                return None;
            }
            let slope = (diagonal[first + 1] - diagonal[first]) / (2.0 * beside[first]);
            let shift = beside[first] / (slope + slope.hypot(1.0).copysign(slope));
            // The bulge: what the next rotation has to bring back to the diagonal's side.
            let mut bulge = diagonal[last] - diagonal[first] + shift;
            let (mut sine, mut cosine, mut moved) = (1.0, 1.0, 0.0);
            let mut split = false;
            for i in (first..last).rev() {
                let (out, kept) = (sine * beside[i], cosine * beside[i]);
                let length = out.hypot(bulge);
                beside[i + 1] = length;
                if length == 0.0 {
                    // The matrix fell into two; the next round finds the place.
                    diagonal[i + 1] -= moved;
                    beside[last] = 0.0;
                    split = true;
                    break;
                }
                (sine, cosine) = (out / length, bulge / length);
                let base = diagonal[i + 1] - moved;
                let turn = (diagonal[i] - base) * sine + 2.0 * cosine * kept;
                moved = sine * turn;
                diagonal[i + 1] = base + moved;
                bulge = cosine * turn - kept;
                rotate(vectors, n, i, sine, cosine);
            }
            if !split {
                diagonal[first] -= moved;
                beside[first] = bulge;
                beside[last] = 0.0;
            }
        }
    }
    Some(())
}

/// Rotates rows i and i + 1.
fn rotate(vectors: &mut [f64], n: usize, i: usize, sine: f64, cosine: f64) {
    let (upper, lower) = vectors[i * n..(i + 2) * n].split_at_mut(n);
    for (x, y) in upper.iter_mut().zip(lower) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{rand::Rng, stream};
    use crate::svd::dense;

    #[track_caller]
    fn check(a: &[f64], n: usize) -> Vec<f64> {
        let (values, vectors) = eigen(a.to_vec(), n).unwrap();
        let size = a.iter().fold(1.0f64, |most, x| most.max(x.abs())) * n as f64;
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
        for i in 0..n {
            let v = &vectors[i * n..(i + 1) * n];
            for j in 0..n {
                let product = dot(v, &vectors[j * n..(j + 1) * n]);
                assert!(
                    (product - f64::from(u8::from(i == j))).abs() < 1e-13 * n as f64,
                    "{i} {j}: {product}"
                );
                let image = dot(&a[j * n..(j + 1) * n], v);
                assert!((image - values[i] * v[j]).abs() < 1e-14 * size, "A·v_{i}[{j}]: {image}");
            }
        }
        values
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_keep_their_direction_under_the_matrix() {
        let mut numbers = stream(1, "symmetric", &[]);
        for n in [1, 2, 3, 10, 70, 131] {
            let half: Vec<f64> = (0..n * n).map(|_| numbers.random_range(-1.0..1.0)).collect();
            let a: Vec<f64> = (0..n * n).map(|at| half[at] + half[at % n * n + at / n]).collect();
            let values = check(&a, n);
            let trace: f64 = (0..n).map(|i| a[i * n + i]).sum();
            assert!((values.iter().sum::<f64>() - trace).abs() < 1e-12 * n as f64);
        }
    }

    #[test]
    fn diagonal_zero_and_repeated_eigenvalues_are_no_special_case() {
        assert_eq!(check(&[2.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, -1.0], 3), [5.0, 2.0, -1.0]);
        assert_eq!(check(&[0.0; 16], 4), [0.0; 4]);
        let (n, q) = (40, 7);
        // A projection of rank 7 has the eigenvalue 1 seven times and 0 otherwise.
        let mut numbers = stream(2, "symmetric", &[]);
        let y: Vec<f64> = (0..n * q).map(|_| numbers.random_range(-1.0..1.0)).collect();
        let (basis, kept) = crate::svd::orthonormal(y, n, q, true);
        let projection = dense::times(&basis, &dense::transpose(&basis, n, kept), n, kept, n);
        let values = check(&projection, n);
        assert!(values[..q].iter().all(|x| (x - 1.0).abs() < 1e-13));
        assert!(values[q..].iter().all(|x| x.abs() < 1e-13));
    }

    #[test]
    fn the_second_difference_has_the_eigenvalues_of_its_formula() {
        let n = 50usize;
        let a: Vec<f64> = (0..n * n)
            .map(|at| match (at / n).abs_diff(at % n) {
                0 => 2.0,
                1 => -1.0,
                _ => 0.0,
            })
            .collect();
        let values = check(&a, n);
        for (i, value) in values.iter().enumerate() {
            let k = (n - i) as f64;
            let want = 2.0 - 2.0 * (k * std::f64::consts::PI / (n as f64 + 1.0)).cos();
            assert!((value - want).abs() < 1e-13, "{i}: {value}, expected {want}");
        }
    }

    #[test]
    fn what_is_not_finite_has_no_eigenvalues() {
        assert_eq!(eigen(vec![1.0, f64::NAN, 0.0, 1.0], 2), None);
    }
}
