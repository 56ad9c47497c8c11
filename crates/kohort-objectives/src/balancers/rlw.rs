//! Random loss weighting (Lin, Ye, Zhang and Tsang, "Reasonable effectiveness of random weighting", TMLR 2022): in each step
//! `w = softmax(z)` with `z_k ~ N(0, 1)`. A strong baseline that costs nothing: a method that does not beat it has found
//! no better weights, only other ones.
//!
//! Differences: the weights of the objectives that are present average 1 (the paper's sum to 1), so that neither the choice of
//! the method nor a batch with few objectives changes the learning rate. Numbers come from the stream (seed, "rlw", step), so
//! there is no state to save.

use kohort_core::random::{Stream, rand::Rng, stream};

use super::support::softmax;
use super::{Balancer, Coefficients, Seen, Wants};

/// Weights that are drawn anew in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rlw {
    seed: u64,
}

impl Rlw {
    /// Weights of this seed.
    pub fn new(seed: u64) -> Rlw {
        Rlw { seed }
    }
}

impl Balancer for Rlw {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let mut numbers = stream(self.seed, "rlw", &[seen.step]);
        // Everyone draws, so that a number does not depend on who else is there.
        let drawn: Vec<f64> = seen.losses.iter().map(|_| normal(&mut numbers)).collect();
        let present: Vec<usize> = (0..drawn.len()).filter(|&k| seen.present[k]).collect();
        let mut weights = vec![1.0; drawn.len()];
        let mixed = softmax(&present.iter().map(|&k| drawn[k]).collect::<Vec<f64>>());
        present.iter().zip(mixed).for_each(|(&k, w)| weights[k] = w);
        Coefficients::whole(weights)
    }
}

/// A standard normal number by Box and Muller's transform; `1 − u` keeps the logarithm off zero.
fn normal(stream: &mut Stream) -> f64 {
    let (u, v): (f64, f64) = (stream.random(), stream.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64, seed: u64, present: &[bool]) -> Vec<f64> {
        let losses = vec![1.0; present.len()];
        Rlw::new(seed).coefficients(Seen { losses: &losses, present, gram: None, step }).trunk
    }

    #[test]
    fn weights_are_those_of_seed_and_step_alone() {
        assert_eq!(at(7, 1, &[true; 4]), at(7, 1, &[true; 4]));
        assert_ne!(at(7, 1, &[true; 4]), at(8, 1, &[true; 4]));
        assert_ne!(at(7, 1, &[true; 4]), at(7, 2, &[true; 4]));
    }

    #[test]
    fn weights_of_those_present_average_one() {
        let weights = at(3, 5, &[true, false, true]);
        assert!((weights[0] + weights[2] - 2.0).abs() < 1e-12, "{weights:?}");
        assert_eq!(at(3, 5, &[false, true]), [1.0, 1.0]);
    }

    /// `ln(w_0/w_1) = z_0 − z_1 ~ N(0, 2)`; of 4000 draws the mean is within 0.1 (over 4 deviations), the variance within 0.2.
    #[test]
    fn log_ratios_of_weights_are_normal_with_variance_two() {
        let ratios: Vec<f64> = (0..4000)
            .map(|step| {
                let w = at(step, 11, &[true; 2]);
                (w[0] / w[1]).ln()
            })
            .collect();
        let mean = ratios.iter().sum::<f64>() / 4000.0;
        let variance = ratios.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / 4000.0;
        assert!(mean.abs() < 0.1 && (variance - 2.0).abs() < 0.2, "mean {mean}, variance {variance}");
    }
}
