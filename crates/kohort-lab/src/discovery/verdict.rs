//! What the experiments claim, and whether this run agrees: gains paired by seed.

use anyhow::Result;
use kohort_report::{Row, Verdict};

use super::Study;
use super::drill::RIGHT;
use super::gain::{Arm, NOTHING};
use super::recommend::{ATTENTION, BEHAVIOURS, LIGHTGCN, RANKING, SYSTEMS};
use crate::grid::Finished;
use crate::modules::gains::{Gain, over};
use crate::modules::measure::PR_AUC;

/// The rules in words.
pub(crate) const RULES: [&str; 3] = [
    "LightGCN beats another recommender if the interval over the seeds of its gain in Recall@20, and of that in NDCG@20, lies above zero, \
     on the same rows and after both were tuned on validation rows.",
    "The drill is reproduced if in every seed one split, one birth and one death are told, nothing else, and the three other cohorts keep \
     their ids.",
    "Whether discovered cohorts help a model is not judged against a published figure, because there is none: the page counts the tasks whose \
     gain over random cohorts has an interval clear of zero. Runs of fewer than five seeds are not judged.",
];

/// Protocols of gains.
pub(crate) const OVER_RANDOM: &str = "experts over experts of random cohorts";
pub(crate) const OVER_COLUMN: &str = "experts over the cohort as a column";
pub(crate) const OVER_NOTHING: &str = "the cohort as a column over no cohorts";
pub(crate) const OVER_OTHERS: &str = "LightGCN over the others";
pub(crate) const OVER_LIGHTGCN: &str = "friendships as a second behaviour over none";

/// Fewer seeds than these are not judged.
const SEEDS: u32 = 5;

/// Gains of each set of cohorts; the row's system is the set.
pub(super) fn of_gains(study: &Study, cells: &[&Finished]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (set, title) in study.sets() {
        for (protocol, ours, theirs) in [
            (OVER_RANDOM, Arm::Experts.system(set), Arm::Random.system(set)),
            (OVER_COLUMN, Arm::Experts.system(set), Arm::Column.system(set)),
            (OVER_NOTHING, Arm::Column.system(set), NOTHING.to_owned()),
        ] {
            let both: Vec<&Finished> = cells
                .iter()
                .filter(|cell| cell.key.system == ours || cell.key.system == theirs)
                .copied()
                .collect();
            for gain in over(&both, &theirs)?.iter().filter(|gain| gain.metric != PR_AUC) {
                rows.push(Row { system: Some(title.clone()), ..gain.row(protocol) });
            }
        }
    }
    Ok(rows)
}

/// LightGCN's gains over each of the others, and what friendships add to it; the row's system is the other.
pub(super) fn of_recommenders(cells: &[&Finished]) -> Result<Vec<Row>> {
    let gains = |ours: &str, theirs: &str| -> Result<Vec<Gain>> {
        let both: Vec<&Finished> = cells
            .iter()
            .filter(|cell| cell.key.system == ours || cell.key.system == theirs)
            .copied()
            .collect();
        let gains = over(&both, theirs)?.into_iter();
        Ok(gains.filter(|gain| gain.task == RANKING && gain.metric != ATTENTION).collect())
    };
    let mut rows = Vec::new();
    for (name, title) in SYSTEMS {
        match name {
            LIGHTGCN => {}
            BEHAVIOURS => {
                // Nobody claims a figure for this, so it is told and not judged.
                let own = gains(BEHAVIOURS, LIGHTGCN)?;
                let row = |gain: &Gain| Row { system: Some(title.to_owned()), ..gain.row(OVER_LIGHTGCN) };
                rows.extend(own.iter().map(row));
            }
            other => {
                for gain in gains(LIGHTGCN, other)? {
                    let row = Row { system: Some(title.to_owned()), ..gain.row(OVER_OTHERS) };
                    let why = "the interval over the seeds has to lie above zero";
                    rows.push(row.verdict(beaten(&gain), why));
                }
            }
        }
    }
    Ok(rows)
}

fn beaten(gain: &Gain) -> Verdict {
    match gain.interval() {
        _ if (gain.per_seed.len() as u32) < SEEDS => Verdict::NotComparable,
        Some((low, _)) if low > 0.0 => Verdict::Reproduced,
        _ => Verdict::NotReproduced,
    }
}

/// Marks the drill's rows.
pub(super) fn judge_drill(rows: &mut [Row]) {
    for row in rows.iter_mut().filter(|row| row.metric == RIGHT) {
        let verdict = match (row.seeds, row.mean) {
            (Some(seeds), _) if seeds < SEEDS => Verdict::NotComparable,
            (Some(_), Some(share)) if share >= 1.0 => Verdict::Reproduced,
            _ => Verdict::NotReproduced,
        };
        *row = row.clone().verdict(verdict, "planted: one split, one birth, one death, three ids kept");
    }
}
