//! The published effects, each beside the same difference here. The data are others, so none is called reproduced; what is said is whether
//! the sign shows: whether the whole interval over the seeds lies on the published side of zero.

use anyhow::Result;
use kohort_eval::interval::{Alternative, paired_t_test, seed_interval};
use kohort_report::{Row, Verdict};

use super::measure::{BIAS_GAP, GAUC, LISTS, SHARE, UNLIKE};
use super::systems::LOG_LOSS_ALONE;
use super::world::AMOUNT;
use super::{GROUPCE, LOSSES, STAN};
use crate::grid::Finished;
use crate::modules::gains::{self, Gain};
use crate::modules::measure::AUC;

/// Protocol of the rows.
pub(super) const EFFECTS: &str = "published effects";

/// The rules in words.
pub(super) const RULES: [&str; 2] = [
    "Published effects were measured on other data (STAN: Wechat-Video and an industrial log; GroupCE: KuaiRand), so none is judged reproduced. \
     “Shows” means that the mean difference over the seeds has the published sign and its 95 % interval does not reach zero, “is \
     reversed” the same on the other side, “does not show” all else.",
    "With fewer than five seeds nothing is said.",
];

/// Fewer seeds than these are not judged.
const SEEDS: usize = 5;

/// A published difference between two systems.
struct Effect {
    experiment: &'static str,
    /// What it is, in words.
    what: &'static str,
    system: &'static str,
    over: &'static str,
    task: &'static str,
    cohort: Option<&'static str>,
    metric: &'static str,
    /// As printed.
    published: f64,
    source: &'static str,
}

const WECHAT: &str = "STAN, table of Wechat-Video, mean of its three tasks";
const KUAIRAND: &str = "KuaiRand, as a secondary source has it";

/// STAN's are the means over like, click on the avatar and forward: PLE 0.8317, 0.8317, 0.8805; with the stage 0.8313, 0.8471, 0.8837; STAN
/// without Beta 0.8413, 0.8496, 0.8846; STAN 0.8419, 0.8530, 0.8856. GroupCE's: log loss 0.6911, softmax 0.6920, list loss 0.6932, GroupCE 0.6953; users
/// without history 0.6718 to 0.6786.
fn effects() -> Vec<Effect> {
    let mut all = Vec::new();
    for task in ["like", "love"] {
        for (what, system, over, published) in [
            ("STAN over CGC", "stan", "cgc", 0.0122),
            ("STAN over CGC with the stage", "stan", "cgc-stage", 0.0061),
            ("STAN over STAN without Beta", "stan", "stan-preference", 0.0017),
        ] {
            all.push(Effect {
                experiment: STAN,
                what,
                system,
                over,
                task,
                cohort: None,
                metric: AUC,
                published,
                source: WECHAT,
            });
        }
    }
    for (what, system, over, cohort, published) in [
        ("GroupCE over log loss", "groupce", "log-loss", None, 0.0042),
        ("GroupCE over the list loss", "groupce", "list", None, 0.0021),
        ("the list loss over log loss", "list", "log-loss", None, 0.0021),
        ("the softmax over log loss", "softmax", "log-loss", None, 0.0009),
        ("GroupCE over log loss, users with few rows", "groupce", "log-loss", Some(AMOUNT[0]), 0.0068),
    ] {
        all.push(Effect {
            experiment: GROUPCE,
            what,
            system,
            over,
            task: "like",
            cohort,
            metric: GAUC,
            published,
            source: KUAIRAND,
        });
    }
    // What nobody published, and what isolates the idea of each.
    for (what, system, over, experiment, metric) in [
        ("weights of preferences over weights of one", "stan", "stan-one", STAN, AUC),
        ("draws over means", "stan", "stan-mean", STAN, AUC),
        ("learned weights over weights of one", "weighed", "shared-bottom", STAN, AUC),
        ("codes over random codes", "groupce", "random-codes", GROUPCE, GAUC),
        ("levels over one level", "groupce", "flat", GROUPCE, GAUC),
    ] {
        let (cohort, published, source) = (None, f64::NAN, "");
        all.push(Effect { experiment, what, system, over, task: "like", cohort, metric, published, source });
    }
    all
}

/// A row an effect and data set.
pub(super) fn rows(cells: &[&Finished]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut datasets: Vec<&str> = Vec::new();
    for cell in cells {
        if !datasets.contains(&cell.key.dataset.as_str()) {
            datasets.push(&cell.key.dataset);
        }
    }
    for effect in effects() {
        let pair: Vec<&Finished> = cells
            .iter()
            .filter(|cell| {
                let key = &cell.key;
                key.experiment == effect.experiment
                    && (key.system == effect.system || key.system == effect.over)
            })
            .copied()
            .collect();
        let found = gains::over(&pair, effect.over)?;
        for dataset in &datasets {
            let about = |gain: &&Gain| {
                gain.key.dataset == *dataset
                    && gain.task == effect.task
                    && gain.metric == effect.metric
                    && gain.cohort.as_deref() == effect.cohort
            };
            rows.extend(found.iter().find(about).map(|gain| row(&effect, gain)));
        }
    }
    Ok(rows)
}

