//! Tables with a column a territory.

use kohort_report::{Better, Column, Row, Table};

use super::super::world::World;
use crate::page::tables::name_of;

/// Heading of the mean over territories.
pub(super) const MEAN: &str = "mean";

/// One line a system, one column a territory and their mean, of one metric. Nothing without rows.
pub(super) fn by_territory(
    world: &World,
    caption: String,
    rows: &[Row],
    metric: &str,
    (better, digits): (Better, usize),
) -> Option<Table> {
    columns_of(world.territories.names(), caption, rows, metric, (better, digits))
}

/// The same for names that are given, of territories or groups.
pub(super) fn columns_of(
    names: &[String],
    caption: String,
    rows: &[Row],
    metric: &str,
    (better, digits): (Better, usize),
) -> Option<Table> {
    let own: Vec<Row> = rows
        .iter()
        .filter(|row| row.metric == metric)
        .filter(|row| row.cohort.as_ref().is_none_or(|cohort| names.contains(cohort)))
        .map(|row| Row { metric: row.cohort.clone().unwrap_or_else(|| MEAN.to_owned()), ..row.clone() })
        .collect();
    let mut columns: Vec<Column> = names
        .iter()
        .map(String::as_str)
        .chain([MEAN])
        .filter(|name| own.iter().any(|row| row.metric == *name))
        .map(|name| Column { better, ..Column::neutral(name).digits(digits) })
        .collect();
    columns.dedup_by(|a, b| a.metric == b.metric);
    let label = |row: &Row| name_of(row.system.as_deref().unwrap_or("—"), row.variant.as_deref());
    (!own.is_empty()).then(|| Table::pivot(caption, "System", &own, label, &columns))
}

/// `[low, high]` in words, or a dash.
pub(super) fn span(interval: Option<(f64, f64)>, digits: usize) -> String {
    interval.map_or_else(|| "–".to_owned(), |(low, high)| format!("[{low:+.digits$}, {high:+.digits$}]"))
}

/// A p-value in words.
pub(super) fn p_text(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.001 => "p < 0.001".to_owned(),
        Some(p) => format!("p = {p:.3}"),
        None => "no test".to_owned(),
    }
}
