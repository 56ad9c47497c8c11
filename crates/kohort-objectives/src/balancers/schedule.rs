//! Weights that follow a plan over steps, around any balancer: its coefficients, for trunk and heads, times `ω_k(t)`.
//!
//! PLE's own (Tang, Liu, Zhao and Gong, RecSys 2020) is `ω_k(t) = ω_{k,0}·γ_k^t` around [`Equal`](super::Equal). Around a method on losses a plan
//! shifts what that method chose; around one on gradients it gives up what the method guarantees where the plan's factors differ.

use serde::{Deserialize, Serialize};

use super::support::{length, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// A factor over steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Always this.
    Constant(f64),
    /// From `from` at step `start` in a straight line to `to` after `steps` more.
    #[serde(rename_all = "kebab-case")]
    Linear {
        /// Until `start`.
        from: f64,
        /// From `start + steps` on.
        to: f64,
        /// When it begins to move.
        #[serde(default)]
        start: u64,
        /// How long it moves.
        steps: u64,
    },
    /// The same along half a cosine, slow at both ends.
    #[serde(rename_all = "kebab-case")]
    Cosine {
        /// Until `start`.
        from: f64,
        /// From `start + steps` on.
        to: f64,
        /// When it begins to move.
        #[serde(default)]
        start: u64,
        /// How long it moves.
        steps: u64,
    },
    /// `ω_0·γ^t`, where t counts every `every` steps: an epoch's for PLE's form.
    #[serde(rename_all = "kebab-case")]
    Geometric {
        /// `ω_0`.
        initial: f64,
        /// `γ`.
        ratio: f64,
        /// Steps for which t stands still.
        every: u64,
    },
}

impl Schedule {
    /// The factor at a step.
    pub fn at(&self, step: u64) -> f64 {
        let share = |start: u64, steps: u64| match step.saturating_sub(start) {
            past if past >= steps => 1.0,
            past => past as f64 / steps as f64,
        };
        // Written so that both ends are exact.
        let between = |from: f64, to: f64, share: f64| from * (1.0 - share) + to * share;
        match *self {
            Schedule::Constant(value) => value,
            Schedule::Linear { from, to, start, steps } if step >= start => {
                between(from, to, share(start, steps))
            }
            Schedule::Cosine { from, to, start, steps } if step >= start => {
                between(from, to, 0.5 - 0.5 * (std::f64::consts::PI * share(start, steps)).cos())
            }
            Schedule::Linear { from, .. } | Schedule::Cosine { from, .. } => from,
            Schedule::Geometric { initial, ratio, every } => initial * ratio.powf((step / every) as f64),
        }
    }

    /// Whether every factor is finite and not negative.
    ///
    /// # Errors
    /// If one is not.
    pub fn check(&self) -> Result<(), ObjectiveError> {
        const EXPECTED: &str = "a finite number of at least 0";
        let weight = |field, value: f64| {
            setting("schedule", field, value, value >= 0.0 && value.is_finite(), EXPECTED)
        };
        match *self {
            Schedule::Constant(value) => weight("constant", value),
            Schedule::Linear { from, to, .. } | Schedule::Cosine { from, to, .. } => {
                weight("from", from)?;
                weight("to", to)
            }
            Schedule::Geometric { initial, ratio, every } => {
                weight("initial", initial)?;
                // Above 1 it would leave the finite numbers some day.
                setting("schedule", "ratio", ratio, (0.0..=1.1).contains(&ratio), "a number in [0, 1.1]")?;
                setting("schedule", "every", every as f64, every > 0, "at least 1 step")
            }
        }
    }
}

/// A balancer whose coefficients follow a plan.
pub struct Scheduled {
    inner: Box<dyn Balancer>,
    schedules: Vec<Schedule>,
}

impl Scheduled {
    /// `inner` under these plans, one per objective.
    ///
    /// # Errors
    /// If there is not one plan per objective, or one has a factor that is negative or not finite.
    pub fn over(
        inner: Box<dyn Balancer>,
        objectives: usize,
        schedules: Vec<Schedule>,
    ) -> Result<Scheduled, ObjectiveError> {
        length("schedules", schedules.len(), objectives)?;
        schedules.iter().try_for_each(Schedule::check)?;
        Ok(Scheduled { inner, schedules })
    }
}

impl Balancer for Scheduled {
    fn wants(&self) -> Wants {
        self.inner.wants()
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let mut coefficients = self.inner.coefficients(seen);
        for (k, schedule) in self.schedules.iter().enumerate() {
            // A plan's growth beyond all bounds ends here instead of in the gradients.
            let factor = schedule.at(seen.step).min(1e6);
            coefficients.trunk[k] *= factor;
            coefficients.heads[k] *= factor;
        }
        coefficients
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
    use super::super::Equal;
    use super::*;

    #[test]
    fn each_plan_starts_ends_and_passes_where_it_says() {
        let linear = Schedule::Linear { from: 1.0, to: 3.0, start: 10, steps: 4 };
        assert_eq!([0, 10, 11, 14, 99].map(|step| linear.at(step)), [1.0, 1.0, 1.5, 3.0, 3.0]);
        let cosine = Schedule::Cosine { from: 2.0, to: 0.0, start: 0, steps: 4 };
        let at = [0, 1, 2, 4, 9].map(|step| cosine.at(step));
        let want = [2.0, 1.0 + 0.5f64.sqrt(), 1.0, 0.0, 0.0];
        assert!(at.iter().zip(want).all(|(a, w)| (a - w).abs() < 1e-15), "{at:?}");
        let ple = Schedule::Geometric { initial: 0.8, ratio: 0.5, every: 10 };
        assert_eq!([0, 9, 10, 20].map(|step| ple.at(step)), [0.8, 0.8, 0.4, 0.2]);
        let at_once = Schedule::Linear { from: 1.0, to: 0.0, start: 5, steps: 0 };
        assert_eq!([4, 5].map(|step| at_once.at(step)), [1.0, 0.0]);
    }

    #[test]
    fn a_plan_multiplies_what_its_balancer_chose() {
        let plans =
            vec![Schedule::Constant(2.0), Schedule::Linear { from: 0.0, to: 1.0, start: 0, steps: 4 }];
        let mut balancer = Scheduled::over(Box::new(Equal), 2, plans).unwrap();
        let seen = Seen { losses: &[1.0; 2], present: &[true; 2], gram: None, step: 1 };
        assert_eq!(balancer.coefficients(seen), Coefficients::whole(vec![2.0, 0.25]));
    }

    #[test]
    fn bad_plans_are_named() {
        let error = |plan: Schedule| plan.check().unwrap_err().to_string();
        assert_eq!(
            error(Schedule::Constant(f64::NAN)),
            "schedule: constant is NaN, expected a finite number of at least 0"
        );
        assert_eq!(
            error(Schedule::Geometric { initial: 1.0, ratio: 0.9, every: 0 }),
            "schedule: every is 0, expected at least 1 step"
        );
        let few = Scheduled::over(Box::new(Equal), 2, vec![Schedule::Constant(1.0)]);
        assert_eq!(few.err().unwrap().to_string(), "1 schedules, expected 2");
    }
}
