//! Non-negative matrix factorisation on the observed ratings, by multiplicative steps.
//!
//! `score(u, i) = q_i·p_u`, with `p: [users, factors]`, `q: [items, factors]`, all of them 0 or more. Each epoch scores all
//! ratings, then scales every factor, user and item side from the same old values:
//! `p_uf *= Σ_{i ∈ I_u} q_if r_ui / (Σ_{i ∈ I_u} q_if score(u, i) + λ |I_u| p_uf)`, and likewise `q_if` over U_i.
//! This is gradient descent on `½ Σ ((r − score)² + λ|p_u|² + λ|q_i|²)` with the step size, one per number, at which the
//! negative part of the gradient cancels. A pair with a newcomer gets the mean training rating.
//!
//! Source: Luo, Zhou, Xia and Zhu, "An efficient non-negative matrix-factorization-based approach to collaborative
//! filtering for recommender systems", IEEE Transactions on Industrial Informatics 10(2), 2014; settings of Surprise's
//! `NMF`. Differences from it: f32 in place of f64, no biased variant, a factor whose denominator is 0 is left alone
//! (there, it becomes NaN), and negative ratings are refused, since they would make factors negative.

use kohort_data::{Queries, Train};
use kohort_random::stream;
use ndarray_rand::rand_distr::Uniform;
use serde::{Deserialize, Serialize};

use super::factors::{Table, dot};
use super::observed::{Lists, Observed};
use super::{BaselineError, Scorer, at_least, score_each};

const SYSTEM: &str = "nmf";

/// Settings of [`Nmf`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NmfConfig {
    /// Length of p_u and q_i.
    pub factors: usize,
    /// Passes over the ratings.
    pub epochs: usize,
    /// λ.
    pub regularisation: f32,
    /// Factors start uniformly between 0 and this.
    pub initial_high: f32,
}

impl Default for NmfConfig {
    fn default() -> NmfConfig {
        NmfConfig { factors: 15, epochs: 50, regularisation: 0.06, initial_high: 1.0 }
    }
}

/// Factors that are 0 or more.
#[derive(Clone, Debug)]
pub struct Nmf {
    mean: f32,
    known_user: Vec<bool>,
    known_item: Vec<bool>,
    users: Table,
    items: Table,
}

impl Nmf {
    /// Fits by `config.epochs` passes, from factors drawn with `seed`.
    ///
    /// # Errors
    /// An empty training part, a setting out of range, a negative rating, or a score that is no longer finite.
    pub fn fit(train: &Train, config: &NmfConfig, seed: u64) -> Result<Nmf, BaselineError> {
        at_least(SYSTEM, "factors", config.factors as f64, 1.0, "1 or more")?;
        at_least(SYSTEM, "regularisation", config.regularisation.into(), 0.0, "a finite number, 0 or more")?;
        let high = config.initial_high;
        at_least(SYSTEM, "initial_high", high.into(), f32::MIN_POSITIVE.into(), "a finite number above 0")?;
        if let Some(row) = train.rows().rating.iter().position(|&rating| rating < 0.0) {
            let rating = train.rows().rating[row];
            return Err(BaselineError::NegativeRating { system: SYSTEM, row, rating });
        }
        let observed = Observed::new(SYSTEM, train)?;
        let uniform = Uniform::new(0.0, high).expect("0 lies below a finite number above 0");
        let draw =
            |seen, purpose| Table::draw(config.factors, seen, uniform, &mut stream(seed, purpose, &[]));
        let (users, items) = (draw(&observed.by_user, "nmf users"), draw(&observed.by_item, "nmf items"));
        Nmf::descend(&observed, config, users, items)
    }

    pub(super) fn descend(
        observed: &Observed,
        config: &NmfConfig,
        mut users: Table,
        mut items: Table,
    ) -> Result<Nmf, BaselineError> {
        let width = users.row(0).len();
        let mut sums = Table::zeros(items.rows(), 2 * width);
        let mut own = vec![0.0f32; 2 * width];
        for epoch in 1..=config.epochs {
            let mut total = 0.0;
            sums.clear();
            for &user in &observed.arrival {
                let user = user as usize;
                let (met, ratings) = observed.by_user.get(user);
                let p = users.row_mut(user);
                own.fill(0.0);
                for (&item, &rating) in met.iter().zip(ratings) {
                    let q = items.row(item as usize);
                    let score = dot(p, q);
                    total += score;
                    add(&mut own, q, rating, score);
                    add(sums.row_mut(item as usize), p, rating, score);
                }
                rescale(p, &own, config.regularisation * met.len() as f32);
            }
            for item in 0..items.rows() {
                let met = observed.by_item.count(item as u32) as f32;
                rescale(items.row_mut(item), sums.row(item), config.regularisation * met);
            }
            if !total.is_finite() {
                return Err(BaselineError::Diverged { system: SYSTEM, epoch });
            }
        }
        let known = |lists: &Lists| (0..lists.keys()).map(|key| lists.count(key as u32) > 0).collect();
        Ok(Nmf {
            mean: observed.mean as f32,
            known_user: known(&observed.by_user),
            known_item: known(&observed.by_item),
            users,
            items,
        })
    }

    /// q_i·p_u, or the mean training rating where either side is a newcomer.
    pub fn at(&self, user: u32, item: u32) -> f32 {
        let known = |flags: &[bool], id: u32| flags.get(id as usize).copied().unwrap_or(false);
        if known(&self.known_user, user) && known(&self.known_item, item) {
            self.users.dot(user, &self.items, item)
        } else {
            self.mean
        }
    }
}

/// Adds `factors · rating` to the first half of `sums` and `factors · score` to the second.
fn add(sums: &mut [f32], factors: &[f32], rating: f32, score: f32) {
    let (numerator, denominator) = sums.split_at_mut(factors.len());
    for ((numerator, denominator), &factor) in numerator.iter_mut().zip(denominator).zip(factors) {
        *numerator += factor * rating;
        *denominator += factor * score;
    }
}

fn rescale(factors: &mut [f32], sums: &[f32], weight: f32) {
    let (numerator, denominator) = sums.split_at(factors.len());
    for ((factor, &numerator), &denominator) in factors.iter_mut().zip(numerator).zip(denominator) {
        let denominator = denominator + weight * *factor;
        if denominator > 0.0 {
            *factor *= numerator / denominator;
        }
    }
}

impl Scorer for Nmf {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), user, item| self.at(user, item))
    }
}
