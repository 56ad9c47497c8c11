//! An assigner: what is needed to put a new user into an existing cohort, in one value that can be saved.
//!
//! It holds the centres, the standardisation and the names of the features, and the stable ids. It can't be
//! read back in a state that [`Assigner::new`] would refuse.

use serde::{Deserialize, Serialize};

use crate::points::squared_distance;
use crate::{KMeans, Points, PointsError, Standardiser};

/// Why an assigner can't be made, or can't place a user.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AssignError {
    /// A part of the wrong length.
    #[error("assigner, {field}: {got} values, expected {expected}")]
    Length {
        /// Which part.
        field: &'static str,
        /// Its length.
        got: usize,
        /// The length the others ask for.
        expected: usize,
    },
    /// A value out of range.
    #[error("assigner, {field}[{index}] = {value}: allowed is {allowed}")]
    Value {
        /// Which part.
        field: &'static str,
        /// Where in it.
        index: usize,
        /// What stands there.
        value: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// No cohorts or no features.
    #[error("assigner, {field}: at least one is needed")]
    Empty {
        /// Which part.
        field: &'static str,
    },
    /// Features that do not fill whole rows.
    #[error("{values} values do not fill rows of the {dim} features the cohorts were made from ({names})")]
    Dimension {
        /// Values given.
        values: usize,
        /// Features per row.
        dim: usize,
        /// Their names.
        names: String,
    },
    /// A feature that is NaN, infinite or too large.
    #[error(
        "row {row}, feature {feature}: value {value} is not allowed, it must be finite and, standardised, at most 1e15 in magnitude"
    )]
    Feature {
        /// Row, from 0.
        row: usize,
        /// The feature's name.
        feature: String,
        /// What stands there.
        value: f64,
    },
}

/// A user's place among the cohorts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Stable id of the nearest cohort; ties go to the earlier centre.
    pub cohort: u32,
    /// Distance to its centre, in standardised units.
    pub distance: f64,
    /// How much farther the next centre is: near 0 means undecided. `None` where there is one cohort only.
    pub margin: Option<f64>,
}

/// Puts users into cohorts by their features.
///
/// ```
/// use kohort_cohorts::{AssignError, Assigner, Assignment, KMeansConfig, Points, Standardiser};
///
/// let users = [20.0f32, 100.0, 22.0, 110.0, 61.0, 8.0, 63.0, 9.0]; // age, ratings given
/// let columns = Standardiser::fit(&Points::new(&users, 2).expect("four users"));
/// let scaled = columns.apply(&users);
/// let fit = KMeansConfig::new(2).fit(&Points::new(&scaled, 2).expect("four users")).expect("two clusters");
/// let cohorts = Assignment::first(&fit);
///
/// let names = vec!["age".to_owned(), "ratings".to_owned()];
/// let assigner = Assigner::new(names, columns, &fit, &cohorts.ids).expect("parts that fit");
/// assert_eq!(assigner.assign(&users).expect("clean features"), cohorts.labels);
/// let saved = serde_json::to_string(&assigner).expect("plain data");
/// let loaded: Assigner = serde_json::from_str(&saved).expect("checked again");
/// assert_eq!(loaded, assigner);
/// assert!(matches!(loaded.assign(&[30.0, f32::NAN]), Err(AssignError::Feature { row: 0, .. })));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Assigner {
    parts: Parts,
}

/// The assigner as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// `[dim]`.
    features: Vec<String>,
    standardiser: Standardiser,
    /// `[cohorts, dim]`, standardised.
    centres: Vec<f32>,
    /// `[cohorts]`.
    ids: Vec<u32>,
}

impl TryFrom<Parts> for Assigner {
    type Error = AssignError;

    fn try_from(parts: Parts) -> Result<Self, AssignError> {
        let assigner = Self { parts };
        assigner.check()?;
        Ok(assigner)
    }
}

impl From<Assigner> for Parts {
    fn from(assigner: Assigner) -> Self {
        assigner.parts
    }
}

impl Assigner {
    /// From a fit on features standardised by `standardiser` (or [`Standardiser::identity`]), and the stable
    /// id of each of its clusters.
    ///
    /// # Errors
    /// See [`check`](Self::check).
    pub fn new(
        features: Vec<String>,
        standardiser: Standardiser,
        fit: &KMeans<f32>,
        ids: &[u32],
    ) -> Result<Self, AssignError> {
        Self::try_from(Parts { features, standardiser, centres: fit.centres.clone(), ids: ids.to_vec() })
    }

