//! Named features with units, one row a user; what a user does not have is undefined, not 0.

use serde::{Deserialize, Serialize};

use super::BehaviourError;
use crate::LARGEST;

/// One feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What it is, no two alike.
    pub name: String,
    /// In what it is counted; empty for a plain number.
    pub unit: String,
}

impl Column {
    /// A feature and its unit.
    pub fn new(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { name: name.into(), unit: unit.into() }
    }
}

/// Features of users.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    columns: Vec<Column>,
    /// `[users, columns]`.
    values: Vec<Option<f64>>,
}

impl Features {
    /// `values: [users, columns]`, row-major; `None` is undefined. For features of one's own beside those that
    /// [`RecencyConfig`](super::RecencyConfig) computes. No users are allowed.
    ///
    /// # Errors
    /// No columns, two of one name, values that do not fill rows or are not finite.
    pub fn new(columns: Vec<Column>, values: Vec<Option<f64>>) -> Result<Self, BehaviourError> {
        if columns.is_empty() || !values.len().is_multiple_of(columns.len()) {
            return Err(BehaviourError::Rows { values: values.len(), columns: columns.len() });
        }
        if let Some(at) =
            (1..columns.len()).find(|&at| columns[..at].iter().any(|c| c.name == columns[at].name))
        {
            let value = format!("{:?}", columns[at].name);
            return Err(BehaviourError::Setting {
                setting: format!("columns[{at}]"),
                value,
                allowed: "each name once",
            });
        }
        let spoilt = |value: &Option<f64>| value.is_some_and(|v| v.is_nan() || v.abs() > LARGEST);
        if let Some(at) = values.iter().position(spoilt) {
            return Err(BehaviourError::Feature {
                user: at / columns.len(),
                feature: columns[at % columns.len()].name.clone(),
                value: values[at].unwrap_or(f64::NAN),
            });
        }
        Ok(Self { columns, values })
    }

    /// The features.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Number of users.
    pub fn users(&self) -> usize {
        self.values.len() / self.columns.len()
    }

    /// One user's features, `[columns]`.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn row(&self, user: usize) -> &[Option<f64>] {
        &self.values[user * self.columns.len()..][..self.columns.len()]
    }

    /// Where a feature stands.
    ///
    /// # Errors
    /// There is none of that name; the error lists those there are.
    pub fn position(&self, name: &str) -> Result<usize, BehaviourError> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            BehaviourError::NoFeature { name: name.to_owned(), known: names.join(", ") }
        })
    }

    /// A feature of every user, `[users]`.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn column(&self, name: &str) -> Result<Vec<Option<f64>>, BehaviourError> {
        let at = self.position(name)?;
        Ok(self.values.iter().skip(at).step_by(self.columns.len()).copied().collect())
    }

    /// Points for [`KMeansConfig`](crate::KMeansConfig): the users who have all of these features, ascending, and
    /// their values `[those users, names]` in f32; the others have no place among them. Standardise before clustering
    /// ([`Standardiser`](crate::Standardiser)).
    ///
    /// # Errors
    /// A name that is not there, or none at all.
    pub fn points(&self, names: &[&str]) -> Result<(Vec<u32>, Vec<f32>), BehaviourError> {
        if names.is_empty() {
            return Err(BehaviourError::Rows { values: 0, columns: 0 });
        }
        let places = names.iter().map(|name| self.position(name)).collect::<Result<Vec<_>, _>>()?;
        let (mut users, mut points) = (Vec::new(), Vec::new());
        for user in 0..self.users() {
            let row = self.row(user);
            let whole: Option<Vec<f32>> = places.iter().map(|&at| row[at].map(|v| v as f32)).collect();
            if let Some(values) = whole {
                users.push(user as u32);
                points.extend(values);
            }
        }
        Ok((users, points))
    }

    /// The median of a feature over the users who have it, the mean of the middle two for an even number; `None` where
    /// nobody has it. For thresholds taken from training users.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn median(&self, name: &str) -> Result<Option<f64>, BehaviourError> {
        let mut values: Vec<f64> = self.column(name)?.into_iter().flatten().collect();
        values.sort_unstable_by(f64::total_cmp);
        let half = values.len() / 2;
        Ok(match values.len() {
            0 => None,
            n if n % 2 == 1 => Some(values[half]),
            _ => Some(0.5 * (values[half - 1] + values[half])),
        })
    }
}
