//! Arithmetic with gradients that are known by their inner products only.
//!
//! A vector in the span of the gradients is its coefficients: `x = Σ_i c_i·g_i`. Then `x·g_j = Σ_i c_i·G_ij` and
//! `‖x‖² = Σ_ij c_i·c_j·G_ij`, so a method that only adds, scales and compares gradients needs no gradient.

use super::Seen;

/// A Gram matrix, `[n, n]`, row-major.
#[derive(Clone, Debug)]
pub(super) struct Gram {
    pub(super) n: usize,
    values: Vec<f64>,
}

impl Gram {
    pub(super) fn new(n: usize, of: impl Fn(usize, usize) -> f64) -> Gram {
        Gram { n, values: (0..n * n).map(|at| of(at / n, at % n)).collect() }
    }

    /// `g_i·g_j`.
    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.n + j]
    }

    /// `‖g_i‖`.
    pub(super) fn norm(&self, i: usize) -> f64 {
        self.at(i, i).sqrt()
    }

    /// `x·g_j` for `x = Σ_i c_i·g_i`.
    pub(super) fn along(&self, c: &[f64], j: usize) -> f64 {
        (0..self.n).map(|i| c[i] * self.at(i, j)).sum()
    }

    /// `‖x‖²`, never negative.
    pub(super) fn square(&self, c: &[f64]) -> f64 {
        (0..self.n).map(|j| c[j] * self.along(c, j)).sum::<f64>().max(0.0)
    }

    /// Every element multiplied.
    pub(super) fn scaled(&self, factor: f64) -> Gram {
        Gram { n: self.n, values: self.values.iter().map(|x| x * factor).collect() }
    }

    /// The Frobenius norm.
    pub(super) fn frobenius(&self) -> f64 {
        self.values.iter().map(|x| x * x).sum::<f64>().sqrt()
    }
}

/// The objectives that pull: present, with a gradient that is not zero. A zero gradient among the others would be the
/// min-norm point whatever they say, and has no direction to project on, so it stays out.
pub(super) struct Live {
    /// Which objectives, ascending.
    pub(super) index: Vec<usize>,
    /// Their Gram matrix.
    pub(super) gram: Gram,
    objectives: usize,
}

impl Live {
    #[track_caller]
    pub(super) fn of(seen: &Seen<'_>) -> Live {
        let n = seen.losses.len();
        let all = match seen.gram {
            Some(gram) if gram.len() == n * n && seen.present.len() == n => gram,
            Some(gram) => panic!("a Gram matrix of {} elements for {n} objectives", gram.len()),
            None => panic!("a balancer that wants norms or the Gram matrix was shown neither"),
        };
        let index: Vec<usize> = (0..n).filter(|&k| seen.present[k] && all[k * n + k].is_normal()).collect();
        let gram = Gram::new(index.len(), |i, j| all[index[i] * n + index[j]]);
        Live { index, gram, objectives: n }
    }

    /// Coefficients of the live ones among all; the others, whose gradients are zero, get 0.
    pub(super) fn spread(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.objectives];
        self.index.iter().zip(coefficients).for_each(|(&k, &c)| all[k] = c);
        all
    }
}

/// Solves `A·x = b` for a symmetric positive definite `A`, `[n, n]`, by Cholesky's `A = L·Lᵀ`; `None` where a pivot drowns in
/// rounding, so that `A` is singular as far as can be told.
pub(super) fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for j in 0..n {
        let diagonal = a[j * n + j];
        let pivot = diagonal - (0..j).map(|k| a[j * n + k] * a[j * n + k]).sum::<f64>();
        if pivot.is_nan() || pivot <= 4.0 * n as f64 * f64::EPSILON * diagonal {
            return None;
        }
        a[j * n + j] = pivot.sqrt();
        for i in j + 1..n {
            let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            a[i * n + j] = (a[i * n + j] - dot) / a[j * n + j];
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| a[i * n + k] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| a[k * n + i] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i * n + i];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved_and_a_singular_one_refused() {
        let x = solve(vec![4.0, 2.0, 2.0, 3.0], vec![8.0, 7.0]).unwrap();
        assert!((x[0] - 1.25).abs() < 1e-15 && (x[1] - 1.5).abs() < 1e-15, "{x:?}");
        assert!(solve(vec![1.0, 1.0, 1.0, 1.0], vec![1.0, 1.0]).is_none());
    }

    #[test]
    fn absent_objectives_and_zero_gradients_are_not_live() {
        let gram = [4.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 9.0];
        let seen = Seen { losses: &[1.0; 3], present: &[true; 3], gram: Some(&gram), step: 0 };
        let live = Live::of(&seen);
        assert_eq!(live.index, [0, 2]);
        assert_eq!((live.gram.norm(1), live.gram.at(0, 1)), (3.0, 1.0));
        assert_eq!(live.spread(&[0.25, 0.75]), [0.25, 0.0, 0.75]);
        let absent = Seen { present: &[false, true, true], ..seen };
        assert_eq!(Live::of(&absent).index, [2]);
    }
}
