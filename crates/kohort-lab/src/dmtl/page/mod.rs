//! Rows to sections that a stranger can read: what was run, on what, what came out, and what to doubt.

mod boxes;
mod closing;
mod dataset;
mod further;
mod lead;
mod profiling;
mod tables;

use kohort_report::Row;

use super::experiments::Experiment;
use super::study::Study;
use super::verdict::RULES;
use crate::grid::Finished;
use crate::paper::{Chapter, Scope};
use crate::summary::Comparison;

/// Everything the sections are made of.
pub(super) struct Run<'a> {
    pub(super) scope: &'a Scope,
    pub(super) experiments: &'a [Experiment],
    pub(super) studies: &'a [Study],
    pub(super) cells: &'a [&'a Finished],
    pub(super) rows: &'a [Row],
    pub(super) comparisons: &'a [Comparison],
}

impl Run<'_> {
    /// The rows of an experiment on a data set.
    pub(crate) fn rows_of(&self, experiment: &str, dataset: &str) -> Vec<Row> {
        let wanted = |row: &&Row| row.experiment == experiment && row.dataset == dataset;
        self.rows.iter().filter(wanted).cloned().collect()
    }
}

/// The paper's part of the page.
pub(super) fn chapter(run: &Run<'_>) -> Chapter {
    let mut sections = Vec::new();
    for study in run.studies {
        sections.extend(dataset::sections(run, study));
        for &experiment in run.experiments {
            sections.extend(further::sections(run, study, experiment));
        }
    }
    Chapter {
        lead: lead::lead(run),
        highlights: lead::highlights(run),
        facts: lead::facts(run),
        sections,
        rules: RULES.map(str::to_owned).to_vec(),
        departures: closing::DEPARTURES.map(str::to_owned).to_vec(),
        left_out: run.scope.quick.then(|| {
            "Most variants of DMTL, and all but 2 seeds unless asked for, because this is a quick run. Run cargo xtask reproduce \
             for them."
                .to_owned()
        }),
    }
}

/// The rows for the terminal: tables of their own, without what is only there for the report.
pub(super) fn headlines(rows: &[Row]) -> Vec<Row> {
    let shown = |row: &&Row| {
        let variant_of_protocol = row.protocol.as_deref().is_some_and(|name| name.contains(','));
        row.experiment == "main"
            && !variant_of_protocol
            && row.cohort.is_none()
            && !row.metric.ends_with("interval over users")
    };
    let mut shown: Vec<Row> = rows.iter().filter(shown).cloned().collect();
    // Data sets in the order of the run, protocols by name.
    let mut datasets: Vec<String> = Vec::new();
    for row in &shown {
        if !datasets.contains(&row.dataset) {
            datasets.push(row.dataset.clone());
        }
    }
    shown.sort_by_key(|row| (datasets.iter().position(|name| *name == row.dataset), row.protocol.clone()));
    shown
}

/// The value of a row, looked up by its address.
pub(super) fn find<'a>(
    rows: &'a [Row],
    dataset: &str,
    protocol: &str,
    metric: &str,
    under_test: bool,
) -> Option<&'a Row> {
    rows.iter().find(|row| {
        row.experiment == "main"
            && row.dataset == dataset
            && row.protocol.as_deref() == Some(protocol)
            && row.metric == metric
            && row.variant.is_none()
            && row.cohort.is_none()
            && (row.system.as_deref() == Some(UNDER_TEST_TITLE)) == under_test
    })
}

/// Title of the system under test in rows.
pub(super) const UNDER_TEST_TITLE: &str = "DMTL";

/// The best baseline on a metric of a protocol.
pub(super) fn best_baseline<'a>(
    rows: &'a [Row],
    dataset: &str,
    protocol: &str,
    metric: &str,
    lower: bool,
) -> Option<&'a Row> {
    let sign = if lower { 1.0 } else { -1.0 };
    rows.iter()
        .filter(|row| {
            row.experiment == "main"
                && row.dataset == dataset
                && row.protocol.as_deref() == Some(protocol)
                && row.metric == metric
                && row.cohort.is_none()
                && row.system.as_deref() != Some(UNDER_TEST_TITLE)
        })
        .filter_map(|row| Some((sign * row.mean?, row)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, row)| row)
}
