//! Rows with features, several targets and cohorts: multi-task data that is not about users and items.
//!
//! A person in a survey or a user of a platform is one row. [`Records`] hold what is known of it ([`Features`]), what is
//! to be predicted ([`Target`]s, of which a row may know some only), and who it belongs to: `cohorts`, categorical
//! columns such as `["age band", "sex"]` that [`CohortPaths`] turns into a hierarchy of cohorts.
//!
//! [`RecordShares`] cut them in three parts, each a type of its own. A trainer takes [`TrainRecords`]; of the held-out
//! parts a model sees the questions:
//!
//! ```
//! use kohort_data::{Column, Features, records::{CohortPaths, RecordShares, Records, Target}};
//!
//! let mut features = Features::new(6);
//! features.push("hours", Column::Numeric(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))?;
//! let mut cohorts = Features::new(6);
//! cohorts.push("region", Column::categorical(["north", "south", "north", "south", "north", "south"]))?;
//! let records = Records {
//!     cohorts,
//!     targets: vec![Target::binary("stays", [true, false, true, true, false, true])],
//!     ..Records::new("tea", features)
//! };
//!
//! let split = RecordShares { validation: 0.2, test: 0.2 }.split(&records, 42)?;
//! let paths = CohortPaths::of(&split.train, &["region"])?;
//! let questions = split.test.questions();
//! assert_eq!(paths.assign(questions.cohorts)?.len(), questions.features.rows);
//! // The answers are for the evaluator.
//! assert_eq!(split.test.answers().targets[0].values.len(), questions.features.rows);
//! # Ok::<(), kohort_data::DataError>(())
//! ```
//!
//! What is held out cannot be trained on, because no function that trains takes it:
//!
//! ```compile_fail
//! # use kohort_data::records::{TrainRecords, TestRecords};
//! fn train(rows: &TrainRecords) {}
//! fn cheat(test: &TestRecords) {
//!     train(test);
//! }
//! ```
//!
//! and has no targets to look at but those of [`TestRecords::answers`]:
//!
//! ```compile_fail
//! # use kohort_data::records::TestRecords;
//! fn peek(test: &TestRecords) -> usize {
//!     test.targets().len()
//! }
//! ```

mod parts;
mod paths;
mod shares;
mod target;

pub use parts::{RecordAnswers, RecordQuestions, RecordSplit, TestRecords, TrainRecords, ValidationRecords};
pub use paths::{CohortPaths, NO_COHORT};
pub use shares::RecordShares;
pub use target::{Target, TargetKind};

use crate::{Column, DataError, Features};

/// Rows with features, several targets and cohort columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    /// Short name, as in the manifest.
    pub name: String,
    /// What a model may read of each row. Never a target, nor the survey weight.
    pub features: Features,
    /// Categorical columns that say who the row belongs to. A column may stand among the features too: what a model
    /// routes by and what it reads are two questions.
    pub cohorts: Features,
    /// What is to be predicted.
    pub targets: Vec<Target>,
    /// How many people of the population each row stands for, where a survey says so: for weighted losses and metrics,
    /// never a feature.
    pub weight: Option<Vec<f32>>,
    /// How many of the first rows are the training part that the data's authors published; none without one.
    pub published_train: Option<usize>,
    /// Where the files came from: `official`, `mirror`, `data-dir`, `files`, `synthetic`, ….
    pub source: String,
    /// What a reader of results has to know.
    pub notes: Vec<String>,
}

impl Records {
    /// Features alone, without targets and cohorts yet; the source is `files`.
    pub fn new(name: &str, features: Features) -> Records {
        Records {
            name: name.to_owned(),
            cohorts: Features::new(features.rows),
            features,
            targets: Vec::new(),
            weight: None,
            published_train: None,
            source: "files".to_owned(),
            notes: Vec::new(),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.features.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The target of that name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The same rows with some of the targets only, in the order named.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a name that no target has; it lists those there are.
    pub fn with_targets(mut self, names: &[&str]) -> Result<Records, DataError> {
        let chosen = names.iter().map(|&name| {
            self.target(name).cloned().ok_or_else(|| DataError::Columns {
                what: format!(
                    "target: found {name:?}, expected one of {}",
                    self.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ")
                ),
            })
        });
        self.targets = chosen.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The rows at `rows`, in that order. They have no published training part.
    pub fn select(&self, rows: &[u32]) -> Records {
        Records {
            name: self.name.clone(),
            features: self.features.select(rows),
            cohorts: self.cohorts.select(rows),
            targets: self.targets.iter().map(|target| target.select(rows)).collect(),
            weight: self.weight.as_ref().map(|w| rows.iter().map(|&row| w[row as usize]).collect()),
            published_train: None,
            source: self.source.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Checks that features, cohorts, targets and weights fit together.
    ///
    /// # Errors
    /// [`DataError::Columns`] naming the column, and row and value where there are: lengths that differ, a binary
    /// target that is neither 0 nor 1 where known, numbers that are not finite, weights below 0, a cohort column that
    /// is not categorical, two targets of one name.
    pub fn check(&self) -> Result<(), DataError> {
        let wrong = |what: String| Err(DataError::Columns { what });
        let rows = self.len();
        self.features.check()?;
        if self.cohorts.rows != rows {
            return wrong(format!("cohorts: {} rows, expected {rows}", self.cohorts.rows));
        }
        self.cohorts.check()?;
        for (name, column) in &self.cohorts.columns {
            if !matches!(column, Column::Categorical { .. }) {
                return wrong(format!("cohort column {name:?}: expected a categorical column"));
            }
        }
        for (at, target) in self.targets.iter().enumerate() {
            target.check(rows)?;
            if self.targets[..at].iter().any(|before| before.name == target.name) {
                return wrong(format!("target {:?} is there twice", target.name));
            }
        }
        if let Some(weight) = &self.weight {
            if weight.len() != rows {
                return wrong(format!("weight: {} rows, expected {rows}", weight.len()));
            }
            if let Some(row) = weight.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
                return wrong(format!("weight: row {row}: found {}, expected 0 or more", weight[row]));
            }
        }
        match self.published_train {
            Some(published) if published > rows => {
                wrong(format!("published training part: {published} rows, expected at most {rows}"))
            }
            _ => Ok(()),
        }
    }
}
