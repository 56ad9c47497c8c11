//! Rows to sections.

use kohort_report::Row;

use super::WithData;
use super::verdict::RULES;
use crate::grid::Finished;
use crate::paper::{Chapter, Scope};

/// Everything the sections are made of.
pub(super) struct Run<'a> {
    pub(super) paper: &'a WithData,
    pub(super) scope: &'a Scope,
    pub(super) cells: &'a [&'a Finished],
    pub(super) rows: &'a [Row],
}

pub(super) fn chapter(run: &Run<'_>) -> Chapter {
    Chapter { rules: RULES.map(str::to_owned).to_vec(), ..Chapter::default() }
}

pub(super) fn headlines(rows: &[Row]) -> Vec<Row> {
    rows.iter().filter(|row| row.cohort.is_none()).cloned().collect()
}