    /// Whether the parts fit: one name, mean and scale above 0 per feature, one centre per id, ids and names
    /// without repetition, finite numbers. Holds for every assigner made or read; for those who want to be
    /// told again.
    ///
    /// # Errors
    /// Names the part, the place, the value and what is allowed.
    pub fn check(&self) -> Result<(), AssignError> {
        let Parts { features, standardiser, centres, ids } = &self.parts;
        let dim = features.len();
        for (field, empty) in [("features", features.is_empty()), ("ids", ids.is_empty())] {
            if empty {
                return Err(AssignError::Empty { field });
            }
        }
        let lengths = [
            ("standardiser.mean", standardiser.mean.len(), dim),
            ("standardiser.scale", standardiser.scale.len(), dim),
            ("centres", centres.len(), ids.len().saturating_mul(dim)),
        ];
        for (field, got, expected) in lengths {
            if got != expected {
                return Err(AssignError::Length { field, got, expected });
            }
        }
        let bad = |field, index, value: String, allowed| AssignError::Value { field, index, value, allowed };
        if let Some(i) = standardiser.mean.iter().position(|m| !m.is_finite()) {
            let value = standardiser.mean[i].to_string();
            return Err(bad("standardiser.mean", i, value, "a finite number"));
        }
        if let Some(i) = standardiser.scale.iter().position(|&s| !(s > 0.0 && s.is_finite())) {
            let value = standardiser.scale[i].to_string();
            return Err(bad("standardiser.scale", i, value, "a finite number above 0"));
        }
        if let Some(i) = centres.iter().position(|c| !c.is_finite()) {
            return Err(bad("centres", i, centres[i].to_string(), "a finite number"));
        }
        if let Some(i) = repeated(ids) {
            return Err(bad("ids", i, ids[i].to_string(), "each id once"));
        }
        if let Some(i) = repeated(features) {
            return Err(bad("features", i, format!("{:?}", features[i]), "each name once"));
        }
        Ok(())
    }

    /// Names of the features, in the order of the columns.
    pub fn features(&self) -> &[String] {
        &self.parts.features
    }

    /// Stable id of each centre.
    pub fn ids(&self) -> &[u32] {
        &self.parts.ids
    }

    /// Centres, `[ids, features]`, row-major, in standardised units.
    pub fn centres(&self) -> &[f32] {
        &self.parts.centres
    }

    /// The standardisation applied to features before they are compared.
    pub fn standardiser(&self) -> &Standardiser {
        &self.parts.standardiser
    }

    /// The cohort of each user, `users: [rows, features]` in their own units; no rows give no cohorts.
    ///
    /// # Errors
    /// Another number of features, or one that is not finite.
    pub fn assign(&self, users: &[f32]) -> Result<Vec<u32>, AssignError> {
        Ok(self.place(users)?.into_iter().map(|placement| placement.cohort).collect())
    }

    /// The same with distance and margin, computed in f64.
    ///
    /// # Errors
    /// Another number of features, or one that is not finite.
    pub fn place(&self, users: &[f32]) -> Result<Vec<Placement>, AssignError> {
        let dim = self.features().len();
        if !users.len().is_multiple_of(dim) {
            let names = self.features().join(", ");
            return Err(AssignError::Dimension { values: users.len(), dim, names });
        }
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let named = |error| match error {
            PointsError::Value { row, column, .. } => AssignError::Feature {
                row,
                feature: self.features()[column].clone(),
                value: f64::from(users[row * dim + column]),
            },
            _ => AssignError::Dimension { values: users.len(), dim, names: self.features().join(", ") },
        };
        let scaled = self.standardiser().apply(users);
        let points = Points::new(&scaled, dim).map_err(named)?;
        Ok((0..points.rows()).map(|row| self.place_one(points.row(row))).collect())
    }

    fn place_one(&self, user: &[f32]) -> Placement {
        let (mut cohort, mut best, mut second) = (self.ids()[0], f64::INFINITY, f64::INFINITY);
        for (centre, &id) in self.centres().chunks_exact(user.len()).zip(self.ids()) {
            let distance = squared_distance(user, centre).sqrt();
            if distance < best {
                (second, best, cohort) = (best, distance, id);
            } else if distance < second {
                second = distance;
            }
        }
        Placement { cohort, distance: best, margin: (self.ids().len() > 1).then_some(second - best) }
    }
}

/// Index of the first value that stands earlier as well.
fn repeated<T: Ord>(values: &[T]) -> Option<usize> {
    let mut seen = std::collections::BTreeSet::new();
    values.iter().position(|value| !seen.insert(value))
}
