//! The sections of the further experiments: sweeps, attention, cold users, groups as units.

use kohort_report::{Axis, Column, Grid, LinePlot, Point, Row, Section, Series};

use super::Run;
use super::tables::{by_system, usual_columns};
use crate::dmtl::experiments::cold::{COLD, WARM};
use crate::dmtl::experiments::groups::{self, DESCRIPTION, KMEANS, REAL};
use crate::dmtl::experiments::{Experiment, MAIN_SPLIT};
use crate::dmtl::profiling::{HIDDEN_USERS, PROTOCOL};
use crate::dmtl::study::Study;
use crate::page::tables::{epochs, over_epochs, part};

/// The sections of an experiment on a data set.
pub(super) fn sections(run: &Run<'_>, study: &Study, experiment: Experiment) -> Vec<Section> {
    let rows = run.rows_of(experiment.name(), study.name());
    if rows.is_empty() {
        return Vec::new();
    }
    match experiment {
        Experiment::Main => Vec::new(),
        Experiment::Lambda => vec![lambda(study, &rows)],
        Experiment::Attention => vec![attention(run, study, &rows)],
        Experiment::Cold => vec![cold(study, &rows)],
        Experiment::Groups => groups(study, &rows),
    }
}

/// One line a variant, errors, lists and the F1 of hidden labels side by side.
fn variants(study: &Study, what: &str, rows: &[Row]) -> Option<kohort_report::Table> {
    let mut own = part(rows, "a", None);
    own.extend(part(rows, PROTOCOL, Some(HIDDEN_USERS)).into_iter().filter(|row| row.metric == "F1"));
    let mut columns = usual_columns();
    columns.push(Column::higher("F1").label("Profiling F1, hidden labels"));
    by_system(format!("{}: {what}, protocol (a)", study.title), &own, &columns, "no order")
}

fn lambda(study: &Study, rows: &[Row]) -> Section {
    let mut section = Section::new(format!("{}: weight of the profiling loss, width of the embeddings", study.title)).prose(
        "Only λ or the width changes, everything else is the main setting. Nothing was chosen from this table: settings \
         were chosen on validation rows.",
    );
    if let Some(table) = variants(study, "λ and embedding sweep", rows) {
        section = section.block(table);
    }
    for (prefix, label, log) in [("λ = ", "λ", true), ("embedding = ", "embedding width", true)] {
        for (metric, protocol, cohort) in
            [("RMSE", "a", None), ("NDCG@10", "a", None), ("F1", PROTOCOL, Some(HIDDEN_USERS))]
        {
            let name = if metric == "F1" { "Profiling F1, hidden labels" } else { metric };
            let points: Vec<Point> = part(rows, protocol, cohort)
                .iter()
                .filter(|row| row.metric == metric)
                .filter_map(|row| {
                    let x = row.variant.as_deref()?.strip_prefix(prefix)?.parse().ok()?;
                    // Student's interval of two seeds is so wide that it hides the curve; the table has it.
                    let drawn = row.seeds.is_some_and(|seeds| seeds > 2);
                    let end = |end: Option<f64>| end.filter(|_| drawn);
                    Some(Point { x, y: row.mean?, low: end(row.low), high: end(row.high) })
                })
                .collect();
            if points.len() > 1 {
                let x = if log { Axis::new(label).log() } else { Axis::new(label) };
                section = section.block(LinePlot {
                    title: format!("{name} over {label}, {}", study.title),
                    x,
                    y: Axis::new(name),
                    series: vec![Series { name: "DMTL".into(), points }],
                    references: Vec::new(),
                });
            }
        }
    }
    section
}

