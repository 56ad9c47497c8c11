//! Personalised losses: each cohort its own sum of parts, from the config.
//!
//! ```toml
//! [[compositions]]
//! cohort = "new"
//! parts = [{ part = "bce", weight = 1.0 }, { part = "novelty", weight = 0.1 }]
//!
//! [[compositions]]             # everybody else
//! parts = [{ part = "bce", weight = 1.0 }, { part = { list = "bpr" }, weight = 0.2 }]
//! ```
//!
//! With the rows of a cohort's composition R, their logits o and labels y, and lists `l` (the rows of one user in R):
//!
//! | part | value |
//! |---|---|
//! | `bce`, `focal` | mean over R of each row's loss, times its weight |
//! | `list` | mean over lists with both labels of a [`ListLoss`] |
//! | `novelty` | mean over lists of `Σ p_i·log₂ pop_i`, `p = softmax(o)` in the list, `pop` the share of training users of an item: small where what scores high is rare |
//! | `diversity` | mean over lists of `Σ_ij p_i p_j cos(v_i, v_j) = ‖Σ p_i v̂_i‖²`: small where what scores high is unlike |
//!
//! Each counts as much as R's known rows do of the batch's, so compositions of `bce` with weight 1 for all cohorts are the plain mean. Novelty and diversity are of
//! rankings, not of probabilities, and pull at the order of scores; item vectors are taken as they are: no gradient moves them apart. A list does not
//! reach beyond a shard.
//!
//! **Fairness** is between cohorts, so it stands beside compositions: see [`Fairness`].

mod fairness;
mod record;
#[cfg(test)]
mod tests;

use kohort_core::{Focal, ListLoss};
use serde::{Deserialize, Serialize};

pub use fairness::{Fairness, Gap, Spread};
pub(crate) use record::{Seen, record};

use crate::ModelError;

/// A part of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Binary cross-entropy: relevance.
    Bce,
    /// Focal loss: relevance, of hard rows above all.
    Focal(Focal),
    /// A ranking loss within each user's rows.
    List(ListLoss),
    /// What is rare scores high: exploration, for users of whom little is known.
    Novelty,
    /// What scores high is unlike: for users of whom much is known.
    Diversity,
}

/// A part and what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// Which.
    pub part: Part,
    /// How much, 0 or more.
    pub weight: f64,
}

/// What is minimised for one cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// The cohort's name; without one it is for all rows that no other composition names.
    #[serde(default)]
    pub cohort: Option<String>,
    /// Its parts.
    pub parts: Vec<Weighted>,
}

/// Who belongs to which cohort, for compositions and fairness.
#[derive(Clone, Copy, Debug)]
pub struct Cohorts<'a> {
    /// Name of each cohort.
    pub names: &'a [String],
    /// Cohort of each training row; one that is not below the number of names is of none.
    pub of_row: &'a [u32],
}

/// Compositions that were checked against the cohorts there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    compositions: Vec<Vec<Weighted>>,
    /// For each cohort, and last for rows of none, which composition.
    of_cohort: Vec<Option<usize>>,
}

/// Checks parts and weights, without the cohorts.
///
/// # Errors
/// The first setting that is out of range.
pub(crate) fn check(compositions: &[Composition], fairness: &[Fairness]) -> Result<(), ModelError> {
    for composition in compositions {
        let cohort = composition.cohort.as_deref().unwrap_or("everybody else");
        if composition.parts.is_empty() {
            let key = format!("compositions, {cohort}");
            return Err(ModelError::setting(&key, "no part", "one part or more"));
        }
        for Weighted { part, weight } in &composition.parts {
            if !(*weight >= 0.0 && weight.is_finite()) {
                let key = format!("compositions, {cohort}, {part:?}: weight");
                return Err(ModelError::setting(&key, weight, "a finite number of at least 0"));
            }
            if let Part::Focal(Focal { gamma, alpha }) = part {
                let key = |field: &str| format!("compositions, {cohort}, focal: {field}");
                if !(*gamma >= 0.0 && gamma.is_finite()) {
                    return Err(ModelError::setting(&key("gamma"), gamma, "a finite number of at least 0"));
                }
                if !(0.0..=1.0).contains(alpha) {
                    return Err(ModelError::setting(&key("alpha"), alpha, "a number in [0, 1]"));
                }
            }
        }
    }
    let weight = |fairness: &&Fairness| !(fairness.weight >= 0.0 && fairness.weight.is_finite());
    match fairness.iter().find(weight) {
        Some(fairness) => {
            let key = format!("fairness, {:?}: weight", fairness.gap);
            Err(ModelError::setting(&key, fairness.weight, "a finite number of at least 0"))
        }
        None => Ok(()),
    }
}

impl Plan {
    /// Which composition is whose; without any, all rows are of one: binary cross-entropy.
    ///
    /// # Errors
    /// A cohort that is not there, two compositions for one cohort, or rows that no composition is for.
    pub(crate) fn new(compositions: &[Composition], names: &[String]) -> Result<Plan, ModelError> {
        if compositions.is_empty() {
            let plain = vec![Weighted { part: Part::Bce, weight: 1.0 }];
            return Ok(Plan { compositions: vec![plain], of_cohort: vec![Some(0); names.len() + 1] });
        }
        let mut of_cohort = vec![None; names.len() + 1];
        let mut others = None;
        for (at, composition) in compositions.iter().enumerate() {
            let place = match &composition.cohort {
                None => &mut others,
                Some(cohort) => {
                    let known = names.iter().position(|name| name == cohort);
                    let Some(known) = known else {
                        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                        let what = format!("compositions: no cohort {cohort:?}, there are: {there}");
                        return Err(ModelError::Config(what));
                    };
                    &mut of_cohort[known]
                }
            };
            if place.is_some() {
                let who =
                    composition.cohort.as_deref().map_or("everybody else".to_owned(), |c| format!("{c:?}"));
                return Err(ModelError::Config(format!("compositions: two of them are for {who}")));
            }
            *place = Some(at);
        }
        for (cohort, place) in of_cohort.iter_mut().enumerate() {
            *place = place.or(others);
            if place.is_none()
                && let Some(name) = names.get(cohort)
            {
                let what = format!("compositions: none is for cohort {name:?}, and none for everybody else");
                return Err(ModelError::Config(what));
            }
        }
        // Rows of no cohort need one too, or they would be left out in silence.
        if of_cohort[names.len()].is_none() {
            let what = "compositions: none is for rows of no cohort: add one without a cohort".to_owned();
            return Err(ModelError::Config(what));
        }
        Ok(Plan { compositions: compositions.iter().map(|c| c.parts.clone()).collect(), of_cohort })
    }

    fn of(&self, cohort: u32) -> usize {
        let last = self.of_cohort.len() - 1;
        self.of_cohort[(cohort as usize).min(last)].unwrap_or(0)
    }
}
