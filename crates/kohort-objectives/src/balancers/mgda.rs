//! MGDA (Sener and Koltun, "Multi-task learning as multi-objective optimization", NeurIPS 2018; Désidéri 2012).
//!
//! `min_{α ∈ Δ} ‖Σ_k α_k·g_k‖²`: the min-norm point of the gradients' convex hull is a direction that lowers every objective, or 0 where
//! none exists. For two, `α_0 = clip((g_1 − g_0)·g_1 / ‖g_0 − g_1‖², 0, 1)`. Measured at the shared representation it is the paper's
//! MGDA-UB.
//!
//! Differences: the paper's code runs Frank-Wolfe for at most 250 steps and clips two-point ends to 0.001 and 0.999; here
//! the point is exact (`min_norm`). With a normaliser `s_k` (`l2`: ‖g_k‖; `loss`: L_k; `loss-plus`: L_k·‖g_k‖) the
//! direction is `Σ α_k·g_k/s_k`, the min-norm point of what was compared, so it still lowers every objective; the paper's code applies
//! `α` to gradients that are not normalised. Objectives whose gradient is zero are left out: with them the point would be 0. Heads
//! keep their own gradients, as in the paper's algorithm 2.

use serde::{Deserialize, Serialize};

use super::gram::{Gram, Live};
use super::min_norm::min_norm;
use super::{Balancer, Coefficients, Seen, Wants};

/// What gradients are divided by before they are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normaliser {
    /// Nothing: the shortest gradient has most to say.
    #[default]
    None,
    /// Their norm.
    L2,
    /// Their objective's loss.
    Loss,
    /// Loss times norm.
    LossPlus,
}

/// The direction that lowers all objectives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mgda {
    normaliser: Normaliser,
}

impl Mgda {
    /// With this normaliser.
    pub fn new(normaliser: Normaliser) -> Mgda {
        Mgda { normaliser }
    }
}

impl Balancer for Mgda {
    fn wants(&self) -> Wants {
        Wants::Gram
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let live = Live::of(&seen);
        let factor = |(at, &k): (usize, &usize)| {
            // A loss at zero must not divide.
            let (loss, norm) = (seen.losses[k].max(1e-12), live.gram.norm(at));
            match self.normaliser {
                Normaliser::None => 1.0,
                Normaliser::L2 => 1.0 / norm,
                Normaliser::Loss => 1.0 / loss,
                Normaliser::LossPlus => 1.0 / (loss * norm),
            }
        };
        let factors: Vec<f64> = live.index.iter().enumerate().map(factor).collect();
        let gram = Gram::new(live.gram.n, |i, j| live.gram.at(i, j) * factors[i] * factors[j]);
        let alpha = min_norm(&gram, None);
        let trunk: Vec<f64> = alpha.iter().zip(factors).map(|(a, f)| a * f).collect();
        Coefficients { trunk: live.spread(&trunk), heads: vec![1.0; seen.losses.len()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(normaliser: Normaliser, losses: &[f64], gram: &[f64]) -> Vec<f64> {
        let present = vec![true; losses.len()];
        let seen = Seen { losses, present: &present, gram: Some(gram), step: 0 };
        Mgda::new(normaliser).coefficients(seen).trunk
    }

    #[test]
    fn two_objectives_have_the_closed_form() {
        for (a, b, ab) in
            [(1.0, 4.0, 0.5), (1.0, 4.0, 1.5), (9.0, 1.0, -2.0), (1.0, 1.0, 0.0), (2.0, 1.0, 1.3)]
        {
            let first = f64::clamp((b - ab) / (a + b - 2.0 * ab), 0.0, 1.0);
            let got = trunk(Normaliser::None, &[1.0; 2], &[a, ab, ab, b]);
            assert!((got[0] - first).abs() < 1e-14 && (got[1] - 1.0 + first).abs() < 1e-14, "{got:?}");
        }
    }

    /// In steps of a fiftieth no weights of three give a shorter vector, and the nearest of them is close.
    #[test]
    fn no_point_of_a_fine_grid_is_shorter() {
        let gram = [2.0, -0.5, 0.3, -0.5, 1.0, -0.2, 0.3, -0.2, 0.4];
        let square = |w: [f64; 3]| -> f64 { (0..9).map(|at| w[at / 3] * w[at % 3] * gram[at]).sum() };
        let got = trunk(Normaliser::None, &[1.0; 3], &gram);
        let least = square([got[0], got[1], got[2]]);
        let mut best = f64::INFINITY;
        for i in 0..=50 {
            for j in 0..=50 - i {
                best =
                    best.min(square([f64::from(i), f64::from(j), f64::from(50 - i - j)].map(|x| x / 50.0)));
            }
        }
        assert!(least <= best && best < least * 1.01, "{least} {best}");
    }

    #[test]
    fn a_normalised_direction_still_lowers_every_objective() {
        let gram = [100.0, -3.0, -3.0, 0.25];
        for normaliser in [Normaliser::None, Normaliser::L2, Normaliser::Loss, Normaliser::LossPlus] {
            let c = trunk(normaliser, &[5.0, 0.1], &gram);
            assert!(c[0] * gram[0] + c[1] * gram[1] > 0.0 && c[0] * gram[2] + c[1] * gram[3] > 0.0, "{c:?}");
        }
    }

    #[test]
    fn one_objective_is_left_alone_and_zero_gradients_are_left_out() {
        assert_eq!(trunk(Normaliser::None, &[1.0], &[7.0]), [1.0]);
        assert_eq!(trunk(Normaliser::None, &[1.0; 2], &[7.0, 0.0, 0.0, 0.0]), [1.0, 0.0]);
        assert_eq!(trunk(Normaliser::L2, &[1.0; 2], &[0.0; 4]), [0.0, 0.0]);
    }
}
