//! Rows to sections: each cut's systems, who gains, the published effects, what it costs.

mod losses;

use kohort_report::{
    Axis, Bar, BarPlot, Column, Fact, Grid, Highlight, Mark, ProtocolBox, Reference, ReferenceKind, Row,
    Section, Table,
};

use super::effects::{EFFECTS, FOR, RULES, said};
use super::measure::{GAUC, NDCG};
use super::world::World;
use super::{GROUPCE, LOSSES, OVER_PLAIN, STAN, WithData};
use crate::grid::Finished;
use crate::modules::measure::{AUC, COST, LOG_LOSS, MEAN, PR_AUC, SECONDS, TEST, TRAINED, WORST};
use crate::paper::{Chapter, Scope};
use crate::summary::Summary;

/// Everything the sections are made of.
pub(super) struct Run<'a> {
    pub(super) paper: &'a WithData,
    pub(super) scope: &'a Scope,
    pub(super) cells: &'a [&'a Finished],
    pub(super) summary: &'a Summary,
}

/// What is done otherwise than in the papers.
const DEPARTURES: [&str; 7] = [
    "Data: neither Wechat-Video nor KuaiRand can be had here. MovieLens-100K is public, has times, and two labels of every row: like (4 or more) and \
     love (5), of which the second implies the first, as a purchase implies a click. Its rows are ratings of films that were chosen to be rated, not \
     impressions; most users came for one evening, so a life with the product is short.",
    "STAN: a user's past is all earlier training rows, not 30 days; the columns of the past (rows, likes, loves, days) are what stage and \
     preferences are made of, and “CGC + stage feature” reads them too. Experts are one level (CGC), as in the paper's formulas.",
    "“Shared bottom, learned weights” is ours: weights by age, gender, occupation and number of training rows, learned from a tenth of the training \
     rows along five epochs, then a fit of all training rows under them.",
    "STAN without Beta: the paper does not spell it out; here a row weighs its predicted preference.",
    "GroupCE: code-books are fitted by k-means before each epoch, not moved with each batch; the backbone is a plain network. “One level” has as many \
     codes as all levels together.",
    "“GroupCE, random codes” is ours: the same groups in number, without meaning.",
    "GroupCE's paper splits at random; its independent repetitions split by time and find nothing. Both cuts are here.",
];

/// The experiments' part of the page.
pub(super) fn chapter(run: &Run<'_>) -> Chapter {
    let mut sections = vec![published(run)];
    for world in &run.paper.worlds {
        for experiment in [STAN, GROUPCE, LOSSES] {
            sections.extend(systems(run, world, experiment));
        }
    }
    sections.push(costs(run));
    // Both cuts are of the same files.
    let facts = run.paper.worlds.first().map(|world| world.provenance.facts("ml-100k"));
    Chapter {
        lead: lead(run),
        highlights: highlights(run),
        facts: facts.unwrap_or_default(),
        sections,
        rules: RULES.map(str::to_owned).to_vec(),
        departures: DEPARTURES.map(str::to_owned).to_vec(),
        left_out: None,
    }
}

/// The rows for the terminal.
pub(super) fn headlines(rows: &[Row]) -> Vec<Row> {
    let shown = |row: &&Row| {
        let main = [AUC, GAUC].contains(&row.metric.as_str());
        (row.protocol.as_deref() == Some(TEST) && main && row.cohort.is_none())
            || [Some(EFFECTS), Some(FOR)].contains(&row.protocol.as_deref())
    };
    rows.iter().filter(shown).cloned().collect()
}

fn effects<'a>(run: &'a Run<'_>, dataset: &'a str) -> impl Iterator<Item = &'a Row> {
    run.summary
        .rows
        .iter()
        .filter(move |row| row.dataset == dataset && row.protocol.as_deref() == Some(EFFECTS))
}

fn lead(run: &Run<'_>) -> String {
    let mut text = format!(
        "STAN weighs each row of a task by how much its user seems to prefer that task; GroupCE ranks rows of like users against each other. \
         Both are compared with the plain model that they extend, on MovieLens-100K, {} seeds.",
        run.scope.seeds.len()
    );
    if run.scope.seeds.len() < 5 {
        text.push_str(" With fewer than five seeds no effect is said to show.");
        return text;
    }
    for world in &run.paper.worlds {
        let list = |word: &str| {
            let found: Vec<String> = effects(run, world.name)
                .filter(|row| said(row) == word)
                .map(|row| {
                    let task = row.task.as_deref().unwrap_or_default();
                    format!(
                        "{} ({task}, {:+.4})",
                        row.system.as_deref().unwrap_or_default(),
                        row.mean.unwrap_or(0.0)
                    )
                })
                .collect();
            if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
        };
        text.push_str(&format!(
            " {}: shows: {}; is reversed: {}; does not show: {}.",
            world.title,
            list("shows"),
            list("is reversed"),
            list("does not show")
        ));
    }
    text.extend(losses::sentence(run));
    text
}

