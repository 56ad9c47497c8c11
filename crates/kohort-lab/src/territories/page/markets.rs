//! PR-AUC, gains, lists and calibration by territory.

use kohort_report::{
    Axis, Bar, BarPlot, Better, Column, Grid, LinePlot, Mark, Note, NoteKind, Reference, ReferenceKind, Row,
    Section, Series, Table,
};

use super::tables::{by_territory, columns_of, p_text, span};
use super::{Run, boxes};
use crate::page::tables::name_of;
use crate::territories::experiments::markets::{AFTER, BEFORE};
use crate::territories::gains::{GAIN, Gain};
use crate::territories::measure::sampled::NDCG;
use crate::territories::measure::{SAMPLED, WHOLE};
use crate::territories::systems::{reported_groups, tower_name, tower_title};
use crate::territories::verdict::CLAIMS;
use crate::territories::world::World;

/// The sections of the grid of models and samples on a world.
pub(super) fn sections(run: &Run<'_>, world: &World, experiment: &str) -> Vec<Section> {
    vec![areas(run, world, experiment), orders(run, world, experiment), calibration(run, world, experiment)]
}

fn caption(run: &Run<'_>, world: &World, what: &str) -> String {
    format!("{}: {what}, mean over {}", world.title, run.seeds())
}

fn areas(run: &Run<'_>, world: &World, experiment: &str) -> Section {
    let rows = run.rows_of(experiment, &world.name, SAMPLED);
    let after = tower_title(AFTER.0, AFTER.1);
    let mut section = Section::new(format!("{}: one model, many models, or one with blocks", world.title))
        .prose(
            "One global model knows nothing of territories; one model per market learns from its own rows only; MTL shares both \
             towers and has a block for each group on the user tower. Each learns from a random sample of users, or from that and a \
             disjoint sample of active ones. Active users bring more rows than others, so two lines learn from as many users, all drawn at \
             random. Gains are over the global model on the random sample.",
        )
        .block(boxes::sampled(run, world));
    let claims = run.rows_of(experiment, &world.name, CLAIMS);
    if !claims.is_empty() {
        let columns = [Column::neutral("found").digits(1).label("Found")];
        let rows: Vec<Row> = claims
            .iter()
            .map(|row| Row {
                system: Some(row.metric.clone()),
                metric: "found".into(),
                // None and all of the markets are in the reasons.
                floor: None,
                ceiling: None,
                ..row.clone()
            })
            .collect();
        let label = |row: &Row| row.system.clone().unwrap_or_default();
        section = section.block(Table::pivot("What is claimed, and found", "Claim", &rows, label, &columns));
    }
    let better = (Better::Higher, 4);
    if let Some(table) = by_territory(world, caption(run, world, "PR-AUC"), &rows, "PR-AUC", better) {
        section = section.block(table.highlight(&after));
    }
    let note = "differs from the global model on the random sample: paired bootstrap over users, Holm's correction over the \
                territories";
    let gain = caption(
        run,
        world,
        "PR-AUC gain in per cent of the global model on the random sample (95 % over users)",
    );
    if let Some(table) = by_territory(world, gain, &rows, GAIN, (Better::Higher, 1)) {
        section = section.block(table.highlight(&after).test_note(note));
    }
    let gains = run.paper.gains(run.cells).unwrap_or_default();
    let own: Vec<&Gain> = gains
        .iter()
        .filter(|gain| {
            let key = &gain.key;
            key.experiment == experiment
                && key.dataset == world.name
                && key.system == tower_name(AFTER.0, AFTER.1)
        })
        .filter(|gain| gain.cohort.as_ref().is_none_or(|c| world.territories.names().contains(c)))
        .collect();
    if !own.is_empty() {
        section = section.block(plot(world, &own)).block(tests(&own));
    }
    let groups = reported_groups(world, &run.paper.settings).unwrap_or_default();
    let names: Vec<String> = groups.into_iter().map(|(name, _)| name).collect();
    let of_groups: Vec<_> = rows.iter().filter(|row| row.cohort.is_some()).cloned().collect();
    for (what, metric, digits) in [
        ("PR-AUC of groups of territories", "PR-AUC", 4),
        ("the gain of groups, per cent (95 % over seeds)", GAIN, 1),
    ] {
        let caption = caption(run, world, what);
        if let Some(table) = columns_of(&names, caption, &of_groups, metric, (Better::Higher, digits)) {
            section = section.block(table.highlight(&after));
        }
    }
    if rows.iter().any(|row| row.mean.is_none() && row.published.is_none()) {
        section = section.block(Note::new(
            NoteKind::Warning,
            "“undefined”: the territory has no positives in the test part, so it has no number and does not enter means.",
        ));
    }
    section
}

