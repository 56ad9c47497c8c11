//! Vectors of titles and users from the training rows alone, for towers that take them as given.
//!
//! Stand-ins where there is no text and no profile: a truncated SVD of the weighted training matrix. With `x_ui = 1` for a
//! training pair and 0 otherwise, `n_u` and `n_i` the numbers of pairs of a user and an item, and powers p, q:
//!
//! `M_ui = n_u^(−p) · n_i^(−q) · x_ui ≈ U·diag(σ)·Vᵀ`, `[users, items]`
//!
//! | Vectors | Value |
//! |---|---|
//! | [`titles`](Inputs::titles) `[items, 768]` | `t_i = α · V_i · diag(σ^a)`, or that over its length ([`Config::unit_titles`]) |
//! | [`factors`](Inputs::factors) `[items, 512]` | `f_i = β · n_i^(−q) · V_i · diag(σ^b)`, its leading columns |
//!
//! A user is folded in: `Σ_{j ∈ h(u)} f_j / √|h(u)|`, so that one who is new to the matrix, or a training row whose own
//! item is left out of the history, gets a vector by the same rule
//! ([`UserInput::Folded`](crate::towers::UserInput::Folded)). With b = 0 that is row u of `U·diag(σ)` up to a factor of the
//! user. α and β make entries of the size [`Config::scale`] on average: the root of the mean square over items that have a pair, and
//! over the folded vectors of users that have one. Columns beyond the rank of the matrix are zero, and so are rows of items
//! that training never saw.
//!
//! **What they know.** Of held-out rows nothing. Of training rows all of them: the decomposition has seen the pair of the row
//! that a tower learns from, so `t_i` and `f_j` lean a little towards training pairs, as id embeddings do. Folding leaves the
//! row's own `f_i` out of the sum, not the row out of the decomposition.
//!
//! Source: Cremonesi, Koren and Turrin, "Performance of recommender algorithms on top-N recommendation tasks", RecSys 2010
//! (PureSVD, folding in). Powers of counts and of singular values: Levy, Goldberg and Dagan, "Improving distributional
//! similarity with lessons learned from word embeddings", TACL 3, 2015, and Nikolakopoulos, Kalantzis, Gallopoulos and
//! Garofalakis, "EigenRec: generalizing PureSVD for effective and efficient top-N recommendations", KAIS 58, 2019. The
//! decomposition is [`kohort_core::svd`].
//!
//! ```
//! use kohort_data::{Way, synthetic::Recipe};
//! use kohort_models::inputs::{Config, of_train};
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1)?;
//! let inputs = of_train(&split.train, &Config { titles: 16, factors: 8, ..Config::default() }, 1)?;
//! assert_eq!((inputs.titles.rows(), inputs.titles.width()), (data.items.len(), 16));
//! assert_eq!((inputs.factors.rows(), inputs.factors.width()), (data.items.len(), 8));
//! assert!(inputs.values[0] >= inputs.values[15]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod matrix;
#[cfg(test)]
mod tests;

use kohort_core::svd::{Effort, truncated};
use kohort_data::{Train, Vectors};
use serde::{Deserialize, Serialize};

use crate::ModelError;
use matrix::Weighted;

/// Settings of [`of_train`]. The default was chosen on XMarket's validation items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// p: how much a pair of a user with many pairs counts less; 0 leaves the matrix binary, ½ gives users equal length.
    pub user_power: f64,
    /// q: how much a pair of an item with many pairs counts less.
    pub item_power: f64,
    /// Width of the title vectors, 1 to 8192.
    pub titles: usize,
    /// Width of the item factors, 1 to 8192.
    pub factors: usize,
    /// a: power of the singular values in the title vectors; 0 leaves all directions equal.
    pub title_values: f64,
    /// b: the same in the item factors.
    pub factor_values: f64,
    /// Whether title vectors have equal length.
    pub unit_titles: bool,
    /// Root mean square of the entries, above 0.
    pub scale: f64,
    /// How closely the singular vectors are looked for.
    pub effort: Effort,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            user_power: 0.5,
            item_power: 0.25,
            titles: 768,
            factors: 512,
            title_values: 1.0,
            factor_values: 1.0,
            unit_titles: false,
            scale: 0.5,
            effort: Effort::default(),
        }
    }
}

