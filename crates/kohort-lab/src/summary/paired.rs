//! The system under test against every other, user by user.
//!
//! For each user the difference of a metric is averaged over the seeds; a paired t-test runs over the users (so a user
//! counts once, however many seeds there are); the p-values of all opponents of a table are corrected after Holm.

use anyhow::Result;
use kohort_eval::UnitValues;
use kohort_eval::interval::{Alternative, compare_runs, holm};
use kohort_report::Row;

use super::series;
use crate::grid::{Finished, Key};
use crate::outcome::SQUARED_ERROR;

/// One opponent on one metric of one table.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) experiment: String,
    pub(crate) dataset: String,
    pub(crate) protocol: String,
    /// The metric of the table that the test belongs to.
    pub(crate) metric: String,
    pub(crate) opponent: String,
    pub(crate) variant: Option<String>,
    pub(crate) title: String,
    pub(crate) cohort: Option<String>,
    /// Ours minus theirs, mean over users; in the per-user metric (squared error for RMSE).
    pub(crate) difference: f64,
    /// Whether ours is the better mean.
    pub(crate) ours_better: bool,
    /// Two-sided and corrected; `None` where the test is undefined.
    pub(crate) p: Option<f64>,
}

impl Comparison {
    /// Whether a row is the opponent's row of this test.
    pub(crate) fn is_about(&self, row: &Row, system: &str) -> bool {
        row.experiment == self.experiment
            && row.dataset == self.dataset
            && row.protocol.as_ref() == Some(&self.protocol)
            && row.metric == self.metric
            && row.cohort == self.cohort
            && system == self.opponent
            && row.variant == self.variant
            && row.system.as_ref() == Some(&self.title)
    }
}

/// All comparisons of a run with the system that `is_ours` knows.
pub(crate) fn compare(cells: &[&Finished], is_ours: &dyn Fn(&Key) -> bool) -> Result<Vec<Comparison>> {
    let mut all = Vec::new();
    for ((experiment, dataset, protocol, metric, cohort), systems) in series(cells) {
        let Some((_, ours)) = systems.iter().find(|(key, _)| is_ours(key)) else { continue };
        let mut family = Vec::new();
        for (key, theirs) in &systems {
            // A failed cell leaves a seed out: then runs would be paired across seeds.
            if is_ours(key) || theirs.len() != ours.len() {
                continue;
            }
            let owned =
                |runs: &[&UnitValues]| -> Vec<UnitValues> { runs.iter().map(|&run| run.clone()).collect() };
            let Ok(result) = compare_runs(&owned(ours), &owned(theirs), Alternative::TwoSided) else {
                continue;
            };
            let error = metric == SQUARED_ERROR;
            family.push(Comparison {
                experiment: experiment.to_owned(),
                dataset: dataset.to_owned(),
                protocol: protocol.to_owned(),
                metric: if error { "RMSE" } else { metric }.to_owned(),
                opponent: key.system.clone(),
                variant: key.variant.clone(),
                title: key.title.clone(),
                cohort: cohort.map(str::to_owned),
                difference: result.difference,
                ours_better: if error { result.difference < 0.0 } else { result.difference > 0.0 },
                p: result.over_units.map(|test| test.p),
            });
        }
        let defined: Vec<usize> = (0..family.len()).filter(|&at| family[at].p.is_some()).collect();
        let p: Vec<f64> = family.iter().filter_map(|comparison| comparison.p).collect();
        if !p.is_empty() {
            for (at, corrected) in defined.into_iter().zip(holm(&p)?) {
                family[at].p = Some(corrected);
            }
        }
        all.extend(family);
    }
    Ok(all)
}
