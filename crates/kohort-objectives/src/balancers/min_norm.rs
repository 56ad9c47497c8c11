//! The point of smallest norm in the convex hull of vectors that are known by their Gram matrix, by Wolfe's algorithm ("Finding the
//! nearest point in a polytope", Mathematical Programming 11, 1976): `min_{w ∈ Δ} ‖Σ_i w_i·g_i‖²`.
//!
//! The answer is held as positive weights on a **corral**, a few affinely independent points of whose affine hull it is the nearest
//! point. While some `g_j` has `x·g_j < ‖x‖²`, it joins, and points whose weight would turn negative leave. Each corral is met once,
//! so the answer is exact after finitely many steps; two points give MGDA's closed form.

use super::gram::{Gram, solve};

/// The weights `w`, `[n]`, on the simplex. `start` are such weights from a problem nearby, to begin at their corral.
pub(super) fn min_norm(gram: &Gram, start: Option<&[f64]>) -> Vec<f64> {
    if gram.n == 0 {
        return Vec::new();
    }
    let mut state = start.and_then(|w| State::at_corral(gram, w)).unwrap_or_else(|| State::at_point(gram));
    let mut square = gram.square(&state.w);
    // A bound that is never reached but for a bug; 2^n corrals exist, and practice needs a few per point.
    for _ in 0..50 * gram.n + 50 {
        let Some(j) = state.joins(gram, square) else { break };
        let before = state.clone();
        state.corral.push(j);
        let settled = state.settle(gram);
        let now = gram.square(&state.w);
        // Without progress the rest is rounding.
        if !settled || now.is_nan() || now >= square {
            return before.w;
        }
        square = now;
    }
    state.w
}

#[derive(Clone)]
struct State {
    w: Vec<f64>,
    corral: Vec<usize>,
}

impl State {
    /// The shortest of the points.
    fn at_point(gram: &Gram) -> State {
        let shortest = (0..gram.n).min_by(|&a, &b| gram.at(a, a).total_cmp(&gram.at(b, b))).unwrap_or(0);
        let mut w = vec![0.0; gram.n];
        w[shortest] = 1.0;
        State { w, corral: vec![shortest] }
    }

    fn at_corral(gram: &Gram, w: &[f64]) -> Option<State> {
        let corral = (0..gram.n).filter(|&i| w[i] > 0.0).collect();
        let mut state = State { w: w.to_vec(), corral };
        state.settle(gram).then_some(state)
    }

    /// The point furthest below `‖x‖²`, by more than rounding explains.
    fn joins(&self, gram: &Gram, square: f64) -> Option<usize> {
        let size = |j: usize| self.corral.iter().map(|&i| self.w[i] * gram.at(i, j).abs()).sum::<f64>();
        let own: f64 = self.corral.iter().map(|&j| self.w[j] * size(j)).sum();
        let below = |j: usize| {
            let rounding = 4.0 * f64::EPSILON * self.corral.len() as f64 * (size(j) + own);
            square - gram.along(&self.w, j) - rounding
        };
        (0..gram.n)
            .filter(|j| !self.corral.contains(j))
            .map(|j| (j, below(j)))
            .filter(|&(_, below)| below > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(j, _)| j)
    }

    /// Goes to the nearest point of the corral's affine hull, dropping points on the way until it lies inside. `false` where
    /// the corral is dependent.
    fn settle(&mut self, gram: &Gram) -> bool {
        loop {
            let Some(v) = affine(gram, &self.corral) else { return false };
            if v.iter().all(|&v| v > 0.0) {
                self.w.fill(0.0);
                self.corral.iter().zip(&v).for_each(|(&i, &v)| self.w[i] = v);
                return true;
            }
            // As far towards v as no weight turns negative.
            let until = |(&i, &v): (&usize, &f64)| {
                (v <= 0.0).then(|| (i, self.w[i] / (self.w[i] - v).max(f64::MIN_POSITIVE)))
            };
            let Some((first, share)) =
                self.corral.iter().zip(&v).filter_map(until).min_by(|a, b| a.1.total_cmp(&b.1))
            else {
                return false; // not numbers
            };
            for (&i, &v) in self.corral.iter().zip(&v) {
                self.w[i] = (self.w[i] + share * (v - self.w[i])).max(0.0);
            }
            self.w[first] = 0.0;
            self.corral.retain(|&i| i != first);
        }
    }
}