fn plot(world: &World, gains: &[&Gain]) -> BarPlot {
    let bars = gains.iter().map(|gain| {
        let interval = gain.interval();
        Bar {
            label: gain.cohort.clone().unwrap_or_else(|| "mean".to_owned()),
            value: gain.mean(),
            low: interval.map(|i| i.0),
            high: interval.map(|i| i.1),
            published: None,
            highlight: gain.cohort.is_none(),
        }
    });
    BarPlot {
        title: format!(
            "{}: PR-AUC gain of {} over {}, 95 % interval over users",
            world.title,
            tower_title(AFTER.0, AFTER.1),
            tower_title(BEFORE.0, BEFORE.1)
        ),
        value: Axis::new("gain").unit("%"),
        mark: Mark::Dot,
        bars: bars.collect(),
        references: vec![Reference::new(ReferenceKind::Floor, "no gain", 0.0)],
    }
}

fn tests(gains: &[&Gain]) -> Grid {
    let line = |gain: &&Gain| {
        let wins = gain.per_seed.iter().filter(|&&gain| gain > 0.0).count();
        vec![
            gain.cohort.clone().unwrap_or_else(|| "mean".to_owned()),
            format!("{:+.1} %", gain.mean()),
            span(gain.over_users, 1),
            p_text(gain.p),
            span(gain.over_seeds(), 1),
            format!("{wins} of {}", gain.per_seed.len()),
        ]
    };
    Grid {
        caption: format!(
            "{} against {}, paired",
            tower_title(AFTER.0, AFTER.1),
            tower_title(BEFORE.0, BEFORE.1)
        ),
        header: [
            "Territory",
            "Gain",
            "95 % over users",
            "p over users, after Holm (mean: as it is)",
            "95 % over seeds",
            "Seeds with a gain",
        ]
        .map(str::to_owned)
        .to_vec(),
        lines: gains.iter().map(line).collect(),
    }
}

fn orders(run: &Run<'_>, world: &World, experiment: &str) -> Section {
    let after = tower_title(AFTER.0, AFTER.1);
    let mut section = Section::new(format!("{}: the order within a user's list", world.title)).prose(
        "PR-AUC compares scores between users; nDCG@10 looks at each user's own list. Sampled candidates flatter whoever knows \
         what is popular, so the whole market stands beside them.",
    );
    for (protocol, what) in
        [(SAMPLED, "nDCG@10 among sampled candidates"), (WHOLE, "nDCG@10 among all titles of the territory")]
    {
        if protocol == WHOLE {
            section = section.block(boxes::whole(run, world));
        }
        let rows = run.rows_of(experiment, &world.name, protocol);
        let caption = caption(run, world, what);
        if let Some(table) = by_territory(world, caption, &rows, NDCG, (Better::Higher, 4)) {
            section = section.block(table.highlight(&after));
        }
    }
    section
}

fn calibration(run: &Run<'_>, world: &World, experiment: &str) -> Section {
    let rows = run.rows_of(experiment, &world.name, SAMPLED);
    let rate = 1.0 / (1.0 + f64::from(run.paper.settings.negatives));
    let mut section = Section::new(format!("{}: do probabilities come true?", world.title)).prose(format!(
        "Training shows more positives than there are among the candidates ({:.1} %), so scores read as probabilities are too high. \
         The shift adds the difference of the log-odds of both rates (Saerens, Latinne and Decaestecker, 2002) and changes no order. It \
         can only repair the rate: training draws its negatives uniformly, as the candidates are drawn, but from other users. ECE: 15 bins \
         of equally many candidates.",
        100.0 * rate
    ));
    for (metric, what) in [
        ("ECE, before", "expected calibration error before the shift"),
        ("ECE, after", "expected calibration error after the shift"),
        ("PCOC, after", "predicted over observed positives after the shift (1 is right)"),
    ] {
        let better = if metric.starts_with("ECE") { Better::Lower } else { Better::Neither };
        if let Some(table) = by_territory(world, caption(run, world, what), &rows, metric, (better, 4)) {
            section = section.block(table);
        }
    }
    let mut series = Vec::new();
    for system in [BEFORE, AFTER] {
        let name = tower_name(system.0, system.1);
        let first = run.cells.iter().find(|cell| {
            cell.key.experiment == experiment && cell.key.dataset == world.name && cell.key.system == name
        });
        for when in ["before", "after"] {
            let curve = first.and_then(|cell| cell.outcome.curve(&format!("reliability, {when}")));
            if let Some(curve) = curve {
                let name = name_of(&tower_title(system.0, system.1), Some(&format!("{when} the shift")));
                series.push(Series::new(name, curve.points.iter().copied()));
            }
        }
    }
    if !series.is_empty() {
        series.push(Series::new("right", [(0.001, 0.001), (0.01, 0.01), (0.1, 0.1), (0.9, 0.9)]));
        section = section.block(LinePlot {
            title: format!("{}: reliability of all territories together, first seed", world.title),
            x: Axis::new("mean probability of a bin").log(),
            y: Axis::new("share of positives").log(),
            series,
            references: Vec::new(),
        });
    }
    section
}
