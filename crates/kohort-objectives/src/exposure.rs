//! Weights of rows by how often their item is shown: popular items fill the training rows and need not fill the loss.
//!
//! With `n` the number of training rows of a row's item:
//!
//! | kind | weight ∝ | source |
//! |---|---|---|
//! | inverse | `n^{−β}`, β ∈ [0, 1] | inverse popularity |
//! | log | `1 / (1 + ln n)` | the same, gentler at the head |
//! | ips | `1/π`, `π = max((n / n_max)^power, least)` | inverse propensity (Schnabel et al., "Recommendations as treatments", ICML 2016), clipped |
//!
//! All weights are brought to mean 1, so that none changes the learning rate on the side; those of `inverse` and `log` are held at ten
//! times the mean before. Under [`Denominator::Weight`](crate::Denominator::Weight) a batch's loss is divided by its sum of weights: with `ips` that is the
//! self-normalised estimator (Swaminathan and Joachims, NeurIPS 2015), whose errors do not grow with a few large weights.
//!
//! ```
//! use kohort_objectives::Exposure;
//!
//! let weights = Exposure::Inverse { beta: 0.5 }.weights(&[100, 100, 1, 100])?;
//! assert!(weights[2] / weights[0] > 9.9 && (weights.iter().sum::<f32>() - 4.0).abs() < 1e-5);
//! # Ok::<(), kohort_objectives::ObjectiveError>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::ObjectiveError;

/// Weights by exposure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Exposure {
    /// `n^{−β}`.
    Inverse {
        /// In [0, 1]; 0 weighs all rows alike.
        beta: f64,
    },
    /// `1 / (1 + ln n)`.
    Log,
    /// `1/π` of a propensity that is a power of the item's popularity, clipped from below.
    Ips {
        /// The power, in [0, 1]; 0.5 is common.
        power: f64,
        /// The smallest propensity, in (0, 1]; 0.01 to 0.1 are common.
        least: f64,
    },
}

/// Weights above so many times the mean are held there.
const CLIP: f64 = 10.0;

impl Exposure {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn check(&self) -> Result<(), ObjectiveError> {
        let named = |field, value, ok: bool, expected| match ok {
            true => Ok(()),
            false => Err(ObjectiveError::Setting { method: "exposure", field, value, expected }),
        };
        match *self {
            Exposure::Inverse { beta } => {
                named("beta", beta, (0.0..=1.0).contains(&beta), "a number in [0, 1]")
            }
            Exposure::Log => Ok(()),
            Exposure::Ips { power, least } => {
                named("power", power, (0.0..=1.0).contains(&power), "a number in [0, 1]")?;
                named("least", least, least > 0.0 && least <= 1.0, "a number above 0 and at most 1")
            }
        }
    }

    /// The weight of each row, from the number of training rows of its item, `[rows]`; mean 1. An item without rows counts as one with one.
    ///
    /// # Errors
    /// A setting out of range.
    pub fn weights(&self, rows_of_item: &[u32]) -> Result<Vec<f32>, ObjectiveError> {
        self.check()?;
        if rows_of_item.is_empty() {
            return Ok(Vec::new());
        }
        let counts: Vec<f64> = rows_of_item.iter().map(|&n| f64::from(n.max(1))).collect();
        let most = counts.iter().copied().fold(1.0, f64::max);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let mut weights: Vec<f64> = match *self {
            Exposure::Inverse { beta } => counts.iter().map(|n| n.powf(-beta)).collect(),
            Exposure::Log => counts.iter().map(|n| 1.0 / (1.0 + n.ln())).collect(),
            Exposure::Ips { power, least } => {
                counts.iter().map(|n| 1.0 / (n / most).powf(power).max(least)).collect()
            }
        };
        if !matches!(self, Exposure::Ips { .. }) {
            let limit = CLIP * mean(&weights);
            weights.iter_mut().for_each(|weight| *weight = weight.min(limit));
        }
        let mean = mean(&weights);
        Ok(weights.into_iter().map(|weight| (weight / mean) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [u32; 6] = [1, 10, 10, 100, 400, 0];

    #[test]
    fn each_kind_has_the_ratios_of_its_formula_and_mean_one() {
        let of = |kind: Exposure| {
            let weights = kind.weights(&ROWS).unwrap();
            assert!((weights.iter().sum::<f32>() / 6.0 - 1.0).abs() < 1e-6, "{weights:?}");
            assert_eq!(weights[0], weights[5], "an item without rows counts as one with one");
            move |a: usize, b: usize| f64::from(weights[a] / weights[b])
        };
        let inverse = of(Exposure::Inverse { beta: 0.5 });
        assert!((inverse(1, 3) - 10f64.sqrt()).abs() < 1e-5 && (inverse(3, 4) - 2.0).abs() < 1e-5);
        let log = of(Exposure::Log);
        assert!((log(0, 3) - (1.0 + 100f64.ln())).abs() < 1e-5);
        // Propensities 0.05, 0.158, 0.5, 1, the first clipped at 0.1.
        let ips = of(Exposure::Ips { power: 0.5, least: 0.1 });
        assert!((ips(0, 4) - 10.0).abs() < 1e-5 && (ips(3, 4) - 2.0).abs() < 1e-5);
        let even = of(Exposure::Inverse { beta: 0.0 });
        assert_eq!(even(0, 4), 1.0);
    }

    #[test]
    fn a_single_rare_item_is_held_at_ten_times_the_mean() {
        let mut rows = vec![10_000; 1_000];
        rows[7] = 1;
        let weights = Exposure::Inverse { beta: 1.0 }.weights(&rows).unwrap();
        // 10⁻⁴ of all others, 1 of its own: the mean is 0.0010999, and without the limit the ratio would be 10⁴.
        assert!((weights[7] / weights[0] - 109.99).abs() < 0.01, "{}", weights[7] / weights[0]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let message = |kind: Exposure| kind.weights(&[1]).unwrap_err().to_string();
        assert_eq!(
            message(Exposure::Inverse { beta: 1.5 }),
            "exposure: beta is 1.5, expected a number in [0, 1]"
        );
        assert_eq!(
            message(Exposure::Ips { power: 0.5, least: 0.0 }),
            "exposure: least is 0, expected a number above 0 and at most 1"
        );
        assert!(message(Exposure::Ips { power: f64::NAN, least: 0.1 }).contains("power is NaN"));
        assert!(Exposure::Log.weights(&[]).unwrap().is_empty());
    }
}
