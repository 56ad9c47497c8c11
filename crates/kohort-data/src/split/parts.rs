//! Three parts by time: each user's last two rows, or everything after two moments.

use serde::{Deserialize, Serialize};

use super::ways::setting;
use super::{Test, Train, Validation};
use crate::{DataError, Index, Interactions};

/// A way to cut a data set in three by time. Nothing is drawn, so there is no seed.
///
/// Of rows with equal times, those further down the file count as later.
///
/// ```
/// use kohort_data::{Interactions, ThreeWay};
///
/// let rows = Interactions {
///     user: vec![0; 5], item: vec![7, 4, 6, 5, 3], rating: vec![1.0; 5], time: vec![10, 30, 30, 20, 40],
///     users: 1, items: 8,
/// };
/// let parts = ThreeWay::LeaveTwoOut.split(&rows)?;
/// assert_eq!(parts.train.rows().item, [7, 4, 5]);
/// assert_eq!(parts.validation.rows().item, [6], "of the two rows at 30 the one further down");
/// assert_eq!(parts.test.answers().item, [3]);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ThreeWay {
    /// Of each user's rows the last is the test part and the one before the validation part. A user with two rows has
    /// no validation row, a user with one has only that training row. This is the split of the cross-market papers
    /// (Bonab et al., CIKM 2021), whose code sorts by day and leaves ties to an unstable sort. It is generous: one user's
    /// training rows may be later than another's test row.
    LeaveTwoOut,
    /// All rows from one moment on are the test part, those between an earlier moment and that one the validation
    /// part. The moments are those of the rows at the given shares counted from the end; rows of one time are never
    /// parted, so a part may be larger than its share. Stricter: nothing learned from is later than what is scored.
    /// Users and items may be new in the held-out parts.
    GlobalTime {
        /// Share of the rows in the validation part, between 0 and 1.
        validation: f64,
        /// Share of the rows in the test part, between 0 and 1.
        test: f64,
    },
}

/// A data set cut in three; every part keeps the row order of the data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The rows to learn from.
    pub train: Train,
    /// The rows to choose on.
    pub validation: Validation,
    /// The rows to score.
    pub test: Test,
    held_out_from: Option<i64>,
}

impl Parts {
    /// The first moment of the held-out parts where the split is one in time for all users: no training row is at or
    /// after it. `None` for a split by user.
    pub fn held_out_from(&self) -> Option<i64> {
        self.held_out_from
    }
}

impl ThreeWay {
    /// Splits rows in which each (user, item) pair is there once.
    ///
    /// # Errors
    /// [`DataError::Duplicate`] naming a pair that is there twice, [`DataError::Setting`] for a share out of range or
    /// an empty part, [`DataError::Columns`] for broken columns.
    pub fn split(self, interactions: &Interactions) -> Result<Parts, DataError> {
        interactions.check_pairs()?;
        self.split_with_duplicates(interactions)
    }

    /// Splits rows in which a pair may be there several times, so that a test pair may have been learned from (as in
    /// the published experiments on XMarket).
    ///
    /// # Errors
    /// As [`ThreeWay::split`], except for duplicates.
    pub fn split_with_duplicates(self, interactions: &Interactions) -> Result<Parts, DataError> {
        interactions.check()?;
        let (part, held_out_from) = match self {
            ThreeWay::LeaveTwoOut => (leave_two_out(interactions), None),
            ThreeWay::GlobalTime { validation, test } => {
                let (part, from) = global_time(interactions, validation, test)?;
                (part, Some(from))
            }
        };
        let rows_of = |wanted: Part| -> Vec<u32> {
            (0u32..).zip(&part).filter(|&(_, &found)| found == wanted).map(|(row, _)| row).collect()
        };
        let [train, validation, test] = [Part::Train, Part::Validation, Part::Test].map(rows_of);
        for (name, rows) in [("training", &train), ("validation", &validation), ("test", &test)] {
            if rows.is_empty() {
                let found = format!("{self:?} of {} rows has no {name} row", interactions.len());
                return Err(setting("split", found, "rows in all three parts"));
            }
        }
        Ok(Parts {
            train: Train { rows: interactions.select(&train), origin: train },
            validation: Validation { rows: interactions.select(&validation), origin: validation },
            test: Test { rows: interactions.select(&test), origin: test },
            held_out_from,
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Train,
    Validation,
    Test,
}

fn leave_two_out(rows: &Interactions) -> Vec<Part> {
    let mut part = vec![Part::Train; rows.len()];
    let by_user = Index::new(&rows.user, rows.users);
    for user in 0..by_user.keys() {
        let mut own = by_user.rows(user).to_vec();
        own.sort_unstable_by_key(|&row| (rows.time[row as usize], row));
        match own[..] {
            [.., _, validation, test] => {
                part[validation as usize] = Part::Validation;
                part[test as usize] = Part::Test;
            }
            [_, test] => part[test as usize] = Part::Test,
            _ => {}
        }
    }
    part
}

fn global_time(rows: &Interactions, validation: f64, test: f64) -> Result<(Vec<Part>, i64), DataError> {
    for (name, share) in [("split: validation", validation), ("split: test", test)] {
        if !(share > 0.0 && share < 1.0) {
            return Err(setting(name, share, "a number between 0 and 1, both excluded"));
        }
    }
    if validation + test >= 1.0 {
        return Err(setting("split: validation + test", validation + test, "less than 1"));
    }
    let mut times = rows.time.clone();
    times.sort_unstable();
    // The time of the row with which the last `share` of all rows begins.
    let from = |share: f64| {
        let held = super::ways::rounded(share, times.len());
        times.get(times.len() - held.min(times.len())).copied().unwrap_or(i64::MAX)
    };
    let (from_validation, from_test) = (from(validation + test), from(test));
    let part = rows.time.iter().map(|&time| match time {
        _ if time >= from_test => Part::Test,
        _ if time >= from_validation => Part::Validation,
        _ => Part::Train,
    });
    Ok((part.collect(), from_validation))
}
