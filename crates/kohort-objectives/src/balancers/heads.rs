//! What objectives' own parameters get, as a choice around any balancer. Papers differ: methods that weigh losses weigh heads along,
//! methods that combine gradients leave heads their own, and libraries mix the two. Each balancer has its paper's form; this
//! overrides it. Adam hides part of the difference, not all of it.

use serde::{Deserialize, Serialize};

use super::support::{length, weights};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// Coefficients of heads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadWeights {
    /// 1: each head follows its own loss.
    Own,
    /// Those of the trunk: whole losses are weighted.
    AsTrunk,
    /// These, one per objective.
    Fixed(Vec<f64>),
}

/// A balancer with another choice for heads.
pub struct WithHeads {
    inner: Box<dyn Balancer>,
    heads: HeadWeights,
}

impl WithHeads {
    /// `inner` with these coefficients for heads.
    ///
    /// # Errors
    /// If fixed ones are not one per objective, negative or not finite.
    pub fn over(
        inner: Box<dyn Balancer>,
        objectives: usize,
        heads: HeadWeights,
    ) -> Result<WithHeads, ObjectiveError> {
        if let HeadWeights::Fixed(fixed) = &heads {
            length("weights of heads", fixed.len(), objectives)?;
            weights("weight of head", fixed)?;
        }
        Ok(WithHeads { inner, heads })
    }
}

impl Balancer for WithHeads {
    fn wants(&self) -> Wants {
        self.inner.wants()
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let trunk = self.inner.coefficients(seen).trunk;
        let heads = match &self.heads {
            HeadWeights::Own => vec![1.0; trunk.len()],
            HeadWeights::AsTrunk => trunk.clone(),
            HeadWeights::Fixed(weights) => weights.clone(),
        };
        Coefficients { trunk, heads }
    }

    fn observe(&mut self, metrics: &[Option<f64>]) -> Result<(), ObjectiveError> {
        self.inner.observe(metrics)
    }

    fn listens(&self) -> bool {
        self.inner.listens()
    }

    fn state(&self) -> Vec<f64> {
        self.inner.state()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        self.inner.restore(state)
    }

    fn at_bound(&self, objective: usize) -> bool {
        self.inner.at_bound(objective)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fixed, Pcgrad};
    use super::*;

    #[test]
    fn each_choice_leaves_the_trunk_alone() {
        let gram = [1.0, -1.0, -1.0, 5.0];
        let seen = Seen { losses: &[1.0; 2], present: &[true; 2], gram: Some(&gram), step: 0 };
        let heads =
            |inner: Box<dyn Balancer>, heads| WithHeads::over(inner, 2, heads).unwrap().coefficients(seen);
        let surgery = Pcgrad::new(0).coefficients(seen).trunk;
        let whole = heads(Box::new(Pcgrad::new(0)), HeadWeights::AsTrunk);
        assert_eq!(whole, Coefficients::whole(surgery));
        let fixed = || Box::new(Fixed::new(vec![2.0, 3.0]).unwrap());
        let own = heads(fixed(), HeadWeights::Own);
        assert_eq!((own.trunk, own.heads), (vec![2.0, 3.0], vec![1.0, 1.0]));
        assert_eq!(heads(fixed(), HeadWeights::Fixed(vec![0.0, 4.0])).heads, [0.0, 4.0]);
    }

    #[test]
    fn bad_weights_are_named() {
        let error = |fixed| {
            WithHeads::over(Box::new(Pcgrad::new(0)), 2, HeadWeights::Fixed(fixed)).err().unwrap().to_string()
        };
        assert_eq!(error(vec![1.0]), "1 weights of heads, expected 2");
        assert_eq!(error(vec![1.0, -1.0]), "weight of head 1 is -1, expected a finite number of at least 0");
    }
}
