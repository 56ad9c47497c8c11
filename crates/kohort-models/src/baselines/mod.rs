//! The classical rating models that every new system has to beat: one file each, all behind [`Scorer`].
//!
//! | File | Systems |
//! |---|---|
//! | [`random`], [`mean`], [`popularity`] | the floors |
//! | [`bias`] | damped user and item biases by alternating least squares |
//! | [`svd`], [`svdpp`], [`nmf`] | matrix factorisation, with implicit feedback, with factors that stay positive |
//! | [`slope_one`], [`knn`] | item deviations and neighbourhoods |
//!
//! Forms and default settings are those of scikit-surprise (Hug, "Surprise: A Python library for recommender
//! systems", JOSS 2020), so that its published tables are golden values; each file says where it departs. Fits see a
//! [`Train`](kohort_data::Train) and nothing else. Scores are raw: they may leave the rating scale, and ranking uses them as they are;
//! [`predict`] clips them for RMSE and MAE.
//!
//! ```
//! use kohort_data::{Interactions, Queries, Scale, Train};
//! use kohort_models::baselines::{predict, registry};
//!
//! let train = Train::new(Interactions {
//!     user: vec![0, 0, 1, 1],
//!     item: vec![0, 1, 0, 2],
//!     rating: vec![5.0, 3.0, 4.0, 1.0],
//!     time: vec![0; 4],
//!     users: 2,
//!     items: 3,
//! })?;
//! let scale = Scale { low: 1.0, high: 5.0 };
//! for entry in registry() {
//!     let model = (entry.fit)(&train, 7)?;
//!     let queries = Queries { user: &[0, 1], item: &[2, 1], time: &[0, 0] };
//!     match predict(model.as_ref(), queries, scale) {
//!         Some(ratings) => assert!(ratings.iter().all(|r| (1.0..=5.0).contains(r))),
//!         None => assert_eq!(entry.name, "popularity"),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bias;
mod factors;
pub mod knn;
pub mod mean;
pub mod nmf;
mod observed;
mod pairs;
pub mod popularity;
pub mod random;
mod registry;
pub mod slope_one;
pub mod svd;
pub mod svdpp;
#[cfg(test)]
mod tests;

use kohort_data::{Queries, Scale};
use rayon::prelude::*;

pub use registry::{Entry, Fit, registry};

/// A fitted model that gives each (user, item) pair a number, higher for what the user should like better.
pub trait Scorer: Send + Sync {
    /// Raw scores of the queries, `[queries]`, in their order; not clipped to the rating scale.
    ///
    /// A pair's score does not depend on the other queries. Ids that training never saw get the model's answer for
    /// a newcomer, also when they lie beyond the ids training knew; nothing panics.
    fn score(&self, queries: Queries<'_>) -> Vec<f32>;

    /// Whether scores estimate ratings; where not, they only order items, and RMSE or MAE would mean nothing.
    fn rates(&self) -> bool {
        true
    }
}

/// Predicted ratings `[queries]`, clipped to the scale as Surprise does; `None` where the model does not rate.
pub fn predict(model: &dyn Scorer, queries: Queries<'_>, scale: Scale) -> Option<Vec<f32>> {
    let clip = |score: f32| score.max(scale.low).min(scale.high);
    model.rates().then(|| model.score(queries).into_iter().map(clip).collect())
}

/// Why a baseline could not be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// There is nothing to learn from.
    #[error("{system}: the training part has no rows")]
    Empty {
        /// The baseline.
        system: &'static str,
    },
    /// A setting outside its range.
    #[error("{system}: {key} = {value}, allowed is {allowed}")]
    Setting {
        /// The baseline.
        system: &'static str,
        /// The field of its config.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A rating that the model has no meaning for.
    #[error("{system}: training row {row} has rating {rating}, allowed is 0 or more")]
    NegativeRating {
        /// The baseline.
        system: &'static str,
        /// Row of the training part, counted from 0.
        row: usize,
        /// Its rating.
        rating: f32,
    },
    /// A square table over users or items would not fit in memory.
    #[error("{system}: a table of all pairs of {count} {of} is too large, allowed are {most}")]
    TooMany {
        /// The baseline.
        system: &'static str,
        /// Users or items.
        of: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// Gradient descent left the finite numbers.
    #[error("{system}: the training error is not finite in epoch {epoch}; a lower learning rate may help")]
    Diverged {
        /// The baseline.
        system: &'static str,
        /// Epoch, counted from 1.
        epoch: usize,
    },
}

/// Refuses a setting that is not a finite number from `least` up.
fn at_least(
    system: &'static str,
    key: &'static str,
    value: f64,
    least: f64,
    allowed: &'static str,
) -> Result<(), BaselineError> {
    if value.is_finite() && value >= least {
        return Ok(());
    }
    Err(BaselineError::Setting { system, key, value, allowed })
}

/// Scores every query by itself, in parallel over fixed chunks; `S` is memory that one chunk's queries share.
pub(crate) fn score_each<S: Default>(
    queries: Queries<'_>,
    score: impl Fn(&mut S, u32, u32) -> f32 + Sync,
) -> Vec<f32> {
    const CHUNK: usize = 1024;
    let mut scores = vec![0.0; queries.user.len().min(queries.item.len())];
    scores
        .par_chunks_mut(CHUNK)
        .zip(queries.user.par_chunks(CHUNK))
        .zip(queries.item.par_chunks(CHUNK))
        .for_each(|((scores, users), items)| {
            let mut shared = S::default();
            for ((out, &user), &item) in scores.iter_mut().zip(users).zip(items) {
                *out = score(&mut shared, user, item);
            }
        });
    scores
}
