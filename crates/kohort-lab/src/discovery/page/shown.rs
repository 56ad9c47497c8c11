//! What one fit's cohorts are made of: sizes, profile, map, and the flow from an earlier fit.

use kohort_report::{
    Axis, Bar, BarPlot, Block, Cloud, FlowPlot, Grid, HeatMap, Mark, ScatterPlot, Section, Stream,
};

use super::Run;
use crate::discovery::portrait::{CHANGED, EXPLAINED, FLOW, MAP, PROFILE, SIZE, TOLD};
use crate::discovery::worlds::World;
use crate::outcome::{Matrix, Outcome};

/// The section; nothing where no fit was kept.
pub(super) fn section(run: &Run<'_>, world: &World) -> Option<Section> {
    let cell = run.cells.iter().find(|cell| {
        cell.key.experiment == world.experiment
            && cell.outcome.matrices.iter().any(|matrix| matrix.name == PROFILE)
    })?;
    let (title, outcome) = (&cell.key.title, &cell.outcome);
    let settings = &run.paper.settings;
    let mut section = Section::new(format!("{}: who is in them", world.title)).prose(format!(
        "The cohorts of “{title}”, seed {}, after folding, named by their foremost attribute. Lifts are shares inside over shares outside; intervals hold \
         together with 95 %.",
        cell.key.seed
    ));
    section = section.block(sizes(world, outcome));
    if let Some(matrix) = outcome.matrices.iter().find(|matrix| matrix.name == PROFILE) {
        section = section.block(heat(world, matrix));
    }
    section = section.block(told(outcome)).block(map(world, outcome));
    if let Some(matrix) = outcome.matrices.iter().find(|matrix| matrix.name == FLOW) {
        let title = format!(
            "{}: from a fit on {:.0} % of the users to one on all",
            world.title,
            100.0 * settings.earlier
        );
        section = section.block(flow(title, matrix)).block(Block::Prose(format!(
            "Whoever is new came with the later fit. In words: {}.",
            said(outcome, CHANGED).join("; ")
        )));
    }
    Some(section)
}

fn sizes(world: &World, outcome: &Outcome) -> BarPlot {
    let bar = |(name, value): &(String, f64)| {
        Some(Bar { label: name.strip_prefix(SIZE)?.to_owned(), value: *value, ..Bar::default() })
    };
    BarPlot {
        title: format!("{}: users in each cohort", world.title),
        value: Axis::new("users"),
        mark: Mark::Bar,
        bars: outcome.counts.iter().filter_map(bar).collect(),
        references: Vec::new(),
    }
}

fn heat(world: &World, matrix: &Matrix) -> HeatMap {
    HeatMap {
        title: format!("{}: over- and under-represented attributes", world.title),
        row_axis: Axis::new("cohort"),
        column_axis: Axis::new("attribute"),
        rows: matrix.rows.clone(),
        columns: matrix.columns.clone(),
        values: matrix.values.clone(),
        legend: Axis::new("log₂ of lift, cut at ±4"),
        center: Some(0.0),
        digits: 1,
    }
}

/// Portraits as a table: a cohort's line, then its traits.
fn told(outcome: &Outcome) -> Grid {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for text in outcome.remarks.iter().filter_map(|text| text.strip_prefix(TOLD)) {
        match text.strip_prefix("  ") {
            // An attribute's name may hold a colon, its figures don't.
            Some(found) => {
                if let (Some(line), Some((name, figures))) = (lines.last_mut(), found.rsplit_once(": ")) {
                    let lift = figures.split(", ").nth(1).unwrap_or_default();
                    let lift = lift.replace(" times as often as others", "×");
                    let separator = if line[2].is_empty() { "" } else { "; " };
                    line[2].push_str(&format!("{separator}{name} {lift}"));
                }
            }
            None => {
                if let Some((name, users)) = text.rsplit_once(": ") {
                    lines.push(vec![name.to_owned(), users.to_owned(), String::new()]);
                }
            }
        }
    }
    Grid {
        caption: "Over-represented for sure, with lift and interval".to_owned(),
        header: ["Cohort", "Size", "Attributes"].map(str::to_owned).to_vec(),
        lines,
    }
}

fn map(world: &World, outcome: &Outcome) -> ScatterPlot {
    let share = |which: &str| {
        let name = format!("{EXPLAINED}{which}");
        let found = outcome.counts.iter().find(|(known, _)| *known == name);
        format!("{which} component ({:.0} % of the variance)", found.map_or(0.0, |(_, share)| 100.0 * share))
    };
    let clouds = outcome
        .curves
        .iter()
        .filter_map(|curve| Some(Cloud::new(curve.name.strip_prefix(MAP)?, curve.points.iter().copied())));
    ScatterPlot {
        title: format!("{}: users on the first two principal components of their SVD vectors", world.title),
        x: Axis::new(share("first")),
        y: Axis::new(share("second")),
        groups: clouds.collect(),
    }
}

/// Bands between the cohorts of two fits.
pub(super) fn flow(title: String, matrix: &Matrix) -> FlowPlot {
    let mut streams = Vec::new();
    for (from, values) in matrix.rows.iter().zip(&matrix.values) {
        for (to, value) in matrix.columns.iter().zip(values) {
            streams.extend(value.filter(|&value| value > 0.0).map(|value| Stream::new(from, to, value)));
        }
    }
    FlowPlot {
        title,
        left: "earlier fit".to_owned(),
        right: "later fit".to_owned(),
        amount: Axis::new("users"),
        streams,
    }
}

/// Remarks of a kind, without what marks them.
fn said(outcome: &Outcome, kind: &str) -> Vec<String> {
    outcome.remarks.iter().filter_map(|text| text.strip_prefix(kind)).map(str::to_owned).collect()
}
