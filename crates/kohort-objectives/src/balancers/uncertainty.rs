//! Uncertainty weighting (Kendall, Gal and Cipolla, "Multi-task learning using uncertainty to weigh losses", CVPR 2018).
//!
//! Each objective has a log-variance `s = ln σ²`; the total is `Σ a·e^{−s}·L + ½s` with `a = ½` for a regression and
//! `a = 1` for a classification. So its coefficient is `a·e^{−s}`: *more* uncertainty means *less* weight. With
//! `∂/∂s = −a·e^{−s}·L + ½`, the optimum for a constant loss is `e^{s} = 2aL`: a regression's variance is its MSE.
//!
//! Differences: `s` is learned here by its own Adam, not by the model's optimiser, so no tape is needed and the model's weight
//! decay can't touch it; it is held in [−6, 6], because a loss near zero would send the weight to infinity; an objective
//! without rows in a step leaves its `s` alone.

use super::support::{self, Adam, length, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// Which likelihood an objective's loss stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UncertaintyForm {
    /// Gaussian: `½·e^{−s}·L + ½s`.
    Regression,
    /// Softmax with temperature: `e^{−s}·L + ½s`.
    Classification,
}

/// Learned log-variances.
#[derive(Clone, Debug)]
pub struct Uncertainty {
    forms: Vec<UncertaintyForm>,
    log_variance: Vec<f64>,
    adam: Adam,
}

/// Settings of [`Uncertainty`].
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UncertaintyConfig {
    /// The likelihood of each objective's loss; all classification where empty, unless a system that knows its tasks fills it in. Both forms
    /// rest at the same weight, `1/(2L)`.
    #[serde(default)]
    pub forms: Vec<UncertaintyForm>,
    /// Adam's learning rate for `s`.
    #[serde(default = "default_rate")]
    pub rate: f64,
}

fn default_rate() -> f64 {
    0.01
}

impl UncertaintyConfig {
    /// With these settings.
    ///
    /// # Errors
    /// If there is not one form per objective, or the rate is not above 0.
    pub(super) fn build(&self, objectives: usize) -> Result<Uncertainty, ObjectiveError> {
        let forms = match self.forms.is_empty() {
            true => vec![UncertaintyForm::Classification; objectives],
            false => self.forms.clone(),
        };
        length("forms of uncertainty", forms.len(), objectives)?;
        let ok = self.rate > 0.0 && self.rate.is_finite();
        setting("uncertainty", "rate", self.rate, ok, "a finite number above 0")?;
        Ok(Uncertainty::new(forms, self.rate))
    }
}

const BOUND: f64 = 6.0;

impl Uncertainty {
    /// Starts at `s = 0`, with Adam's learning rate `rate` for `s`.
    pub fn new(forms: Vec<UncertaintyForm>, rate: f64) -> Uncertainty {
        let n = forms.len();
        Uncertainty { forms, log_variance: vec![0.0; n], adam: Adam::new(n, rate) }
    }

    /// The log-variances `s`, one per objective.
    pub fn log_variances(&self) -> &[f64] {
        &self.log_variance
    }
}

impl Balancer for Uncertainty {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let mut weights = Vec::with_capacity(self.forms.len());
        for (k, &loss) in seen.losses.iter().enumerate() {
            let a = match self.forms[k] {
                UncertaintyForm::Regression => 0.5,
                UncertaintyForm::Classification => 1.0,
            };
            let weight = a * (-self.log_variance[k]).exp();
            weights.push(weight);
            if !seen.present[k] {
                continue;
            }
            let moved = self.log_variance[k] - self.adam.step(k, 0.5 - weight * loss);
            self.log_variance[k] = moved.clamp(-BOUND, BOUND);
        }
        Coefficients::whole(weights)
    }

    fn state(&self) -> Vec<f64> {
        [&self.log_variance[..], &self.adam.state()].concat()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        let n = self.forms.len();
        support::state(state, 4 * n)?;
        self.log_variance.copy_from_slice(&state[..n]);
        self.adam.restore(&state[n..]);
        Ok(())
    }

    fn at_bound(&self, objective: usize) -> bool {
        self.log_variance[objective].abs() >= BOUND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_noise_levels_are_recovered() {
        use UncertaintyForm::{Classification, Regression};
        let mut balancer = Uncertainty::new(vec![Regression, Regression, Classification], 0.05);
        let planted = [0.25, 9.0, 1.4];
        for step in 0..3000 {
            balancer.coefficients(Seen { losses: &planted, present: &[true; 3], gram: None, step });
        }
        let variance: Vec<f64> = balancer.log_variances().iter().map(|s| s.exp()).collect();
        for (got, want) in variance.iter().zip([0.25, 9.0, 2.8]) {
            assert!((got / want - 1.0).abs() < 1e-3, "{variance:?}");
        }
    }

    #[test]
    fn a_loss_of_zero_leaves_the_weight_bounded() {
        let mut balancer = Uncertainty::new(vec![UncertaintyForm::Regression], 0.5);
        for step in 0..1000 {
            let weight =
                balancer.coefficients(Seen { losses: &[0.0], present: &[true], gram: None, step }).trunk[0];
            assert!(weight <= 0.5 * BOUND.exp());
        }
    }

    #[test]
    fn an_absent_objective_moves_nothing_of_its_own() {
        let mut balancer = Uncertainty::new(vec![UncertaintyForm::Regression; 2], 0.1);
        for step in 0..50 {
            balancer.coefficients(Seen { losses: &[0.8, 0.0], present: &[true, false], gram: None, step });
        }
        assert_ne!(balancer.log_variances()[0], 0.0);
        assert_eq!(balancer.log_variances()[1], 0.0);
    }

    #[test]
    fn a_restored_balancer_goes_on_to_the_bit() {
        let new = || Uncertainty::new(vec![UncertaintyForm::Regression; 2], 0.01);
        let (mut whole, mut first) = (new(), new());
        let seen = |step| Seen { losses: &[0.8, 2.0], present: &[true; 2], gram: None, step };
        for step in 0..20 {
            whole.coefficients(seen(step));
            if step < 10 {
                first.coefficients(seen(step));
            }
        }
        let mut second = new();
        second.restore(&first.state()).unwrap();
        for step in 10..20 {
            second.coefficients(seen(step));
        }
        assert_eq!(whole.state(), second.state());
        assert!(new().restore(&[0.0]).is_err());
    }
}