fn highlights(run: &Run<'_>) -> Vec<Highlight> {
    let mut cards = Vec::new();
    for world in &run.paper.worlds {
        for what in ["STAN over CGC", "GroupCE over log loss"] {
            let row = effects(run, world.name)
                .find(|row| row.system.as_deref() == Some(what) && row.task.as_deref() == Some("like"));
            let Some(row) = row else { continue };
            let span = match (row.low, row.high) {
                (Some(low), Some(high)) => format!("95 % {low:+.4} to {high:+.4}; "),
                _ => String::new(),
            };
            cards.push(Highlight {
                label: format!("{what}, like, {}: {}", world.title, row.metric),
                value: format!("{:+.4}", row.mean.unwrap_or(f64::NAN)),
                detail: format!("{span}{}", row.reason.clone().unwrap_or_default()),
                verdict: row.verdict,
            });
        }
    }
    cards
}

/// Published effects beside ours, one table a cut.
fn published(run: &Run<'_>) -> Section {
    let mut section = Section::new("Published effects, and ours").prose(
        "Each line is the difference of two systems on the same split, mean over the seeds with Student's 95 % interval. Published figures \
         are of other data: signs and sizes may be compared, no more.",
    );
    for world in &run.paper.worlds {
        let lines: Vec<Vec<String>> = effects(run, world.name)
            .map(|row| {
                let number =
                    |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:+.4}"));
                let span = match (row.low, row.high) {
                    (Some(low), Some(high)) => format!("{low:+.4} to {high:+.4}"),
                    _ => "–".to_owned(),
                };
                vec![
                    row.system.clone().unwrap_or_default(),
                    row.task.clone().unwrap_or_default(),
                    row.metric.trim_start_matches("gain in ").to_owned(),
                    number(row.published.filter(|value| value.is_finite())),
                    number(row.mean),
                    span,
                    said(row).to_owned(),
                ]
            })
            .collect();
        if !lines.is_empty() {
            section = section.block(Grid {
                caption: world.title.clone(),
                header: [
                    "Difference",
                    "Task",
                    "Metric",
                    "Published",
                    "Ours",
                    "95 % over the seeds",
                    "Effect",
                ]
                .map(str::to_owned)
                .to_vec(),
                lines,
            });
        }
    }
    section
}

fn systems(run: &Run<'_>, world: &World, experiment: &str) -> Option<Section> {
    let rows: Vec<&Row> = run
        .summary
        .rows
        .iter()
        .filter(|row| row.dataset == world.name && row.experiment == experiment)
        .collect();
    let test: Vec<&&Row> = rows.iter().filter(|row| row.protocol.as_deref() == Some(TEST)).collect();
    if test.is_empty() {
        return None;
    }
    let name = match experiment {
        STAN => "STAN",
        GROUPCE => "GroupCE",
        _ => "Losses",
    };
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    let mut section = Section::new(format!("{name}: {}", world.title))
        .prose(format!("Split: {}. Cohorts: {}.", world.split, world.cohorts))
        .block(protocol(run, world));
    let mut tasks: Vec<&str> = Vec::new();
    for task in test.iter().filter_map(|row| row.task.as_deref()) {
        if task != COST && !tasks.contains(&task) {
            tasks.push(task);
        }
    }
    for task in tasks {
        let own: Vec<Row> = test
            .iter()
            .filter(|row| row.task.as_deref() == Some(task) && row.cohort.is_none())
            .map(|row| (**row).clone())
            .collect();
        let columns = [
            Column::higher(AUC).digits(4).label("AUC"),
            Column::higher(GAUC).digits(4),
            Column::higher(NDCG).digits(4),
            Column::higher(PR_AUC).digits(4),
            Column::lower(LOG_LOSS).digits(4).label("log loss"),
        ];
        let caption =
            format!("{}: {task}, test rows, mean over {} seeds", world.title, run.scope.seeds.len());
        section = section.block(Table::pivot(caption, "System", &own, label, &columns));
        let metric = if experiment == STAN { AUC } else { GAUC };
        let gain = format!("gain in {metric}");
        let own: Vec<&&Row> = rows
            .iter()
            .filter(|row| {
                row.protocol.as_deref() == Some(OVER_PLAIN)
                    && row.metric == gain
                    && row.task.as_deref() == Some(task)
            })
            .collect();
        let by_cohort: Vec<Row> = own
            .iter()
            .filter(|row| ![Some(MEAN), Some(WORST)].contains(&row.cohort.as_deref()))
            .map(|row| Row {
                metric: row.cohort.clone().unwrap_or_else(|| "all".to_owned()),
                ..(***row).clone()
            })
            .collect();
        let mut names: Vec<String> = Vec::new();
        for row in &by_cohort {
            if !names.contains(&row.metric) {
                names.push(row.metric.clone());
            }
        }
        let columns: Vec<Column> = names.iter().map(|name| Column::higher(name).digits(4)).collect();
        let plain = if experiment == STAN { "CGC" } else { "log loss alone" };
        let caption = format!("{}: {task}, {gain} over {plain}, by cohort", world.title);
        if !by_cohort.is_empty() {
            section =
                section.block(Table::pivot(caption, "System", &by_cohort, label, &columns).test_note(
                    "differs from the plain model: paired t-test over the seeds, Holm over cohorts",
                ));
        }
        let bars: Vec<Bar> = own
            .iter()
            .filter(|row| {
                row.cohort.is_none()
                    && !["Random", "Film means"].contains(&row.system.as_deref().unwrap_or_default())
            })
            .filter_map(|row| {
                Some(Bar {
                    label: label(row),
                    value: row.mean?,
                    low: row.low,
                    high: row.high,
                    published: None,
                    highlight: row.system.as_deref() == Some(name),
                })
            })
            .collect();
        if bars.len() > 1 {
            section = section.block(BarPlot {
                title: format!("{}: {task}, {gain} over {plain}, 95 % over the seeds", world.title),
                value: Axis::new(&gain),
                mark: Mark::Dot,
                bars,
                references: vec![Reference::new(ReferenceKind::Floor, "no gain", 0.0)],
            });
        }
    }
    if experiment == LOSSES {
        return Some(losses::lists(run, world, section));
    }
    Some(section.block(against(run, world, experiment, name)))
}

