//! The parts of records, as types: what may be learned from, what may be chosen on, what may only be scored.

use kohort_random::{permutation, stream};

use super::{Records, Target};
use crate::{DataError, Features};

/// Rows that models learn from. Cohorts, scales and vocabularies are made from these alone.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainRecords {
    rows: Records,
    origin: Vec<u32>,
}

/// Rows held out of training on which epochs, hyper-parameters and variants are chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationRecords {
    rows: Records,
    origin: Vec<u32>,
}

/// Rows that are only ever scored. No trainer, feature or cohort takes this type.
#[derive(Clone, Debug, PartialEq)]
pub struct TestRecords {
    rows: Records,
    origin: Vec<u32>,
}

/// Records cut in three.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordSplit {
    /// The rows to learn from.
    pub train: TrainRecords,
    /// The rows to choose on.
    pub validation: ValidationRecords,
    /// The rows to score.
    pub test: TestRecords,
}

/// What a model may see of a held-out part.
#[derive(Clone, Copy, Debug)]
pub struct RecordQuestions<'a> {
    /// What is known of each row.
    pub features: &'a Features,
    /// Who each row belongs to.
    pub cohorts: &'a Features,
}

/// What an evaluator sees of a held-out part.
#[derive(Clone, Copy, Debug)]
pub struct RecordAnswers<'a> {
    /// The true values.
    pub targets: &'a [Target],
    /// The survey weights, where there are: for weighted metrics.
    pub weight: Option<&'a [f32]>,
    /// Who each row belongs to: for metrics by cohort.
    pub cohorts: &'a Features,
}

impl<'a> RecordAnswers<'a> {
    /// The target of that name.
    pub fn target(&self, name: &str) -> Option<&'a Target> {
        self.targets.iter().find(|target| target.name == name)
    }
}

fn questions(rows: &Records) -> RecordQuestions<'_> {
    RecordQuestions { features: &rows.features, cohorts: &rows.cohorts }
}

fn answers(rows: &Records) -> RecordAnswers<'_> {
    RecordAnswers { targets: &rows.targets, weight: rows.weight.as_deref(), cohorts: &rows.cohorts }
}

impl TrainRecords {
    /// Rows that may all be learned from: for data without held-out parts, or cut elsewhere.
    ///
    /// # Errors
    /// As [`Records::check`].
    pub fn new(records: Records) -> Result<TrainRecords, DataError> {
        records.check()?;
        let origin = (0..records.len() as u32).collect();
        Ok(TrainRecords { rows: records, origin })
    }

    /// Some of the training rows (numbers below [`TrainRecords::len`]), each still knowing where it came from: one
    /// cohort's, for a model of its own.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a row that is not there.
    pub fn select(&self, rows: &[u32]) -> Result<TrainRecords, DataError> {
        in_range(rows, self.len())?;
        Ok(TrainRecords {
            rows: self.rows.select(rows),
            origin: rows.iter().map(|&row| self.origin[row as usize]).collect(),
        })
    }

    /// The same rows with these weights, `[rows]`, in place of the survey's: for weighted losses.
    ///
    /// # Errors
    /// [`DataError::Columns`] for weights that are not one a row, negative or not finite.
    pub fn with_weight(mut self, weight: Vec<f32>) -> Result<TrainRecords, DataError> {
        self.rows.weight = Some(weight);
        self.rows.check()?;
        Ok(self)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Short name of the data set.
    pub fn name(&self) -> &str {
        &self.rows.name
    }

    /// What is known of each row.
    pub fn features(&self) -> &Features {
        &self.rows.features
    }

    /// Who each row belongs to.
    pub fn cohorts(&self) -> &Features {
        &self.rows.cohorts
    }

    /// What is to be predicted, with the values to learn from.
    pub fn targets(&self) -> &[Target] {
        &self.rows.targets
    }

    /// The target of that name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.rows.target(name)
    }

    /// The survey weights, where there are.
    pub fn weight(&self) -> Option<&[f32]> {
        self.rows.weight.as_deref()
    }

