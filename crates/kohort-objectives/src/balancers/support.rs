//! What several methods share: checks of settings and states, weights that average 1, and Adam for numbers that a
//! method learns by itself.

use super::Seen;
use crate::ObjectiveError;

/// `K·softmax(x)`, `[K]`: positive weights with mean 1.
pub(super) fn softmax(x: &[f64]) -> Vec<f64> {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = x.iter().map(|x| (x - top).exp()).collect();
    let mean = powers.iter().sum::<f64>() / x.len() as f64;
    powers.iter().map(|p| p / mean).collect()
}

/// A balancer of so many objectives was shown that many, or the caller mixed up two systems.
#[track_caller]
pub(super) fn agree(objectives: usize, seen: &Seen<'_>) {
    assert!(
        seen.losses.len() == objectives && seen.present.len() == objectives,
        "a balancer of {objectives} objectives was shown {} losses and {} presences",
        seen.losses.len(),
        seen.present.len()
    );
}

/// One setting's check: `ok` or an error that names it.
pub(super) fn setting(
    method: &'static str,
    field: &'static str,
    value: f64,
    ok: bool,
    expected: &'static str,
) -> Result<(), ObjectiveError> {
    if ok { Ok(()) } else { Err(ObjectiveError::Setting { method, field, value, expected }) }
}

/// A list with one entry per objective.
pub(super) fn length(what: &'static str, found: usize, expected: usize) -> Result<(), ObjectiveError> {
    if found == expected { Ok(()) } else { Err(ObjectiveError::Length { what, found, expected }) }
}

/// Weights that are finite and not negative.
pub(super) fn weights(what: &'static str, weights: &[f64]) -> Result<(), ObjectiveError> {
    match weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        Some(index) => Err(ObjectiveError::Weight { what, index, value: weights[index] }),
        None => Ok(()),
    }
}

/// A saved state of `expected` finite values.
pub(super) fn state(state: &[f64], expected: usize) -> Result<(), ObjectiveError> {
    if state.len() == expected && state.iter().all(|x| x.is_finite()) {
        return Ok(());
    }
    Err(ObjectiveError::State { what: format!("{} values, expected {expected} finite ones", state.len()) })
}

/// Adam (Kingma and Ba 2015) with β₁ = 0.9, β₂ = 0.999, and a step count per entry, so that what is absent waits.
#[derive(Clone, Debug)]
pub(super) struct Adam {
    rate: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: Vec<f64>,
}

impl Adam {
    pub(super) fn new(entries: usize, rate: f64) -> Adam {
        let zero = vec![0.0; entries];
        Adam { rate, mean: zero.clone(), square: zero.clone(), steps: zero }
    }

    /// How far entry `k` moves *down* for the gradient `g`.
    pub(super) fn step(&mut self, k: usize, g: f64) -> f64 {
        const BETA1: f64 = 0.9;
        const BETA2: f64 = 0.999;
        self.steps[k] += 1.0;
        self.mean[k] = BETA1 * self.mean[k] + (1.0 - BETA1) * g;
        self.square[k] = BETA2 * self.square[k] + (1.0 - BETA2) * g * g;
        let mean = self.mean[k] / (1.0 - BETA1.powf(self.steps[k]));
        let square = self.square[k] / (1.0 - BETA2.powf(self.steps[k]));
        self.rate * mean / (square.sqrt() + 1e-8)
    }

    /// Means, squares and step counts, `[3·entries]`.
    pub(super) fn state(&self) -> Vec<f64> {
        [&self.mean[..], &self.square, &self.steps].concat()
    }

    /// Takes up what [`Adam::state`] gave, of the right length.
    pub(super) fn restore(&mut self, state: &[f64]) {
        let n = self.mean.len();
        self.mean.copy_from_slice(&state[..n]);
        self.square.copy_from_slice(&state[n..2 * n]);
        self.steps.copy_from_slice(&state[2 * n..]);
    }
}

/// What tests of several methods do.
#[cfg(test)]
pub(super) mod claims {
    use super::super::{Balancer, Seen};

    /// Twenty steps in one go and in two with a checkpoint between them end alike, and a state that is too long is refused.
    pub(in super::super) fn goes_on_to_the_bit<B: Balancer>(new: impl Fn() -> B) {
        let (mut whole, mut first) = (new(), new());
        let see = |balancer: &mut B, step: u64| {
            let wave = (step as f64 * 0.7).sin();
            let gram = [1.0, 0.6 * wave, 0.1, 0.6 * wave, 2.0 + wave, -0.4, 0.1, -0.4, 0.5];
            let losses = [1.0 + 0.5 * wave, 2.0 / (1.0 + step as f64), 0.3];
            let present = [true, step % 3 != 1, true];
            balancer.coefficients(Seen { losses: &losses, present: &present, gram: Some(&gram), step })
        };
        for step in 0..20 {
            see(&mut whole, step);
            if step < 10 {
                see(&mut first, step);
            }
        }
        let mut second = new();
        second.restore(&first.state()).unwrap();
        for step in 10..20 {
            see(&mut second, step);
        }
        assert_eq!(whole.state(), second.state());
        assert_eq!(see(&mut whole, 20), see(&mut second, 20));
        assert!(new().restore(&vec![0.0; first.state().len() + 1]).is_err());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_weights_average_one_however_large_the_numbers() {
        for x in [vec![0.0; 3], vec![1e5, -1e5, 3.0], vec![2.0]] {
            let w = softmax(&x);
            assert!((w.iter().sum::<f64>() - x.len() as f64).abs() < 1e-12, "{w:?}");
        }
    }
}
