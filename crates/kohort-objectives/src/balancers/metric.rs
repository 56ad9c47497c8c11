//! Metric-driven weights: a validation metric or a business target of each objective moves its weight. Ours.
//!
//! With target `T_k` and measured `m_k`, the shortfall is `h_k = (T_k − m_k)/|T_k|` where higher is better, and its negative where lower is.
//! Each call of [`observe`](Balancer::observe) that finds `h_k > raise` counts towards raising, one that finds `h_k < lower` towards
//! lowering, and one in between starts both counts anew. After `patience` in a row the weight is multiplied or divided by `1 + rate`,
//! within `[1/bound, bound]`, and the count starts anew. The band between `lower` and `raise` and the patience are the hysteresis: a noisy
//! metric at its target moves nothing. Coefficients are the weights divided by their mean.
//!
//! An objective without a measurement, because its cohort has no validation rows, keeps its weight and its count.

use serde::{Deserialize, Serialize};

use super::support::{self, agree, length, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// What an objective's metric should reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// At least this: AUC, revenue.
    AtLeast(f64),
    /// At most this: RMSE, complaints.
    AtMost(f64),
}

impl Target {
    fn value(self) -> f64 {
        match self {
            Target::AtLeast(value) | Target::AtMost(value) => value,
        }
    }

    fn shortfall(self, metric: f64) -> f64 {
        match self {
            Target::AtLeast(value) => (value - metric) / value.abs(),
            Target::AtMost(value) => (metric - value) / value.abs(),
        }
    }
}

/// Settings of [`MetricDriven`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricConfig {
    /// One per objective.
    pub targets: Vec<Target>,
    /// A weight's relative step.
    #[serde(default = "defaults::rate")]
    pub rate: f64,
    /// The relative shortfall above which a weight rises.
    #[serde(default = "defaults::raise")]
    pub raise: f64,
    /// The relative shortfall below which a weight falls: not above `raise`.
    #[serde(default)]
    pub lower: f64,
    /// How many measurements in a row it takes.
    #[serde(default = "defaults::patience")]
    pub patience: u32,
    /// The largest weight before division by the mean; the least is one over it.
    #[serde(default = "defaults::bound")]
    pub bound: f64,
}

mod defaults {
    pub(super) fn rate() -> f64 {
        0.2
    }
    pub(super) fn raise() -> f64 {
        0.01
    }
    pub(super) fn patience() -> u32 {
        2
    }
    pub(super) fn bound() -> f64 {
        10.0
    }
}

impl MetricConfig {
    /// These targets with the other settings at their defaults.
    pub fn new(targets: Vec<Target>) -> MetricConfig {
        MetricConfig {
            targets,
            rate: defaults::rate(),
            raise: defaults::raise(),
            lower: 0.0,
            patience: defaults::patience(),
            bound: defaults::bound(),
        }
    }
}

/// Weights that follow measurements.
#[derive(Clone, Debug)]
pub struct MetricDriven {
    config: MetricConfig,
    weight: Vec<f64>,
    /// Measurements in a row that ask for more (positive) or less (negative).
    streak: Vec<f64>,
}

impl MetricDriven {
    /// Starts with all weights at 1.
    ///
    /// # Errors
    /// If there is not one finite target other than 0 per objective, or a setting is out of range.
    pub fn new(objectives: usize, config: MetricConfig) -> Result<MetricDriven, ObjectiveError> {
        length("targets", config.targets.len(), objectives)?;
        for target in &config.targets {
            let value = target.value();
            let ok = value.is_finite() && value != 0.0;
            setting("metric", "target", value, ok, "a finite number other than 0")?;
        }
        let MetricConfig { rate, raise, lower, patience, bound, .. } = config;
        setting("metric", "rate", rate, rate > 0.0 && rate.is_finite(), "a finite number above 0")?;
        setting("metric", "raise", raise, raise.is_finite(), "a finite number")?;
        setting("metric", "lower", lower, lower <= raise, "a number not above raise")?;
        setting("metric", "patience", f64::from(patience), patience > 0, "at least 1")?;
        setting(
            "metric",
            "bound",
            bound,
            bound >= 1.0 && bound.is_finite(),
            "a finite number of at least 1",
        )?;
        Ok(MetricDriven { config, weight: vec![1.0; objectives], streak: vec![0.0; objectives] })
    }
}

