//! What was published or claimed, and whether this run agrees: by rules, from its numbers.

use anyhow::Result;
use kohort_eval::interval::{Alternative, paired_t_test, seed_interval};
use kohort_report::{Row, Verdict};

use super::correlation::{self, ERROR, MODELS, variant};
use super::gains::Gain;
use super::measure::{AUC, TEST};
use super::{OVER_BASELINE, worlds};
use crate::grid::Finished;

/// The rules in words.
pub(crate) const RULES: [&str; 3] = [
    "Census-Income's AUC over all rows is reproduced if its mean over the seeds lies within the band of published figures for \
     shared bottom, single task, MMoE and PLE: income 0.9148 to 0.9522, never married 0.9748 to 0.9945. Others learn from the \
     training half and tune longer; this run learns from 60 % of the test half.",
    "MMoE's advantage over the shared bottom is reproduced if it is larger at the lowest cosine of the tasks' weights than at \
     cosine 1, with an interval of that difference over the seeds above zero; once for each steepness of the sines, which the paper does not state.",
    "Runs of fewer than five seeds are not judged.",
];

/// Protocol of rows that count.
pub(crate) const CLAIMS: &str = "claims";
pub(crate) const WINS: &str = "cohorts and tasks that gain for sure";
pub(crate) const LOSSES: &str = "cohorts and tasks that lose for sure";
pub(crate) const GROWS: &str = "MMoE's advantage at the lowest cosine less that at cosine 1";

/// Fewer seeds than these are not judged.
const SEEDS: u32 = 5;

/// Lowest and highest published AUC of the tasks (MMoE's and PLE's papers, PaddleRec, IJANMC 2024).
const BANDS: [(&str, f64, f64); 2] = [("income", 0.9148, 0.9522), ("never married", 0.9748, 0.9945)];
/// Systems of which there are published figures.
const PUBLISHED: [&str; 4] = ["Shared bottom", "Single task", "MMoE", "PLE"];

/// Marks Census-Income's rows that have a published band.
pub(super) fn judge_census(rows: &mut [Row]) {
    for row in rows.iter_mut() {
        let ours = row.experiment == worlds::CENSUS
            && row.cohort.is_none()
            && row.metric == AUC
            && row.protocol.as_deref() == Some(TEST)
            && row.system.as_deref().is_some_and(|system| PUBLISHED.contains(&system));
        let band = BANDS.iter().find(|(task, ..)| row.task.as_deref() == Some(task));
        let (Some(&(_, low, high)), Some(mean), true) = (band, row.mean, ours) else { continue };
        let verdict = match row.seeds {
            Some(seeds) if seeds >= SEEDS && (low..=high).contains(&mean) => Verdict::Reproduced,
            Some(seeds) if seeds >= SEEDS => Verdict::NotReproduced,
            _ => Verdict::NotComparable,
        };
        *row = row.clone().verdict(verdict, format!("published figures lie from {low} to {high}"));
    }
}

/// How many cohorts and tasks gain and lose for sure under each system, by data set. Of tasks with two metrics the first counts.
pub(super) fn of_gains(gains: &[Gain]) -> Vec<Row> {
    let mut about: Vec<(&str, &str, &str, &str)> = Vec::new();
    for gain in gains {
        let key = &gain.key;
        let one = (key.experiment.as_str(), key.dataset.as_str(), key.system.as_str(), key.title.as_str());
        if !about.contains(&one) {
            about.push(one);
        }
    }
    let mut rows = Vec::new();
    for (experiment, dataset, system, title) in about {
        let own: Vec<&Gain> = gains
            .iter()
            .filter(|gain| {
                let key = &gain.key;
                (key.experiment.as_str(), key.dataset.as_str(), key.system.as_str())
                    == (experiment, dataset, system)
                    && gain.of_one_cohort()
                    && gain.metric != super::measure::PR_AUC
            })
            .collect();
        for (metric, sign) in [(WINS, 1), (LOSSES, -1)] {
            let found: Vec<String> = own
                .iter()
                .filter(|gain| gain.sign() == sign)
                .map(|gain| format!("{} in {}", gain.task, gain.cohort.as_deref().unwrap_or_default()))
                .collect();
            let mut row = Row::new(experiment, dataset, metric)
                .protocol(CLAIMS)
                .system(title)
                .task("gain")
                .seeds(own.first().map_or(0, |gain| gain.per_seed.len() as u32))
                .mean(found.len() as f64);
            row.reason = Some(format!(
                "of {}, {OVER_BASELINE}: {}",
                own.len(),
                if found.is_empty() { "none".to_owned() } else { found.join(", ") }
            ));
            rows.push(row);
        }
    }
    rows
}

/// MMoE against the shared bottom as tasks grow apart, for each steepness of the sines.
pub(super) fn of_correlation(cells: &[&Finished], settings: &correlation::Settings) -> Result<Vec<Row>> {
    let rows = settings.steepness.iter().map(|&steepness| {
        let dataset = correlation::dataset(steepness);
        let own: Vec<&Finished> = cells.iter().filter(|cell| cell.key.dataset == dataset).copied().collect();
        grows(&own, &settings.cosines, &dataset)
    });
    Ok(rows.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn grows(cells: &[&Finished], cosines: &[f64], dataset: &str) -> Result<Option<Row>> {
    let error = |cosine: f64, model: &str, seed: u64| {
        let found = cells.iter().find(|cell| {
            let key = &cell.key;
            key.system == model && key.seed == seed && key.variant.as_deref() == Some(&variant(cosine))
        });
        found.and_then(|cell| cell.outcome.numbers.iter().find(|n| n.metric == ERROR).map(|n| n.value))
    };
    let mut seeds: Vec<u64> = cells.iter().map(|cell| cell.key.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let (Some(lowest), Some(highest)) =
        (cosines.iter().copied().min_by(f64::total_cmp), cosines.iter().copied().max_by(f64::total_cmp))
    else {
        return Ok(None);
    };
    let advantage =
        |cosine: f64, seed: u64| Some(error(cosine, MODELS[0].0, seed)? - error(cosine, MODELS[2].0, seed)?);
    let grows: Vec<f64> =
        seeds.iter().filter_map(|&seed| Some(advantage(lowest, seed)? - advantage(highest, seed)?)).collect();
    if grows.is_empty() {
        return Ok(None);
    }
    let mean = grows.iter().sum::<f64>() / grows.len() as f64;
    let mut row = Row::new(correlation::NAME, dataset, GROWS)
        .protocol(CLAIMS)
        .system("MMoE")
        .task("both")
        .seeds(grows.len() as u32)
        .mean(mean);
    let mut holds = false;
    if let Ok(spread) = seed_interval(&grows, 0.95) {
        let interval = spread.interval;
        holds = interval.low > 0.0;
        row = row.interval(interval.low, interval.high);
    }
    if let Ok(test) = paired_t_test(&grows, Alternative::TwoSided) {
        row = row.p_value(test.p);
    }
    let verdict = match grows.len() as u32 {
        seeds if seeds < SEEDS => Verdict::NotComparable,
        _ if holds => Verdict::Reproduced,
        _ => Verdict::NotReproduced,
    };
    let reason = format!("cosine {lowest} against {highest}; published as a curve only");
    Ok(Some(row.verdict(verdict, reason)))
}
