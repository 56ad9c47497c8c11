//! Biased matrix factorisation by stochastic gradient descent, known as "SVD" since the Netflix prize.
//!
//! `score(u, i) = μ + b_u + b_i + q_i·p_u`, with `p: [users, factors]`, `q: [items, factors]`. For each rating with
//! error `e = r_ui − score(u, i)`, from the values before the step:
//! `b_u += γ(e − λ b_u)`, `b_i += γ(e − λ b_i)`, `p_u += γ(e q_i − λ p_u)`, `q_i += γ(e p_u − λ q_i)`:
//! the gradient of `½e² + ½λ(b_u² + b_i² + |p_u|² + |q_i|²)`. Ratings come user by user, users in the order of their
//! first row, as in Surprise. For a user or item that training never saw, b and the factors are 0.
//!
//! Source: Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems", IEEE Computer 42(8),
//! 2009. Differences from Surprise's `SVD`: f32 in place of f64, one learning rate and one regularisation for all
//! parameters, our own random streams; given the same start, predictions agree to rounding.

use kohort_data::{Queries, Train};
use kohort_random::stream;
use ndarray_rand::rand_distr::Normal;
use serde::{Deserialize, Serialize};

use super::factors::{Table, dot, step};
use super::observed::Observed;
use super::{BaselineError, Scorer, at_least, score_each};

const SYSTEM: &str = "svd";

/// Settings of [`Svd`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SvdConfig {
    /// Length of p_u and q_i.
    pub factors: usize,
    /// Passes over the ratings.
    pub epochs: usize,
    /// γ.
    pub learning_rate: f32,
    /// λ.
    pub regularisation: f32,
    /// Standard deviation of the normal distribution around 0 that factors start from.
    pub initial_deviation: f32,
}

impl Default for SvdConfig {
    fn default() -> SvdConfig {
        SvdConfig {
            factors: 100,
            epochs: 20,
            learning_rate: 0.005,
            regularisation: 0.02,
            initial_deviation: 0.1,
        }
    }
}

impl SvdConfig {
    /// The distribution factors start from, once all settings are found to be in range.
    pub(super) fn start(&self, system: &'static str) -> Result<Normal<f32>, BaselineError> {
        at_least(system, "factors", self.factors as f64, 1.0, "1 or more")?;
        at_least(system, "learning_rate", self.learning_rate.into(), 0.0, "a finite number, 0 or more")?;
        at_least(system, "regularisation", self.regularisation.into(), 0.0, "a finite number, 0 or more")?;
        let deviation = self.initial_deviation;
        at_least(system, "initial_deviation", deviation.into(), 0.0, "a finite number, 0 or more")?;
        Ok(Normal::new(0.0, deviation).expect("a finite deviation of 0 or more was checked above"))
    }
}

/// Biases and factors.
#[derive(Clone, Debug)]
pub struct Svd {
    pub(super) mean: f32,
    pub(super) user_bias: Vec<f32>,
    pub(super) item_bias: Vec<f32>,
    pub(super) users: Table,
    pub(super) items: Table,
}

impl Svd {
    /// Fits by `config.epochs` passes, from factors drawn with `seed`.
    ///
    /// ```
    /// use kohort_data::{Interactions, Queries, Train};
    /// use kohort_models::baselines::{Scorer, svd::{Svd, SvdConfig}};
    ///
    /// let train = Train::new(Interactions {
    ///     user: vec![0, 0, 1],
    ///     item: vec![0, 1, 0],
    ///     rating: vec![5.0, 1.0, 5.0],
    ///     time: vec![0; 3],
    ///     users: 2,
    ///     items: 2,
    /// })?;
    /// let model = Svd::fit(&train, &SvdConfig { factors: 8, ..SvdConfig::default() }, 7)?;
    /// let scores = model.score(Queries { user: &[1, 1], item: &[0, 1], time: &[0, 0] });
    /// assert!(scores[0] > scores[1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// An empty training part, a setting out of range, or an error that is no longer finite.
    pub fn fit(train: &Train, config: &SvdConfig, seed: u64) -> Result<Svd, BaselineError> {
        let start = config.start(SYSTEM)?;
        let observed = Observed::new(SYSTEM, train)?;
        let users =
            Table::draw(config.factors, &observed.by_user, start, &mut stream(seed, "svd users", &[]));
        let items =
            Table::draw(config.factors, &observed.by_item, start, &mut stream(seed, "svd items", &[]));
        Svd::descend(&observed, config, users, items)
    }

    pub(super) fn descend(
        observed: &Observed,
        config: &SvdConfig,
        users: Table,
        items: Table,
    ) -> Result<Svd, BaselineError> {
        let mut model = Svd {
            mean: observed.mean as f32,
            user_bias: vec![0.0; observed.by_user.keys()],
            item_bias: vec![0.0; observed.by_item.keys()],
            users,
            items,
        };
        for epoch in 1..=config.epochs {
            let mut squares = 0.0;
            for &user in &observed.arrival {
                let user = user as usize;
                let (met, ratings) = observed.by_user.get(user);
                let p = model.users.row_mut(user);
                let pass =
                    Pass { mean: model.mean, rate: config.learning_rate, decay: config.regularisation };
                let bias = &mut model.user_bias[user];
                squares += pass.over(p, 1.0, bias, &mut model.items, &mut model.item_bias, met, ratings);
            }
            if !squares.is_finite() {
                return Err(BaselineError::Diverged { system: SYSTEM, epoch });
            }
        }
        Ok(model)
    }

    /// μ + b_u + b_i + q_i·p_u.
    pub fn at(&self, user: u32, item: u32) -> f32 {
        let user_bias = self.user_bias.get(user as usize).copied().unwrap_or(0.0);
        let item_bias = self.item_bias.get(item as usize).copied().unwrap_or(0.0);
        self.mean + user_bias + item_bias + self.users.dot(user, &self.items, item)
    }
}

impl Scorer for Svd {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), user, item| self.at(user, item))
    }
}

/// What the steps over one user's ratings have in common.
#[derive(Clone, Copy)]
pub(super) struct Pass {
    pub(super) mean: f32,
    pub(super) rate: f32,
    pub(super) decay: f32,
}

impl Pass {
    /// One step for each of a user's ratings; returns the sum of squared errors.
    ///
    /// `p` is the user's side of the inner product and moves by `speed` times the usual gradient.
    #[expect(clippy::too_many_arguments, reason = "both sides of the product, their biases and the ratings")]
    pub(super) fn over(
        self,
        p: &mut [f32],
        speed: f32,
        user_bias: &mut f32,
        items: &mut Table,
        item_bias: &mut [f32],
        met: &[u32],
        ratings: &[f32],
    ) -> f32 {
        let keep = 1.0 - self.rate * self.decay;
        let mut squares = 0.0;
        for (&item, &rating) in met.iter().zip(ratings) {
            let q = items.row_mut(item as usize);
            let bias = &mut item_bias[item as usize];
            let error = rating - (self.mean + *user_bias + *bias + dot(p, q));
            *user_bias = keep * *user_bias + self.rate * error;
            *bias = keep * *bias + self.rate * error;
            step(p, speed * self.rate * error, q, self.rate * error, keep);
            squares += error * error;
        }
        squares
    }
}
