//! What the parts weigh: log loss 1, that of quantised embeddings λ, and each level what its own uncertainty says.

use kohort_objectives::{Balancer, Coefficients, ObjectiveError, Seen, Uncertainty, UncertaintyForm, Wants};

use super::config::{Config, LevelWeights};

/// Objectives before the levels: log loss, and that of quantised embeddings.
pub(super) const FIRST: usize = 2;

pub(super) struct LevelBalance {
    quantised: f64,
    levels: Levels,
}

enum Levels {
    Learned(Uncertainty),
    Fixed(f64),
}

impl LevelBalance {
    pub(super) fn new(config: &Config) -> LevelBalance {
        let depth = config.depth();
        let levels = match config.levels {
            LevelWeights::Learned(rate) => {
                Levels::Learned(Uncertainty::new(vec![UncertaintyForm::Regression; depth], rate))
            }
            LevelWeights::Fixed(weight) => Levels::Fixed(weight),
        };
        LevelBalance { quantised: config.quantised, levels }
    }
}

impl Balancer for LevelBalance {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let losses = &seen.losses[FIRST..];
        let mut weights = vec![1.0, self.quantised];
        match &mut self.levels {
            Levels::Fixed(weight) => weights.extend(losses.iter().map(|_| *weight)),
            Levels::Learned(levels) => {
                // A level no group of which has both labels, or that there is not yet, has a loss of exactly 0.
                let present: Vec<bool> = losses.iter().map(|&loss| loss != 0.0).collect();
                let seen = Seen { losses, present: &present, gram: None, step: seen.step };
                weights.extend(levels.coefficients(seen).trunk);
            }
        }
        Coefficients::whole(weights)
    }

    fn state(&self) -> Vec<f64> {
        match &self.levels {
            Levels::Learned(levels) => levels.state(),
            Levels::Fixed(_) => Vec::new(),
        }
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        match &mut self.levels {
            Levels::Learned(levels) => levels.restore(state),
            Levels::Fixed(_) if state.is_empty() => Ok(()),
            Levels::Fixed(_) => {
                Err(ObjectiveError::State { what: format!("{} values for fixed levels", state.len()) })
            }
        }
    }
}
