//! Local and global titles, from training rows.

use serde::{Deserialize, Serialize};

use super::Territories;
use crate::{DataError, Train};

/// When a title is local or global. A title with fewer than `least_rows` training rows is neither.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReachRule {
    /// Fewest training rows of a title that is called anything.
    pub least_rows: usize,
    /// Local: at least this share of its rows comes from one territory; above 0.5, so that there is one at most.
    pub local_share: f64,
    /// Global: it has rows in at least so many territories, at least 2,
    pub global_territories: usize,
    /// and no territory has more than this share of its rows, below `local_share`.
    pub global_most: f64,
}

impl Default for ReachRule {
    /// 10 rows; local from 80 % in one territory; global from 4 territories, none above 50 %.
    fn default() -> ReachRule {
        ReachRule { least_rows: 10, local_share: 0.8, global_territories: 4, global_most: 0.5 }
    }
}

/// What a title is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Title {
    /// It belongs to one territory.
    Local {
        /// The territory.
        territory: u32,
    },
    /// It is at home in many.
    Global,
    /// Neither, or too rare to tell.
    Other,
}

/// Which titles are local and which global.
///
/// ```
/// use kohort_data::{Interactions, Train, territories::{Reach, ReachRule, Territories, Title}};
///
/// let places = Territories::new(vec!["in".into(), "jp".into()], vec![0, 0, 1])?;
/// let train = Train::new(Interactions {
///     user: vec![0, 1, 0, 2], item: vec![0, 0, 1, 1], rating: vec![1.0; 4], time: vec![0; 4], users: 3, items: 3,
/// })?;
/// let rule = ReachRule { least_rows: 2, global_territories: 2, ..ReachRule::default() };
/// let reach = Reach::of(&train, &places, rule)?;
/// assert_eq!(reach.titles(), [Title::Local { territory: 0 }, Title::Global, Title::Other]);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    titles: Vec<Title>,
    territories: usize,
}

impl Reach {
    /// Counts the training rows of each item in each territory.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a rule out of range, [`DataError::Columns`] for territories of other users.
    pub fn of(train: &Train, territories: &Territories, rule: ReachRule) -> Result<Reach, DataError> {
        rule.check()?;
        let rows = train.rows();
        let mut pairs: Vec<(u32, u32)> = rows.item.iter().copied().zip(territories.of_rows(rows)?).collect();
        pairs.sort_unstable();
        let mut titles = vec![Title::Other; rows.items];
        for own in pairs.chunk_by(|a, b| a.0 == b.0).filter(|own| own.len() >= rule.least_rows) {
            let places = || own.chunk_by(|a, b| a.1 == b.1);
            let Some(largest) = places().max_by_key(|place| place.len()) else { continue };
            let share = largest.len() as f64 / own.len() as f64;
            if share >= rule.local_share {
                titles[own[0].0 as usize] = Title::Local { territory: largest[0].1 };
            } else if places().count() >= rule.global_territories && share <= rule.global_most {
                titles[own[0].0 as usize] = Title::Global;
            }
        }
        Ok(Reach { titles, territories: territories.len() })
    }

    /// What each item is, `[items]`.
    pub fn titles(&self) -> &[Title] {
        &self.titles
    }

    /// Whether each item is local to `territory`, `[items]`.
    pub fn local_to(&self, territory: u32) -> Vec<bool> {
        self.titles.iter().map(|&title| title == Title::Local { territory }).collect()
    }

    /// Whether each item is global, `[items]`.
    pub fn global(&self) -> Vec<bool> {
        self.titles.iter().map(|&title| title == Title::Global).collect()
    }

    /// Number of local titles of each territory, `[territories]`.
    pub fn local_counts(&self) -> Vec<usize> {
        (0..self.territories as u32)
            .map(|territory| self.titles.iter().filter(|&&title| title == Title::Local { territory }).count())
            .collect()
    }
}

impl ReachRule {
    fn check(&self) -> Result<(), DataError> {
        let wrong = |name: &'static str, found: String, expected: &str| {
            Err(DataError::Setting { name, found, expected: expected.to_owned() })
        };
        if !(self.local_share > 0.5 && self.local_share <= 1.0) {
            return wrong("local share", self.local_share.to_string(), "a share above 0.5 to 1");
        }
        if !(self.global_most > 0.0 && self.global_most < self.local_share) {
            return wrong(
                "global most",
                self.global_most.to_string(),
                "a share above 0, below the local share",
            );
        }
        if self.global_territories < 2 {
            return wrong("global territories", self.global_territories.to_string(), "at least 2");
        }
        if self.least_rows == 0 {
            return wrong("least rows", "0".to_owned(), "at least 1");
        }
        Ok(())
    }
}
