//! Rows to sections: each data set by task and cohort, who gains and who pays, what a step costs, weights over time, conflicts.

use kohort_report::{Axis, HeatMap, LinePlot, Row, Section, Series};

use crate::grid::Finished;
use crate::modules::page::{Run, study};
use crate::modules::{COSINES, WithData, World};
use crate::paper::{Chapter, Scope};

/// The comparison's part of the page.
pub(super) fn chapter(data: &WithData, scope: &Scope, cells: &[&Finished], rows: &[Row]) -> Chapter {
    let run = Run { paper: data, scope, cells, rows };
    let mut sections = Vec::new();
    for world in data.worlds() {
        sections.extend(study::sections(&run, world));
        sections.extend(over_time(&run, world));
    }
    let sentences: Vec<String> = data
        .worlds()
        .map(|world| crate::modules::page::lead::sentence(&run, world.name, &world.title))
        .collect();
    Chapter {
        lead: format!(
            "One shared bottom under every strategy of who gets how much of the gradient, over tasks, cohorts, or both, {} each, beside equal \
             weights over tasks on the same rows. {}",
            run.seeds(),
            sentences.join(" ")
        ),
        facts: crate::modules::page::files(data),
        sections,
        rules: vec![
            "A gain is called sure where its paired t-test over five seeds has p < 0.05, after Holm's correction over the cohorts of a task; of \
             many strategies, tasks and data sets some are sure by chance."
                .to_owned(),
        ],
        departures: vec![
            "Balancers have their papers' settings on models and data that the papers have not; none was tuned here. GradNorm looks at the last \
             shared layer, PCGrad, CAGrad and Nash-MTL at all shared weights but tables, MGDA at the representation (its upper bound), and \
             PCGrad over cohorts at the last shared layer."
                .to_owned(),
            "Over cohorts and pairs every cohort is as heavy as the others, however few its rows; the row “Equal, cohorts” shows what that alone does."
                .to_owned(),
        ],
        ..Chapter::default()
    }
}

/// Weights and gradients of the first seed by epoch, and who conflicts with whom.
fn over_time(run: &Run<'_>, world: &World) -> Option<Section> {
    let first = *run.scope.seeds.first()?;
    let mut section = Section::new(format!("{}: weights over time", world.title)).prose(format!(
        "From the fits of seed {first}: running averages at the end of each epoch. Where a balancer looked at gradients, their norms and the \
         mean cosines between them too."
    ));
    let mut any = false;
    for cell in run.cells.iter().filter(|cell| cell.key.dataset == world.name && cell.key.seed == first) {
        for (ending, what) in [(", weight", "weight"), (", gradient", "norm of the gradient")] {
            let own = cell.outcome.curves.iter().filter(|curve| curve.name.ends_with(ending));
            let series: Vec<Series> = own
                .map(|curve| Series::new(curve.name.trim_end_matches(ending), curve.points.iter().copied()))
                .collect();
            let moves = series.iter().any(|line| {
                line.points.iter().any(|point| (point.y - line.points[0].y).abs() > 1e-9 || point.y != 1.0)
            });
            if moves && series.len() <= MOST_LINES {
                any = true;
                section = section.block(LinePlot {
                    title: format!("{}: {}, {what} by epoch", world.title, cell.key.title),
                    x: Axis::new("epoch"),
                    y: Axis::new(what),
                    series,
                    references: Vec::new(),
                });
            }
        }
        for matrix in cell.outcome.matrices.iter().filter(|matrix| matrix.name == COSINES) {
            if matrix.rows.len() <= MOST_LINES {
                any = true;
                section = section.block(HeatMap {
                    title: format!("{}: {}, {}", world.title, cell.key.title, matrix.name),
                    row_axis: Axis::new("objective"),
                    column_axis: Axis::new("objective"),
                    rows: matrix.rows.clone(),
                    columns: matrix.columns.clone(),
                    values: matrix.values.clone(),
                    legend: Axis::new("mean cosine"),
                    center: Some(0.0),
                    digits: 2,
                });
            }
        }
    }
    any.then_some(section)
}

/// More lines, or rows of a matrix, than anybody can read.
const MOST_LINES: usize = 24;