/// Weights, which may be negative, of the nearest point in the affine hull: with `d_i = g_i − g_0` for the corral's first `g_0`,
/// `(d_i·d_j)·z = −g_0·d_i`.
fn affine(gram: &Gram, corral: &[usize]) -> Option<Vec<f64>> {
    let (&base, rest) = corral.split_first()?;
    let from = |i: usize, j: usize| gram.at(i, j) - gram.at(i, base) - gram.at(base, j) + gram.at(base, base);
    let matrix = rest.iter().flat_map(|&i| rest.iter().map(move |&j| from(i, j))).collect();
    let right = rest.iter().map(|&i| gram.at(base, base) - gram.at(base, i)).collect();
    let z = solve(matrix, right)?;
    Some(std::iter::once(1.0 - z.iter().sum::<f64>()).chain(z).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use kohort_core::random::{rand::Rng, stream};

    use super::*;

    /// The Gram matrix of random vectors around a mean, so that hulls with and without the origin occur.
    pub(in super::super) fn random_gram(n: usize, dim: usize, mean: f64, seed: u64) -> Gram {
        let mut numbers = stream(seed, "random gram", &[]);
        let scale: Vec<f64> = (0..n).map(|_| 10f64.powf(numbers.random_range(-2.0..2.0))).collect();
        let g: Vec<f64> =
            (0..n * dim).map(|at| scale[at / dim] * (mean + numbers.random_range(-1.0..1.0))).collect();
        let row = |i: usize| &g[i * dim..(i + 1) * dim];
        Gram::new(n, |i, j| row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum())
    }

    /// `x` is the nearest point exactly where `x·g_j ≥ ‖x‖²` for all j, with equality where `w_j > 0`.
    #[test]
    fn the_point_satisfies_the_conditions_of_optimality() {
        for seed in 0..60 {
            let (n, dim) = ([2, 3, 5, 12, 40, 100][seed as usize % 6], 3 + seed as usize);
            let gram = random_gram(n, dim, [0.0, 0.3, 1.0][seed as usize % 3], seed);
            let w = min_norm(&gram, None);
            assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-12 && w.iter().all(|&w| w >= 0.0), "{w:?}");
            let square = gram.square(&w);
            for j in 0..n {
                let size: f64 = (0..n).map(|i| w[i] * gram.at(i, j).abs()).sum();
                let above = gram.along(&w, j) - square;
                assert!(above >= -1e-10 * (size + square), "seed {seed}: {above} at {j}, {square}");
                assert!(w[j] == 0.0 || above <= 1e-10 * (size + square), "seed {seed}: {above} at {j}");
            }
        }
    }

    #[test]
    fn a_start_from_a_problem_nearby_ends_at_the_same_point() {
        let (gram, near) = (random_gram(12, 20, 0.3, 1), random_gram(12, 20, 0.3, 2));
        let cold = min_norm(&gram, None);
        for start in [cold.clone(), min_norm(&near, None), vec![1.0 / 12.0; 12]] {
            let warm = min_norm(&gram, Some(&start));
            assert!(warm.iter().zip(&cold).all(|(a, b)| (a - b).abs() < 1e-9), "{warm:?} {cold:?}");
        }
    }

    #[test]
    fn equal_and_opposite_points_end() {
        assert_eq!(min_norm(&Gram::new(3, |_, _| 1.0), None).iter().sum::<f64>(), 1.0);
        let opposite = Gram::new(2, |i, j| if i == j { 1.0 } else { -1.0 });
        assert_eq!(min_norm(&opposite, None), [0.5, 0.5]);
    }
}