    /// For each row, its row number in the records that were split.
    pub fn origin(&self) -> &[u32] {
        &self.origin
    }

    /// Holds a random share of the rows out for choices; `round(share · rows)` rows, both parts in row order.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a share outside (0, 1) or one that leaves a part empty.
    pub fn hold_out(&self, share: f64, seed: u64) -> Result<(TrainRecords, ValidationRecords), DataError> {
        let held = crate::split::count_of(share, self.len())?;
        let mut order = permutation(self.len(), &mut stream(seed, "records-hold-out", &[]));
        let mut kept = order.split_off(held);
        order.sort_unstable();
        kept.sort_unstable();
        let origin = |rows: &[u32]| rows.iter().map(|&row| self.origin[row as usize]).collect();
        Ok((
            TrainRecords { rows: self.rows.select(&kept), origin: origin(&kept) },
            ValidationRecords { rows: self.rows.select(&order), origin: origin(&order) },
        ))
    }
}

impl ValidationRecords {
    /// Some of the rows (numbers below [`ValidationRecords::len`]), each still knowing where it came from: one cohort's, to
    /// choose for a model of its own.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a row that is not there.
    pub fn select(&self, rows: &[u32]) -> Result<ValidationRecords, DataError> {
        in_range(rows, self.len())?;
        Ok(ValidationRecords {
            rows: self.rows.select(rows),
            origin: rows.iter().map(|&row| self.origin[row as usize]).collect(),
        })
    }

    /// What a model may see.
    pub fn questions(&self) -> RecordQuestions<'_> {
        questions(&self.rows)
    }

    /// The answers, to choose by.
    pub fn answers(&self) -> RecordAnswers<'_> {
        answers(&self.rows)
    }

    /// For each row, its row number in the records that were split.
    pub fn origin(&self) -> &[u32] {
        &self.origin
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl TestRecords {
    /// What a model may see.
    pub fn questions(&self) -> RecordQuestions<'_> {
        questions(&self.rows)
    }

    /// The answers, for an evaluator.
    pub fn answers(&self) -> RecordAnswers<'_> {
        answers(&self.rows)
    }

    /// For each row, its row number in the records that were split.
    pub fn origin(&self) -> &[u32] {
        &self.origin
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl RecordSplit {
    /// A split that somebody else made: row numbers of `records` for each part, in any order, which the parts keep.
    /// Rows that no part names are left out.
    ///
    /// # Errors
    /// As [`Records::check`]; [`DataError::Columns`] for a row that is not there, or is named twice;
    /// [`DataError::Setting`] for an empty part.
    pub fn given(
        records: &Records,
        train: &[u32],
        validation: &[u32],
        test: &[u32],
    ) -> Result<RecordSplit, DataError> {
        records.check()?;
        let mut taken = vec![false; records.len()];
        for (name, rows) in [("training", train), ("validation", validation), ("test", test)] {
            if rows.is_empty() {
                return Err(DataError::Setting {
                    name: "split",
                    found: format!("no {name} row of {}", records.len()),
                    expected: "rows in all three parts".to_owned(),
                });
            }
            in_range(rows, records.len())?;
            for &row in rows {
                if std::mem::replace(&mut taken[row as usize], true) {
                    return Err(DataError::Columns {
                        what: format!("{name} part: row {row} is named twice"),
                    });
                }
            }
        }
        Ok(RecordSplit {
            train: TrainRecords { rows: records.select(train), origin: train.to_vec() },
            validation: ValidationRecords { rows: records.select(validation), origin: validation.to_vec() },
            test: TestRecords { rows: records.select(test), origin: test.to_vec() },
        })
    }
}

fn in_range(rows: &[u32], limit: usize) -> Result<(), DataError> {
    match rows.iter().find(|&&row| row as usize >= limit) {
        Some(row) => Err(DataError::Columns { what: format!("row {row} is not below {limit}") }),
        None => Ok(()),
    }
}
