//! Gradient vaccine (Wang, Tsvetkov, Firat and Cao, "Gradient vaccine: investigating and improving multi-task optimization in
//! massively multilingual models", ICLR 2021).
//!
//! PCGrad acts on negative cosines only; this method has a target `φ̂_ij` for each pair, an average of past cosines. A copy `x` of `g_i`
//! goes through the others j in random order: with `φ = cos(x, g_j)`, where `φ < φ̂_ij`,
//! `x ← x + ‖x‖·(φ̂·√(1−φ²) − φ·√(1−φ̂²)) / (‖g_j‖·√(1−φ̂²)) · g_j`, after which `cos(x, g_j) = φ̂`. Then, in either case,
//! `φ̂_ij ← (1−β)·φ̂_ij + β·φ`. The update is the sum of copies.
//!
//! Differences: `φ̂` is held in [−0.95, 0.95], because the formula's denominator vanishes at 1. A library moves the target only where
//! `φ < φ̂`, so that from 0 it can never rise; here it rises, as in the paper's algorithm 1. One target for all shared
//! parameters, not one per layer. Orders come from the stream (seed, "gradvac", step).

use kohort_core::random::{permutation, stream};
use serde::{Deserialize, Serialize};

use super::gram::Live;
use super::support::{self, agree, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// Settings of [`GradVac`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradVacConfig {
    /// `β`: how fast a target follows the cosines.
    pub beta: f64,
}

impl Default for GradVacConfig {
    fn default() -> GradVacConfig {
        GradVacConfig { beta: 0.01 }
    }
}

/// A target cosine for each ordered pair.
#[derive(Clone, Debug)]
pub struct GradVac {
    beta: f64,
    seed: u64,
    objectives: usize,
    target: Vec<f64>,
}

const BOUND: f64 = 0.95;

impl GradVac {
    /// Starts with all targets at 0, which is PCGrad.
    ///
    /// # Errors
    /// If `beta` is not in [0, 1].
    pub fn new(objectives: usize, config: GradVacConfig, seed: u64) -> Result<GradVac, ObjectiveError> {
        let beta = config.beta;
        setting("grad-vac", "beta", beta, (0.0..=1.0).contains(&beta), "a number in [0, 1]")?;
        Ok(GradVac { beta, seed, objectives, target: vec![0.0; objectives * objectives] })
    }

    /// Target cosines, `[objectives, objectives]`.
    pub fn targets(&self) -> &[f64] {
        &self.target
    }
}

impl Balancer for GradVac {
    fn wants(&self) -> Wants {
        Wants::Gram
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        agree(self.objectives, &seen);
        let live = Live::of(&seen);
        let gram = &live.gram;
        let mut numbers = stream(self.seed, "gradvac", &[seen.step]);
        let mut sum = vec![0.0; gram.n];
        for of in 0..self.objectives {
            let order = permutation(self.objectives, &mut numbers);
            let Ok(i) = live.index.binary_search(&of) else { continue };
            let mut c = vec![0.0; gram.n];
            c[i] = 1.0;
            // x·g_j for each j, kept along with x: ‖x‖² costs no square then.
            let mut products: Vec<f64> = (0..gram.n).map(|j| gram.at(i, j)).collect();
            for &other in order.iter().filter(|&&other| other as usize != of) {
                let Ok(j) = live.index.binary_search(&(other as usize)) else { continue };
                let target = &mut self.target[of * self.objectives + other as usize];
                let length = c.iter().zip(&products).map(|(c, p)| c * p).sum::<f64>().max(0.0).sqrt();
                if length == 0.0 {
                    continue;
                }
                let cosine = (products[j] / (length * gram.norm(j))).clamp(-1.0, 1.0);
                if cosine < *target {
                    let sine = (1.0 - *target * *target).sqrt();
                    let pull = *target * (1.0 - cosine * cosine).sqrt() - cosine * sine;
                    let added = length * pull / (gram.norm(j) * sine);
                    c[j] += added;
                    products.iter_mut().enumerate().for_each(|(k, p)| *p += added * gram.at(j, k));
                }
                *target = ((1.0 - self.beta) * *target + self.beta * cosine).clamp(-BOUND, BOUND);
            }
            sum.iter_mut().zip(c).for_each(|(s, c)| *s += c);
        }
        Coefficients { trunk: live.spread(&sum), heads: vec![1.0; self.objectives] }
    }

    fn state(&self) -> Vec<f64> {
        self.target.clone()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        support::state(state, self.target.len())?;
        self.target.copy_from_slice(state);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(balancer: &mut GradVac, gram: &[f64], present: &[bool], step: u64) -> Vec<f64> {
        let losses = vec![1.0; present.len()];
        balancer.coefficients(Seen { losses: &losses, present, gram: Some(gram), step }).trunk
    }

    #[test]
    fn targets_of_zero_are_pcgrad() {
        let mut vaccine = GradVac::new(2, GradVacConfig { beta: 0.0 }, 1).unwrap();
        let trunk = see(&mut vaccine, &[1.0, -1.0, -1.0, 5.0], &[true; 2], 0);
        assert!((trunk[0] - 2.0).abs() < 1e-12 && (trunk[1] - 1.2).abs() < 1e-12, "{trunk:?}");
    }

    #[test]
    fn pairs_that_agree_raise_their_target_and_a_lesser_cosine_is_lifted_to_it() {
        let mut vaccine = GradVac::new(2, GradVacConfig { beta: 0.1 }, 1).unwrap();
        for step in 0..200 {
            assert_eq!(see(&mut vaccine, &[1.0, 0.8, 0.8, 1.0], &[true; 2], step), [1.0, 1.0]);
        }
        assert!((vaccine.targets()[1] - 0.8).abs() < 1e-6, "{:?}", vaccine.targets());
        // Orthogonal unit gradients: each copy is (1, x) with cosine 0.8 to the other, so x = 0.8 / 0.6.
        let trunk = see(&mut vaccine, &[1.0, 0.0, 0.0, 1.0], &[true; 2], 200);
        assert!((trunk[0] - 1.0 - 0.8 / 0.6).abs() < 1e-6 && trunk[0] == trunk[1], "{trunk:?}");
    }

    #[test]
    fn an_absent_objective_keeps_its_targets_and_parallel_gradients_stay_finite() {
        let mut vaccine = GradVac::new(2, GradVacConfig { beta: 0.5 }, 1).unwrap();
        for step in 0..100 {
            see(&mut vaccine, &[1.0, 0.5, 0.5, 1.0], &[true, false], step);
        }
        assert_eq!(vaccine.targets(), [0.0; 4]);
        for step in 0..100 {
            see(&mut vaccine, &[1.0, 1.0, 1.0, 1.0], &[true; 2], step);
        }
        let trunk = see(&mut vaccine, &[1.0, -1.0, -1.0, 1.0], &[true; 2], 100);
        assert!(trunk.iter().all(|c| c.is_finite()), "{trunk:?}");
    }

    #[test]
    fn a_restored_balancer_goes_on_to_the_bit() {
        let config = GradVacConfig { beta: 0.2 };
        support::claims::goes_on_to_the_bit(|| GradVac::new(3, config, 4).unwrap());
    }
}