/// The system against every other, user by user.
fn against(run: &Run<'_>, world: &World, experiment: &str, name: &str) -> Grid {
    let own = run
        .summary
        .comparisons
        .iter()
        .filter(|comparison| comparison.dataset == world.name && comparison.experiment == experiment);
    let lines = own.map(|comparison| {
        let p = comparison.p.map_or("–".to_owned(), |p| format!("{p:.4}"));
        vec![comparison.title.clone(), comparison.metric.clone(), format!("{:+.4}", comparison.difference), p]
    });
    Grid {
        caption: format!(
            "{}: {name} less each other system, mean over users of differences averaged over the seeds; paired t-test over the users, Holm over the \
             systems",
            world.title
        ),
        header: ["System", "Metric", "Difference", "p"].map(str::to_owned).to_vec(),
        lines: lines.collect(),
    }
}

fn costs(run: &Run<'_>) -> Section {
    let mut section = Section::new("STAN and GroupCE: what it costs").prose(
        "Wall time of a fit on one core while another fit ran on the other. A fit stops by its own validation rows, so seconds differ with \
         the number of epochs too.",
    );
    for experiment in [STAN, GROUPCE, LOSSES] {
        let rows: Vec<Row> = run
            .summary
            .rows
            .iter()
            .filter(|row| {
                row.experiment == experiment
                    && row.task.as_deref() == Some(COST)
                    && run.paper.worlds.first().is_some_and(|world| row.dataset == world.name)
            })
            .map(|row| Row { low: None, high: None, ..row.clone() })
            .collect();
        let columns = [
            Column::neutral(TRAINED).digits(0),
            Column::neutral(SECONDS).digits(1).label("seconds to train"),
        ];
        let label = |row: &Row| row.system.clone().unwrap_or_default();
        if !rows.is_empty() {
            section = section.block(Table::pivot(
                format!("{experiment}: what it costs, rows at random"),
                "System",
                &rows,
                label,
                &columns,
            ));
        }
    }
    section
}

fn protocol(run: &Run<'_>, world: &World) -> ProtocolBox {
    let seeds: Vec<String> = run.scope.seeds.iter().map(u64::to_string).collect();
    let users = run.cells.iter().find(|cell| cell.key.dataset == world.name).and_then(|cell| {
        let count = cell.outcome.counts.iter().find(|(name, _)| name == "like: users with both labels")?;
        Some(format!("{:.0} users of the first seed", count.1))
    });
    ProtocolBox {
        name: TEST.to_owned(),
        split: world.split.to_owned(),
        unit: format!(
            "AUC, PR-AUC, log loss: row. GAUC: the AUC of each user with both labels, weighed by rows ({}). nDCG@5: user with a positive",
            users.unwrap_or_default()
        ),
        candidates: "the user's test rows".into(),
        threshold: "like: a rating of 4 or more; love: 5".into(),
        k: "5 for nDCG".into(),
        denominator: "AUC: pairs, ties half; PR-AUC: average precision; nDCG: the ideal order of the same rows, binary gain".into(),
        without_relevant: "users without both labels have no AUC, users without a positive no nDCG; they are left out".into(),
        tie_rule: "see the denominator".into(),
        seeds: format!("{}; all systems of a seed share the split", seeds.join(", ")),
        floor: "AUC and GAUC 0.5; nDCG that of a random order".into(),
        ceiling: "1".into(),
        popularity: "“Film means”: the share of a film's training rows with the label, drawn to that of all rows with the weight of five".into(),
        more: vec![Fact {
            name: "Choices".into(),
            value: "rate, dropout and decay of tables were chosen for the plain models by the validation rows of a split that is none of these, and are \
                    everybody's".into(),
        }],
    }
}
