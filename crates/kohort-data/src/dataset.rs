//! A data set as a whole: ratings, vocabularies, features and groups over the same dense ids.

use serde::{Deserialize, Serialize};

use crate::{Column, DataError, Features, Groups, Interactions, Vocabulary, duplicates::Duplicates};

/// The lowest and the highest rating that a data set allows, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The lowest rating.
    pub low: f32,
    /// The highest rating.
    pub high: f32,
}

impl Scale {
    /// Whether `rating` is on the scale.
    pub fn contains(self, rating: f32) -> bool {
        rating >= self.low && rating <= self.high
    }

    /// The nearest rating on the scale.
    pub fn clamp(self, rating: f32) -> f32 {
        rating.clamp(self.low, self.high)
    }
}

/// Everything a data set holds.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Short name, as in the manifest.
    pub name: String,
    /// Who rated what.
    pub interactions: Interactions,
    /// The file's user names against dense ids, in the order of the users' file (or of first appearance).
    pub users: Vocabulary,
    /// The file's item names against dense ids, in the order of the items' file (or of first appearance).
    pub items: Vocabulary,
    /// One row a user.
    pub user_features: Features,
    /// One row an item.
    pub item_features: Features,
    /// One row a rating, such as the context it was given in. Columns that say how the rating came out (ITM-Rec's
    /// further criteria) are known only after the rating: targets or training statistics, never inputs of their row.
    pub row_features: Features,
    /// Titles, one an item, for people to read.
    pub item_names: Option<Vec<String>>,
    /// Real groups, where the data set has them.
    pub groups: Option<Groups>,
    /// Range of the ratings.
    pub scale: Scale,
    /// Whether `interactions.time` holds times.
    pub has_time: bool,
    /// Where the files came from: `official`, `mirror`, `pip-recbole`, `data-dir`, `files`, `synthetic`, ….
    pub source: String,
    /// What a reader of results has to know: blanks that were filled, columns that this source lacks.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Checks that ids, ratings and features fit together.
    ///
    /// # Errors
    /// [`DataError::Columns`] naming what does not fit.
    pub fn check(&self) -> Result<(), DataError> {
        self.interactions.check()?;
        let sizes = [
            ("users", self.interactions.users, self.users.len()),
            ("items", self.interactions.items, self.items.len()),
            ("user features", self.user_features.rows, self.users.len()),
            ("item features", self.item_features.rows, self.items.len()),
            ("row features", self.row_features.rows, self.interactions.len()),
        ];
        for (what, found, expected) in sizes {
            if found != expected {
                return Err(DataError::Columns {
                    what: format!("{what}: found {found}, expected {expected}"),
                });
            }
        }
        if let Some(row) = self.interactions.rating.iter().position(|&r| !self.scale.contains(r)) {
            return Err(DataError::Columns {
                what: format!(
                    "row {row}: rating {} is not between {} and {}",
                    self.interactions.rating[row], self.scale.low, self.scale.high
                ),
            });
        }
        self.user_features.check()?;
        self.item_features.check()?;
        self.row_features.check()?;
        if let Some(groups) = &self.groups {
            groups.interactions.check()?;
            groups.row_features.check()?;
        }
        Ok(())
    }

    /// The same data set with each (user, item) pair once; groups stay as they are.
    ///
    /// The row that stands for a pair keeps its place; a mean has the place of the pair's first row. With
    /// [`Duplicates::Mean`] numeric row features are averaged like the ratings, and the codes are those of the pair's
    /// first row.
    ///
    /// # Errors
    /// [`DataError::Duplicate`] under [`Duplicates::Error`].
    pub fn merge_duplicates(&self, policy: Duplicates) -> Result<Dataset, DataError> {
        let merged = self.interactions.merge_duplicates_traced(policy)?;
        let mut row_features = self.row_features.select(&merged.kept);
        if policy == Duplicates::Mean {
            for (at, (_, column)) in row_features.columns.iter_mut().enumerate() {
                if let (Column::Numeric(values), Column::Numeric(all)) =
                    (column, &self.row_features.columns[at].1)
                {
                    for (value, rows) in values.iter_mut().zip(&merged.sources) {
                        let sum: f64 = rows.iter().map(|&r| f64::from(all[r as usize])).sum();
                        *value = (sum / rows.len() as f64) as f32;
                    }
                }
            }
        }
        let mut dataset =
            Dataset { interactions: merged.interactions, row_features, ..self.clone_without_rows() };
        let removed = self.interactions.len() - dataset.interactions.len();
        if removed > 0 {
            dataset
                .notes
                .push(format!("{removed} rows repeated a (user, item) pair and were merged: {policy}"));
        }
        Ok(dataset)
    }

    fn clone_without_rows(&self) -> Dataset {
        Dataset {
            name: self.name.clone(),
            interactions: Interactions::default(),
            users: self.users.clone(),
            items: self.items.clone(),
            user_features: self.user_features.clone(),
            item_features: self.item_features.clone(),
            row_features: Features::default(),
            item_names: self.item_names.clone(),
            groups: self.groups.clone(),
            scale: self.scale,
            has_time: self.has_time,
            source: self.source.clone(),
            notes: self.notes.clone(),
        }
    }
}
