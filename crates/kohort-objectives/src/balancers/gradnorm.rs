//! GradNorm (Chen, Badrinarayanan, Lee and Rabinovich, "GradNorm: gradient normalization for adaptive loss balancing in deep
//! multitask networks", ICML 2018).
//!
//! With `n_k = ‖∇L_k‖` at the shared representation, `G_k = w_k·n_k`, `Ḡ = mean_k G_k`, `L̃_k = L_k/L_k(0)` and the training rate
//! **of each objective** `r_k = L̃_k / mean_j L̃_j`, the weights go down the gradient of `Σ_k |G_k − Ḡ·r_k^α|` with the target held
//! constant, and are then scaled to `Σ_k w_k = K`. `n_k` does not depend on `w`, so
//! `∂/∂w_k = sign(G_k − Ḡ·r_k^α)·n_k`: no second derivative is needed.
//!
//! Differences: the step is Adam's on `u_k = ln w_k`, whose gradient is `sign(·)·G_k`, so that weights stay positive and can differ by
//! orders of magnitude; `w_k` is held above 1e-6. `L_k(0)` is the mean of an objective's first `warmup` losses, or given (`ln C` for
//! C classes). Means run over objectives that are present with a gradient, and these share the sum that they had: the weight of an
//! absent one stays as it is. The norms are those at the cut of the system's choice, not at a last layer found by looking.

use serde::{Deserialize, Serialize};

use super::gram::Live;
use super::support::{self, Adam, agree, length, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// Settings of [`GradNorm`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradNormConfig {
    /// `α`: how strongly slow objectives are pulled along; 0 makes weighted norms alike. 1.5 on NYUv2, 0.12 in the toy.
    pub alpha: f64,
    /// Adam's learning rate for `ln w`.
    pub rate: f64,
    /// Of how many of its first losses `L_k(0)` is the mean; until then an objective's weight is 1.
    pub warmup: u64,
    /// `L_k(0)` where it is known; empty to measure it.
    pub initial: Vec<f64>,
}

impl Default for GradNormConfig {
    fn default() -> GradNormConfig {
        GradNormConfig { alpha: 1.5, rate: 0.025, warmup: 1, initial: Vec::new() }
    }
}

/// Weights that even out gradient norms, and what they are measured against.
#[derive(Clone, Debug)]
pub struct GradNorm {
    config: GradNormConfig,
    log_weight: Vec<f64>,
    /// Sum and count of first losses: `L_k(0)` is their ratio once the count is full.
    sum: Vec<f64>,
    count: Vec<f64>,
    adam: Adam,
}

/// `ln 1e-6`.
const FLOOR: f64 = -13.815_510_557_964_274;

impl GradNorm {
    /// Starts with all weights at 1.
    ///
    /// # Errors
    /// If a setting is out of range, or `initial` is not empty and not one positive loss per objective.
    pub fn new(objectives: usize, config: GradNormConfig) -> Result<GradNorm, ObjectiveError> {
        let GradNormConfig { alpha, rate, warmup, ref initial } = config;
        let ok = alpha >= 0.0 && alpha.is_finite();
        setting("grad-norm", "alpha", alpha, ok, "a finite number of at least 0")?;
        let ok = rate > 0.0 && rate.is_finite();
        setting("grad-norm", "rate", rate, ok, "a finite number above 0")?;
        setting("grad-norm", "warmup", warmup as f64, warmup > 0, "at least 1 step")?;
        let (mut sum, mut count) = (vec![0.0; objectives], vec![0.0; objectives]);
        if !initial.is_empty() {
            length("initial losses", initial.len(), objectives)?;
            for &loss in initial {
                let ok = loss > 0.0 && loss.is_finite();
                setting("grad-norm", "initial", loss, ok, "finite losses above 0")?;
            }
            let full = warmup as f64;
            sum = initial.iter().map(|loss| loss * full).collect();
            count.fill(full);
        }
        let adam = Adam::new(objectives, rate);
        Ok(GradNorm { config, log_weight: vec![0.0; objectives], sum, count, adam })
    }

    /// The weights `w`, `[objectives]`.
    pub fn weights(&self) -> Vec<f64> {
        self.log_weight.iter().map(|u| u.exp()).collect()
    }

    /// `L_k / L_k(0)`, once `L_k(0)` is known; the loss that completes it counts already.
    fn progress(&mut self, k: usize, loss: f64) -> Option<f64> {
        let full = self.config.warmup as f64;
        if self.count[k] < full {
            // A loss of 0 has no progress to measure.
            if loss > 0.0 {
                self.sum[k] += loss;
                self.count[k] += 1.0;
            }
            if self.count[k] < full {
                return None;
            }
        }
        Some(loss.max(0.0) / (self.sum[k] / full))
    }

    fn step(&mut self, live: &[(usize, f64)], progress: &[f64]) {
        let count = live.len() as f64;
        let held: f64 = live.iter().map(|&(k, _)| self.log_weight[k].exp()).sum();
        let norms: Vec<f64> = live.iter().map(|&(k, norm)| self.log_weight[k].exp() * norm).collect();
        let mean = norms.iter().sum::<f64>() / count;
        let pace = progress.iter().sum::<f64>() / count;
        for ((&(k, _), norm), progress) in live.iter().zip(norms).zip(progress) {
            let rate = if pace > 0.0 { progress / pace } else { 1.0 };
            let target = mean * rate.powf(self.config.alpha);
            let sign = f64::from(norm > target) - f64::from(norm < target);
            self.log_weight[k] = (self.log_weight[k] - self.adam.step(k, sign * norm)).max(FLOOR);
        }
        let sum: f64 = live.iter().map(|&(k, _)| self.log_weight[k].exp()).sum();
        live.iter().for_each(|&(k, _)| self.log_weight[k] += (held / sum).ln());
    }
}

