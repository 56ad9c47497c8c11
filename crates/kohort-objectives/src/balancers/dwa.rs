//! Dynamic weight average (Liu, Johns and Davison, "End-to-end multi-task learning with attention", CVPR 2019).
//!
//! `r_k = L_k(t−1) / L_k(t−2)` with mean losses of the last two windows, `w_k = K·e^{r_k/T} / Σ_j e^{r_j/T}`: an objective
//! whose loss falls slowly weighs more. `T = 2` in the paper, whose window is an epoch; for the first two windows `w = 1`.
//!
//! Differences: a window is `period` steps, because a balancer counts steps; an objective's windows without a row don't count,
//! so its ratio is of the last two windows that had some; where a mean loss is not above 0, the ratio says nothing and is 1.

use serde::{Deserialize, Serialize};

use super::support::{self, agree, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// Settings of [`Dwa`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DwaConfig {
    /// `T`: large makes weights alike.
    pub temperature: f64,
    /// Steps of a window; the paper's form has the steps of an epoch.
    pub period: u64,
}

impl Default for DwaConfig {
    fn default() -> DwaConfig {
        DwaConfig { temperature: 2.0, period: 100 }
    }
}

/// Mean losses of the window that runs and of the two before it.
#[derive(Clone, Debug)]
pub struct Dwa {
    config: DwaConfig,
    window: u64,
    sum: Vec<f64>,
    count: Vec<f64>,
    last: Vec<f64>,
    before: Vec<f64>,
}

impl Dwa {
    /// Starts before the first window.
    ///
    /// # Errors
    /// If the temperature is not above 0, or the period is 0.
    pub fn new(objectives: usize, config: DwaConfig) -> Result<Dwa, ObjectiveError> {
        let DwaConfig { temperature, period } = config;
        let ok = temperature > 0.0 && temperature.is_finite();
        setting("dwa", "temperature", temperature, ok, "a finite number above 0")?;
        setting("dwa", "period", period as f64, period > 0, "at least 1 step")?;
        let zero = vec![0.0; objectives];
        Ok(Dwa {
            config,
            window: 0,
            sum: zero.clone(),
            count: zero.clone(),
            last: zero.clone(),
            before: zero,
        })
    }

    fn close_window(&mut self) {
        for k in 0..self.sum.len() {
            if self.count[k] > 0.0 {
                self.before[k] = self.last[k];
                self.last[k] = self.sum[k] / self.count[k];
                (self.sum[k], self.count[k]) = (0.0, 0.0);
            }
        }
    }
}

impl Balancer for Dwa {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        agree(self.sum.len(), &seen);
        if seen.step / self.config.period != self.window {
            self.close_window();
            self.window = seen.step / self.config.period;
        }
        for k in (0..self.sum.len()).filter(|&k| seen.present[k]) {
            self.sum[k] += seen.losses[k];
            self.count[k] += 1.0;
        }
        // 0 stands for a window that has not been yet.
        let ratio = |(&last, &before): (&f64, &f64)| match last / before {
            r if last > 0.0 && before > 0.0 && r.is_finite() => r / self.config.temperature,
            _ => 1.0 / self.config.temperature,
        };
        let ratios: Vec<f64> = self.last.iter().zip(&self.before).map(ratio).collect();
        Coefficients::whole(support::softmax(&ratios))
    }

    fn state(&self) -> Vec<f64> {
        [&[self.window as f64][..], &self.sum, &self.count, &self.last, &self.before].concat()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        let n = self.sum.len();
        support::state(state, 1 + 4 * n)?;
        self.window = state[0] as u64;
        let lists = [&mut self.sum, &mut self.count, &mut self.last, &mut self.before];
        for (list, saved) in lists.into_iter().zip(state[1..].chunks_exact(n.max(1))) {
            list.copy_from_slice(saved);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dwa(period: u64) -> Dwa {
        Dwa::new(2, DwaConfig { period, ..DwaConfig::default() }).unwrap()
    }

    #[test]
    fn weights_are_even_for_two_windows_and_then_favour_the_slow_one() {
        let mut dwa = dwa(2);
        let losses = [[4.0, 4.0], [2.0, 2.0], [1.0, 3.0], [0.5, 2.4], [0.1, 9.0]];
        let mut last = Vec::new();
        for (step, losses) in losses.iter().enumerate() {
            let seen = Seen { losses, present: &[true; 2], gram: None, step: step as u64 };
            last = dwa.coefficients(seen).trunk;
            if step < 4 {
                assert_eq!(last, [1.0, 1.0], "step {step}");
            }
        }
        // r = 0.75 / 3 and 2.7 / 3
        let (a, b) = ((0.25f64 / 2.0).exp(), (0.9f64 / 2.0).exp());
        assert!((last[0] - 2.0 * a / (a + b)).abs() < 1e-12 && last[1] > last[0], "{last:?}");
    }

    #[test]
    fn an_absent_objective_keeps_its_windows() {
        let mut dwa = dwa(1);
        for step in 0..9 {
            let seen = |present| Seen { losses: &[1.0, 2.0], present, gram: None, step };
            dwa.coefficients(seen(if step < 3 { &[true, true] } else { &[true, false] }));
        }
        assert_eq!((dwa.last[1], dwa.before[1]), (2.0, 2.0));
    }

    #[test]
    fn losses_at_zero_leave_finite_weights() {
        let mut dwa = dwa(1);
        for losses in [[1e-320, 0.0], [1.0, 0.0], [1.0, 5.0], [0.0, 1.0]] {
            let step = dwa.window + 1;
            let weights = dwa.coefficients(Seen { losses: &losses, present: &[true; 2], gram: None, step });
            assert!(weights.trunk.iter().all(|w| w.is_finite()), "{weights:?}");
        }
    }

    #[test]
    fn a_restored_balancer_goes_on_to_the_bit() {
        let config = DwaConfig { period: 3, ..DwaConfig::default() };
        support::claims::goes_on_to_the_bit(|| Dwa::new(3, config).unwrap());
    }

    #[test]
    fn bad_settings_are_named() {
        let error = |config| Dwa::new(2, config).unwrap_err().to_string();
        assert_eq!(
            error(DwaConfig { temperature: 0.0, ..DwaConfig::default() }),
            "dwa: temperature is 0, expected a finite number above 0"
        );
        assert_eq!(
            error(DwaConfig { period: 0, ..DwaConfig::default() }),
            "dwa: period is 0, expected at least 1 step"
        );
    }
}
