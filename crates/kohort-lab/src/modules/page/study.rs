//! A data set: the protocol, every task over all rows and by cohort, gains, costs.

use kohort_report::{
    Axis, Bar, BarPlot, Better, Column, Fact, Grid, Mark, ProtocolBox, Reference, ReferenceKind, Row,
    Section, Table,
};

use super::Run;
use crate::modules::measure::{
    AUC, COST, MEAN, MICROSECONDS, PER_COHORT, PR_AUC, RMSE, SECONDS, STEP, TEST, TRAINED, WORST,
};
use crate::modules::verdict::{CLAIMS, LOSSES, MEAN_LOSSES, MEAN_WINS, WINS};
use crate::modules::worlds::World;
use crate::modules::{OVER_BASELINE, OVER_CONTROL};

/// The sections.
pub(crate) fn sections(run: &Run<'_>, world: &World) -> Vec<Section> {
    let rows = run.rows_of(world.name, TEST);
    let tasks = tasks(&rows);
    let mut first = Section::new(format!("{}: tasks under every system", world.title))
        .prose(format!("Cohorts: {}. To know: {}.", world.cohorts, world.notes.join("; ")))
        .block(protocol(run, world));
    for (part, what) in [
        (None, "all rows"),
        (Some(MEAN), "mean over cohorts, each as heavy as the others"),
        (Some(WORST), "worst cohort"),
    ] {
        if let Some(table) = by_task(run, world, &rows, &tasks, part, what) {
            first = first.block(table);
        }
    }
    if let Some(table) = published(&rows) {
        first = first.block(table);
    }
    vec![first, gains(run, world, &tasks), costs(run, world)]
}

/// Figures that others published, where there are any.
fn published(rows: &[Row]) -> Option<Table> {
    let judged: Vec<Row> = rows
        .iter()
        .filter(|row| row.verdict.is_some())
        .map(|row| {
            let task = row.task.clone().unwrap_or_default();
            let system = format!("{}, {task}", row.system.clone().unwrap_or_default());
            Row { system: Some(system), metric: "found".into(), floor: None, ceiling: None, ..row.clone() }
        })
        .collect();
    let columns = [Column::neutral("found").digits(4).label("AUC over all rows")];
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    (!judged.is_empty())
        .then(|| Table::pivot("Beside what others published", "System and task", &judged, label, &columns))
}

/// Tasks with the metric that says most of each.
fn tasks(rows: &[Row]) -> Vec<(String, String)> {
    let mut tasks: Vec<(String, String)> = Vec::new();
    for row in rows.iter().filter(|row| row.metric == AUC || row.metric == RMSE) {
        let task = row.task.clone().unwrap_or_default();
        if !tasks.iter().any(|(known, _)| *known == task) {
            tasks.push((task, row.metric.clone()));
        }
    }
    tasks
}

fn better(metric: &str) -> Better {
    if metric.ends_with(RMSE) && !metric.starts_with("gain") { Better::Lower } else { Better::Higher }
}

fn by_task(
    run: &Run<'_>,
    world: &World,
    rows: &[Row],
    tasks: &[(String, String)],
    part: Option<&str>,
    what: &str,
) -> Option<Table> {
    let mut columns = Vec::new();
    let mut own = Vec::new();
    for (task, metric) in tasks {
        for metric in [metric.as_str()].into_iter().chain((metric == AUC).then_some(PR_AUC)) {
            let name = format!("{task}, {metric}");
            let found: Vec<Row> = rows
                .iter()
                .filter(|row| {
                    row.metric == metric && row.task.as_ref() == Some(task) && row.cohort.as_deref() == part
                })
                // Verdicts stand in a table of their own: their reasons would make every line of this one tall.
                .map(|row| Row { metric: name.clone(), verdict: None, reason: None, ..row.clone() })
                .collect();
            if !found.is_empty() {
                let short = if metric == PR_AUC { "PR" } else { metric.trim_start_matches("ROC-") };
                columns.push(Column {
                    better: better(metric),
                    ..Column::neutral(&name).digits(4).label(format!("{task}, {short}"))
                });
                own.extend(found);
            }
        }
    }
    let caption = format!("{}: {what}, mean over {}", world.title, run.seeds());
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    (!own.is_empty()).then(|| Table::pivot(caption, "System", &own, label, &columns))
}

