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
        let [train, validation, test] = self.deal(records.len(), "records-split", seed)?;
        RecordSplit::given(records, &ascending(&train), &ascending(&validation), &ascending(&test))
    }

    /// The same with shares of groups instead of rows: rows of one group, say a positive and the negatives drawn beside
    /// it, all go to the same part. `group_of` `[rows]` numbers the groups from 0.
    ///
    /// Splitting such rows apart would leak: whoever met only the negative of a pair in training knows that the other row
    /// of the user is the positive.
    ///
    /// # Errors
    /// As [`RecordShares::split`]; [`DataError::Columns`] when `group_of` has not one number a row, or one that is not
    /// below the number of rows.
    pub fn split_groups(
        self,
        records: &Records,
        group_of: &[u32],
        seed: u64,
    ) -> Result<RecordSplit, DataError> {
        if group_of.len() != records.len() {
            let what = format!("groups: {} for {} rows", group_of.len(), records.len());
            return Err(DataError::Columns { what });
        }
        if let Some(group) = group_of.iter().find(|&&group| group as usize >= records.len()) {
            let what = format!("groups: {group} is not below the {} rows", records.len());
            return Err(DataError::Columns { what });
        }
        let groups = group_of.iter().max().map_or(0, |&last| last as usize + 1);
        let parts = self.deal(groups, "records-split-groups", seed)?;
        let mut part_of = vec![0; groups];
        for (part, members) in parts.iter().enumerate() {
            members.iter().for_each(|&group| part_of[group as usize] = part);
        }
        let mut rows: [Vec<u32>; 3] = Default::default();
        for (row, &group) in group_of.iter().enumerate() {
            rows[part_of[group as usize]].push(row as u32);
        }
        let [train, validation, test] = rows;
        RecordSplit::given(records, &train, &validation, &test)
    }

    /// The first `count` numbers dealt to training, validation and test.
    fn deal(self, count: usize, name: &str, seed: u64) -> Result<[Vec<u32>; 3], DataError> {
        for (name, share) in [("split: validation", self.validation), ("split: test", self.test)] {
            if !(share > 0.0 && share < 1.0) {
                return Err(setting(name, share, "a number between 0 and 1, both excluded"));
            }
        }
        let both = self.validation + self.test;
        if both >= 1.0 {
            return Err(setting("split: validation + test", both, "less than 1"));
        }
        let held = rounded(self.test, count).min(count);
        let chosen = rounded(self.validation, count).min(count - held);
        let order = permutation(count, &mut stream(seed, name, &[]));
        let (test, rest) = order.split_at(held);
        let (validation, train) = rest.split_at(chosen);
        Ok([train.to_vec(), validation.to_vec(), test.to_vec()])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Features, records::Target};

    fn records(rows: usize) -> Records {
        let targets = vec![Target::binary("y", (0..rows).map(|row| row % 2 == 0))];
        Records { targets, ..Records::new("pairs", Features::new(rows)) }
    }

    #[test]
    fn rows_of_a_group_stay_together() {
        let pairs: Vec<u32> = (0..200).map(|row| row / 2).collect();
        let split = RecordShares::default().split_groups(&records(200), &pairs, 7).unwrap();
        for (part, rows) in
            [(split.train.origin(), 120), (split.validation.origin(), 40), (split.test.origin(), 40)]
        {
            assert_eq!(part.len(), rows);
            assert!(part.chunks(2).all(|pair| pair[0] % 2 == 0 && pair[1] == pair[0] + 1));
        }
    }

    #[test]
    fn groups_are_one_a_row_and_in_range() {
        for groups in [vec![0; 9], vec![10; 10]] {
            let split = RecordShares::default().split_groups(&records(10), &groups, 7);
            assert!(matches!(split, Err(DataError::Columns { .. })));
        }
        // One group cannot fill three parts.
        assert!(RecordShares::default().split_groups(&records(10), &[0; 10], 7).is_err());
    }
}
