//! What the neighbourhood of a (user, item, time) says: numbers about a query from training ratings alone.
//!
//! Every number is a kernel-weighted mean of residuals `e = r − (μ + b_u + b_i)` of *other* training ratings:
//!
//! ```text
//! over the user's ratings j:   Σ_j K(i, j)·e_uj / (Σ_j K(i, j) + c)       K from item features and times
//! over the item's raters v:    Σ_v K(u, v)·e_vi / (Σ_v K(u, v) + c)       K from user features and times
//! ```
//!
//! (Nadaraya and Watson's estimator, 1964, shrunk to zero by `c` pseudo-ratings), beside counts, biases, spreads, and where the query
//! lies on the user's clock. It is the neighbourhood idea of Bell and Koren (ICDM 2007) with side features as similarities.
//!
//! **No row sees itself.** A training row's numbers are made from the other folds ([`Context::out_of_fold`]), a held-out
//! query's from all training rows. Leaving out just the row would let a flexible model read the rating back from the
//! difference to the user's mean; leaving out a fold does not. The price: a training row is described from a little less
//! than a query is, so its counts run about one fold short.
//!
//! **Times are context.** A query's time is when the rating is asked for. On a random split a user's later ratings are
//! among the training rows; whoever wants to forecast should split by time, or turn `time` off.

mod clock;
mod history;
mod residual;
mod similarity;
#[cfg(test)]
mod tests;

use kohort_data::{Dataset, Interactions, Queries, Train};
use kohort_random::{permutation, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use residual::Reference;
use similarity::Kernels;

/// Which similarities are used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContextConfig {
    /// Item features whose similarity weighs the user's other ratings; several names in one entry are multiplied.
    pub item_kernels: Vec<Vec<String>>,
    /// User features whose similarity weighs the item's other ratings; several names in one entry are multiplied.
    pub user_kernels: Vec<Vec<String>>,
    /// Whether times are used, where the data set has them.
    pub time: bool,
    /// Number of folds from which training rows get their numbers, 2 to 1000.
    pub folds: usize,
    /// Pseudo-ratings that damp user and item biases.
    pub damping: f64,
}

impl Default for ContextConfig {
    fn default() -> Self {
        ContextConfig {
            item_kernels: Vec::new(),
            user_kernels: Vec::new(),
            time: true,
            folds: 10,
            damping: 5.0,
        }
    }
}

impl ContextConfig {
    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        if !(2..=MOST_FOLDS).contains(&self.folds) {
            return Err(ModelError::setting("context.folds", self.folds, "a whole number from 2 to 1000"));
        }
        if !(self.damping >= 0.0 && self.damping.is_finite()) {
            let allowed = "a finite number of at least 0";
            return Err(ModelError::setting("context.damping", self.damping, allowed));
        }
        Ok(())
    }
}

/// Each fold costs a pass over all rows.
const MOST_FOLDS: usize = 1000;

/// Numbers about queries, `[rows, names.len()]`, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Described {
    /// Name of each column.
    pub names: Vec<String>,
    /// The numbers, not standardised.
    pub values: Vec<f32>,
    /// `μ + b_u + b_i` of each row: what a model's output is added to.
    pub base: Vec<f32>,
}

impl Described {
    /// The numbers of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.names.len()..(row + 1) * self.names.len()]
    }
}

/// Training rows described fold by fold, with what other inputs need to keep to the same folds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// The numbers of each training row, from the rows of the other folds.
    pub described: Described,
    /// Fold of each training row.
    pub fold: Vec<u32>,
    /// `μ + b_u + b_i` of every training row under each fold's reference, `[folds][rows]`: the biases of fold `f` were
    /// fitted without the rows of `f`.
    pub base: Vec<Vec<f32>>,
}

/// Training rows, indexed for describing queries.
#[derive(Clone, Debug)]
pub struct Context {
    reference: Reference,
    item: Kernels,
    user: Kernels,
    time: bool,
}

impl Context {
    /// Indexes all training rows.
    ///
    /// # Errors
    /// If a kernel names an unknown feature, or there are no rows.
    pub fn fit(train: &Train, dataset: &Dataset, config: &ContextConfig) -> Result<Context, ModelError> {
        Context::over(train.rows(), dataset, config)
    }

    fn over(rows: &Interactions, dataset: &Dataset, config: &ContextConfig) -> Result<Context, ModelError> {
        if rows.is_empty() {
            return Err(ModelError::NoRows);
        }
        config.check()?;
        Ok(Context {
            item: Kernels::new("context.item_kernels", &config.item_kernels, &dataset.item_features)?,
            user: Kernels::new("context.user_kernels", &config.user_kernels, &dataset.user_features)?,
            time: config.time && dataset.has_time,
            reference: Reference::fit(rows, dataset.scale, config.damping),
        })
    }

