//! The right answers to a synthetic data set.

use super::normal::distribution;
use crate::Interactions;

/// What was planted: for tests and ceilings, never for training.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Cohort of each user.
    pub cohort: Vec<u32>,
    /// Number of cohorts.
    pub cohorts: usize,
    /// Deviation of the noise in rating units, before rounding.
    pub noise: f64,
    pub(super) factors: usize,
    /// Base plus user bias, `[users]`.
    pub(super) user_level: Vec<f64>,
    /// Item bias, `[items]`.
    pub(super) item_level: Vec<f64>,
    /// Scaled user factors, `[users, factors]`.
    pub(super) user_factors: Vec<f64>,
    /// Item factors, `[items, factors]`.
    pub(super) item_factors: Vec<f64>,
}

impl Truth {
    /// The latent rating before noise, rounding and clipping; it may leave the scale.
    pub fn latent(&self, user: usize, item: usize) -> f64 {
        self.user_level[user] + self.item_level[item] + self.taste(user, item)
    }

    /// The part of the latent rating that neither user nor item alone explains.
    pub fn taste(&self, user: usize, item: usize) -> f64 {
        let p = &self.user_factors[user * self.factors..(user + 1) * self.factors];
        let q = &self.item_factors[item * self.factors..(item + 1) * self.factors];
        p.iter().zip(q).map(|(a, b)| a * b).sum()
    }

    /// The mean of the ratings this user would give this item, after noise, rounding and clipping: what no predictor
    /// can beat in squared error.
    pub fn expected(&self, user: usize, item: usize) -> f64 {
        expected(self.latent(user, item), self.noise)
    }

    /// RMSE of [`Truth::expected`] on rows: the floor for every model. Zero without rows.
    pub fn rmse(&self, rows: &Interactions) -> f64 {
        if rows.is_empty() {
            return 0.0;
        }
        let squares = (0..rows.len()).map(|row| {
            let expected = self.expected(rows.user[row] as usize, rows.item[row] as usize);
            (f64::from(rows.rating[row]) - expected).powi(2)
        });
        (squares.sum::<f64>() / rows.len() as f64).sqrt()
    }
}

/// E of x + noise · ε rounded and clipped to 1..5: 1 + Σ over k = 2..5 of P(x + noise · ε ≥ k − ½).
pub(super) fn expected(latent: f64, noise: f64) -> f64 {
    1.0 + [1.5, 2.5, 3.5, 4.5]
        .into_iter()
        .map(|step| match noise {
            0.0 => f64::from(latent >= step),
            _ => distribution((latent - step) / noise),
        })
        .sum::<f64>()
}
