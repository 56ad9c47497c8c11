//! Every metric for every cohort and task.
//!
//! Rows `(cohort, task, prediction, target)`, `[n]` each, are grouped once; each group is sorted once for both ranking
//! metrics. A cell that has no value says why: an AUC of a cohort with one class is not 0.5, and not missing either.
//!
//! ```
//! use kohort_eval::cube::{Cube, CubeMetric, Undefined};
//!
//! let cohorts = [0, 0, 0, 1, 1];
//! let tasks = [0; 5];
//! let predictions = [0.9f32, 0.2, 0.4, 0.6, 0.7];
//! let clicked = [1.0f32, 0.0, 1.0, 1.0, 1.0];
//! let cube = Cube::new(&[CubeMetric::RocAuc], &cohorts, &tasks, &predictions, &clicked)?;
//! assert_eq!(cube.get(Some(0), 0, CubeMetric::RocAuc).unwrap().value, Ok(1.0));
//! assert_eq!(cube.get(Some(1), 0, CubeMetric::RocAuc).unwrap().value, Err(Undefined::OneClass));
//! assert_eq!(cube.get(None, 0, CubeMetric::RocAuc).unwrap().rows, 5); // all cohorts together
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```

use crate::binary::{RankScores, log_loss, rank_scores};
use crate::error::{EvalError, Result, at_least, same_length, setting};
use crate::rating::{mae, rmse};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A metric of the cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CubeMetric {
    /// See [`crate::binary::roc_auc`].
    RocAuc,
    /// See [`crate::binary::average_precision`].
    AveragePrecision,
    /// See [`crate::binary::log_loss`].
    LogLoss,
    /// See [`crate::rating::rmse`].
    Rmse,
    /// See [`crate::rating::mae`].
    Mae,
}

/// Why a cell has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// The cohort has no row for the task.
    NoRows,
    /// All targets are of one class.
    OneClass,
    /// The metric needs targets of 0 and 1, and there are others.
    TargetsNotBinary,
    /// The metric needs probabilities, and a prediction lies outside 0 to 1.
    NotProbabilities,
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRows => "no rows",
            Self::OneClass => "one class only",
            Self::TargetsNotBinary => "targets other than 0 and 1",
            Self::NotProbabilities => "predictions outside 0 to 1",
        })
    }
}

/// One metric of one task in one cohort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The cohort; `None` for all cohorts together.
    pub cohort: Option<u32>,
    /// The task.
    pub task: u32,
    /// The metric.
    pub metric: CubeMetric,
    /// Rows it rests on.
    pub rows: usize,
    /// Rows with a target above 0.
    pub positives: usize,
    /// Its value, or why there is none.
    pub value: std::result::Result<f64, Undefined>,
}

/// All cells, ordered by task, then cohort (all cohorts together first), then metric as asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cube {
    /// The cells.
    pub cells: Vec<Cell>,
}

/// Cohorts × tasks × metrics above this are a mistake in the ids, not a table.
const MOST_CELLS: usize = 1 << 22;

impl Cube {
    /// Computes `metrics` for every cohort and every task that occurs; all other slices are `[n]`.
    ///
    /// # Errors
    /// Different lengths, no rows, a prediction or target that is not finite, more than 2²² cells.
    pub fn new(
        metrics: &[CubeMetric],
        cohorts: &[u32],
        tasks: &[u32],
        predictions: &[f32],
        targets: &[f32],
    ) -> Result<Self> {
        let n = targets.len();
        same_length(("cohorts", cohorts.len()), ("targets", n))?;
        same_length(("tasks", tasks.len()), ("targets", n))?;
        same_length(("predictions", predictions.len()), ("targets", n))?;
        at_least("targets", n, 1)?;
        for (name, values) in [("predictions", predictions), ("targets", targets)] {
            if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                let value = f64::from(values[at]);
                return Err(EvalError::Value { name, at, value, allowed: "finite numbers" });
            }
        }
        let distinct = |values: &[u32]| {
            let mut values = values.to_vec();
            values.sort_unstable();
            values.dedup();
            values
        };
        let (all_cohorts, all_tasks) = (distinct(cohorts), distinct(tasks));
        let cells =
            (all_cohorts.len() + 1).saturating_mul(all_tasks.len()).saturating_mul(metrics.len().max(1));
        setting("cohorts x tasks x metrics", cells, format!("at most {MOST_CELLS}"), cells <= MOST_CELLS)?;

        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&row| (tasks[row], cohorts[row]));
        let predictions: Vec<f32> = order.iter().map(|&row| predictions[row]).collect();
        let targets: Vec<f32> = order.iter().map(|&row| targets[row]).collect();
        let span = |cohort: Option<u32>, task: u32| {
            let from = order.partition_point(|&r| (tasks[r], Some(cohorts[r])) < (task, cohort));
            let to = order.partition_point(|&r| match cohort {
                Some(cohort) => (tasks[r], cohorts[r]) <= (task, cohort),
                None => tasks[r] <= task,
            });
            from..to
        };
        let groups: Vec<(u32, Option<u32>)> = all_tasks
            .iter()
            .flat_map(|&task| {
                std::iter::once(None).chain(all_cohorts.iter().copied().map(Some)).map(move |c| (task, c))
            })
            .collect();
        let measured: Vec<Vec<Cell>> = groups
            .par_iter()
            .map(|&(task, cohort)| {
                let rows = span(cohort, task);
                let group = Group::new(&predictions[rows.clone()], &targets[rows], metrics);
                metrics
                    .iter()
                    .map(|&metric| {
                        let (rows, positives) = (group.targets.len(), group.positives);
                        Cell { cohort, task, metric, rows, positives, value: group.value(metric) }
                    })
                    .collect()
            })
            .collect();
        Ok(Self { cells: measured.into_iter().flatten().collect() })
    }

    /// One cell; `cohort` of `None` is all cohorts together.
    pub fn get(&self, cohort: Option<u32>, task: u32, metric: CubeMetric) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.cohort == cohort && cell.task == task && cell.metric == metric)
    }
}

/// The rows of one task in one cohort.
struct Group<'a> {
    predictions: &'a [f32],
    targets: &'a [f32],
    positives: usize,
    /// `None` if a target is neither 0 nor 1.
    labels: Option<Vec<bool>>,
    ranked: Option<RankScores>,
}

impl<'a> Group<'a> {
    fn new(predictions: &'a [f32], targets: &'a [f32], metrics: &[CubeMetric]) -> Self {
        let binary = targets.iter().all(|&t| t == 0.0 || t == 1.0);
        let labels: Option<Vec<bool>> = binary.then(|| targets.iter().map(|&t| t == 1.0).collect());
        let sorts = metrics.iter().any(|m| matches!(m, CubeMetric::RocAuc | CubeMetric::AveragePrecision));
        // An empty group is refused here, which is what `value` reports first anyway.
        let ranked =
            labels.as_ref().filter(|_| sorts).and_then(|labels| rank_scores(predictions, labels).ok());
        let positives = targets.iter().filter(|&&t| t > 0.0).count();
        Self { predictions, targets, positives, labels, ranked }
    }

    fn value(&self, metric: CubeMetric) -> std::result::Result<f64, Undefined> {
        if self.targets.is_empty() {
            return Err(Undefined::NoRows);
        }
        // Lengths and finiteness were checked for the whole table, so the only errors left are the ones named here.
        match metric {
            CubeMetric::Rmse => rmse(self.predictions, self.targets).map_err(|_| Undefined::NoRows),
            CubeMetric::Mae => mae(self.predictions, self.targets).map_err(|_| Undefined::NoRows),
            CubeMetric::LogLoss => {
                let labels = self.labels.as_ref().ok_or(Undefined::TargetsNotBinary)?;
                log_loss(self.predictions, labels).map_err(|_| Undefined::NotProbabilities)
            }
            CubeMetric::RocAuc | CubeMetric::AveragePrecision => {
                let ranked = self.ranked.ok_or(Undefined::TargetsNotBinary)?;
                let value =
                    if metric == CubeMetric::RocAuc { ranked.roc_auc } else { ranked.average_precision };
                value.ok_or(Undefined::OneClass)
            }
        }
    }
}
