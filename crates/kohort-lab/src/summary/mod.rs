//! Cells to rows: mean and interval over seeds, floor and ceiling, paired tests.

mod paired;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use kohort_eval::UnitValues;
use kohort_eval::interval::{Draws, bootstrap_mean, seed_interval};
use kohort_report::Row;

use crate::grid::{Finished, Key};
use crate::outcome::{Number, SQUARED_ERROR};

pub(crate) use paired::{Comparison, compare};

/// What the cells of a run say together.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// All rows, in the order of the cells; within a data set by protocol.
    pub(crate) rows: Vec<Row>,
    /// The system under test against every other, user by user.
    pub(crate) comparisons: Vec<Comparison>,
}

/// One row a number, the mean over the seeds with its interval, beside the key of the line's first cell.
pub(crate) fn rows(cells: &[&Finished]) -> Result<Vec<(Key, Row)>> {
    let mut rows = Vec::new();
    for line in lines(cells)? {
        let mut row = line.row();
        if line.numbers.len() > 1 {
            let values: Vec<f64> = line.numbers.iter().map(|number| number.value).collect();
            let spread = seed_interval(&values, 0.95)?.interval;
            row = row.interval(spread.low, spread.high);
        }
        rows.push((line.key, row));
    }
    Ok(rows)
}

/// One number of one system over the seeds.
struct Line<'a> {
    /// Of the first cell.
    key: Key,
    seeds: Vec<u64>,
    numbers: Vec<&'a Number>,
}

impl Line<'_> {
    fn row(&self) -> Row {
        let mean = |of: fn(&Number) -> Option<f64>| {
            let values: Option<Vec<f64>> = self.numbers.iter().map(|number| of(number)).collect();
            values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
        };
        let first = self.numbers[0];
        let mut row = Row::new(&self.key.experiment, &self.key.dataset, &first.metric)
            .protocol(&first.protocol)
            .system(&self.key.title)
            .task(&first.task)
            .seeds(self.numbers.len() as u32)
            .mean(mean(|number| Some(number.value)).unwrap_or(f64::NAN));
        row.variant.clone_from(&self.key.variant);
        row.cohort.clone_from(&first.cohort);
        row.floor = mean(|number| number.floor);
        row.ceiling = mean(|number| number.ceiling);
        row
    }
}

/// Experiment, data set, protocol, system, variant, task, cohort, metric.
type Address<'a> = (&'a str, &'a str, &'a str, &'a str, Option<&'a str>, &'a str, Option<&'a str>, &'a str);

/// Numbers gathered over seeds. The order is that of experiment and data set, then protocol, then the rest, each by
/// first appearance.
fn lines<'a>(cells: &[&'a Finished]) -> Result<Vec<Line<'a>>> {
    let mut protocols: Vec<(&str, &str, &str)> = Vec::new();
    let mut place: BTreeMap<Address<'_>, usize> = BTreeMap::new();
    let mut lines: Vec<(usize, Line<'a>)> = Vec::new();
    for cell in cells {
        let Key { experiment, dataset, system, variant, .. } = &cell.key;
        for number in &cell.outcome.numbers {
            let heading = (experiment.as_str(), dataset.as_str(), number.protocol.as_str());
            let group = protocols.iter().position(|known| *known == heading).unwrap_or_else(|| {
                protocols.push(heading);
                protocols.len() - 1
            });
            let name = (
                heading.0,
                heading.1,
                heading.2,
                system.as_str(),
                variant.as_deref(),
                number.task.as_str(),
                number.cohort.as_deref(),
                number.metric.as_str(),
            );
            let at = *place.entry(name).or_insert_with(|| {
                lines.push((group, Line { key: cell.key.clone(), seeds: Vec::new(), numbers: Vec::new() }));
                lines.len() - 1
            });
            let line = &mut lines[at].1;
            // Two splits that measure under one name would be averaged as if they were seeds.
            ensure!(
                !line.seeds.contains(&cell.key.seed),
                "{}: {} is measured twice",
                cell.key,
                number.metric
            );
            line.seeds.push(cell.key.seed);
            line.numbers.push(number);
        }
    }
    // Stable: within a protocol the order of appearance stays. Headings of one experiment and data set stay together.
    let rank = |group: usize| {
        let (experiment, dataset, _) = protocols[group];
        let first = protocols.iter().position(|&(e, d, _)| (e, d) == (experiment, dataset));
        (first, group)
    };
    lines.sort_by_key(|&(group, _)| rank(group));
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// Rows whose interval says what other users would change, instead of other seeds: each user's value is averaged over
/// the seeds, and users are drawn anew 2,000 times.
pub(crate) fn over_users(cells: &[&Finished]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ((experiment, dataset, protocol, metric, cohort), systems) in series(cells) {
        for (key, runs) in systems {
            let Some(values) = average(&runs)? else { continue };
            let draws = Draws { draws: 2_000, ..Draws::default() };
            let Ok(bootstrap) = bootstrap_mean(&values, &draws) else { continue };
            let task = if metric == SQUARED_ERROR { "rating" } else { "ranking" };
            let mut row = Row::new(experiment, dataset, format!("{metric}, interval over users"))
                .protocol(protocol)
                .system(&key.title)
                .task(task)
                .seeds(runs.len() as u32)
                .mean(bootstrap.interval.estimate)
                .interval(bootstrap.interval.low, bootstrap.interval.high);
            row.variant.clone_from(&key.variant);
            row.cohort = cohort.map(str::to_owned);
            rows.push(row);
        }
    }
    Ok(rows)
}

/// What a per-user series is about: experiment, data set, protocol, metric, cohort.
type About<'a> = (&'a str, &'a str, &'a str, &'a str, Option<&'a str>);
/// A system's runs, one a seed.
type Runs<'a> = (&'a Key, Vec<&'a UnitValues>);

