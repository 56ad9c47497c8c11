//! Rows to a page that a stranger can read: what was run, on what, what came out, and what to doubt.

mod boxes;
mod closing;
mod dataset;
mod further;
mod lead;
mod profiling;
mod tables;

use kohort_report::{Report, Row};

use crate::experiments::{Experiment, Scope};
use crate::grid::Finished;
use crate::manifest::{Build, Course};
use crate::study::{Skipped, Study};
use crate::summary::Comparison;

/// Everything a page is made of.
pub(crate) struct Run<'a> {
    pub(crate) build: &'a Build,
    pub(crate) course: &'a Course,
    pub(crate) scope: &'a Scope,
    pub(crate) experiments: &'a [Experiment],
    pub(crate) studies: &'a [Study],
    pub(crate) skipped: &'a [Skipped],
    pub(crate) cells: &'a [&'a Finished],
    pub(crate) rows: &'a [Row],
    pub(crate) comparisons: &'a [Comparison],
}

impl Run<'_> {
    /// The rows of an experiment on a data set.
    pub(crate) fn rows_of(&self, experiment: &str, dataset: &str) -> Vec<Row> {
        let wanted = |row: &&Row| row.experiment == experiment && row.dataset == dataset;
        self.rows.iter().filter(wanted).cloned().collect()
    }
}

/// The page.
pub(crate) fn report(run: &Run<'_>) -> Report {
    let mut report = Report::new(
        "Joint group profiling and recommendation, reproduced",
        run.course.started.clone(),
        run.build.kernels.clone(),
    );
    report.lead = lead::lead(run);
    report.highlights = lead::highlights(run);
    lead::facts(run, &mut report);
    for study in run.studies {
        report.sections.extend(dataset::sections(run, study));
        for &experiment in run.experiments {
            report.sections.extend(further::sections(run, study, experiment));
        }
    }
    report.sections.extend(closing::sections(run));
    report
}

/// The rows for the terminal: tables of their own, without what is only there for the report.
pub(crate) fn headline_rows(rows: &[Row]) -> Vec<Row> {
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
pub(crate) fn find<'a>(
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
pub(crate) const UNDER_TEST_TITLE: &str = "DMTL";

/// The best baseline on a metric of a protocol.
pub(crate) fn best_baseline<'a>(
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