impl Balancer for GradNorm {
    fn wants(&self) -> Wants {
        Wants::Norms
    }

    /// The weights before this step's losses move them, as in the paper's algorithm 1.
    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        agree(self.log_weight.len(), &seen);
        let weights = self.weights();
        let live = Live::of(&seen);
        let (mut warm, mut progress) = (Vec::new(), Vec::new());
        for (at, &k) in live.index.iter().enumerate() {
            if let Some(now) = self.progress(k, seen.losses[k]) {
                warm.push((k, live.gram.norm(at)));
                progress.push(now);
            }
        }
        if warm.len() > 1 {
            self.step(&warm, &progress);
        }
        Coefficients::whole(weights)
    }

    fn state(&self) -> Vec<f64> {
        [&self.log_weight[..], &self.sum, &self.count, &self.adam.state()].concat()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        let n = self.log_weight.len();
        support::state(state, 6 * n)?;
        self.log_weight.copy_from_slice(&state[..n]);
        self.sum.copy_from_slice(&state[n..2 * n]);
        self.count.copy_from_slice(&state[2 * n..3 * n]);
        self.adam.restore(&state[3 * n..]);
        Ok(())
    }

    fn at_bound(&self, objective: usize) -> bool {
        self.log_weight[objective] <= FLOOR + 0.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagonal(norms: &[f64]) -> Vec<f64> {
        let n = norms.len();
        (0..n * n).map(|at| if at / n == at % n { norms[at / n] * norms[at / n] } else { 0.0 }).collect()
    }

    fn run(alpha: f64, norms: &[f64], losses: impl Fn(u64) -> Vec<f64>, present: &[bool]) -> GradNorm {
        let config = GradNormConfig { alpha, ..GradNormConfig::default() };
        let mut balancer = GradNorm::new(norms.len(), config).unwrap();
        let gram = diagonal(norms);
        for step in 0..800 {
            balancer.coefficients(Seen { losses: &losses(step), present, gram: Some(&gram), step });
        }
        balancer
    }

    #[test]
    fn norms_that_differ_by_scale_only_are_evened_out() {
        let norms = [0.01, 1.0, 100.0];
        let weights = run(0.0, &norms, |_| vec![1.0; 3], &[true; 3]).weights();
        let weighted: Vec<f64> = weights.iter().zip(norms).map(|(w, n)| w * n).collect();
        assert!(weighted.iter().all(|g| (g / weighted[0] - 1.0).abs() < 0.1), "{weighted:?}");
        assert!((weights.iter().sum::<f64>() - 3.0).abs() < 1e-9, "{weights:?}");
    }

    /// A library's target is the mean rate for every task, which makes these weights equal.
    #[test]
    fn the_rate_is_each_objectives_own() {
        let losses = |step| if step == 0 { vec![1.0, 1.0] } else { vec![0.2, 0.8] };
        let weights = run(1.0, &[1.0, 1.0], losses, &[true; 2]).weights();
        // r = 0.4 and 1.6, and G_k = w_k: the targets are 0.4 and 1.6.
        assert!((weights[0] - 0.4).abs() < 0.05 && (weights[1] - 1.6).abs() < 0.05, "{weights:?}");
    }

    #[test]
    fn an_absent_objective_moves_nothing_of_its_own() {
        let balancer = run(1.5, &[1.0, 10.0, 5.0], |_| vec![1.0, 2.0, 0.0], &[true, true, false]);
        assert_ne!(balancer.log_weight[0], 0.0);
        assert_eq!((balancer.log_weight[2], balancer.count[2]), (0.0, 0.0));
        assert_eq!(balancer.adam.state()[2], 0.0);
    }

    #[test]
    fn one_objective_or_zero_gradients_leave_all_weights_at_one() {
        assert_eq!(run(1.5, &[3.0], |step| vec![1.0 / (1.0 + step as f64)], &[true]).weights(), [1.0]);
        assert_eq!(run(1.5, &[0.0, 0.0], |_| vec![1.0; 2], &[true; 2]).weights(), [1.0, 1.0]);
    }

    #[test]
    fn given_initial_losses_are_what_progress_is_measured_against() {
        let config = GradNormConfig { initial: vec![2.0, 4.0], ..GradNormConfig::default() };
        let mut balancer = GradNorm::new(2, config.clone()).unwrap();
        assert_eq!((balancer.progress(0, 1.0), balancer.progress(1, 1.0)), (Some(0.5), Some(0.25)));
        assert_eq!(GradNorm::new(3, config).unwrap_err().to_string(), "2 initial losses, expected 3");
    }

    #[test]
    fn a_restored_balancer_goes_on_to_the_bit() {
        let config = GradNormConfig { warmup: 4, ..GradNormConfig::default() };
        support::claims::goes_on_to_the_bit(|| GradNorm::new(3, config.clone()).unwrap());
    }
}
