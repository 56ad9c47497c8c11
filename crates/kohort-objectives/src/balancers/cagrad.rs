//! CAGrad (Liu, Liu, Jin, Stone and Liu, "Conflict-averse gradient descent for multi-task learning", NeurIPS 2021).
//!
//! Around the mean gradient `g_0`, the direction whose worst objective gains most: `max_d min_k d·g_k` with `‖d − g_0‖ ≤ s`,
//! `s = c·‖g_0‖`. Its dual: `min_{w ∈ Δ} g_w·g_0 + s·‖g_w‖` with `g_w = Σ_k w_k·g_k`, then `d = g_0 + (s/‖g_w‖)·g_w`, and at last the
//! code's division by `1 + c²`. `c = 0` is the mean gradient.
//!
//! The dual, solved exactly: `s·‖v‖ = min_{u>0} ‖v‖²/(2u) + s²·u/2`, jointly convex in v and u; and for a fixed u,
//! `g_w·g_0 + ‖g_w‖²/(2u) = ‖g_w + u·g_0‖²/(2u) − const` is the min-norm problem of the points `g_k + u·g_0`. What is left is one
//! equation in u, `‖g_w(u)‖ = s·u`, which changes sign once.
//!
//! Differences: the paper's code asks SLSQP. Where the gradients' hull holds the origin and `g_w` vanishes, the direction is the mean
//! gradient, not a division by 1e-8. One objective alone is left as it is. Means run over objectives with a gradient. Heads keep their
//! own gradients.

use serde::{Deserialize, Serialize};

use super::gram::{Gram, Live};
use super::min_norm::min_norm;
use super::support::setting;
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// What the direction is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rescale {
    /// 1: the paper's formula.
    None,
    /// `1 + c²`: the paper's code.
    #[default]
    Square,
    /// `1 + c`: the longest that the direction can be, relative to `g_0`.
    Linear,
}

/// Settings of [`Cagrad`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CagradConfig {
    /// How far from the mean gradient, relative to its length: in [0, 1).
    pub c: f64,
    /// What the direction is divided by.
    pub rescale: Rescale,
}

impl Default for CagradConfig {
    fn default() -> CagradConfig {
        CagradConfig { c: 0.5, rescale: Rescale::Square }
    }
}

/// The best direction for the worst objective, near the mean gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cagrad {
    config: CagradConfig,
}

impl Cagrad {
    /// With these settings.
    ///
    /// # Errors
    /// If `c` is not in [0, 1).
    pub fn new(config: CagradConfig) -> Result<Cagrad, ObjectiveError> {
        setting("cagrad", "c", config.c, (0.0..1.0).contains(&config.c), "a number in [0, 1)")?;
        Ok(Cagrad { config })
    }
}

impl Balancer for Cagrad {
    fn wants(&self) -> Wants {
        Wants::Gram
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let live = Live::of(&seen);
        let trunk = match live.gram.n {
            0 | 1 => vec![1.0; live.gram.n],
            _ => direction(&live.gram, self.config),
        };
        Coefficients { trunk: live.spread(&trunk), heads: vec![1.0; seen.losses.len()] }
    }
}

fn direction(gram: &Gram, CagradConfig { c, rescale }: CagradConfig) -> Vec<f64> {
    let n = gram.n;
    let mean = vec![1.0 / n as f64; n];
    let to_mean: Vec<f64> = (0..n).map(|i| gram.along(&mean, i)).collect();
    let square = gram.square(&mean);
    let s = c * square.sqrt();
    let longest = (0..n).map(|i| gram.norm(i)).fold(0.0, f64::max);
    // A mean gradient of nothing but rounding has no direction to keep to.
    if s <= 1e-9 * longest {
        return mean;
    }
    let points = |u: f64| Gram::new(n, |i, j| gram.at(i, j) + u * (to_mean[i] + to_mean[j]) + u * u * square);
    let mut w = mean.clone();
    let mut excess = |u: f64| {
        w = min_norm(&points(u), Some(&w));
        let length = gram.square(&w).sqrt();
        (length - s * u, length, w.clone())
    };
    // ‖g_w‖ is at most the longest gradient, so the root lies left of `high`.
    let high = longest / s;
    let low = 1e-9 * high;
    let at_low = excess(low);
    if at_low.0 <= 0.0 {
        return mean;
    }
    let (length, w) = root(low, at_low.0, high, &mut excess);
    let divisor = match rescale {
        Rescale::None => 1.0,
        Rescale::Square => 1.0 + c * c,
        Rescale::Linear => 1.0 + c,
    };
    w.iter().map(|w| (1.0 / n as f64 + s / length * w) / divisor).collect()
}

