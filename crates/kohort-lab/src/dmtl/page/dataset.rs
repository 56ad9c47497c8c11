//! The sections of one data set: what it is, then a box, a table and plots for every protocol.

use kohort_report::{Axis, Bar, BarPlot, Block, Column, Grid, Mark, Reference, ReferenceKind, Row, Section};

use super::boxes::protocol_box;
use super::tables::by_system;
use super::{Run, UNDER_TEST_TITLE, profiling};
use crate::dmtl::experiments::Experiment;
use crate::dmtl::protocols::{Protocol, SplitPlan, splits};
use crate::dmtl::study::Study;
use crate::page::tables::name_of;

/// All sections of a data set.
pub(super) fn sections(run: &Run<'_>, study: &Study) -> Vec<Section> {
    let mut sections = Vec::new();
    if run.experiments.contains(&Experiment::Main) {
        let rows = run.rows_of("main", study.name());
        let plans = splits(study.name());
        let mut protocols: Vec<(&SplitPlan, &Protocol)> = plans
            .iter()
            .flat_map(|plan| plan.protocols.iter().filter(|p| p.main).map(move |p| (plan, p)))
            .collect();
        protocols.sort_by_key(|(_, protocol)| protocol.name);
        for (at, (plan, protocol)) in protocols.into_iter().enumerate() {
            let section = Section::new(format!("{}: protocol ({})", study.title, protocol.name));
            let section = if at == 0 { about(section, study) } else { section };
            sections.push(one(section, run, study, plan, protocol, &rows));
        }
        sections.extend(profiling::section(run, study, &rows));
    }
    sections
}

fn about(section: Section, study: &Study) -> Section {
    let rows = &study.dataset.interactions;
    let mut text = format!(
        "{}: {} ratings of {} items by {} users, from {} to {}; source: {}.",
        study.title,
        rows.len(),
        rows.items_with_rows(),
        rows.users_with_rows(),
        study.dataset.scale.low,
        study.dataset.scale.high,
        study.provenance.source,
    );
    if !study.dataset.notes.is_empty() {
        text.push_str(&format!(" {}.", study.dataset.notes.join("; ")));
    }
    section.prose(text)
}

/// Box, table, plots.
fn one(
    section: Section,
    run: &Run<'_>,
    study: &Study,
    plan: &SplitPlan,
    protocol: &Protocol,
    rows: &[Row],
) -> Section {
    let own: Vec<Row> =
        rows.iter().filter(|row| row.protocol.as_deref() == Some(protocol.name)).cloned().collect();
    let mut columns = vec![Column::higher("P@10"), Column::higher("R@10"), Column::higher("NDCG@10")];
    if protocol.errors {
        columns.splice(0..0, [Column::lower("RMSE"), Column::lower("MAE")]);
    }
    let seeds = run.scope.seeds.len();
    let caption = format!(
        "{}, protocol ({}): mean over {seeds} seeds, 95 % interval of that mean",
        study.title, protocol.name
    );
    let sort = if protocol.errors { "RMSE" } else { "NDCG@10" };
    let mut section = section.block(protocol_box(run, study, plan, protocol));
    if let Some(table) = by_system(caption, &own, &columns, sort) {
        section = section.block(table);
    }
    for metric in ["P@10", "R@10"] {
        if let Some(plot) = between(&own, metric, protocol) {
            section = section.block(plot);
        }
    }
    if let Some(plot) = errors(&own).filter(|_| protocol.errors) {
        section = section.block(plot);
    }
    if let Some(grid) = against_all(run, study, protocol) {
        section = section.block(Block::Grid(grid));
    }
    if let Some(grid) = other_readings(plan, protocol, rows) {
        section = section.block(Block::Grid(grid));
    }
    section
}

fn bars(rows: &[Row], metric: &str, lower: bool) -> Vec<Bar> {
    let mut bars: Vec<Bar> = rows
        .iter()
        .filter(|row| row.metric == metric && row.cohort.is_none())
        .filter_map(|row| {
            let system = row.system.clone().unwrap_or_default();
            Some(Bar {
                highlight: system == UNDER_TEST_TITLE && row.variant.is_none(),
                label: name_of(&system, row.variant.as_deref()),
                value: row.mean?,
                low: row.low,
                high: row.high,
                published: row.published.filter(|_| system != UNDER_TEST_TITLE),
            })
        })
        .collect();
    bars.sort_by(|a, b| if lower { a.value.total_cmp(&b.value) } else { b.value.total_cmp(&a.value) });
    bars
}

