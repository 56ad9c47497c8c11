//! Item-kNN: what is touched together with what the user touched, all markets counted together.
//!
//! With c and n of [`Cooccurrence`], h(u) the user's training items, shrinkage s and exponents a, b:
//!
//! `score(u, i) = Σ_{j ∈ h(u)} c_ij / ((n_j + s)^a · (n_i + s)^b)`
//!
//! a = b = ½ and s = 0 is the sum of cosines; a = 1, b = 0 the sum of the shares of j's users who touched i. The default (s = 3,
//! a = ¾, b = ¼) lies between and was chosen on XMarket's validation items. All neighbours count: with histories of seven
//! items a cut-off at k only loses. Items of h(u) have c_jj = 0 and get a score from the others; a user or an item without
//! a training row gets 0.
//!
//! Source: Deshpande and Karypis, "Item-based top-N recommendation algorithms", ACM TOIS 22(1), 2004, where similarity is
//! `c_ij / (n_j · n_i^α)` and only the k most similar items count; the shrinkage is that of Bell and Koren (KDD Cup 2007).

use kohort_data::{Queries, Train};
use serde::{Deserialize, Serialize};

use super::{Cooccurrence, rows};
use crate::ModelError;
use crate::baselines::{Scorer, score_each};

/// Settings of [`ItemKnn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemKnnConfig {
    /// s: added to both counts of users, so that a pair of rare items is not certain of each other; 0 or more.
    pub shrinkage: f64,
    /// a: how much a frequent item of the history counts less; 0 or more.
    pub history_exponent: f64,
    /// b: how much a frequent candidate counts less; 0 leaves popular items in front.
    pub candidate_exponent: f64,
}

impl Default for ItemKnnConfig {
    fn default() -> ItemKnnConfig {
        ItemKnnConfig { shrinkage: 3.0, history_exponent: 0.75, candidate_exponent: 0.25 }
    }
}

/// Co-occurrence counts with a weight for either side.
#[derive(Clone, Debug)]
pub struct ItemKnn {
    together: Cooccurrence,
    /// `(n_j + s)^−a`, `[items]`.
    as_history: Vec<f64>,
    /// `(n_i + s)^−b`, `[items]`.
    as_candidate: Vec<f64>,
}

impl ItemKnn {
    /// Counts the pairs.
    ///
    /// # Errors
    /// [`ModelError::NoRows`], or [`ModelError::Setting`] for a setting that is negative or no number.
    pub fn fit(train: &Train, config: &ItemKnnConfig) -> Result<ItemKnn, ModelError> {
        for (key, value) in [
            ("shrinkage", config.shrinkage),
            ("history_exponent", config.history_exponent),
            ("candidate_exponent", config.candidate_exponent),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ModelError::setting(key, value, "a number of 0 or more"));
            }
        }
        let together = Cooccurrence::of(rows(train)?);
        // Nobody meets an item without users, so its weight is never read; 1 keeps it finite.
        let weights = |exponent: f64| -> Vec<f64> {
            together
                .users()
                .iter()
                .map(|&n| (f64::from(n.max(1)) + config.shrinkage).powf(-exponent))
                .collect()
        };
        let (as_history, as_candidate) =
            (weights(config.history_exponent), weights(config.candidate_exponent));
        Ok(ItemKnn { together, as_history, as_candidate })
    }

    /// The counts behind the scores.
    pub fn cooccurrence(&self) -> &Cooccurrence {
        &self.together
    }
}

/// The scores of all items for one user, kept while queries ask for the same user.
#[derive(Default)]
struct OneUser {
    user: Option<u32>,
    sum: Vec<f64>,
    met: Vec<u32>,
}

impl OneUser {
    /// Sums over the history in ascending order of items, whatever was asked before.
    fn become_user(&mut self, user: u32, model: &ItemKnn) {
        if self.user == Some(user) {
            return;
        }
        self.user = Some(user);
        self.sum.resize(model.as_candidate.len(), 0.0);
        self.met.drain(..).for_each(|item| self.sum[item as usize] = 0.0);
        for &own in model.together.history(user) {
            let weight = model.as_history[own as usize];
            for (item, count) in model.together.with(own) {
                let sum = &mut self.sum[item as usize];
                if *sum == 0.0 {
                    self.met.push(item);
                }
                *sum += f64::from(count) * weight;
            }
        }
    }
}

impl Scorer for ItemKnn {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |one: &mut OneUser, user, item| {
            one.become_user(user, self);
            let at = item as usize;
            if at < self.as_candidate.len() { (one.sum[at] * self.as_candidate[at]) as f32 } else { 0.0 }
        })
    }

    fn rates(&self) -> bool {
        false
    }
}
