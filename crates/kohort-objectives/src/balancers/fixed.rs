//! Fixed weights: `L = Σ_k w_k·L_k`, heads included. DMTL's `L_rec + λ·L_profile` is `[1, λ]`.

use super::{Balancer, Coefficients, Seen, Wants, support};
use crate::ObjectiveError;

/// Weights that stay as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed(Vec<f64>);

impl Fixed {
    /// These weights, one per objective.
    ///
    /// # Errors
    /// If a weight is negative or not finite.
    pub fn new(weights: Vec<f64>) -> Result<Fixed, ObjectiveError> {
        support::weights("weight of objective", &weights)?;
        Ok(Fixed(weights))
    }
}

impl Balancer for Fixed {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, _: Seen<'_>) -> Coefficients {
        Coefficients::whole(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_weight_is_named() {
        assert_eq!(
            Fixed::new(vec![1.0, -0.5]).unwrap_err().to_string(),
            "weight of objective 1 is -0.5, expected a finite number of at least 0"
        );
    }
}
