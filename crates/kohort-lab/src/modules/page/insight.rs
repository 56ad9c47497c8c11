//! Which experts a cohort uses, which layers its adapter changes, whom it resembles, and what the monitor said.

use kohort_report::{Axis, Block, Grid, HeatMap, Note, NoteKind, Section};

use super::Run;
use crate::grid::Finished;
use crate::modules::insight::{CHANGES, DIRECTIONS, LIKENESS, USE, USE_BY_TASK};
use crate::modules::worlds::World;
use crate::outcome::Matrix;

/// The section; nothing where no system has experts or adapters.
pub(super) fn section(run: &Run<'_>, world: &World) -> Option<Section> {
    let first = *run.scope.seeds.first()?;
    let cells: Vec<&&Finished> = run
        .cells
        .iter()
        .filter(|cell| {
            cell.key.dataset == world.name && cell.key.seed == first && !cell.outcome.matrices.is_empty()
        })
        .collect();
    if cells.is_empty() {
        return None;
    }
    let mut section = Section::new(format!("{}: looking inside", world.title)).prose(format!(
        "From the fits of seed {first}, over test rows. A gate's weights sum to 1 over the experts that a row can reach. An adapter's relative \
         change is the Frobenius norm of ΔW over that of W; likeness is the cosine of two cohorts' ΔW over all layers."
    ));
    for cell in &cells {
        let title = &cell.key.title;
        for matrix in cell.outcome.matrices.iter().filter(|matrix| !matrix.name.starts_with(DIRECTIONS)) {
            section = section.block(heat(world, title, matrix));
        }
        if let Some(grid) = nearest(world, title, &cell.outcome.matrices) {
            section = section.block(grid);
        }
        for matrix in cell.outcome.matrices.iter().filter(|matrix| matrix.name.starts_with(DIRECTIONS)) {
            // A table a layer for each of three kinds of adapters is more than anybody reads.
            if cell.key.system == "lora" {
                section = section.block(directions(world, title, matrix));
            }
        }
    }
    let remarks: Vec<String> = cells
        .iter()
        .flat_map(|cell| cell.outcome.remarks.iter().map(move |text| format!("{}: {text}", cell.key.title)))
        .collect();
    Some(if remarks.is_empty() {
        section.block(Block::Prose(
            "The monitor of experts has nothing to say: none is dead, collapsed, redundant or monopolised."
                .to_owned(),
        ))
    } else {
        section.block(Note::new(
            NoteKind::Warning,
            format!("The monitor of experts says: {}.", remarks.join("; ")),
        ))
    })
}

fn heat(world: &World, title: &str, matrix: &Matrix) -> HeatMap {
    let (rows, columns, legend, center) = match matrix.name.as_str() {
        USE => ("cohort", "expert", "mean gate", None),
        USE_BY_TASK => ("task", "expert", "mean gate", None),
        CHANGES => ("cohort", "layer", "‖ΔW‖ / ‖W‖", None),
        LIKENESS => ("cohort", "cohort", "cosine", Some(0.0)),
        _ => ("", "", "", None),
    };
    HeatMap {
        title: format!("{}: {title}, {}", world.title, matrix.name),
        row_axis: Axis::new(rows),
        column_axis: Axis::new(columns),
        rows: matrix.rows.clone(),
        columns: matrix.columns.clone(),
        values: matrix.values.clone(),
        legend: Axis::new(legend),
        center,
        digits: 2,
    }
}

/// The two cohorts whose adapters are most like each one's.
fn nearest(world: &World, title: &str, matrices: &[Matrix]) -> Option<Grid> {
    let matrix = matrices.iter().find(|matrix| matrix.name == LIKENESS).filter(|m| m.rows.len() > 2)?;
    let lines = matrix.rows.iter().zip(&matrix.values).enumerate().map(|(at, (name, values))| {
        let mut others: Vec<(usize, f64)> = values
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .filter_map(|(o, v)| Some((o, (*v)?)))
            .collect();
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        let said =
            |n: usize| others.get(n).map_or(String::new(), |(o, v)| format!("{} ({v:+.2})", matrix.rows[*o]));
        vec![name.clone(), said(0), said(1)]
    });
    Some(Grid {
        caption: format!("{}: {title}, the nearest cohorts by adapter, with their cosine", world.title),
        header: ["Cohort", "Nearest", "Next"].map(str::to_owned).to_vec(),
        lines: lines.collect(),
    })
}

fn directions(world: &World, title: &str, matrix: &Matrix) -> Grid {
    let lines = matrix.rows.iter().zip(&matrix.values).map(|(name, values)| {
        let values = values.iter().map(|value| value.map_or(String::new(), |value| format!("{value:.3}")));
        std::iter::once(name.clone()).chain(values).collect()
    });
    Grid {
        caption: format!("{}: {title}, {}", world.title, matrix.name),
        header: std::iter::once("Cohort".to_owned()).chain(matrix.columns.iter().cloned()).collect(),
        lines: lines.collect(),
    }
}