/// Where the excess is zero, by regula falsi in Illinois' form: `(‖g_w‖, w)`.
fn root(
    mut low: f64,
    mut above: f64,
    mut high: f64,
    excess: &mut impl FnMut(f64) -> (f64, f64, Vec<f64>),
) -> (f64, Vec<f64>) {
    let (mut below, mut length, mut w) = excess(high);
    let mut side = 0;
    for _ in 0..200 {
        if below == 0.0 || high - low <= 1e-15 * high {
            break;
        }
        let inside = low + (high - low) * above / (above - below);
        let u = if inside > low && inside < high { inside } else { 0.5 * (low + high) };
        let (value, at, weights) = excess(u);
        (length, w) = (at, weights);
        if value.abs() <= 1e-15 * at {
            break;
        }
        if value > 0.0 {
            (low, above) = (u, value);
            below *= if side == 1 { 0.5 } else { 1.0 };
            side = 1;
        } else {
            (high, below) = (u, value);
            above *= if side == -1 { 0.5 } else { 1.0 };
            side = -1;
        }
    }
    (length, w)
}

#[cfg(test)]
mod tests {
    use super::super::min_norm::tests::random_gram;
    use super::*;

    fn trunk(c: f64, gram: &[f64], present: &[bool]) -> Vec<f64> {
        let losses = vec![1.0; present.len()];
        let seen = Seen { losses: &losses, present, gram: Some(gram), step: 0 };
        let config = CagradConfig { c, rescale: Rescale::None };
        Cagrad::new(config).unwrap().coefficients(seen).trunk
    }

    #[test]
    fn c_of_zero_is_the_mean_gradient() {
        assert_eq!(trunk(0.0, &[1.0, -0.5, -0.5, 4.0], &[true; 2]), [0.5, 0.5]);
    }

    /// The primal: `min_k d·g_k` is the dual's value, so no direction in the ball does better, and `‖d − g_0‖ = s`.
    #[test]
    fn the_direction_closes_the_gap_between_primal_and_dual() {
        for seed in 0..40 {
            let n = [2, 3, 7, 30][seed as usize % 4];
            let gram = random_gram(n, 40, [0.2, 0.5, 1.0][seed as usize % 3], seed);
            let config = CagradConfig { c: [0.2, 0.5, 0.9][seed as usize % 3], rescale: Rescale::None };
            let d = direction(&gram, config);
            let mean = vec![1.0 / n as f64; n];
            let apart: Vec<f64> = d.iter().zip(&mean).map(|(d, m)| d - m).collect();
            let s = config.c * gram.square(&mean).sqrt();
            assert!((gram.square(&apart).sqrt() / s - 1.0).abs() < 1e-9, "seed {seed}");
            let total: f64 = apart.iter().sum();
            let w: Vec<f64> = apart.iter().map(|a| a / total).collect();
            let on_mean: f64 = (0..n).map(|k| gram.along(&mean, k) * w[k]).sum();
            let dual = on_mean + s * gram.square(&w).sqrt();
            let worst = (0..n).map(|k| gram.along(&d, k)).fold(f64::INFINITY, f64::min);
            let scale = gram.square(&mean) + s * gram.square(&w).sqrt();
            assert!((dual - worst).abs() < 1e-9 * scale, "seed {seed}: {dual} {worst} {scale}");
        }
    }

    #[test]
    fn opposite_gradients_end_at_their_mean() {
        assert_eq!(trunk(0.5, &[1.0, -1.0, -1.0, 1.0], &[true; 2]), [0.5, 0.5]);
    }

    #[test]
    fn one_objective_is_left_alone_and_zero_gradients_are_left_out() {
        assert_eq!(trunk(0.5, &[4.0], &[true]), [1.0]);
        assert_eq!(trunk(0.5, &[4.0, 1.0, 1.0, 2.0], &[true, false]), [1.0, 0.0]);
        assert_eq!(trunk(0.5, &[0.0; 4], &[true; 2]), [0.0, 0.0]);
    }

    #[test]
    fn a_c_outside_its_range_is_named() {
        let error = Cagrad::new(CagradConfig { c: 1.0, ..CagradConfig::default() }).unwrap_err();
        assert_eq!(error.to_string(), "cagrad: c is 1, expected a number in [0, 1)");
    }
}
