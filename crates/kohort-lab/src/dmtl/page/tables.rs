//! Tables and lines that several sections share.

use kohort_report::{Column, Row, Table};

use super::UNDER_TEST_TITLE;

/// What the mark of a paired test means.
pub(super) const TEST_NOTE: &str = "DMTL differs from this system: paired t-test over users (or groups), differences averaged over \
     the seeds (for RMSE: each user's mean squared error), after Holm's correction over the systems of the table";

/// A table by system; nothing where there are no rows.
pub(super) fn by_system(caption: String, rows: &[Row], columns: &[Column], sort: &str) -> Option<Table> {
    let shown = rows.iter().any(|row| columns.iter().any(|column| column.metric == row.metric));
    let table = Table::by_system(caption, rows, columns).highlight(UNDER_TEST_TITLE).sort_by(sort);
    let tested = rows.iter().any(|row| row.p_value.is_some());
    shown.then(|| if tested { table.test_note(TEST_NOTE) } else { table })
}

/// RMSE and the metrics of lists.
pub(super) fn usual_columns() -> Vec<Column> {
    vec![Column::lower("RMSE"), Column::higher("P@10"), Column::higher("R@10"), Column::higher("NDCG@10")]
}