fn gains(run: &Run<'_>, world: &World, tasks: &[(String, String)]) -> Section {
    let mut section = Section::new(format!("{}: who gains, who pays", world.title)).prose(
        "Gains are over the shared bottom on the same split; positive is better, for RMSE too. Intervals and tests are paired over the \
         seeds, with Holm's correction over the cohorts of a task.",
    );
    let claims = run.rows_of(world.name, CLAIMS);
    if !claims.is_empty() {
        let columns = [
            Column::higher(MEAN_WINS).digits(0).label("tasks that gain"),
            Column::lower(MEAN_LOSSES).digits(0).label("tasks that lose"),
            Column::higher(WINS).digits(0).label("task and cohort gain"),
            Column::lower(LOSSES).digits(0).label("task and cohort lose"),
        ];
        let label = |row: &Row| row.system.clone().unwrap_or_default();
        let caption = format!(
            "{}: how many gain or lose for sure (p < 0.05): tasks on the mean over cohorts, and single cohorts after Holm's correction",
            world.title
        );
        section = section.block(Table::pivot(caption, "System", &claims, label, &columns));
    }
    let over = run.rows_of(world.name, OVER_BASELINE);
    for (task, metric) in tasks {
        let gain = format!("gain in {metric}");
        let digits = 4;
        if let Some(table) = by_cohort(
            &over,
            task,
            &gain,
            format!("{}: {task}, {gain} over the shared bottom", world.title),
            digits,
        ) {
            section = section.block(table.test_note(
                "differs from the shared bottom: paired t-test over the seeds, Holm over cohorts",
            ));
        }
        if let Some(plot) = plot(world, &over, task, &gain) {
            section = section.block(plot);
        }
    }
    let over = run.rows_of(world.name, OVER_CONTROL);
    for (task, metric) in tasks {
        let gain = format!("gain in {metric}");
        let caption = format!(
            "{}: {task}, {gain} of adapters over one adapter for all, which has as many further steps",
            world.title
        );
        if let Some(table) = by_cohort(&over, task, &gain, caption, 4) {
            section =
                section.block(table.test_note(
                    "differs from one LoRA for all: paired t-test over the seeds, Holm over cohorts",
                ));
        }
    }
    section
}

/// One line a system, one column a cohort, then the mean and all rows.
fn by_cohort(rows: &[Row], task: &str, metric: &str, caption: String, digits: usize) -> Option<Table> {
    let own: Vec<Row> = rows
        .iter()
        .filter(|row| {
            row.metric == metric && row.task.as_deref() == Some(task) && row.cohort.as_deref() != Some(WORST)
        })
        .map(|row| Row { metric: row.cohort.clone().unwrap_or_else(|| "all rows".to_owned()), ..row.clone() })
        .collect();
    let mut names: Vec<String> = Vec::new();
    for row in &own {
        if !names.contains(&row.metric) && row.metric != MEAN && row.metric != "all rows" {
            names.push(row.metric.clone());
        }
    }
    names.extend([MEAN.to_owned(), "all rows".to_owned()]);
    let columns: Vec<Column> = names.iter().map(|name| Column::higher(name).digits(digits)).collect();
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    (!own.is_empty()).then(|| Table::pivot(caption, "System", &own, label, &columns))
}

fn plot(world: &World, rows: &[Row], task: &str, metric: &str) -> Option<BarPlot> {
    let own = rows.iter().filter(|row| {
        row.metric == metric
            && row.task.as_deref() == Some(task)
            && row.cohort.as_deref() == Some(MEAN)
            && row.system.as_deref() != Some("Cohort means")
    });
    let bars: Vec<Bar> = own
        .filter_map(|row| {
            Some(Bar {
                label: row.system.clone().unwrap_or_default(),
                value: row.mean?,
                low: row.low,
                high: row.high,
                published: None,
                highlight: false,
            })
        })
        .collect();
    (bars.len() > 1).then(|| BarPlot {
        title: format!(
            "{}: {task}, {metric} over the shared bottom, mean over cohorts, 95 % over the seeds",
            world.title
        ),
        value: Axis::new(metric),
        mark: Mark::Dot,
        bars,
        references: vec![Reference::new(ReferenceKind::Floor, "no gain", 0.0)],
    })
}