impl Balancer for MetricDriven {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        agree(self.weight.len(), &seen);
        let mean = self.weight.iter().sum::<f64>() / self.weight.len() as f64;
        Coefficients::whole(self.weight.iter().map(|w| w / mean).collect())
    }

    fn observe(&mut self, metrics: &[Option<f64>]) -> Result<(), ObjectiveError> {
        length("metrics", metrics.len(), self.weight.len())?;
        let MetricConfig { rate, raise, lower, patience, bound, .. } = self.config;
        for (k, metric) in metrics.iter().enumerate() {
            // A metric that is undefined for a cohort says nothing.
            let Some(metric) = metric.filter(|m| m.is_finite()) else { continue };
            let shortfall = self.config.targets[k].shortfall(metric);
            self.streak[k] = match self.streak[k] {
                streak if shortfall > raise => streak.max(0.0) + 1.0,
                streak if shortfall < lower => streak.min(0.0) - 1.0,
                _ => 0.0,
            };
            if self.streak[k].abs() >= f64::from(patience) {
                let factor = if self.streak[k] > 0.0 { 1.0 + rate } else { 1.0 / (1.0 + rate) };
                self.weight[k] = (self.weight[k] * factor).clamp(1.0 / bound, bound);
                self.streak[k] = 0.0;
            }
        }
        Ok(())
    }

    fn listens(&self) -> bool {
        true
    }

    fn state(&self) -> Vec<f64> {
        [&self.weight[..], &self.streak].concat()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        let n = self.weight.len();
        support::state(state, 2 * n)?;
        self.weight.copy_from_slice(&state[..n]);
        self.streak.copy_from_slice(&state[n..]);
        Ok(())
    }

    fn at_bound(&self, objective: usize) -> bool {
        let (weight, bound) = (self.weight[objective], self.config.bound);
        weight >= bound || weight <= 1.0 / bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auc_and_rmse() -> MetricDriven {
        let targets = vec![Target::AtLeast(0.8), Target::AtMost(0.9)];
        MetricDriven::new(2, MetricConfig { raise: 0.02, lower: -0.02, ..MetricConfig::new(targets) })
            .unwrap()
    }

    #[test]
    fn what_misses_its_target_twice_weighs_more_and_what_beats_it_less() {
        let mut balancer = auc_and_rmse();
        balancer.observe(&[Some(0.7), Some(0.8)]).unwrap();
        assert_eq!(balancer.weight, [1.0, 1.0]);
        balancer.observe(&[Some(0.7), Some(0.8)]).unwrap();
        assert_eq!(balancer.weight, [1.2, 1.0 / 1.2]);
        let seen = Seen { losses: &[1.0; 2], present: &[true; 2], gram: None, step: 0 };
        let trunk = balancer.coefficients(seen).trunk;
        assert!((trunk[0] + trunk[1] - 2.0).abs() < 1e-12 && trunk[0] > trunk[1], "{trunk:?}");
    }

    #[test]
    fn a_noisy_metric_around_its_target_moves_nothing() {
        let mut balancer = auc_and_rmse();
        for step in 0..100 {
            // Within the band, with a lone outlier in each direction now and then.
            let noise = [0.01, -0.01, 0.05, 0.0, -0.05][step % 5];
            balancer.observe(&[Some(0.8 + noise), Some(0.9 - noise)]).unwrap();
        }
        assert_eq!(balancer.weight, [1.0, 1.0]);
    }

    #[test]
    fn an_objective_that_was_not_measured_keeps_weight_and_count() {
        let mut balancer = auc_and_rmse();
        balancer.observe(&[Some(0.5), None]).unwrap();
        balancer.observe(&[None, Some(f64::NAN)]).unwrap();
        assert_eq!((balancer.weight.clone(), balancer.streak.clone()), (vec![1.0, 1.0], vec![1.0, 0.0]));
        balancer.observe(&[Some(0.5), None]).unwrap();
        assert_eq!(balancer.weight, [1.2, 1.0]);
    }

    #[test]
    fn weights_stop_at_their_bounds_and_say_so() {
        let mut balancer = auc_and_rmse();
        for _ in 0..100 {
            balancer.observe(&[Some(0.1), Some(0.1)]).unwrap();
        }
        assert_eq!(balancer.weight, [10.0, 0.1]);
        assert!(balancer.at_bound(0) && balancer.at_bound(1));
    }

    #[test]
    fn a_restored_balancer_goes_on_to_the_bit() {
        let mut first = auc_and_rmse();
        first.observe(&[Some(0.1), Some(0.1)]).unwrap();
        let mut second = auc_and_rmse();
        second.restore(&first.state()).unwrap();
        for balancer in [&mut first, &mut second] {
            balancer.observe(&[Some(0.1), Some(0.1)]).unwrap();
        }
        assert_eq!(first.state(), second.state());
        assert_ne!(first.weight[0], 1.0);
    }

    #[test]
    fn bad_settings_are_named() {
        let config = MetricConfig { lower: 0.5, ..MetricConfig::new(vec![Target::AtLeast(1.0)]) };
        let error = MetricDriven::new(1, config.clone()).unwrap_err().to_string();
        assert_eq!(error, "metric: lower is 0.5, expected a number not above raise");
        assert_eq!(MetricDriven::new(2, config).unwrap_err().to_string(), "1 targets, expected 2");
        assert_eq!(auc_and_rmse().observe(&[None]).unwrap_err().to_string(), "1 metrics, expected 2");
    }
}
