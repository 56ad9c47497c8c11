//! The top of the page: what was run and what came out, in a few lines, cards and facts.

use kohort_report::{Highlight, Row};

use super::{Run, best_baseline, find};
use crate::dmtl::study::Study;
use crate::dmtl::systems::{NO_TIMES, PAPERS_INPUTS};

/// A few sentences.
pub(super) fn lead(run: &Run<'_>) -> String {
    let data: Vec<String> = run
        .studies
        .iter()
        .map(|study| format!("{} ({} ratings)", study.title, study.dataset.interactions.len()))
        .collect();
    let mut text = format!(
        "This page trains DMTL, a recommender that predicts a rating and the group of its user at once (Le and Abel, arXiv \
         2504.06274), and the classical baselines on {}, {} seeds each, and shows each number between what a \
         random order and what an oracle get under the same protocol.",
        data.join(" and "),
        run.scope.seeds.len()
    );
    for study in run.studies {
        text.push_str(&ahead(run, study).unwrap_or_default());
    }
    text.push_str(&second_task(run));
    text
}

/// Error and order of the system under test on a data set, with all its inputs and with fewer, beside the best
/// baselines.
fn ahead(run: &Run<'_>, study: &Study) -> Option<String> {
    let name = study.name();
    let ours = |metric| find(run.rows, name, "a", metric, true)?.mean;
    let best = |metric, lower| {
        let row = best_baseline(run.rows, name, "a", metric, lower)?;
        Some(format!("{:.4} ({})", row.mean?, row.system.as_deref().unwrap_or_default()))
    };
    let of = |variant, metric| of_variant(run.rows, name, variant, "a", metric);
    let mut text = format!(
        " On {}, DMTL has a test RMSE of {:.4} and an NDCG@10 of {:.4}",
        study.title,
        ours("RMSE")?,
        ours("NDCG@10")?
    );
    if let (Some(rmse), Some(ndcg)) = (of(NO_TIMES, "RMSE"), of(NO_TIMES, "NDCG@10")) {
        text.push_str(&format!(" ({rmse:.4} and {ndcg:.4} without times, which no baseline sees)"));
    }
    if let (Some(rmse), Some(ndcg)) = (best("RMSE", true), best("NDCG@10", false)) {
        text.push_str(&format!("; the best baselines have {rmse} and {ndcg}"));
    }
    if let (Some(rmse), Some(ndcg)) = (of(PAPERS_INPUTS, "RMSE"), of(PAPERS_INPUTS, "NDCG@10")) {
        text.push_str(&format!(". With the paper's inputs only, DMTL has {rmse:.4} and {ndcg:.4}"));
    }
    text.push('.');
    Some(text)
}

/// The mean of a variant of the system under test, where it was run.
fn of_variant(rows: &[Row], dataset: &str, variant: &str, protocol: &str, metric: &str) -> Option<f64> {
    let wanted = |row: &&Row| {
        row.experiment == "main"
            && row.dataset == dataset
            && row.protocol.as_deref() == Some(protocol)
            && row.metric == metric
            && row.variant.as_deref() == Some(variant)
            && row.cohort.is_none()
    };
    rows.iter().find(wanted)?.mean
}

/// What the profiling task does for ratings, where the single-task twin was run.
fn second_task(run: &Run<'_>) -> String {
    let twins = run.comparisons.iter().filter(|test| {
        test.experiment == "main"
            && test.protocol == "a"
            && test.metric == "RMSE"
            && test.variant.as_deref().is_some_and(|variant| variant.starts_with("single task"))
    });
    let said: Vec<String> = twins
        .filter_map(|test| {
            let p = test.p?;
            let study = run.studies.iter().find(|study| study.name() == test.dataset)?;
            let word = match (p < 0.05, test.ours_better) {
                (false, _) => "makes no significant difference to the error of its ratings",
                (true, true) => "lowers the error of its ratings",
                (true, false) => "raises the error of its ratings",
            };
            Some(format!("on {} it {word} (p = {p:.3})", study.title))
        })
        .collect();
    if said.is_empty() {
        return String::new();
    }
    format!(" Does the profiling task help? Against the same model without it: {}.", said.join("; "))
}

/// Cards.
pub(super) fn highlights(run: &Run<'_>) -> Vec<Highlight> {
    let mut cards = Vec::new();
    for study in run.studies {
        let name = study.name();
        for (protocol, metric, lower) in [
            ("a", "RMSE", true),
            ("a", "NDCG@10", false),
            ("b", "P@10", false),
            ("b", "R@10", false),
            ("b'", "P@10", false),
            ("b'", "R@10", false),
        ] {
            let Some(ours) = find(run.rows, name, protocol, metric, true) else { continue };
            if protocol == "b" && ours.verdict == Some(kohort_report::Verdict::NotComparable) {
                continue;
            }
            let Some(mean) = ours.mean else { continue };
            cards.push(Highlight {
                label: format!("{} {metric}, protocol {protocol}", study.title),
                value: format!("{mean:.4}"),
                detail: detail(
                    ours,
                    of_variant(run.rows, name, NO_TIMES, protocol, metric),
                    best_baseline(run.rows, name, protocol, metric, lower),
                ),
                verdict: ours.verdict,
            });
        }
    }
    cards
}

fn detail(ours: &Row, without_times: Option<f64>, best: Option<&Row>) -> String {
    let mut parts = Vec::new();
    if let Some(mean) = without_times {
        parts.push(format!("{mean:.4} without times, which no baseline sees"));
    }
    if let Some(published) = ours.published {
        parts.push(format!("paper {published:.4}"));
    }
    if let Some(best) = best {
        let system = best.system.clone().unwrap_or_default();
        let p = match best.p_value {
            Some(p) if p < 0.001 => ", p < 0.001".to_owned(),
            Some(p) => format!(", p = {p:.3}"),
            None => String::new(),
        };
        parts.push(format!("best baseline {system} {:.4}{p}", best.mean.unwrap_or(f64::NAN)));
    }
    parts.join("; ")
}

/// Checksums of the files.
pub(super) fn facts(run: &Run<'_>) -> Vec<(String, String)> {
    run.studies.iter().flat_map(|study| study.provenance.facts(study.name())).collect()
}
