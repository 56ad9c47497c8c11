//! A new user goes to the centre that is nearest to what a graph network gives them for their items: its inductive step.
//!
//! ```text
//! x = (1/√|I|) Σ_{i ∈ I} given_i          I: the user's known items, each once
//! cohort = argmin_c |x − centre_c|        x of length 1 first, where the centres were made of such
//! ```
//!
//! `given` `[items, width]` is what an item hands to a new neighbour, as `kohort_models::lightgcn` computes it from its layers: the network
//! itself is not needed to place somebody. Who has no known item has no cohort, and the caller decides where such users wait.

use serde::{Deserialize, Serialize};

use super::LivingError;
use crate::{Assigner, Placement};

/// Items' gifts and the centres, to place users by what they took. Storable; cannot be read back in a state that [`ByItems::new`] would
/// refuse.
///
/// ```
/// use kohort_cohorts::living::ByItems;
/// use kohort_cohorts::{Assigner, Assignment, KMeansConfig, Points, Standardiser};
///
/// // Two kinds of items, and users' embeddings along the same two directions.
/// let given = vec![1.0f32, 0.0, 0.9, 0.1, 0.0, 1.0];
/// let users = [1.0f32, 0.1, 1.0, 0.0, 0.0, 1.0, 0.1, 1.0];
/// let fit = KMeansConfig::new(2).fit(&Points::new(&users, 2)?)?;
/// let cohorts = Assignment::first(&fit);
/// let names = vec!["x0".to_owned(), "x1".to_owned()];
/// let centres = Assigner::new(names, Standardiser::identity(2), &fit, &cohorts.ids)?;
/// let known = ByItems::new(given, true, centres)?;
/// let cohort = |items: &[u32]| known.place(items).map(|placement| placement.map(|placement| placement.cohort));
/// assert_eq!(cohort(&[0, 1, 1])?, Some(cohorts.labels[0]));
/// assert_eq!(cohort(&[2])?, Some(cohorts.labels[2]));
/// assert_eq!(cohort(&[99])?, None); // an item that nobody had
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct ByItems {
    parts: Parts,
}

/// As it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// `[items, width]`.
    given: Vec<f32>,
    /// Whether embeddings are brought to length 1.
    unit: bool,
    centres: Assigner,
}

impl TryFrom<Parts> for ByItems {
    type Error = LivingError;

    fn try_from(parts: Parts) -> Result<Self, LivingError> {
        let width = parts.centres.features().len();
        if parts.given.is_empty() || !parts.given.len().is_multiple_of(width) {
            return Err(LivingError::Setting {
                setting: "given",
                value: format!("{} values", parts.given.len()),
                allowed: "one row of the centres' width for each item, at least one",
            });
        }
        if let Some(index) = parts.given.iter().position(|value| !value.is_finite()) {
            let value = f64::from(parts.given[index]);
            return Err(LivingError::Value { what: "given", index, value, allowed: "a finite number" });
        }
        Ok(Self { parts })
    }
}

impl From<ByItems> for Parts {
    fn from(by_items: ByItems) -> Self {
        by_items.parts
    }
}

impl ByItems {
    /// From what each item gives, `[items, width]`, and the centres of the users' embeddings, which have that width; `unit` says whether
    /// embeddings were brought to length 1 before.
    ///
    /// # Errors
    /// Another width, no item, or a number that is not finite.
    pub fn new(given: Vec<f32>, unit: bool, centres: Assigner) -> Result<Self, LivingError> {
        Self::try_from(Parts { given, unit, centres })
    }

    /// The embedding `[width]` of a user who took `items`; unknown and repeated ones don't count. `None` without a known item.
    pub fn embedding(&self, items: &[u32]) -> Option<Vec<f32>> {
        let width = self.parts.centres.features().len();
        let mut own = items.to_vec();
        own.sort_unstable();
        own.dedup();
        let rows = |item: &u32| self.parts.given.chunks_exact(width).nth(*item as usize);
        let rows: Vec<&[f32]> = own.iter().filter_map(rows).collect();
        if rows.is_empty() {
            return None;
        }
        let mut x = vec![0.0f32; width];
        let scale = 1.0 / (rows.len() as f32).sqrt();
        rows.iter().for_each(|row| x.iter_mut().zip(*row).for_each(|(x, given)| *x += scale * given));
        let length = x.iter().map(|x| x * x).sum::<f32>().sqrt();
        if self.parts.unit && length > 0.0 {
            x.iter_mut().for_each(|x| *x /= length);
        }
        Some(x)
    }

    /// Where a user who took `items` belongs; `None` without a known item.
    ///
    /// # Errors
    /// An embedding that the centres refuse, because a number of it is too large.
    pub fn place(&self, items: &[u32]) -> Result<Option<Placement>, LivingError> {
        let Some(x) = self.embedding(items) else { return Ok(None) };
        let placed = self.parts.centres.place(&x).map_err(|error| LivingError::Setting {
            setting: "given",
            value: error.to_string(),
            allowed: "numbers that add up to finite ones",
        })?;
        Ok(placed.into_iter().next())
    }
}
