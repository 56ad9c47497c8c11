//! Looking into a fit: which experts each cohort uses, which layers each adapter changes, whom it resembles.

use anyhow::Result;

use super::systems::Fitted;
use super::worlds::Material;
use crate::outcome::{Matrix, Outcome};

/// Names of matrices.
pub(crate) const CHANGES: &str = "relative change of layers";
pub(crate) const LIKENESS: &str = "likeness of adapters";
pub(crate) const DIRECTIONS: &str = "singular values";

/// Adds what can be seen.
pub(crate) fn add(outcome: &mut Outcome, fitted: &Fitted, material: &Material) -> Result<()> {
    let Some((model, cohorts)) = fitted.one(material) else { return Ok(()) };
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
