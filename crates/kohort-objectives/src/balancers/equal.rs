//! Equal weights: `L = Σ_k L_k`, heads included. What every other method has to beat.

use super::{Balancer, Coefficients, Seen, Wants};

/// Weight 1 for each objective.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Equal;

impl Balancer for Equal {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        Coefficients::whole(vec![1.0; seen.losses.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_objective_has_weight_one() {
        let seen = Seen { losses: &[9.0, 0.0], present: &[true, false], gram: None, step: 3 };
        assert_eq!(Equal.coefficients(seen), Coefficients::whole(vec![1.0, 1.0]));
    }
}
