//! Ways to cut a data set into what is learned from and what is only scored.

use kohort_random::{permutation, stream};
use serde::{Deserialize, Serialize};

use super::{Split, Test, Train};
use crate::{DataError, Index, Interactions};

/// A way to split; the same way, rows and seed give the same parts everywhere.
///
/// Counts are rounded half up. Every way but [`Way::RandomRows`] and [`Way::Fold`] leaves each user that has rows at
/// least one training row.
///
/// ```
/// use kohort_data::{Way, synthetic};
///
/// let (data, _) = synthetic::Recipe::small().generate(7)?;
/// let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 42)?;
/// assert_eq!(split.train.rows().len() + split.test.answers().len(), data.interactions.len());
///
/// let again = Way::RandomRows { share: 0.2 }.split(&data.interactions, 42)?;
/// assert_eq!(split, again);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Way {
    /// A random `share` of all rows is the test part.
    RandomRows {
        /// Share of the rows in the test part, between 0 and 1.
        share: f64,
    },
    /// A random `share` of each user's rows is the test part; users with few rows may have none in it.
    PerUser {
        /// Share of each user's rows in the test part, between 0 and 1.
        share: f64,
    },
    /// Each user's last `rows` rows by time are the test part. Of rows with equal times, those further down the file
    /// count as later; without times that is the order of the file. Needs no seed.
    LeaveLast {
        /// Test rows a user, at least 1.
        rows: usize,
    },
    /// The rows are dealt at random into `folds` folds of equal size (give or take one), and `fold` is the test part.
    Fold {
        /// Number of folds, at least 2.
        folds: usize,
        /// Which one is the test part, from 0.
        fold: usize,
    },
}

impl Way {
    /// Splits rows in which each (user, item) pair is there once.
    ///
    /// # Errors
    /// [`DataError::Duplicate`] naming a pair that is there twice, [`DataError::Setting`] for a setting out of range or
    /// one that leaves a part empty, [`DataError::Columns`] for broken columns.
    pub fn split(self, interactions: &Interactions, seed: u64) -> Result<Split, DataError> {
        interactions.check_pairs()?;
        self.split_with_duplicates(interactions, seed)
    }

    /// Splits rows in which a pair may be there several times, so that a test pair may have been learned from.
    ///
    /// # Errors
    /// As [`Way::split`], except for duplicates.
    pub fn split_with_duplicates(self, interactions: &Interactions, seed: u64) -> Result<Split, DataError> {
        interactions.check()?;
        let rows = interactions.len();
        let mut test = vec![false; rows];
        match self {
            Way::RandomRows { share } => {
                let held = count_of(share, rows)?;
                for &row in &permutation(rows, &mut stream(seed, "split", &[]))[..held] {
                    test[row as usize] = true;
                }
            }
            Way::PerUser { share } => {
                check_share(share)?;
                let by_user = Index::new(&interactions.user, interactions.users);
                for user in 0..by_user.keys() {
                    let own = by_user.rows(user);
                    let held = rounded(share, own.len()).min(own.len().saturating_sub(1));
                    let order = permutation(own.len(), &mut stream(seed, "split-user", &[user as u64]));
                    for &at in &order[..held] {
                        test[own[at as usize] as usize] = true;
                    }
                }
            }
            Way::LeaveLast { rows: last } => {
                if last == 0 {
                    return Err(setting("split: rows", 0, "at least 1"));
                }
                let by_user = Index::new(&interactions.user, interactions.users);
                for user in 0..by_user.keys() {
                    let mut own = by_user.rows(user).to_vec();
                    own.sort_unstable_by_key(|&row| (interactions.time[row as usize], row));
                    let held = last.min(own.len().saturating_sub(1));
                    for &row in &own[own.len() - held..] {
                        test[row as usize] = true;
                    }
                }
            }
            Way::Fold { folds, fold } => {
                if folds < 2 || folds > rows {
                    return Err(setting("split: folds", folds, &format!("2 to the number of rows, {rows}")));
                }
                if fold >= folds {
                    return Err(setting("split: fold", fold, &format!("0 to {}", folds - 1)));
                }
                let order = permutation(rows, &mut stream(seed, "split-folds", &[folds as u64]));
                for &row in order.iter().skip(fold).step_by(folds) {
                    test[row as usize] = true;
                }
            }
        }
        let (kept, held) = cut(&test);
        if kept.is_empty() || held.is_empty() {
            return Err(setting("split", format!("{self:?} of {rows} rows"), "rows in both parts"));
        }
        Ok(Split {
            train: Train { rows: interactions.select(&kept), origin: kept },
            test: Test { rows: interactions.select(&held), origin: held },
        })
    }
}

/// Row numbers where `out` is false, and where it is true; both ascending.
pub(super) fn cut(out: &[bool]) -> (Vec<u32>, Vec<u32>) {
    (0..out.len() as u32).partition(|&row| !out[row as usize])
}

/// `round(share · rows)`, which must leave both sides something.
pub(crate) fn count_of(share: f64, rows: usize) -> Result<usize, DataError> {
    check_share(share)?;
    let held = rounded(share, rows);
    if held == 0 || held >= rows {
        return Err(setting(
            "share",
            share,
            &format!("a share that leaves both parts some of the {rows} rows"),
        ));
    }
    Ok(held)
}

fn check_share(share: f64) -> Result<(), DataError> {
    if share > 0.0 && share < 1.0 {
        Ok(())
    } else {
        Err(setting("share", share, "a number between 0 and 1, both excluded"))
    }
}

pub(crate) fn rounded(share: f64, rows: usize) -> usize {
    (share * rows as f64 + 0.5).floor() as usize
}

pub(crate) fn setting(name: &'static str, found: impl ToString, expected: &str) -> DataError {
    DataError::Setting { name, found: found.to_string(), expected: expected.to_owned() }
}
