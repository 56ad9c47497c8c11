//! Rows, names and lines that sections of several papers share.

use std::collections::BTreeMap;

use kohort_report::{Axis, LinePlot, Point, Row, Series};

use crate::grid::Finished;

/// The rows of one protocol, and of one cohort or of everybody.
pub(crate) fn part(rows: &[Row], protocol: &str, cohort: Option<&str>) -> Vec<Row> {
    rows.iter()
        .filter(|row| row.protocol.as_deref() == Some(protocol) && row.cohort.as_deref() == cohort)
        .cloned()
        .collect()
}

/// `system (variant)`.
pub(crate) fn name_of(system: &str, variant: Option<&str>) -> String {
    variant.map_or_else(|| system.to_owned(), |variant| format!("{system} ({variant})"))
}

/// What was seen at every epoch: for each wanted curve and each fitted variant a line, the mean over the seeds, with
/// the lowest and highest seed as its band.
pub(crate) fn epochs(
    cells: &[&Finished],
    (experiment, dataset, split): (&str, &str, &str),
    wanted: &[&str],
    name: impl Fn(&str, Option<&str>) -> String,
) -> Vec<Series> {
    let mut lines: Vec<(String, BTreeMap<u64, Vec<f64>>)> = Vec::new();
    for cell in cells {
        if (&*cell.key.experiment, &*cell.key.dataset, &*cell.key.split) != (experiment, dataset, split) {
            continue;
        }
        for curve in cell.outcome.curves.iter().filter(|curve| wanted.contains(&&*curve.name)) {
            let name = name(&curve.name, cell.key.variant.as_deref());
            let at = lines.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                lines.push((name, BTreeMap::new()));
                lines.len() - 1
            });
            for &(epoch, value) in &curve.points {
                lines[at].1.entry(epoch as u64).or_default().push(value);
            }
        }
    }
    lines
        .into_iter()
        .map(|(name, points)| Series {
            name,
            points: points
                .into_iter()
                .map(|(epoch, values)| Point {
                    x: epoch as f64,
                    y: values.iter().sum::<f64>() / values.len() as f64,
                    low: values.iter().copied().reduce(f64::min),
                    high: values.iter().copied().reduce(f64::max),
                })
                .collect(),
        })
        .collect()
}

/// A plot over epochs; nothing without lines.
pub(crate) fn over_epochs(title: String, y: Axis, series: Vec<Series>) -> Option<LinePlot> {
    let plot = LinePlot { title, x: Axis::new("epoch"), y, series, references: Vec::new() };
    (!plot.series.is_empty()).then_some(plot)
}
