//! Random ratings with the mean and spread of the training ratings: the floor of every table.
//!
//! `score(u, i) ~ N(μ, σ²)`, with σ² the mean squared deviation (divided by n). The draw is named by seed, user and
//! item, so that a pair has one score, whichever order or company it is asked in.
//!
//! Source: Surprise's `NormalPredictor`, which draws anew at every call.

use kohort_data::{Queries, Train};
use kohort_random::stream;
use ndarray_rand::rand_distr::{Distribution, Normal};

use super::observed::{deviation, mean};
use super::{BaselineError, Scorer, score_each};

/// Mean and spread of the training ratings, and a seed.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    normal: Normal<f32>,
    seed: u64,
}

impl Random {
    /// Measures the training ratings.
    ///
    /// # Errors
    /// An empty training part.
    pub fn fit(train: &Train, seed: u64) -> Result<Random, BaselineError> {
        let ratings = &train.rows().rating;
        let mean = mean(ratings).ok_or(BaselineError::Empty { system: "random" })?;
        let spread = (deviation(ratings) as f32).min(f32::MAX);
        let normal = Normal::new(mean as f32, spread).expect("a spread is not negative, and was made finite");
        Ok(Random { normal, seed })
    }
}

impl Scorer for Random {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), user, item| {
            self.normal.sample(&mut stream(self.seed, "random baseline", &[user.into(), item.into()]))
        })
    }
}
