//! A fitted system on the test rows: each task for each cohort, and what it costs.

use std::time::Instant;

use anyhow::{Context, Result};
use kohort_data::records::Target;
use kohort_eval::cube::{Cube, CubeMetric};
use kohort_layers::UNKNOWN;

use super::fitted::Fitted;
use super::insight;
use super::systems::is_binary;
use super::worlds::Material;
use crate::outcome::{Number, Outcome, Undefined};

/// The one protocol: rows of the test part.
pub(crate) const TEST: &str = "test rows";
/// Cohort of the mean over cohorts, each as heavy as the others.
pub(crate) const MEAN: &str = "mean over cohorts";
/// Cohort of the worst.
pub(crate) const WORST: &str = "worst cohort";

/// Names of metrics.
pub(crate) const AUC: &str = "ROC-AUC";
pub(crate) const PR_AUC: &str = "PR-AUC";
pub(crate) const RMSE: &str = "RMSE";
pub(crate) const LOG_LOSS: &str = "log loss";

/// Task of rows that say what a system costs.
pub(crate) const COST: &str = "cost";
pub(crate) const TRAINED: &str = "parameters trained";
pub(crate) const PER_COHORT: &str = "kilobytes per further cohort";
pub(crate) const SECONDS: &str = "seconds to train";
pub(crate) const STEP: &str = "milliseconds a training step";
pub(crate) const MICROSECONDS: &str = "microseconds to score a row";

/// Everything that is reported of a fit.
pub(crate) fn measure(fitted: &Fitted, material: &Material) -> Result<Outcome> {
    let asked = material.split.test.questions();
    let start = Instant::now();
    let predictions = fitted.predict(material, asked.features)?;
    let per_row = 1e6 * start.elapsed().as_secs_f64() / asked.features.rows.max(1) as f64;
    let mut outcome = Outcome::default();
    for (target, predictions) in material.split.test.answers().targets.iter().zip(&predictions) {
        of_task(&mut outcome, target, predictions, material)?;
    }
    for (metric, value) in [
        (TRAINED, fitted.trained as f64),
        (PER_COHORT, fitted.per_cohort / 1024.0),
        (SECONDS, fitted.seconds),
        (MICROSECONDS, per_row),
    ] {
        outcome.numbers.push(Number::new("cost", COST, metric, value));
    }
    outcome.curves = fitted.curves();
    outcome.matrices.extend(fitted.cosines());
    if let Some(step) = fitted.step() {
        outcome.numbers.push(Number::new("cost", COST, STEP, step));
    }
    insight::add(&mut outcome, fitted, material)?;
    Ok(outcome)
}

/// Whether more of a metric is better.
pub(crate) fn higher_is_better(metric: &str) -> bool {
    metric != RMSE && metric != LOG_LOSS
}

/// A task's numbers over all rows, by cohort, their mean and the worst.
pub(crate) fn of_task(
    outcome: &mut Outcome,
    target: &Target,
    predictions: &[f32],
    material: &Material,
) -> Result<()> {
    let cohorts = &material.flat;
    let rows: Vec<usize> = (0..target.values.len()).filter(|&row| target.is_known(row)).collect();
    let pick = |values: &[f32]| -> Vec<f32> { rows.iter().map(|&row| values[row]).collect() };
    let of_row: Vec<u32> = rows.iter().map(|&row| cohorts.test[row]).collect();
    let (predicted, truth) = (pick(predictions), pick(&target.values));
    let metrics: &[(CubeMetric, &str)] = if is_binary(target) {
        &[(CubeMetric::RocAuc, AUC), (CubeMetric::AveragePrecision, PR_AUC)]
    } else {
        &[(CubeMetric::Rmse, RMSE)]
    };
    let kinds: Vec<CubeMetric> = metrics.iter().map(|(kind, _)| *kind).collect();
    let cube = Cube::new(&kinds, &of_row, &vec![0; rows.len()], &predicted, &truth)
        .with_context(|| format!("task {}", target.name))?;
    for &(kind, metric) in metrics {
        let mut values: Vec<f64> = Vec::new();
        for cell in cube.cells.iter().filter(|cell| cell.metric == kind && cell.cohort != Some(UNKNOWN)) {
            let name = cell.cohort.map(|cohort| cohorts.names[cohort as usize].clone());
            match cell.value {
                Ok(value) => {
                    let floor = match kind {
                        CubeMetric::RocAuc => Some(0.5),
                        CubeMetric::AveragePrecision => Some(cell.positives as f64 / cell.rows as f64),
                        _ => None,
                    };
                    let ceiling = if kind == CubeMetric::Rmse { 0.0 } else { 1.0 };
                    let mut number =
                        Number::new(TEST, &target.name, metric, value).between(floor, Some(ceiling));
                    number.cohort.clone_from(&name);
                    outcome.numbers.push(number);
                    if name.is_some() {
                        values.push(value);
                    }
                }
                Err(why) => outcome.undefined.push(Undefined {
                    protocol: TEST.to_owned(),
                    task: target.name.clone(),
                    cohort: name.clone(),
                    metric: metric.to_owned(),
                    why: why.to_string(),
                }),
            }
            if let (CubeMetric::RocAuc | CubeMetric::Rmse, Some(name)) = (kind, name) {
                outcome.counts.push((format!("{}: {name}: rows", target.name), cell.rows as f64));
                if is_binary(target) {
                    outcome
                        .counts
                        .push((format!("{}: {name}: positives", target.name), cell.positives as f64));
                }
            }
        }
        if values.is_empty() {
            continue;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let worst = if higher_is_better(metric) {
            values.iter().copied().fold(f64::INFINITY, f64::min)
        } else {
            values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        };
        for (name, value) in [(MEAN, mean), (WORST, worst)] {
            outcome.numbers.push(Number::new(TEST, &target.name, metric, value).of(name));
        }
    }
    Ok(())
}
