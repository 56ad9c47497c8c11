//! Gap-driven weights: shrink how far the worst cohort lies behind the mean. Ours, from the Lagrangian of constrained training
//! (Cotter, Jiang and Sridharan, "Two-player games for efficient non-convex constrained optimization", ALT 2019).
//!
//! `min mean_k L_k` so that `x_k − mean_j x_j ≤ ε` for each objective k, where `x_k` is an average of its losses, less a reference where
//! one is given (its loss in a model of its own, because noise differs between cohorts). The multipliers go up the violation,
//! `λ_k ← clip(λ_k + η·(x_k − mean x − ε), 0, bound)`, and the Lagrangian's weights are `w_k = 1 + λ_k − mean_j λ_j`, at least 0. They average 1 where
//! none is cut. Unlike GroupDRO's, which keep growing, multipliers fall back to 0 once the gap is closed.
//!
//! The averages are `x ← 0.9·x + 0.1·L`, from an objective's first loss on. An objective that is absent keeps its average and its
//! multiplier, and one that was never seen is not part of the mean.

use serde::{Deserialize, Serialize};

use super::support::{self, agree, length, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// Settings of [`Gap`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GapConfig {
    /// `ε`: how far behind the mean is tolerated, in units of the loss.
    pub tolerance: f64,
    /// `η`.
    pub rate: f64,
    /// The largest multiplier.
    pub bound: f64,
    /// Loss that each objective can reach by itself; empty for 0.
    pub reference: Vec<f64>,
}

impl Default for GapConfig {
    fn default() -> GapConfig {
        GapConfig { tolerance: 0.0, rate: 0.05, bound: 10.0, reference: Vec::new() }
    }
}

/// Multipliers of the cohorts that lie behind.
#[derive(Clone, Debug)]
pub struct Gap {
    config: GapConfig,
    multiplier: Vec<f64>,
    average: Vec<f64>,
    /// 1 where there is an average.
    known: Vec<f64>,
}

const KEPT: f64 = 0.9;

impl Gap {
    /// Starts with all weights at 1.
    ///
    /// # Errors
    /// If a setting is out of range, or there is a reference and not one per objective.
    pub fn new(objectives: usize, mut config: GapConfig) -> Result<Gap, ObjectiveError> {
        let GapConfig { tolerance, rate, bound, ref mut reference } = config;
        let ok = tolerance >= 0.0 && tolerance.is_finite();
        setting("gap", "tolerance", tolerance, ok, "a finite number of at least 0")?;
        setting("gap", "rate", rate, rate > 0.0 && rate.is_finite(), "a finite number above 0")?;
        setting("gap", "bound", bound, bound > 0.0 && bound.is_finite(), "a finite number above 0")?;
        if reference.is_empty() {
            *reference = vec![0.0; objectives];
        }
        length("reference losses", reference.len(), objectives)?;
        for &loss in reference.iter() {
            setting("gap", "reference", loss, loss.is_finite(), "finite losses")?;
        }
        let zero = vec![0.0; objectives];
        Ok(Gap { config, multiplier: zero.clone(), average: zero.clone(), known: zero })
    }

    /// How far the worst objective lies behind the mean, in averages of losses less references.
    pub fn worst(&self) -> f64 {
        let mean = self.mean();
        let known = (0..self.known.len()).filter(|&k| self.known[k] > 0.0);
        known.map(|k| self.average[k] - mean).fold(0.0, f64::max)
    }

    fn mean(&self) -> f64 {
        self.average.iter().sum::<f64>() / self.known.iter().sum::<f64>().max(1.0)
    }
}

impl Balancer for Gap {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let n = self.multiplier.len();
        agree(n, &seen);
        for k in (0..n).filter(|&k| seen.present[k]) {
            let loss = seen.losses[k] - self.config.reference[k];
            self.average[k] =
                if self.known[k] > 0.0 { KEPT * self.average[k] + (1.0 - KEPT) * loss } else { loss };
            self.known[k] = 1.0;
        }
        let mean = self.mean();
        for k in (0..n).filter(|&k| seen.present[k]) {
            let violation = self.average[k] - mean - self.config.tolerance;
            let moved = self.multiplier[k] + self.config.rate * violation;
            self.multiplier[k] = moved.clamp(0.0, self.config.bound);
        }
        let shared = self.multiplier.iter().sum::<f64>() / n as f64;
        Coefficients::whole(self.multiplier.iter().map(|m| (1.0 + m - shared).max(0.0)).collect())
    }

    fn state(&self) -> Vec<f64> {
        [&self.multiplier[..], &self.average, &self.known].concat()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        let n = self.multiplier.len();
        support::state(state, 3 * n)?;
        self.multiplier.copy_from_slice(&state[..n]);
        self.average.copy_from_slice(&state[n..2 * n]);
        self.known.copy_from_slice(&state[2 * n..]);
        Ok(())
    }

    fn at_bound(&self, objective: usize) -> bool {
        self.multiplier[objective] >= self.config.bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(tolerance: f64) -> Gap {
        Gap::new(2, GapConfig { tolerance, ..GapConfig::default() }).unwrap()
    }

    fn see(balancer: &mut Gap, losses: &[f64], present: &[bool]) -> Vec<f64> {
        balancer.coefficients(Seen { losses, present, gram: None, step: 0 }).trunk
    }

    #[test]
    fn who_lies_behind_gains_weight_and_gives_it_back_once_the_gap_is_closed() {
        let mut balancer = gap(0.1);
        let mut weights = Vec::new();
        for _ in 0..50 {
            weights = see(&mut balancer, &[1.0, 2.0], &[true; 2]);
        }
        // λ_1 = 50·0.05·(0.5 − 0.1) = 1
        assert!((weights[0] - 0.5).abs() < 1e-9 && (weights[1] - 1.5).abs() < 1e-9, "{weights:?}");
        for _ in 0..500 {
            weights = see(&mut balancer, &[1.0, 1.0], &[true; 2]);
        }
        assert_eq!(weights, [1.0, 1.0]);
    }

    #[test]
    fn a_gap_within_tolerance_moves_nothing() {
        let mut balancer = gap(0.6);
        for _ in 0..50 {
            assert_eq!(see(&mut balancer, &[1.0, 2.0], &[true; 2]), [1.0, 1.0]);
        }
        assert!((balancer.worst() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_cohort_that_is_harder_by_nature_is_measured_against_its_reference() {
        let config = GapConfig { reference: vec![1.0, 2.0], ..GapConfig::default() };
        let mut balancer = Gap::new(2, config).unwrap();
        assert_eq!(see(&mut balancer, &[1.5, 2.5], &[true; 2]), [1.0, 1.0]);
    }

    #[test]
    fn an_absent_objective_moves_nothing_of_its_own() {
        let mut balancer = gap(0.0);
        see(&mut balancer, &[1.0, 2.0], &[true; 2]);
        let before = (balancer.multiplier[1], balancer.average[1]);
        for _ in 0..50 {
            see(&mut balancer, &[3.0, 0.0], &[true, false]);
        }
        assert_eq!((balancer.multiplier[1], balancer.average[1]), before);
        let mut alone = gap(0.0);
        assert_eq!(see(&mut alone, &[3.0, 0.0], &[true, false]), [1.0, 1.0]);
    }

    #[test]
    fn a_restored_balancer_goes_on_to_the_bit() {
        support::claims::goes_on_to_the_bit(|| Gap::new(3, GapConfig::default()).unwrap());
    }
}
