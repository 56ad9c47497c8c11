//! What cohorts bring to a model.

use kohort_report::{
    Axis, Bar, BarPlot, Better, Column, Mark, Reference, ReferenceKind, Row, Section, Table,
};

use super::{Run, system};
use crate::discovery::Study;
use crate::discovery::gain::{COST, SECONDS};
use crate::discovery::verdict::{OVER_COLUMN, OVER_NOTHING, OVER_RANDOM};
use crate::modules::measure::{AUC, MEAN, RMSE, TEST};

/// The section.
pub(super) fn section(run: &Run<'_>, study: &Study) -> Section {
    let world = &study.world;
    let mut section = Section::new(format!("{}: what cohorts bring", world.title)).prose(
        "One model for all tasks, five ways of telling it of cohorts. “A column”: a shared bottom that sees the cohort as one more categorical column. \
         “Experts and a column”: three global experts and one of each cohort's own, and the column. “Random”: the same, of cohorts of the same sizes dealt to \
         users by chance. Rows, splits, seeds and settings are the same for all, so experts less random is what these cohorts bring.",
    );
    let tests = run.rows_of(world.experiment, TEST);
    let rows: Vec<Row> = tests
        .into_iter()
        .filter(|row| row.cohort.is_none() && (row.metric == AUC || row.metric == RMSE))
        .map(|row| {
            let task = row.task.clone().unwrap_or_default();
            Row { metric: format!("{task}, {}", row.metric), floor: None, ceiling: None, ..row }
        })
        .collect();
    let mut columns: Vec<Column> = Vec::new();
    for row in &rows {
        if !columns.iter().any(|column| column.metric == row.metric) {
            let better = if row.metric.ends_with(RMSE) { Better::Lower } else { Better::Higher };
            let label = row.metric.replace("ROC-", "");
            columns.push(Column { better, ..Column::neutral(&row.metric).digits(4).label(label) });
        }
    }
    let caption = format!("{}: test rows, mean over {}", world.title, run.seeds());
    section = section.block(Table::pivot(caption, "Model", &rows, system, &columns));
    if run.scope.seeds.len() >= 5 {
        section = section.prose(super::lead::told(run, world.experiment));
    }
    for (protocol, part, what) in [
        (OVER_RANDOM, None, "experts over experts of random cohorts of the same sizes, all rows"),
        (OVER_RANDOM, Some(MEAN), "the same, mean over the cohorts"),
        (OVER_COLUMN, None, "experts and column over the column alone, all rows"),
        (OVER_NOTHING, None, "the column over no cohorts, all rows"),
    ] {
        let own: Vec<Row> = run
            .rows_of(world.experiment, protocol)
            .into_iter()
            .filter(|row| row.cohort.as_deref() == part)
            .map(|row| Row { metric: named(&row), ..row })
            .collect();
        let mut columns: Vec<Column> = Vec::new();
        for row in &own {
            if !columns.iter().any(|column| column.metric == row.metric) {
                columns.push(Column::higher(&row.metric).digits(4).label(row.metric.replace("ROC-", "")));
            }
        }
        if !own.is_empty() {
            let table =
                Table::pivot(format!("{}: gain of {what}", world.title), "Cohorts", &own, system, &columns);
            section = section.block(table.test_note(
                "paired t-test over the seeds, not corrected for the number of cohorts and tasks",
            ));
        }
        if protocol == OVER_RANDOM && part.is_none() {
            for column in &columns {
                section = section.block(plot(world.title.as_str(), &column.metric, &own));
            }
        }
    }
    let costs: Vec<Row> = run
        .rows
        .iter()
        .filter(|row| row.experiment == world.experiment && row.task.as_deref() == Some(COST))
        .map(|row| Row { low: None, high: None, ..row.clone() })
        .collect();
    let columns = [Column::neutral(SECONDS).digits(1)];
    section.block(Table::pivot(
        format!("{}: what a fit costs", world.title),
        "Model",
        &costs,
        system,
        &columns,
    ))
}

/// `mature, gain in AUC`.
fn named(row: &Row) -> String {
    format!("{}, {}", row.task.clone().unwrap_or_default(), row.metric)
}

fn plot(world: &str, metric: &str, rows: &[Row]) -> BarPlot {
    let bar = |row: &Row| {
        Some(Bar { label: system(row), value: row.mean?, low: row.low, high: row.high, ..Bar::default() })
    };
    let label = metric.replace("ROC-", "");
    BarPlot {
        title: format!("{world}: {label}, experts over experts of random cohorts, 95 % over the seeds"),
        value: Axis::new(label),
        mark: Mark::Dot,
        bars: rows.iter().filter(|row| row.metric == metric).filter_map(bar).collect(),
        references: vec![Reference::new(ReferenceKind::Floor, "no gain", 0.0)],
    }
}
