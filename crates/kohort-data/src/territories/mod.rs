//! Territories: which user lives where, who is grouped with whom, which titles are local.
//!
//! A territory is any way to give each user one place: a market of XMarket, a ZIP region of MovieLens, a planted region.
//!
//! ```
//! use kohort_data::{synthetic::Recipe, territories::Territories};
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let regions = Territories::of(&data, "region")?;
//! assert_eq!(regions.len(), 4);
//! assert_eq!(regions.of_user().len(), data.users.len());
//!
//! let unknown = regions.named("region9").unwrap_err();
//! assert_eq!(
//!     unknown.to_string(),
//!     r#"territory: found "region9", expected one of region0, region1, region2, region3"#
//! );
//! # Ok::<(), kohort_data::DataError>(())
//! ```

mod grouping;
mod profiles;
mod reach;
mod zip;

pub use grouping::Grouping;
pub use profiles::{Distance, Profiles};
pub use reach::{Reach, ReachRule, Title};
pub(crate) use zip::ZIP_CODES;
pub use zip::{ZIP_REGIONS, zip_region};

use crate::{Column, DataError, Dataset, Index, Interactions};

/// The territory of each user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Territories {
    names: Vec<String>,
    of_user: Vec<u32>,
}

impl Territories {
    /// From the names of the territories and the territory of each user, `[users]`.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a name that is there twice, or a territory that has no name.
    pub fn new(names: Vec<String>, of_user: Vec<u32>) -> Result<Territories, DataError> {
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DataError::Columns { what: format!("territory {:?} is there twice", pair[0]) });
        }
        if let Some(user) = of_user.iter().position(|&territory| territory as usize >= names.len()) {
            return Err(DataError::Columns {
                what: format!("user {user}: territory {} is not below {}", of_user[user], names.len()),
            });
        }
        Ok(Territories { names, of_user })
    }

    /// From a categorical feature of the users.
    ///
    /// # Errors
    /// [`DataError::Setting`] if there is no such feature, which lists the categorical ones.
    pub fn of(data: &Dataset, feature: &str) -> Result<Territories, DataError> {
        match data.user_features.column(feature) {
            Some(Column::Categorical { codes, vocabulary }) => {
                Territories::new(vocabulary.tokens().map(str::to_owned).collect(), codes.clone())
            }
            _ => Err(DataError::Setting {
                name: "territories",
                found: format!("{feature:?}"),
                expected: format!("a categorical feature of the users, one of {}", categorical(data)),
            }),
        }
    }

    /// Number of territories; one may have no user.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no territory.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names of the territories, in id order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Territory of each user, `[users]`.
    pub fn of_user(&self) -> &[u32] {
        &self.of_user
    }

    /// Id of the territory of that name.
    ///
    /// # Errors
    /// [`DataError::Setting`], which lists the names there are.
    pub fn named(&self, name: &str) -> Result<u32, DataError> {
        let found = self.names.iter().position(|known| known == name);
        found.map(|at| at as u32).ok_or_else(|| DataError::Setting {
            name: "territory",
            found: format!("{name:?}"),
            expected: format!("one of {}", self.names.join(", ")),
        })
    }

    /// Territory of each row, `[rows]`.
    ///
    /// # Errors
    /// [`DataError::Columns`] for rows over another number of users.
    pub fn of_rows(&self, rows: &Interactions) -> Result<Vec<u32>, DataError> {
        self.check(rows)?;
        Ok(rows.user.iter().map(|&user| self.of_user[user as usize]).collect())
    }

    /// The items that have a row in each territory, ascending, `[territories]`: what can be shown there.
    ///
    /// # Errors
    /// As [`Territories::of_rows`].
    pub fn items(&self, rows: &Interactions) -> Result<Vec<Vec<u32>>, DataError> {
        let of_rows = self.of_rows(rows)?;
        let index = Index::new(&of_rows, self.len());
        Ok((0..self.len())
            .map(|territory| {
                let own = index.rows(territory);
                let mut items: Vec<u32> = own.iter().map(|&row| rows.item[row as usize]).collect();
                items.sort_unstable();
                items.dedup();
                items
            })
            .collect())
    }

    pub(crate) fn check(&self, rows: &Interactions) -> Result<(), DataError> {
        if rows.users == self.of_user.len() {
            return Ok(());
        }
        Err(DataError::Columns {
            what: format!("territories of {} users, and rows over {} users", self.of_user.len(), rows.users),
        })
    }
}

fn categorical(data: &Dataset) -> String {
    let columns = data.user_features.columns.iter();
    let names: Vec<&str> = columns
        .filter(|(_, column)| matches!(column, Column::Categorical { .. }))
        .map(|(name, _)| name.as_str())
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