    /// Describes queries from all the rows this context was fitted on: for pairs that are not among them.
    pub fn describe(&self, queries: Queries<'_>) -> Described {
        let names = self.names();
        let width = names.len();
        let mut values = vec![0.0f32; queries.user.len() * width];
        values.par_chunks_mut(width * 64).enumerate().for_each(|(chunk, out)| {
            let mut moment = clock::Moment::default();
            for (n, row) in out.chunks_exact_mut(width).enumerate() {
                let at = chunk * 64 + n;
                self.write((queries.user[at], queries.item[at], queries.time[at]), &mut moment, row);
            }
        });
        Described { names, values, base: self.base(queries) }
    }

    /// Describes every training row from the rows of the other folds, `[train rows, …]` in their order.
    ///
    /// # Errors
    /// As [`Context::fit`].
    pub fn out_of_fold(
        train: &Train,
        dataset: &Dataset,
        config: &ContextConfig,
        seed: u64,
    ) -> Result<Folded, ModelError> {
        config.check()?;
        let rows = train.rows();
        config.check()?;
        if rows.len() < 2 {
            return Err(ModelError::Config("a context needs at least 2 training rows".to_owned()));
        }
        let order = permutation(rows.len(), &mut stream(seed, "context folds", &[]));
        let mut out = Described::default();
        let (mut fold_of, mut bases) = (vec![0; rows.len()], Vec::new());
        for fold in 0..config.folds {
            let of_fold = |(position, _): &(usize, &u32)| position % config.folds == fold;
            let (inside, outside): (Vec<_>, Vec<_>) = order.iter().enumerate().partition(of_fold);
            let inside: Vec<u32> = inside.into_iter().map(|(_, &row)| row).collect();
            let mut outside: Vec<u32> = outside.into_iter().map(|(_, &row)| row).collect();
            outside.sort_unstable(); // the order of rows, so that sums don't depend on the permutation
            if inside.is_empty() {
                continue;
            }
            let context = Context::over(&rows.select(&outside), dataset, config)?;
            let part = rows.select(&inside);
            let described =
                context.describe(Queries { user: &part.user, item: &part.item, time: &part.time });
            let width = described.names.len();
            if out.names.is_empty() {
                out.values = vec![0.0; rows.len() * width];
                out.base = vec![0.0; rows.len()];
                out.names.clone_from(&described.names);
            }
            let base_of = |(&u, &i): (&u32, &u32)| context.reference.base(u, i);
            bases.push(rows.user.iter().zip(&rows.item).map(base_of).collect());
            for (n, &row) in inside.iter().enumerate() {
                fold_of[row as usize] = bases.len() as u32 - 1;
                let at = row as usize * width;
                out.values[at..at + width].copy_from_slice(described.row(n));
                out.base[row as usize] = described.base[n];
            }
        }
        Ok(Folded { described: out, fold: fold_of, base: bases })
    }

    /// `μ + b_u + b_i` of each query.
    pub fn base(&self, queries: Queries<'_>) -> Vec<f32> {
        queries.user.iter().zip(queries.item).map(|(&u, &i)| self.reference.base(u, i)).collect()
    }

    /// Mean rating of the rows.
    pub fn mean(&self) -> f32 {
        self.reference.mean
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = residual::NAMES.iter().map(|n| (*n).to_owned()).collect();
        names.extend(self.item.names().map(|n| format!("items like it by {n}")));
        names.extend(self.user.names().map(|n| format!("raters like you by {n}")));
        if self.time {
            names.extend(clock::NAMES.iter().map(|n| (*n).to_owned()));
        }
        names
    }

    fn write(&self, (user, item, time): (u32, u32, i64), moment: &mut clock::Moment, out: &mut [f32]) {
        let (stats, rest) = out.split_at_mut(residual::NAMES.len());
        let (items, rest) = rest.split_at_mut(self.item.len());
        let (users, times) = rest.split_at_mut(self.user.len());
        self.reference.statistics(user, item, stats);
        history::kernel_means(&self.item, item, self.reference.of_user(user), history::ITEM_DAMPING, items);
        history::kernel_means(&self.user, user, self.reference.of_item(item), history::USER_DAMPING, users);
        if self.time {
            clock::write(&self.reference, &self.item, (user, item, time), moment, times);
        }
    }
}
