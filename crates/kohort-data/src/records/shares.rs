//! Cutting records in three by seeded shares, or as their authors published them.

use kohort_random::{permutation, stream};
use serde::{Deserialize, Serialize};

use super::{RecordSplit, Records};
use crate::DataError;
use crate::split::{rounded, setting};

/// Shares of the rows in the held-out parts; the rest is the training part.
///
/// Rows are dealt at random and counts rounded half up; the test part is drawn first, so it stays the same whatever the
/// validation share. Every part keeps the row order. Nothing is balanced by target or cohort: with few rows of a cohort,
/// a part may have none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordShares {
    /// Share of the rows in the validation part, between 0 and 1.
    pub validation: f64,
    /// Share of the rows in the test part, between 0 and 1.
    pub test: f64,
}

impl Default for RecordShares {
    /// 60 : 20 : 20.
    fn default() -> RecordShares {
        RecordShares { validation: 0.2, test: 0.2 }
    }
}

impl RecordShares {
    /// Splits the records; the same shares, rows and seed give the same parts everywhere.
    ///
    /// # Errors
    /// [`DataError::Setting`] for shares that are not between 0 and 1, sum to 1 or more, or leave a part empty;
    /// otherwise as [`Records::check`].
    pub fn split(self, records: &Records, seed: u64) -> Result<RecordSplit, DataError> {
        for (name, share) in [("split: validation", self.validation), ("split: test", self.test)] {
            if !(share > 0.0 && share < 1.0) {
                return Err(setting(name, share, "a number between 0 and 1, both excluded"));
            }
        }
        let both = self.validation + self.test;
        if both >= 1.0 {
            return Err(setting("split: validation + test", both, "less than 1"));
        }
        let rows = records.len();
        let held = rounded(self.test, rows).min(rows);
        let chosen = rounded(self.validation, rows).min(rows - held);
        let order = permutation(rows, &mut stream(seed, "records-split", &[]));
        let (test, rest) = order.split_at(held);
        let (validation, train) = rest.split_at(chosen);
        RecordSplit::given(records, &ascending(train), &ascending(validation), &ascending(test))
    }
}

impl RecordSplit {
    /// The published training part to learn from; of the other rows a random half to choose on, the rest to score. This
    /// is how the MMoE paper cuts Census-Income.
    ///
    /// # Errors
    /// [`DataError::Setting`] for records without a published training part, or an empty part; otherwise as
    /// [`Records::check`].
    pub fn published(records: &Records, seed: u64) -> Result<RecordSplit, DataError> {
        let Some(trained) = records.published_train.filter(|&trained| trained <= records.len()) else {
            return Err(setting("split", "records without a published training part", "shares of the rows"));
        };
        let train: Vec<u32> = (0..trained as u32).collect();
        let others = records.len() - trained;
        let mut order = permutation(others, &mut stream(seed, "records-published", &[]));
        order.iter_mut().for_each(|row| *row += trained as u32);
        let (validation, test) = order.split_at(others / 2);
        RecordSplit::given(records, &train, &ascending(validation), &ascending(test))
    }
}

fn ascending(rows: &[u32]) -> Vec<u32> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows
}