fn row(effect: &Effect, gain: &Gain) -> Row {
    let mut row = Row::new(effect.experiment, &gain.key.dataset, format!("gain in {}", effect.metric))
        .protocol(EFFECTS)
        .system(effect.what)
        .task(effect.task)
        .seeds(gain.per_seed.len() as u32)
        .mean(gain.mean())
        .published(effect.published);
    row.cohort = effect.cohort.map(str::to_owned);
    let interval = gain.interval();
    if let Some((low, high)) = interval {
        row = row.interval(low, high);
    }
    if let Ok(test) = paired_t_test(&gain.per_seed, Alternative::TwoSided) {
        row = row.p_value(test.p);
    }
    let said = match interval {
        _ if gain.per_seed.len() < SEEDS => "fewer than five seeds",
        Some((low, _)) if low > 0.0 => "shows",
        Some((_, high)) if high < 0.0 => "is reversed",
        _ => "does not show",
    };
    let reason = match effect.source {
        "" => format!("{said}; an ablation, nothing published"),
        source => format!("{said}; published on other data: {source}"),
    };
    row.verdict(Verdict::NotComparable, reason)
}

/// What a loss is for: a number of a part of the users, and which way it should go.
const PURPOSES: [(&str, &str, Option<&str>, &str, f64); 6] = [
    ("less popular films for users with few rows, under novelty", "by-cohort", Some(AMOUNT[0]), SHARE, -1.0),
    ("less like films for users with many rows, under diversity", "by-cohort", Some(AMOUNT[2]), UNLIKE, 1.0),
    ("less popular films, under inverse popularity", "inverse", None, SHARE, -1.0),
    ("less popular films, under IPS", "ips", None, SHARE, -1.0),
    ("a smaller gap of bias, under calibrated cohorts", "calibrated", None, BIAS_GAP, -1.0),
    ("a smaller gap of bias, under even loss", "fair-loss", None, BIAS_GAP, -1.0),
];

/// Protocol of rows about what losses are for.
pub(super) const FOR: &str = "what losses are for";

/// Each loss against log loss alone, on what it is for.
pub(super) fn purposes(cells: &[&Finished]) -> Vec<Row> {
    let value = |seed: u64, system: &str, cohort: Option<&str>, metric: &str| {
        let cell = cells.iter().find(|cell| {
            let key = &cell.key;
            key.experiment == LOSSES && key.system == system && key.seed == seed
        })?;
        let numbers = cell.outcome.numbers.iter();
        let mut own = numbers.filter(|number| number.protocol == LISTS && number.metric == metric);
        own.find(|number| number.cohort.as_deref() == cohort).map(|number| number.value)
    };
    let mut seeds: Vec<u64> =
        cells.iter().filter(|cell| cell.key.experiment == LOSSES).map(|cell| cell.key.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let Some(dataset) = cells.iter().find(|cell| cell.key.experiment == LOSSES).map(|cell| &cell.key.dataset)
    else {
        return Vec::new();
    };
    let row = |&(what, system, cohort, metric, way): &(&str, &str, Option<&str>, &str, f64)| {
        let difference = |&seed: &u64| {
            Some(value(seed, system, cohort, metric)? - value(seed, LOG_LOSS_ALONE, cohort, metric)?)
        };
        let each: Vec<f64> = seeds.iter().filter_map(difference).collect();
        if each.is_empty() {
            return None;
        }
        let mean = each.iter().sum::<f64>() / each.len() as f64;
        let mut row = Row::new(LOSSES, dataset, format!("change of {metric}"))
            .protocol(FOR)
            .system(what)
            .task("like")
            .seeds(each.len() as u32)
            .mean(mean);
        row.cohort = cohort.map(str::to_owned);
        let interval = seed_interval(&each, 0.95).ok().map(|spread| spread.interval);
        if let Some(interval) = &interval {
            row = row.interval(interval.low, interval.high);
        }
        let said = match interval {
            _ if each.len() < SEEDS => "fewer than five seeds",
            Some(found) if (found.low * way).min(found.high * way) > 0.0 => "shows",
            Some(found) if (found.low * way).max(found.high * way) < 0.0 => "is reversed",
            _ => "does not show",
        };
        row.reason = Some(format!("{said}; against log loss alone"));
        Some(row)
    };
    PURPOSES.iter().filter_map(row).collect()
}

/// The first words of an effect's reason.
pub(super) fn said(row: &Row) -> &str {
    row.reason.as_deref().and_then(|reason| reason.split(';').next()).unwrap_or_default()
}
