//! Pairs that were rated more than once, made one before anything is split.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{DataError, Interactions};

/// What becomes of the rows that share user and item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// One row with the mean of the ratings (summed in f64 in row order) and the latest time.
    Mean,
    /// The row with the latest time; among equal times the one that comes last in the file.
    Last,
    /// The row with the earliest time; among equal times the one that comes first in the file.
    KeepFirst,
    /// An error that names a pair.
    Error,
}

impl fmt::Display for Duplicates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Duplicates::Mean => "mean rating",
            Duplicates::Last => "latest row kept",
            Duplicates::KeepFirst => "earliest row kept",
            Duplicates::Error => "refused",
        })
    }
}

/// Merged rows with the way back to the rows they came from.
pub(crate) struct Merged {
    pub(crate) interactions: Interactions,
    /// The source row whose features stand for each merged row.
    pub(crate) kept: Vec<u32>,
    /// All source rows of each merged row, ascending.
    pub(crate) sources: Vec<Vec<u32>>,
}

impl Interactions {
    /// Rows sorted by (user, item, row): equal pairs become neighbours.
    fn by_pair(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_unstable_by_key(|&r| (self.user[r as usize], self.item[r as usize], r));
        order
    }

    fn same_pair(&self, a: u32, b: u32) -> bool {
        self.user[a as usize] == self.user[b as usize] && self.item[a as usize] == self.item[b as usize]
    }

    /// Number of rows whose (user, item) pair an earlier row has.
    pub fn repeated_pairs(&self) -> usize {
        self.by_pair().windows(2).filter(|w| self.same_pair(w[0], w[1])).count()
    }

    /// Refuses rows that repeat a (user, item) pair.
    ///
    /// # Errors
    /// [`DataError::Duplicate`] naming the pair with the lowest ids.
    pub fn check_pairs(&self) -> Result<(), DataError> {
        let order = self.by_pair();
        let mut repeats = order.windows(2).filter(|w| self.same_pair(w[0], w[1])).peekable();
        let Some(&first) = repeats.peek() else { return Ok(()) };
        let (a, b) = (first[0] as usize, first[1] as usize);
        Err(DataError::Duplicate {
            user: self.user[a],
            item: self.item[a],
            first: a,
            second: b,
            repeated: repeats.count(),
        })
    }

    /// Each (user, item) pair once, in the place of the row that is kept; for a mean, of the pair's first row. The place
    /// matters where rows of one time are ordered by it, as in [`ThreeWay::LeaveTwoOut`](crate::ThreeWay::LeaveTwoOut).
    ///
    /// # Errors
    /// [`DataError::Duplicate`] under [`Duplicates::Error`].
    ///
    /// ```
    /// use kohort_data::{Duplicates, Interactions};
    ///
    /// let rows = Interactions {
    ///     user: vec![0, 1, 0], item: vec![4, 4, 4], rating: vec![2.0, 3.0, 5.0], time: vec![10, 11, 12],
    ///     users: 2, items: 5,
    /// };
    /// let merged = rows.merge_duplicates(Duplicates::Mean)?;
    /// assert_eq!(merged.rating, [3.5, 3.0]);
    /// assert_eq!(rows.merge_duplicates(Duplicates::Last)?.rating, [3.0, 5.0]);
    /// assert!(rows.merge_duplicates(Duplicates::Error).is_err());
    /// # Ok::<(), kohort_data::DataError>(())
    /// ```
    pub fn merge_duplicates(&self, policy: Duplicates) -> Result<Interactions, DataError> {
        Ok(self.merge_duplicates_traced(policy)?.interactions)
    }

    pub(crate) fn merge_duplicates_traced(&self, policy: Duplicates) -> Result<Merged, DataError> {
        if policy == Duplicates::Error {
            self.check_pairs()?;
        }
        let time = |r: &u32| self.time[*r as usize];
        let stands_for = |rows: &[u32]| match policy {
            Duplicates::Mean | Duplicates::Error => rows.first().copied(),
            Duplicates::Last => rows.iter().copied().max_by_key(|r| (time(r), *r)),
            Duplicates::KeepFirst => rows.iter().copied().min_by_key(|r| (time(r), *r)),
        };
        let order = self.by_pair();
        let mut pairs: Vec<(u32, Vec<u32>)> = order
            .chunk_by(|&a, &b| self.same_pair(a, b))
            .filter_map(|rows| Some((stands_for(rows)?, rows.to_vec())))
            .collect();
        pairs.sort_unstable_by_key(|&(kept, _)| kept);
        let (kept, sources): (Vec<u32>, Vec<Vec<u32>>) = pairs.into_iter().unzip();
        let mut interactions = self.select(&kept);
        if policy == Duplicates::Mean {
            for (at, rows) in sources.iter().enumerate().filter(|(_, rows)| rows.len() > 1) {
                let sum: f64 = rows.iter().map(|&r| f64::from(self.rating[r as usize])).sum();
                interactions.rating[at] = (sum / rows.len() as f64) as f32;
                interactions.time[at] = rows.iter().map(time).max().unwrap_or_default();
            }
        }
        Ok(Merged { interactions, kept, sources })
    }
}
