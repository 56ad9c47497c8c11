//! Models that share nothing: one for each task, or one for each cohort. What sharing has to beat, and what it costs.

use std::collections::BTreeMap;

use kohort_data::Features;
use kohort_layers::UNKNOWN;

use super::{Config, Input, MultiTask, Predict, check_cohorts, fit};
use crate::ModelError;
use crate::trainer::Epoch;

/// One model for each task.
#[derive(Debug)]
pub struct PerTask {
    /// In the order of the targets.
    pub models: Vec<MultiTask>,
}

/// One model for each cohort.
#[derive(Debug)]
pub struct PerCohort {
    /// By cohort.
    pub models: BTreeMap<u32, MultiTask>,
    /// For rows of all other cohorts, where training had any: a model of all rows.
    pub others: Option<MultiTask>,
}

/// Trains each task alone, with stopping by its own loss.
///
/// # Errors
/// As [`fit`].
pub fn fit_per_task(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<PerTask, ModelError> {
    let one = |target: &kohort_data::records::Target| {
        let config = Config { tasks: vec![target.name.clone()], ..config.clone() };
        fit(input, &config, seed, observe)
    };
    Ok(PerTask { models: input.train.targets().iter().map(one).collect::<Result<_, _>>()? })
}

/// Trains each cohort alone, with stopping by its own validation rows. A cohort with fewer than `least` training rows, or
/// none of whose validation rows is left, gets no model: its rows, and those of no known cohort, get one of all rows.
///
/// # Errors
/// As [`fit`].
pub fn fit_per_cohort(
    input: Input<'_>,
    config: &Config,
    least: usize,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<PerCohort, ModelError> {
    input.check()?;
    let rows_of = |cohorts: &[u32]| {
        let mut rows: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        (0u32..).zip(cohorts).for_each(|(row, &cohort)| rows.entry(cohort).or_default().push(row));
        rows
    };
    let mut models = BTreeMap::new();
    let mut left = false;
    let held = input.validation.map(|(held, cohorts)| (held, rows_of(cohorts)));
    for (cohort, rows) in rows_of(input.cohorts) {
        let held = match &held {
            None => Some(None),
            Some((held, of_cohort)) => of_cohort.get(&cohort).map(|rows| held.select(rows)).map(Some),
        };
        let (Some(held), false, true) = (held, cohort == UNKNOWN, rows.len() >= least.max(1)) else {
            left = true;
            continue;
        };
        let (train, held) = (input.train.select(&rows)?, held.transpose()?);
        let own = vec![cohort; rows.len()];
        let of_held = vec![cohort; held.as_ref().map_or(0, |held| held.len())];
        let validation = held.as_ref().map(|held| (held, &of_held[..]));
        let input = Input { train: &train, cohorts: &own, validation, ..input };
        models.insert(cohort, fit(input, config, seed, observe)?);
    }
    let others = if left { Some(fit(input, config, seed, observe)?) } else { None };
    Ok(PerCohort { models, others })
}

impl Predict for PerTask {
    fn predict(&self, features: &Features, cohorts: &[u32]) -> Result<Vec<Vec<f32>>, ModelError> {
        let each = self.models.iter().map(|model| model.predict(features, cohorts));
        Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn parameters(&self) -> usize {
        self.models.iter().map(Predict::parameters).sum()
    }
}

impl Predict for PerCohort {
    /// A row of a cohort without a model of its own, where there is none of all rows either, is an error.
    fn predict(&self, features: &Features, cohorts: &[u32]) -> Result<Vec<Vec<f32>>, ModelError> {
        let Some(any) = self.others.as_ref().or(self.models.values().next()) else {
            return Err(ModelError::NoRows);
        };
        check_cohorts(cohorts, features.rows, any.hierarchy())?;
        let mut rows: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
        for (row, cohort) in (0u32..).zip(cohorts) {
            rows.entry(self.models.contains_key(cohort).then_some(*cohort)).or_default().push(row);
        }
        let mut all = vec![vec![0.0; features.rows]; any.tasks().len()];
        for (cohort, rows) in rows {
            let model = match cohort {
                Some(cohort) => self.models.get(&cohort),
                None => self.others.as_ref(),
            };
            let Some(model) = model else {
                let row = rows[0] as usize;
                return Err(ModelError::NoModel { row, cohort: cohorts[row] });
            };
            let own: Vec<u32> = rows.iter().map(|&row| cohorts[row as usize]).collect();
            for (all, own) in all.iter_mut().zip(model.predict(&features.select(&rows), &own)?) {
                rows.iter().zip(own).for_each(|(&row, value)| all[row as usize] = value);
            }
        }
        Ok(all)
    }

    fn parameters(&self) -> usize {
        self.models.values().chain(&self.others).map(Predict::parameters).sum()
    }
}