fn attention(run: &Run<'_>, study: &Study, rows: &[Row]) -> Section {
    let mut section = Section::new(format!("{}: what the attention weighs", study.title)).prose(
        "Descriptions of the paper disagree on whether attention weighs the dimensions of the item or the members of the \
         group; both are here, with uniform weights and with none. The gate is scaled by its width, so uniform weights \
         and none are one function and their lines agree. An entropy that stays at that of uniform weights means that the \
         attention attends to nothing.",
    );
    section = section.prose(
        "The profiling F1 of “attention = members” is not scored: there the profiling head is given the user's group, \
         which is what it should name.",
    );
    if let Some(table) = variants(study, "attention", rows) {
        section = section.block(table);
    }
    let lines = epochs(
        run.cells,
        ("attention", study.name(), MAIN_SPLIT),
        &["attention entropy", "uniform entropy"],
        |curve, variant| {
            let variant = variant.unwrap_or_default().trim_start_matches("attention = ");
            match curve {
                "attention entropy" => variant.to_owned(),
                _ => format!("{variant}: if it were uniform"),
            }
        },
    );
    let title = format!("Entropy of the attention over the epochs, {}", study.title);
    if let Some(plot) = over_epochs(title, Axis::new("mean entropy").unit("nats"), lines) {
        section = section.block(plot);
    }
    section
}

fn cold(study: &Study, rows: &[Row]) -> Section {
    let mut section = Section::new(format!("{}: cold users", study.title)).prose(
        "Cold users have fewer than 5 training ratings. Where a data set has none (MovieLens-100K), a random tenth of the users \
         keeps 4 of their training ratings. Does the second task help them? Compare DMTL with its single-task twin. Cold \
         groups exist only among ITM-Rec's real groups (the 8 KMeans groups are all large); they are in the experiment \
         “groups”.",
    );
    for cohort in [COLD, WARM] {
        let own = part(rows, "a", Some(cohort));
        let caption = format!("{}: {cohort}, protocol (a) on their test rows", study.title);
        if let Some(table) = by_system(caption, &own, &usual_columns(), "RMSE") {
            section = section.block(table);
        }
    }
    section
}

fn groups(study: &Study, rows: &[Row]) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut found = Section::new(format!("{}: KMeans groups as units", study.title)).prose(
        "Here a list belongs to a group. A group's rating of an item is put together from what at least two members \
         rated in the test part, by the average, the lowest (least misery) or the highest rating (most pleasure). A system \
         scores every member and puts the scores together in the same way; lines marked “on group ratings” are \
         baselines fitted on the groups' training ratings as if groups were users. With 8 groups the paired tests \
         have little to work with.",
    );
    for protocol in KMEANS {
        let own = part(rows, protocol, None);
        let caption = format!("{}: {protocol}", study.title);
        if let Some(table) = by_system(caption, &own, &usual_columns(), "RMSE") {
            found = found.block(table);
        }
    }
    sections.push(found);
    let mut real = Section::new(format!("{}: real groups", study.title)).prose(
        "ITM-Rec has groups of students who rated topics together. A random fifth of the groups' own ratings is the test part. \
         Systems that score members learn from individual ratings only, systems “on group ratings” from the groups' other \
         ratings only. Members without individual ratings are left out of the mean.",
    );
    let mut any = false;
    for protocol in REAL {
        let own = part(rows, protocol, None);
        let caption = format!("{}: {protocol} (members together by {})", study.title, rule_of(protocol));
        if let Some(table) = by_system(caption, &own, &usual_columns(), "RMSE") {
            any = true;
            real = real.block(table);
        }
    }
    let cold = part(rows, REAL[0], Some(groups::COLD));
    let caption = format!("{}: cold groups only, {} (average)", study.title, REAL[0]);
    if let Some(table) = by_system(caption, &cold, &usual_columns(), "RMSE") {
        real = real
            .prose(
                "Cold groups have fewer than 5 training ratings of their own; some groups of ITM-Rec are so by themselves. \
                 For systems that score members they are no colder than others.",
            )
            .block(table);
    }
    let description = part(rows, DESCRIPTION, None);
    if !description.is_empty() {
        real = real.block(Grid {
            caption: "How the groups' own ratings relate to their members', and KMeans groups to real ones"
                .into(),
            header: vec!["What".into(), "Value".into()],
            lines: description
                .iter()
                .filter_map(|row| {
                    let mean = row.mean?;
                    let shown = if mean.fract() == 0.0 { format!("{mean}") } else { format!("{mean:.4}") };
                    Some(vec![row.metric.clone(), shown])
                })
                .collect(),
        });
    }
    if any {
        sections.push(real);
    }
    sections
}

fn rule_of(protocol: &str) -> &str {
    protocol.split_once(", ").map_or("average", |(_, rule)| rule)
}
