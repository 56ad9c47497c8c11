//! Damped user and item biases, fitted by alternating least squares.
//!
//! `score(u, i) = μ + b_u + b_i`, with μ the mean training rating. Ten times, each side is solved given the other:
//! `b_i = Σ_{u ∈ U_i} (r_ui − μ − b_u) / (λ_i + |U_i|)`, then `b_u = Σ_{i ∈ I_u} (r_ui − μ − b_i) / (λ_u + |I_u|)`.
//! A user or item that training never saw has bias 0.
//!
//! Source: Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", TKDD 4(1), 2010, section
//! 2.1, with the settings of Surprise's `BaselineOnly`. No difference but that biases are kept as f32 once fitted.

use kohort_data::{Queries, Train};
use serde::{Deserialize, Serialize};

use super::observed::{Lists, Observed};
use super::{BaselineError, Scorer, at_least, score_each};

const SYSTEM: &str = "bias";

/// Settings of [`Bias`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BiasConfig {
    /// Rounds of solving both sides.
    pub epochs: usize,
    /// λ_u: ratings of zero deviation that every user is taken to have given beforehand.
    pub damping_user: f64,
    /// λ_i: the same for items.
    pub damping_item: f64,
}

impl Default for BiasConfig {
    fn default() -> BiasConfig {
        BiasConfig { epochs: 10, damping_user: 15.0, damping_item: 10.0 }
    }
}

/// Mean, user biases and item biases.
#[derive(Clone, Debug)]
pub struct Bias {
    mean: f64,
    user: Vec<f32>,
    item: Vec<f32>,
}

impl Bias {
    /// Fits the biases.
    ///
    /// # Errors
    /// An empty training part; a damping that is negative or not finite.
    pub fn fit(train: &Train, config: &BiasConfig) -> Result<Bias, BaselineError> {
        Bias::solve(&Observed::new(SYSTEM, train)?, config)
    }

    pub(super) fn solve(observed: &Observed, config: &BiasConfig) -> Result<Bias, BaselineError> {
        at_least(SYSTEM, "damping_user", config.damping_user, 0.0, "0 or more")?;
        at_least(SYSTEM, "damping_item", config.damping_item, 0.0, "0 or more")?;
        let mut user = vec![0.0; observed.by_user.keys()];
        let mut item = vec![0.0; observed.by_item.keys()];
        for _ in 0..config.epochs {
            solve_side(&observed.by_item, observed.mean, config.damping_item, &user, &mut item);
            solve_side(&observed.by_user, observed.mean, config.damping_user, &item, &mut user);
        }
        let narrow = |wide: Vec<f64>| wide.into_iter().map(|b| b as f32).collect();
        Ok(Bias { mean: observed.mean, user: narrow(user), item: narrow(item) })
    }

    /// Mean training rating μ.
    pub fn mean(&self) -> f32 {
        self.mean as f32
    }

    /// b_u; 0 for a user without training rows.
    pub fn user(&self, user: u32) -> f32 {
        self.user.get(user as usize).copied().unwrap_or(0.0)
    }

    /// b_i; 0 for an item without training rows.
    pub fn item(&self, item: u32) -> f32 {
        self.item.get(item as usize).copied().unwrap_or(0.0)
    }

    /// μ + b_u + b_i.
    pub fn at(&self, user: u32, item: u32) -> f32 {
        (self.mean + f64::from(self.user(user)) + f64::from(self.item(item))) as f32
    }
}

fn solve_side(lists: &Lists, mean: f64, damping: f64, others: &[f64], biases: &mut [f64]) {
    for (key, bias) in biases.iter_mut().enumerate() {
        let (met, ratings) = lists.get(key);
        if met.is_empty() {
            continue;
        }
        let left: f64 =
            met.iter().zip(ratings).map(|(&o, &r)| f64::from(r) - mean - others[o as usize]).sum();
        *bias = left / (damping + met.len() as f64);
    }
}

impl Scorer for Bias {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), user, item| self.at(user, item))
    }
}
