//! The same rating for everybody: the mean of all ratings, or of the item's, damped towards it.
//!
//! [`GlobalMean`]: `score(u, i) = μ`. [`ItemMean`]: `score(u, i) = μ + Σ_{u ∈ U_i} (r_ui − μ) / (λ + |U_i|)`, where λ
//! is as good as that many ratings of μ; an item that training never saw has μ.
//!
//! Source: folklore; the damping as in [`bias`](super::bias), whose first half round [`ItemMean`] is. Surprise has neither.

use kohort_data::{Queries, Train};
use serde::{Deserialize, Serialize};

use super::observed::Observed;
use super::{BaselineError, Scorer, at_least, score_each};

/// The mean training rating.
#[derive(Clone, Copy, Debug)]
pub struct GlobalMean {
    mean: f32,
}

impl GlobalMean {
    /// Averages the ratings.
    ///
    /// # Errors
    /// An empty training part.
    pub fn fit(train: &Train) -> Result<GlobalMean, BaselineError> {
        let mean = train.rows().mean().ok_or(BaselineError::Empty { system: "global-mean" })?;
        Ok(GlobalMean { mean: mean as f32 })
    }
}

impl Scorer for GlobalMean {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        vec![self.mean; queries.user.len()]
    }
}

/// Settings of [`ItemMean`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemMeanConfig {
    /// λ.
    pub damping: f64,
}

impl Default for ItemMeanConfig {
    fn default() -> ItemMeanConfig {
        ItemMeanConfig { damping: 10.0 }
    }
}

/// The damped mean training rating of each item.
#[derive(Clone, Debug)]
pub struct ItemMean {
    newcomer: f32,
    item: Vec<f32>,
}

impl ItemMean {
    /// Averages the ratings of each item.
    ///
    /// # Errors
    /// An empty training part; a damping that is negative or not finite.
    pub fn fit(train: &Train, config: &ItemMeanConfig) -> Result<ItemMean, BaselineError> {
        const SYSTEM: &str = "item-mean";
        at_least(SYSTEM, "damping", config.damping, 0.0, "0 or more")?;
        let observed = Observed::new(SYSTEM, train)?;
        let mean_of = |item| {
            let (_, ratings) = observed.by_item.get(item);
            let left: f64 = ratings.iter().map(|&r| f64::from(r) - observed.mean).sum();
            if ratings.is_empty() { 0.0 } else { left / (config.damping + ratings.len() as f64) }
        };
        let item = (0..observed.by_item.keys()).map(|item| (observed.mean + mean_of(item)) as f32).collect();
        Ok(ItemMean { newcomer: observed.mean as f32, item })
    }
}

impl Scorer for ItemMean {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), _, item| self.item.get(item as usize).copied().unwrap_or(self.newcomer))
    }
}