/// A metric of lists between its floor and its ceiling.
fn between(rows: &[Row], metric: &str, protocol: &Protocol) -> Option<BarPlot> {
    let bars = bars(rows, metric, false);
    let any = rows.iter().find(|row| row.metric == metric)?;
    let mut references = Vec::new();
    if let Some(floor) = any.floor {
        references.push(Reference::new(ReferenceKind::Floor, "random", floor));
    }
    // On the whole catalogue the oracle is far to the right of everything and would squeeze the systems together.
    if let Some(ceiling) = any.ceiling.filter(|_| protocol.name != "c") {
        references.push(Reference::new(ReferenceKind::Ceiling, "oracle", ceiling));
    }
    let published = rows.iter().find(|row| row.metric == metric && row.published.is_some());
    if let Some(value) = published.and_then(|row| row.published).filter(|_| protocol.name != "c") {
        references.push(Reference::new(ReferenceKind::Published, "paper", value));
    }
    Some(BarPlot {
        title: format!("{metric} between a random order and the oracle, protocol ({})", protocol.name),
        value: Axis::new(metric),
        mark: Mark::Dot,
        bars,
        references,
    })
}

/// RMSE with intervals; the random floor would squeeze the rest together.
fn errors(rows: &[Row]) -> Option<BarPlot> {
    let mut bars = bars(rows, "RMSE", true);
    bars.retain(|bar| bar.label != "Random");
    (!bars.is_empty()).then(|| BarPlot {
        title: "RMSE by system (Random left out); diamonds are Surprise's published figures".into(),
        value: Axis::new("RMSE").unit("stars"),
        mark: Mark::Dot,
        bars,
        references: Vec::new(),
    })
}

/// P@10 and R@10 when only denominator or policy changes: how much the reading alone moves the numbers.
fn other_readings(plan: &SplitPlan, protocol: &Protocol, rows: &[Row]) -> Option<Grid> {
    let prefix = format!("{},", protocol.name);
    let readings: Vec<&Protocol> = std::iter::once(protocol)
        .chain(plan.protocols.iter().filter(|other| other.name.starts_with(&prefix)))
        .collect();
    if readings.len() < 2 {
        return None;
    }
    let value = |name: &str, metric: &str, of: &dyn Fn(&Row) -> Option<f64>| {
        let row = rows.iter().find(|row| row.protocol.as_deref() == Some(name) && row.metric == metric);
        row.and_then(of).map_or_else(|| "n/a".to_owned(), |value| format!("{value:.4}"))
    };
    let of_system = |name: &str, metric: &str, system: &str| {
        let row = rows.iter().find(|row| {
            row.protocol.as_deref() == Some(name)
                && row.metric == metric
                && row.system.as_deref() == Some(system)
                && row.variant.is_none()
        });
        row.and_then(|row| row.mean).map_or_else(|| "n/a".to_owned(), |value| format!("{value:.4}"))
    };
    let mut systems: Vec<&str> = ["DMTL", "SVD++", "Popularity"].to_vec();
    systems.retain(|system| rows.iter().any(|row| row.system.as_deref() == Some(*system)));
    let mut lines = Vec::new();
    for reading in readings {
        for metric in ["P@10", "R@10"] {
            let mut line = vec![reading.name.to_owned(), metric.to_owned()];
            line.push(value(reading.name, metric, &|row| row.floor));
            line.extend(systems.iter().map(|system| of_system(reading.name, metric, system)));
            line.push(value(reading.name, metric, &|row| row.ceiling));
            lines.push(line);
        }
    }
    let mut header = vec!["Reading".to_owned(), "Metric".to_owned(), "Random".to_owned()];
    header.extend(systems.iter().map(|system| (*system).to_owned()));
    header.push("Oracle".to_owned());
    Some(Grid {
        caption: "The same rankings under other readings of precision and of users without a relevant item"
            .into(),
        header,
        lines,
    })
}

/// The paired tests of a protocol, one opponent a line.
fn against_all(run: &Run<'_>, study: &Study, protocol: &Protocol) -> Option<Grid> {
    let own: Vec<_> = run
        .comparisons
        .iter()
        .filter(|test| {
            test.experiment == "main"
                && test.dataset == study.name()
                && test.protocol == protocol.name
                && test.variant.is_none()
        })
        .collect();
    let mut opponents: Vec<&str> = Vec::new();
    for test in &own {
        if !opponents.contains(&&*test.title) {
            opponents.push(&test.title);
        }
    }
    let cell = |opponent: &str, metric: &str| {
        let test = own.iter().find(|test| test.title == opponent && test.metric == metric)?;
        let word = if test.ours_better { "better" } else { "worse" };
        let p = match test.p {
            Some(p) if p < 0.001 => "p < 0.001".to_owned(),
            Some(p) => format!("p = {p:.3}"),
            None => "no test: all differences are equal".to_owned(),
        };
        Some(format!("{:+.4}, {word}, {p}", test.difference))
    };
    let lines = opponents.iter().map(|opponent| {
        let shown = |metric| cell(opponent, metric).unwrap_or_else(|| "–".to_owned());
        vec![(*opponent).to_owned(), shown("RMSE"), shown("NDCG@10")]
    });
    (!opponents.is_empty()).then(|| Grid {
        caption: "DMTL against each baseline: mean difference over users (ours less theirs), and p after Holm's correction".into(),
        header: vec!["Baseline".into(), "Mean squared error of a user".into(), "NDCG@10".into()],
        lines: lines.collect(),
    })
}
