//! Looking into a fit: which experts each cohort uses, which layers each adapter changes, whom it resembles.

use anyhow::Result;

use super::fitted::Fitted;
use super::worlds::Material;
use crate::outcome::{Matrix, Outcome};

/// Experts that a heat map shows, at most: the global ones come first.
const MOST_EXPERTS: usize = 16;
/// Names of matrices.
pub(crate) const USE: &str = "use of experts by cohort";
pub(crate) const USE_BY_TASK: &str = "use of experts by task";
pub(crate) const CHANGES: &str = "relative change of layers";
pub(crate) const LIKENESS: &str = "likeness of adapters";
pub(crate) const DIRECTIONS: &str = "singular values";

/// Adds what can be seen.
pub(crate) fn add(outcome: &mut Outcome, fitted: &Fitted, material: &Material) -> Result<()> {
    let Some((model, cohorts)) = fitted.one(material) else { return Ok(()) };
    let asked = material.split.test.questions();
    // Who uses what is asked by the outermost cohorts, whatever a system sees itself.
    if let Some(health) = model.health(asked.features, &cohorts.test)? {
        let shown = model.experts().len().min(MOST_EXPERTS);
        let named = |expert: &String| match expert.strip_prefix("own ").and_then(|n| n.parse::<usize>().ok())
        {
            Some(own) => format!("own {}", cohorts.names.get(own).map_or("?", String::as_str)),
            None => expert.clone(),
        };
        let columns: Vec<String> = model.experts().iter().take(shown).map(named).collect();
        let lines = |means: &[Option<Vec<f64>>], names: &[String]| {
            let known = means.iter().zip(names).filter_map(|(mean, name)| Some((mean.as_ref()?, name)));
            let (values, rows): (Vec<_>, Vec<_>) = known
                .map(|(mean, name)| (mean.iter().take(shown).map(|&g| Some(g)).collect(), name.clone()))
                .unzip();
            (rows, values)
        };
        let of_task: Vec<String> = model.tasks().iter().map(|task| task.name.clone()).collect();
        let by_cohort =
            model.use_by(asked.features, &cohorts.test, &material.flat.test, material.flat.names.len())?;
        for (name, means, names) in
            [(USE, &by_cohort, &material.flat.names), (USE_BY_TASK, &health.by_task, &of_task)]
        {
            let (rows, values) = lines(means, names);
            if !rows.is_empty() {
                outcome.matrices.push(Matrix {
                    name: name.to_owned(),
                    rows,
                    columns: columns.clone(),
                    values,
                });
            }
        }
        outcome.counts.push(("gate entropy".to_owned(), health.entropy));
        outcome.remarks.extend(health.findings.iter().map(|finding| model.explain(finding)));
    }
    if let Some(report) = model.adapters() {
        let names: Vec<String> =
            report.cohorts.iter().map(|&cohort| cohorts.names[cohort as usize].clone()).collect();
        let some = |rows: &[Vec<f64>]| -> Vec<Vec<Option<f64>>> {
            rows.iter().map(|row| row.iter().map(|&value| Some(value)).collect()).collect()
        };
        outcome.matrices.push(Matrix {
            name: CHANGES.to_owned(),
            rows: names.clone(),
            columns: report.layers.clone(),
            values: some(&report.relative_norm),
        });
        outcome.matrices.push(Matrix {
            name: LIKENESS.to_owned(),
            rows: names.clone(),
            columns: names.clone(),
            values: some(&report.similarity),
        });
        for (at, layer) in report.layers.iter().enumerate() {
            let rank = report.singular_values.iter().map(|of| of[at].len()).max().unwrap_or(0);
            let of = |values: &Vec<Vec<f64>>| (0..rank).map(|k| values[at].get(k).copied()).collect();
            outcome.matrices.push(Matrix {
                name: format!("{DIRECTIONS}, {layer}"),
                rows: names.clone(),
                columns: (1..=rank).map(|k| format!("σ{k}")).collect(),
                values: report.singular_values.iter().map(of).collect(),
            });
        }
    }
    Ok(())
}