/// Per-user values by what they are about, then by system, each in the order of the cells.
fn series<'a>(cells: &[&'a Finished]) -> Vec<(About<'a>, Vec<Runs<'a>>)> {
    let mut all: Vec<(About<'a>, Vec<Runs<'a>>)> = Vec::new();
    for cell in cells {
        for users in &cell.outcome.per_user {
            let about = (
                cell.key.experiment.as_str(),
                cell.key.dataset.as_str(),
                users.protocol.as_str(),
                users.metric.as_str(),
                users.cohort.as_deref(),
            );
            let at = all.iter().position(|(known, _)| *known == about).unwrap_or_else(|| {
                all.push((about, Vec::new()));
                all.len() - 1
            });
            let systems = &mut all[at].1;
            let same = |key: &Key| key.system == cell.key.system && key.variant == cell.key.variant;
            match systems.iter_mut().find(|(key, _)| same(key)) {
                Some((_, runs)) => runs.push(&users.values),
                None => systems.push((&cell.key, vec![&users.values])),
            }
        }
    }
    all
}

/// Each user's mean over the seeds in which the metric is defined for them.
fn average(runs: &[&UnitValues]) -> Result<Option<UnitValues>> {
    let mut sums: BTreeMap<u32, (f64, usize)> = BTreeMap::new();
    for run in runs {
        for (&unit, value) in run.units().iter().zip(run.values()) {
            if let Some(value) = value {
                let entry = sums.entry(unit).or_default();
                *entry = (entry.0 + value, entry.1 + 1);
            }
        }
    }
    if sums.is_empty() {
        return Ok(None);
    }
    let (units, values) = sums.into_iter().map(|(unit, (sum, n))| (unit, Some(sum / n as f64))).unzip();
    Ok(Some(UnitValues::new(units, values)?))
}

/// Rows without a value, for numbers that the data cannot give: one a system, with the reason. A number that is defined
/// for some seeds has a row with a value, and none here.
pub(crate) fn undefined(cells: &[&Finished]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for cell in cells {
        let own = cells.iter().filter(|other| {
            (&other.key.experiment, &other.key.dataset, &other.key.system, &other.key.variant)
                == (&cell.key.experiment, &cell.key.dataset, &cell.key.system, &cell.key.variant)
        });
        let own: Vec<&&Finished> = own.collect();
        for missing in &cell.outcome.undefined {
            let defined = own.iter().flat_map(|cell| &cell.outcome.numbers).any(|number| {
                number.protocol == missing.protocol
                    && number.metric == missing.metric
                    && number.cohort == missing.cohort
            });
            let mut row = Row::new(&cell.key.experiment, &cell.key.dataset, &missing.metric)
                .protocol(&missing.protocol)
                .system(&cell.key.title)
                .task(&missing.task);
            row.variant.clone_from(&cell.key.variant);
            row.cohort.clone_from(&missing.cohort);
            row.reason = Some(format!("undefined: {}", missing.why));
            if !defined && !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}