fn costs(run: &Run<'_>, world: &World) -> Section {
    let rows: Vec<Row> = run
        .rows
        .iter()
        .filter(|row| row.dataset == world.name && row.task.as_deref() == Some(COST))
        .map(|row| Row { low: None, high: None, ..row.clone() })
        .collect();
    let columns = [
        Column::neutral(TRAINED).digits(0),
        Column::neutral(PER_COHORT).digits(1).label("kB per further cohort"),
        Column::neutral(SECONDS).digits(1).label("seconds to train"),
        Column::neutral(STEP).digits(2).label("ms a step, validation included"),
        Column::neutral(MICROSECONDS).digits(1).label("µs to score a row"),
    ];
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    let caption = format!("{}: what it costs, on one core, while another fit ran on the other", world.title);
    let mut section = Section::new(format!("{}: what it costs, who is in it", world.title))
        .prose("Seconds of adapters include those of the base they are on. A fit stops by its own validation loss, so seconds differ with the number of epochs too.")
        .block(Table::pivot(caption, "System", &rows, label, &columns));
    if let Some(grid) = sizes(run, world) {
        section = section.block(grid);
    }
    section
}

/// Test rows of each cohort, by task, of the first seed.
fn sizes(run: &Run<'_>, world: &World) -> Option<Grid> {
    let cell = run.cells.iter().find(|cell| cell.key.dataset == world.name)?;
    let mut lines: Vec<Vec<String>> = Vec::new();
    for (name, value) in &cell.outcome.counts {
        let Some((about, what)) = name.rsplit_once(": ") else { continue };
        let Some((task, cohort)) = about.split_once(": ") else { continue };
        if what == "rows" {
            lines.push(vec![cohort.to_owned(), task.to_owned(), format!("{value:.0}"), String::new()]);
        } else if let Some(line) = lines.iter_mut().find(|line| line[0] == cohort && line[1] == task) {
            line[3] = format!("{value:.0}");
        }
    }
    lines.sort_by(|a, b| a[0].cmp(&b[0]));
    (!lines.is_empty()).then(|| Grid {
        caption: format!("{}: test rows of the first seed", world.title),
        header: ["Cohort", "Task", "Rows", "Positives"].map(str::to_owned).to_vec(),
        lines,
    })
}

fn protocol(run: &Run<'_>, world: &World) -> ProtocolBox {
    let seeds: Vec<String> = run.scope.seeds.iter().map(u64::to_string).collect();
    ProtocolBox {
        name: TEST.to_owned(),
        split: world.split.to_owned(),
        unit: "row; metrics over all rows of the test part and over each cohort's".into(),
        candidates: "none: every row is scored once".into(),
        threshold: "the task's own label".into(),
        k: "none".into(),
        denominator: "ROC-AUC: pairs, ties half; PR-AUC: average precision, ties one step; RMSE: rows".into(),
        without_relevant: "a cohort with one class only is undefined and enters neither mean nor worst".into(),
        tie_rule: "see the denominator".into(),
        seeds: format!("{}; each draws the split, the initial weights and the batches; all systems of a seed share the split", seeds.join(", ")),
        floor: "ROC-AUC 0.5; PR-AUC the share of positives; for numbers the row “Cohort means”".into(),
        ceiling: "1, or an error of 0".into(),
        popularity: "“Cohort means”: the mean of the target in the row's cohort, from training rows".into(),
        more: vec![Fact {
            name: "Choices".into(),
            value: "rates, widths and regularisation were chosen for the shared bottom on validation rows and are everybody's; each fit stops by its own validation loss"
                .into(),
        }],
    }
}
