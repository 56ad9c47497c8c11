//! Nash-MTL (Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik and Fetaya, "Multi-task learning as a bargaining game", ICML 2022).
//!
//! The update is the Nash bargaining solution `d = Σ_k α_k·g_k` with `α > 0` and `G·α = 1/α` element-wise, so that `d·g_k = 1/α_k`:
//! whatever an objective's scale, its gain and its coefficient trade off alike. As in the paper's code G is divided by its
//! Frobenius norm first, which keeps the update as long as gradients are; without that `‖d‖² = K` always.
//!
//! The equation is where the gradient of `½·αᵀGα − Σ_k ln α_k` vanishes, a self-concordant function, so damped Newton steps
//! find its one solution; the paper's code solves a sequence of convex programmes to 1e-3.
//!
//! Differences: the diagonal times `1 + 1e-10`, so that gradients whose hull holds the origin have a solution; no clipping of the
//! update (the code's `max_norm`); solved in each step. Objectives without a gradient are left out. As in the paper's code whole
//! losses are weighted, so heads too.
//!
//! Why this one and not IMTL-G: both ignore scales, but IMTL's linear system gives coefficients of either sign, and none
//! where normalised gradients depend on each other; here they are positive, unique, and always there.

use super::gram::{Gram, Live, solve};
use super::{Balancer, Coefficients, Seen, Wants};

/// Coefficients that solve `G·α = 1/α`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NashMtl;

const RIDGE: f64 = 1e-10;

impl Balancer for NashMtl {
    fn wants(&self) -> Wants {
        Wants::Gram
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let live = Live::of(&seen);
        let alpha = match live.gram.n {
            0 | 1 => vec![1.0; live.gram.n],
            _ => bargain(&live.gram),
        };
        let trunk = live.spread(&alpha);
        let mut heads = trunk.clone();
        // What has no gradient in the trunk may have one in its head.
        (0..heads.len()).filter(|k| !live.index.contains(k)).for_each(|k| heads[k] = 1.0);
        Coefficients { trunk, heads }
    }
}

fn bargain(gram: &Gram) -> Vec<f64> {
    let scaled = gram.scaled(1.0 / gram.frobenius());
    let n = scaled.n;
    let m = Gram::new(n, |i, j| scaled.at(i, j) * if i == j { 1.0 + RIDGE } else { 1.0 });
    // The solution for orthogonal gradients.
    let mut alpha: Vec<f64> = (0..n).map(|i| 1.0 / m.norm(i)).collect();
    let mut last = f64::INFINITY;
    for _ in 0..1000 {
        // In z = Δα/α: (diag(α)·M·diag(α) + I)·z = 1 − α·(Mα), well scaled however gradients are.
        let slope: Vec<f64> = (0..n).map(|i| 1.0 - alpha[i] * m.along(&alpha, i)).collect();
        let hessian = (0..n * n).map(|at| {
            let (i, j) = (at / n, at % n);
            alpha[i] * m.at(i, j) * alpha[j] + if i == j { 1.0 } else { 0.0 }
        });
        let Some(z) = solve(hessian.collect(), slope.clone()) else { break };
        // λ bounds every |z_i|, so a step of 1/(1 + λ) keeps α positive; below ¼ full steps square it.
        let decrement = z.iter().zip(&slope).map(|(z, s)| z * s).sum::<f64>().max(0.0).sqrt();
        let close = decrement < 0.25;
        if close && decrement >= last {
            break; // what is left is rounding
        }
        let length = if close { 1.0 } else { 1.0 / (1.0 + decrement) };
        alpha.iter_mut().zip(&z).for_each(|(a, z)| *a *= 1.0 + length * z);
        last = if close { decrement } else { f64::INFINITY };
    }
    alpha
}

#[cfg(test)]
mod tests {
    use super::super::min_norm::tests::random_gram;
    use super::*;

    #[test]
    fn the_defining_equation_holds() {
        for seed in 0..40 {
            let n = [2, 3, 10, 100][seed as usize % 4];
            let gram = random_gram(n, 150, [0.0, 0.3, 1.0][seed as usize % 3], seed);
            let alpha = bargain(&gram);
            let scaled = gram.scaled(1.0 / gram.frobenius());
            for (k, a) in alpha.iter().enumerate() {
                let product = a * (scaled.along(&alpha, k) + RIDGE * scaled.at(k, k) * a);
                assert!(*a > 0.0 && (product - 1.0).abs() < 1e-9, "seed {seed}: {product}");
            }
        }
    }

    #[test]
    fn gradients_that_oppose_each_other_still_have_coefficients() {
        let alpha = bargain(&Gram::new(2, |i, j| if i == j { 1.0 } else { -1.0 }));
        assert!(alpha.iter().all(|a| a.is_finite() && *a > 0.0 && *a <= 2e5), "{alpha:?}");
    }

    #[test]
    fn a_gradients_scale_changes_its_coefficient_and_nothing_else() {
        let gram = random_gram(4, 9, 0.2, 3);
        let factors = [1.0, 30.0, 0.02, 5.0];
        let other = Gram::new(4, |i, j| gram.at(i, j) * factors[i] * factors[j]);
        let (a, b) = (bargain(&gram), bargain(&other));
        let ratios: Vec<f64> = (0..4).map(|k| a[k] / (b[k] * factors[k])).collect();
        assert!(ratios.iter().all(|r| (r / ratios[0] - 1.0).abs() < 1e-4), "{ratios:?}");
    }

    #[test]
    fn one_objective_is_left_alone_and_zero_gradients_are_left_out() {
        let of = |gram: &[f64], n: usize| {
            let (losses, present) = (vec![1.0; n], vec![true; n]);
            NashMtl.coefficients(Seen { losses: &losses, present: &present, gram: Some(gram), step: 0 })
        };
        assert_eq!(of(&[9.0], 1), Coefficients::whole(vec![1.0]));
        let two = of(&[9.0, 0.0, 0.0, 0.0], 2);
        assert_eq!((two.trunk, two.heads), (vec![1.0, 0.0], vec![1.0, 1.0]));
    }
}
