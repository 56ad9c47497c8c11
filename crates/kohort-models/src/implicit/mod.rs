//! Baselines for "who touched what, and where": rows without a grade, users with a territory.
//!
//! | File | Systems |
//! |---|---|
//! | [`popularity`] | counts of the own territory, counts of all territories |
//! | [`item_knn`] | items touched together, pooled over territories |
//!
//! All are [`Scorer`]s that order items and do not estimate ratings. Fits see a [`Train`] and the [`Territories`] of its
//! users and nothing else; no numbers are drawn, so there is no seed.
//!
//! ```
//! use kohort_data::{Queries, Way, synthetic::Recipe, territories::Territories};
//! use kohort_models::implicit::registry;
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let regions = Territories::of(&data, "region")?;
//! let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1)?;
//! for entry in registry() {
//!     let model = (entry.fit)(&split.train, &regions)?;
//!     let scores = model.score(Queries { user: &[0, 1], item: &[2, 1], time: &[0, 0] });
//!     assert!(scores.iter().all(|score| *score >= 0.0) && !model.rates(), "{}", entry.title);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cooccurrence;
pub mod item_knn;
pub mod popularity;
#[cfg(test)]
mod tests;

use kohort_data::{Train, territories::Territories};

pub use cooccurrence::Cooccurrence;
use item_knn::{ItemKnn, ItemKnnConfig};
use popularity::{LocalPopularity, PooledPopularity};

use crate::ModelError;
use crate::baselines::Scorer;

/// Fits a baseline with its default settings on a training part and the territories of its users.
///
/// # Errors
/// [`ModelError::NoRows`] for an empty training part, [`ModelError::Data`] for territories of other users.
pub type Fit = fn(&Train, &Territories) -> Result<Box<dyn Scorer>, ModelError>;

/// One baseline.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name in results and on the command line.
    pub name: &'static str,
    /// Name in tables.
    pub title: &'static str,
    /// Fits it.
    pub fit: Fit,
}

/// All baselines, the floors first. A new one is a file of its own and a line here.
pub fn registry() -> Vec<Entry> {
    vec![
        Entry {
            name: "popularity-pooled",
            title: "Popularity, all markets",
            fit: |train, _| Ok(Box::new(PooledPopularity::fit(train)?)),
        },
        Entry {
            name: "popularity-local",
            title: "Popularity, own market",
            fit: |train, territories| Ok(Box::new(LocalPopularity::fit(train, territories)?)),
        },
        Entry {
            name: "item-knn",
            title: "Item-kNN, co-occurrence",
            fit: |train, _| Ok(Box::new(ItemKnn::fit(train, &ItemKnnConfig::default())?)),
        },
    ]
}

/// A training part that has rows.
fn rows(train: &Train) -> Result<&kohort_data::Interactions, ModelError> {
    let rows = train.rows();
    if rows.is_empty() { Err(ModelError::NoRows) } else { Ok(rows) }
}
