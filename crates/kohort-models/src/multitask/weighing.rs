//! Rules of the config on the rows of a training run: "new users in JP: 3 × on conversion".
//!
//! Rules may speak of the model's tasks, of cohorts by their names (the one that a row carries, not those around it), and of every column
//! that holds names or numbers: features first, then the columns that cohorts come from.

use kohort_data::records::TrainRecords;
use kohort_data::{Column, Features};
use kohort_layers::{Hierarchy, UNKNOWN};
use kohort_objectives::rules::{self, Factor, Kind, Known, Rules, WeightRule};

use super::targets::Task;
use crate::ModelError;

/// Weights of training rows by rules.
#[derive(Debug)]
pub(super) enum Weighing {
    /// Those of each task are the same in every step, `[tasks][rows]`; `None` for a task of which no rule speaks.
    Fixed(Vec<Option<Vec<f32>>>),
    /// Some follow a schedule.
    Scheduled {
        /// The rules.
        rules: Box<Rules>,
        /// Columns of all training rows.
        columns: Vec<Values>,
        /// Cohorts of all training rows, those of none after all others.
        cohorts: Vec<u32>,
    },
}

/// A column that rules may test.
#[derive(Clone, Debug)]
pub(super) enum Values {
    Numbers(Vec<f32>),
    Codes(Vec<u32>),
}

impl Values {
    fn cut(&self, rows: &[u32]) -> Values {
        match self {
            Values::Numbers(all) => Values::Numbers(rows.iter().map(|&row| all[row as usize]).collect()),
            Values::Codes(all) => Values::Codes(rows.iter().map(|&row| all[row as usize]).collect()),
        }
    }

    fn seen(&self) -> rules::Column<'_> {
        match self {
            Values::Numbers(numbers) => rules::Column::Numbers(numbers),
            Values::Codes(codes) => rules::Column::Codes(codes),
        }
    }
}

impl Weighing {
    /// Looks up everything that the rules speak of, and applies them to every row once, so that what is wrong is said before training.
    ///
    /// # Errors
    /// As [`Rules::new`] and [`Rules::weights`].
    pub(super) fn new(
        config: &[WeightRule],
        train: &TrainRecords,
        tasks: &[Task],
        (cohorts, hierarchy): (&[u32], &Hierarchy),
    ) -> Result<Option<Weighing>, ModelError> {
        if config.is_empty() {
            return Ok(None);
        }
        let (mut known, mut columns) = (Vec::new(), Vec::new());
        for (name, column) in of(train.features()).chain(of(train.cohorts())) {
            if known.iter().any(|(other, _)| other == name) {
                continue;
            }
            match column {
                Column::Numeric(values) => {
                    known.push((name.clone(), Kind::Numbers));
                    columns.push(Values::Numbers(values.clone()));
                }
                Column::Categorical { codes, vocabulary } => {
                    let name_of = |code| vocabulary.token(code).unwrap_or("(unknown)").to_owned();
                    known.push((
                        name.clone(),
                        Kind::Names((0..vocabulary.len() as u32).map(name_of).collect()),
                    ));
                    columns.push(Values::Codes(codes.clone()));
                }
                Column::MultiHot { .. } | Column::Dense { .. } => {}
            }
        }
        let count = hierarchy.len() as u32;
        let names = (0..count).map(|cohort| hierarchy.name(cohort)).chain(["no cohort".to_owned()]);
        let known = Known {
            tasks: tasks.iter().map(|task| task.name.clone()).collect(),
            cohorts: names.collect(),
            columns: known,
        };
        let rules = Rules::new(config, &known)?;
        let cohorts: Vec<u32> =
            cohorts.iter().map(|&cohort| if cohort == UNKNOWN { count } else { cohort }).collect();
        let seen: Vec<rules::Column<'_>> = columns.iter().map(Values::seen).collect();
        let rows = rules::Rows { count: train.len(), cohorts: &cohorts, columns: &seen };
        let weights = rules.weights(rows, 0)?;
        let moves = config.iter().any(|rule| matches!(rule.factor, Factor::Schedule { .. }));
        Ok(Some(match moves {
            true => Weighing::Scheduled { rules: Box::new(rules), columns, cohorts },
            false => Weighing::Fixed(weights),
        }))
    }

    /// Weights of a batch's rows at a step, `[tasks][batch]`.
    ///
    /// # Errors
    /// As [`Rules::weights`].
    pub(super) fn weights(&self, batch: &[u32], step: u64) -> Result<Vec<Option<Vec<f32>>>, ModelError> {
        match self {
            Weighing::Fixed(all) => {
                let cut = |all: &Vec<f32>| batch.iter().map(|&row| all[row as usize]).collect();
                Ok(all.iter().map(|all| all.as_ref().map(cut)).collect())
            }
            Weighing::Scheduled { rules, columns, cohorts } => {
                let columns: Vec<Values> = columns.iter().map(|column| column.cut(batch)).collect();
                let columns: Vec<rules::Column<'_>> = columns.iter().map(Values::seen).collect();
                let cohorts: Vec<u32> = batch.iter().map(|&row| cohorts[row as usize]).collect();
                let rows = rules::Rows { count: batch.len(), cohorts: &cohorts, columns: &columns };
                Ok(rules.weights(rows, step)?)
            }
        }
    }
}

fn of(features: &Features) -> impl Iterator<Item = (&String, &Column)> {
    features.columns.iter().map(|(name, column)| (name, column))
}