/// Columns that vectors may have, as the towers' layers.
const WIDEST: usize = 8192;

impl Config {
    fn check(&self) -> Result<(), ModelError> {
        for (key, value) in [
            ("user_power", self.user_power),
            ("item_power", self.item_power),
            ("title_values", self.title_values),
            ("factor_values", self.factor_values),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ModelError::setting(key, value, "a number of 0 or more"));
            }
        }
        for (key, width) in [("titles", self.titles), ("factors", self.factors)] {
            if width == 0 || width > WIDEST {
                return Err(ModelError::setting(key, width, "a whole number from 1 to 8192"));
            }
        }
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(ModelError::setting("scale", self.scale, "a number above 0"));
        }
        Ok(())
    }
}

/// What towers take as given.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// Title vectors, `[items, titles]`.
    pub titles: Vectors,
    /// Item factors that users are folded in from, `[items, factors]`.
    pub factors: Vectors,
    /// The singular values behind them, descending; fewer than the wider of both where the matrix has a lower rank.
    pub values: Vec<f64>,
}

/// Title vectors and item factors from training rows; a row that repeats a pair counts once.
///
/// The same seed gives the same bits for any number of threads.
///
/// # Errors
/// [`ModelError::NoRows`], [`ModelError::Setting`] for a setting out of range, [`ModelError::Svd`].
pub fn of_train(train: &Train, config: &Config, seed: u64) -> Result<Inputs, ModelError> {
    config.check()?;
    let weighted = Weighted::of(train.rows(), config)?;
    let matrix = &weighted.matrix;
    let rank = config.titles.max(config.factors).min(matrix.rows()).min(matrix.cols());
    let svd = truncated(matrix, rank, config.effort, seed)?;
    let rank = svd.rank();
    // One column per width asked for: σ^power, and nothing beyond the rank.
    let columns = |width: usize, power: f64| -> Vec<f64> {
        let values = svd.values()[..rank.min(width)].iter().map(|value| value.powf(power));
        values.chain(std::iter::repeat(0.0)).take(width).collect()
    };
    let of_items = |weights: &[f64], columns: &[f64]| -> Vec<f64> {
        let mut all = vec![0.0; weights.len() * columns.len()];
        let rows = all.chunks_exact_mut(columns.len()).zip(svd.right().chunks_exact(rank.max(1)));
        for ((out, item), weight) in rows.zip(weights) {
            for ((out, x), column) in out.iter_mut().zip(item).zip(columns) {
                *out = weight * x * column;
            }
        }
        all
    };
    let ones = vec![1.0; matrix.cols()];
    let mut titles = of_items(&ones, &columns(config.titles, config.title_values));
    if config.unit_titles {
        titles.chunks_exact_mut(config.titles).for_each(to_unit);
    }
    let mut factors = of_items(&weighted.item_weight, &columns(config.factors, config.factor_values));
    let seen: Vec<usize> = weighted.seen_items().collect();
    let squares = seen.iter().map(|&item| square(&titles[item * config.titles..][..config.titles]));
    let sum = squares.sum();
    scale_by(&mut titles, config.scale, sum, seen.len() * config.titles);
    let (sum, users) = weighted.folded_squares(&factors, config.factors);
    scale_by(&mut factors, config.scale, sum, users * config.factors);
    let narrow = |wide: Vec<f64>| wide.into_iter().map(|x| x as f32).collect();
    Ok(Inputs {
        titles: Vectors::new(narrow(titles), config.titles)?,
        factors: Vectors::new(narrow(factors), config.factors)?,
        values: svd.values().to_vec(),
    })
}

fn square(row: &[f64]) -> f64 {
    row.iter().map(|x| x * x).sum()
}

/// Length 1; a row of zeros stays one.
fn to_unit(row: &mut [f64]) {
    let length = square(row).sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x /= length);
    }
}

/// Makes the mean square `scale²` where it is `sum / count`.
fn scale_by(values: &mut [f64], scale: f64, sum: f64, count: usize) {
    if sum > 0.0 {
        let by = scale * (count as f64 / sum).sqrt();
        values.iter_mut().for_each(|x| *x *= by);
    }
}
