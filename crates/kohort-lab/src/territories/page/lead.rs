//! What was run and what came out, in a few sentences and cards.

use kohort_report::{Highlight, Row};

use super::{RANKER, Run};
use crate::territories::experiments::{planted, published};
use crate::territories::gains::GAIN;
use crate::territories::measure::SAMPLED;
use crate::territories::measure::sampled::NDCG;
use crate::territories::systems::tower_title;
use crate::territories::verdict::{BEST, CLAIMS, LOSSES, SMALL, WINS};

fn claim<'a>(run: &'a Run<'_>, metric: &str) -> Option<&'a Row> {
    run.rows.iter().find(|row| row.protocol.as_deref() == Some(CLAIMS) && row.metric == metric)
}

fn ranked<'a>(run: &'a Run<'_>) -> Option<&'a Row> {
    let dataset = &run.paper.xmarket.as_ref()?.name;
    run.rows.iter().find(|row| {
        row.experiment == published::NAME
            && row.dataset == *dataset
            && row.protocol.as_deref() == Some(SAMPLED)
            && row.metric == NDCG
            && row.cohort.is_none()
            && row.system.as_deref() == Some(RANKER)
    })
}

fn of_planted<'a>(run: &'a Run<'_>, dataset: &str, metric: &str) -> Option<&'a Row> {
    let after = tower_title(planted::AFTER.0, planted::AFTER.1);
    run.rows.iter().find(|row| {
        row.experiment == planted::NAME
            && row.dataset == dataset
            && row.metric == metric
            && row.cohort.is_none()
            && row.system.as_ref() == Some(&after)
    })
}

/// A few sentences.
pub(super) fn lead(run: &Run<'_>) -> String {
    let mut text = format!(
        "This page trains the two-tower recommender of Gampa, Javadi, Bayar and Yessenalina (arXiv 2310.03148), whose user tower has a \
         block for each group of territories, with and without active users added to its training sample, {} each. The paper's data and \
         vectors are private: here XMarket's seven markets stand in for its territories, and a decomposition of the training rows for its vectors.",
        run.seeds()
    );
    if let (Some(wins), Some(best)) = (claim(run, WINS), claim(run, BEST)) {
        text.push_str(&format!(
            " MTL with active users beats one global model on PR-AUC in {:.0} of {:.0} markets (p < 0.05); its best gain is {:+.1} %, where \
             the paper prints 65.27 % on its own data.",
            wins.mean.unwrap_or(0.0),
            wins.ceiling.unwrap_or(0.0),
            best.mean.unwrap_or(f64::NAN)
        ));
    }
    if let Some((mean, best)) = ranked(run).and_then(|row| row.mean.zip(row.published)) {
        text.push_str(&format!(
            " On the published protocol one ranker for all markets has a mean nDCG@10 of {mean:.4}; the best published rows have {best:.3}."
        ));
    }
    let gain = |dataset: &str| of_planted(run, dataset, GAIN).and_then(|row| row.mean);
    if let (Some(same), Some(different)) = (gain(planted::WORLDS[0].0), gain(planted::WORLDS[1].0)) {
        text.push_str(&format!(
            " Where the truth is planted, blocks gain {same:+.2} % on identical territories and {different:+.2} % on different ones."
        ));
    }
    text
}

/// Cards.
pub(super) fn highlights(run: &Run<'_>) -> Vec<Highlight> {
    let mut cards = Vec::new();
    let reason = |row: &Row| row.reason.clone().unwrap_or_default();
    if let Some(row) = claim(run, WINS) {
        cards.push(Highlight {
            label: "Markets where MTL + active beats one global model".into(),
            value: format!("{:.0} of {:.0}", row.mean.unwrap_or(0.0), row.ceiling.unwrap_or(0.0)),
            detail: format!("PR-AUC, p < 0.05 over users after Holm; {}", reason(row).replace("of 7; ", "")),
            verdict: row.verdict,
        });
    }
    if let Some(row) = claim(run, LOSSES) {
        cards.push(Highlight {
            label: "Markets that lose more than their interval".into(),
            value: format!("{:.0}", row.mean.unwrap_or(0.0)),
            detail: reason(row),
            verdict: row.verdict,
        });
    }
    if let Some(row) = claim(run, BEST) {
        cards.push(Highlight {
            label: "Best relative gain of PR-AUC".into(),
            value: format!("{:+.1} %", row.mean.unwrap_or(f64::NAN)),
            detail: reason(row).replace("per cent, in", "in"),
            verdict: row.verdict,
        });
    }
    if let Some(row) = claim(run, SMALL) {
        cards.push(Highlight {
            label: "The two smallest markets among the two largest gains".into(),
            value: format!("{:.0} of {:.0}", row.mean.unwrap_or(0.0), row.ceiling.unwrap_or(0.0)),
            detail: reason(row),
            verdict: row.verdict,
        });
    }
    if let Some(row) = ranked(run) {
        cards.push(Highlight {
            label: "XMarket nDCG@10, published protocol, mean of the markets".into(),
            value: format!("{:.4}", row.mean.unwrap_or(f64::NAN)),
            detail: reason(row),
            verdict: row.verdict,
        });
    }
    for (dataset, difference) in planted::WORLDS {
        if let Some(row) = of_planted(run, dataset, GAIN) {
            let what = if difference > 0.0 { "different" } else { "identical" };
            cards.push(Highlight {
                label: format!("Planted, {what} territories: gain of the blocks"),
                value: format!("{:+.2} %", row.mean.unwrap_or(f64::NAN)),
                detail: reason(row),
                verdict: row.verdict,
            });
        }
    }
    cards
}
