//! The drift drill.

use kohort_report::{Block, Column, Row, Section, Table};

use super::{Run, shown, system};
use crate::discovery::drill::{BIRTHS, DEATHS, DRILL, KEPT, MERGERS, NAME, RIGHT, SPLITS};
use crate::discovery::portrait::FLOW;

/// The section; nothing where it was not run.
pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let rows: Vec<Row> = run.rows_of(NAME, DRILL);
    let cell = run.cells.iter().find(|cell| cell.key.experiment == NAME)?;
    let columns =
        [SPLITS, BIRTHS, DEATHS, MERGERS, KEPT, RIGHT].map(|metric| Column::neutral(metric).digits(2));
    let matrix = cell.outcome.matrices.iter().find(|matrix| matrix.name == FLOW)?;
    let settings = &run.paper.settings.drill;
    Some(
        Section::new("Drift drill: one splits, one dies, one is born")
            .prose(format!(
                "Planted: five kinds of {} people who each took {} items of their kind's {}, {:.0} % of them astray. In the second period, drawn anew, one kind has \
                 fallen into halves, one has left, and newcomers have items of their own. Cohorts are Leiden's on the nearest-neighbour graph of each period.",
                settings.users,
                settings.taken,
                settings.items,
                100.0 * settings.astray
            ))
            .block(Table::pivot(format!("Told, mean over {}", run.seeds()), "Cohorts", &rows, system, &columns))
            .block(shown::flow(format!("Drill, seed {}: who went where", cell.key.seed), matrix))
            .block(Block::Prose(format!("In words: {}.", cell.outcome.remarks.join("; ")))),
    )
}
