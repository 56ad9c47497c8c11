//! What was published or claimed, and whether this run agrees: by rules, from its numbers.

use kohort_report::{Row, Verdict};

use super::gains::Gain;
use super::measure::{AUC, TEST};
use super::{OVER_BASELINE, worlds};

/// The rules in words.
pub(crate) const RULES: [&str; 3] = [
    "Census-Income's AUC over all rows is reproduced if its mean over the seeds lies within the band of published figures for \
     shared bottom, single task, MMoE and PLE: income 0.9148 to 0.9522, never married 0.9748 to 0.9945. Others learn from the \
     training half and tune longer; this run learns from 60 % of the test half.",
    "MMoE's advantage over the shared bottom, and that over OMoE, is reproduced if it is larger at the lowest published cosine of the tasks' \
     weights, 0.5, than at cosine 1, with a 95 % interval of that difference over data sets above zero. The paper states neither the steepness of the \
     sines nor the steps, and shows means that a few stuck fits carry: each steepness, each reading of a fit, mean and median are judged apart. Of \
     claims that are not true at most 2.5 % pass so, one by one; those about the same fits hang together.",
    "Runs of fewer than five seeds are not judged.",
];

/// Protocol of rows that count.
pub(crate) const CLAIMS: &str = "claims";
pub(crate) const WINS: &str = "cohorts and tasks that gain for sure";
pub(crate) const LOSSES: &str = "cohorts and tasks that lose for sure";
pub(crate) const MEAN_WINS: &str = "tasks whose mean over cohorts gains for sure";
pub(crate) const MEAN_LOSSES: &str = "tasks whose mean over cohorts loses for sure";
/// Fewer seeds than these are not judged.
pub(crate) const SEEDS: u32 = 5;

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
                    && gain.metric != super::measure::PR_AUC
            })
            .collect();
        let mean = |gain: &Gain| gain.cohort.as_deref() == Some(super::measure::MEAN);
        for (metric, sign, one) in
            [(MEAN_WINS, 1, false), (MEAN_LOSSES, -1, false), (WINS, 1, true), (LOSSES, -1, true)]
        {
            let own: Vec<&&Gain> =
                own.iter().filter(|gain| if one { gain.of_one_cohort() } else { mean(gain) }).collect();
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
