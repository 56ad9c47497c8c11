//! A protocol as the box that stands before its numbers.

use kohort_eval::ranking::{
    Candidates, PrecisionDenominator, RankingProtocol, RecallDenominator, Ties, WithoutRelevant,
};
use kohort_report::{Fact, ProtocolBox};

use super::Run;
use crate::dmtl::protocols::{Protocol, SplitPlan};
use crate::dmtl::study::Study;

/// The box of a protocol on a data set.
pub(super) fn protocol_box(
    run: &Run<'_>,
    study: &Study,
    plan: &SplitPlan,
    protocol: &Protocol,
) -> ProtocolBox {
    let RankingProtocol { k, relevant_from, .. } = protocol.ranking;
    let count = |name: &str| mean_count(run, study, plan, &format!("{}: {name}", protocol.name));
    let seeds: Vec<String> = run.scope.seeds.iter().map(u64::to_string).collect();
    let without = match protocol.ranking.without_relevant {
        WithoutRelevant::Skip => "left out of the means",
        WithoutRelevant::Zero => "counted as 0",
    };
    let mut more = Vec::new();
    if protocol.errors {
        more.push(Fact {
            name: "RMSE and MAE".into(),
            value:
                "over all test rows, predictions clipped to the rating scale; lists are ranked by raw scores"
                    .into(),
        });
    }
    if let Some(candidates) = count("candidates a user") {
        more.push(Fact { name: "Candidates a user".into(), value: format!("{candidates:.1} on average") });
    }
    ProtocolBox {
        name: format!("{}: {}", protocol.name, protocol.title),
        split: format!(
            "random rows, {:.0} % of the {} ratings are the test part; a new split for every seed",
            plan.share * 100.0,
            study.dataset.interactions.len()
        ),
        unit: "user".into(),
        candidates: match protocol.ranking.candidates {
            Candidates::HeldOutRated => "the user's held-out rated items".into(),
            Candidates::WholeCatalogue => format!(
                "all {} items but the user's training items, asked at the time of the user's first held-out rating",
                study.dataset.items.len()
            ),
            Candidates::SampledNegatives { count, .. } => {
                format!("the user's held-out items and {count} sampled others")
            }
        },
        threshold: format!("rating {relevant_from}"),
        k: k.to_string(),
        denominator: format!(
            "precision over {}, recall over {}",
            match protocol.ranking.precision {
                PrecisionDenominator::K => "10",
                PrecisionDenominator::MinKN => "min(10, candidates of the user)",
            },
            match protocol.ranking.recall {
                RecallDenominator::AllRelevant => "all relevant candidates",
                RecallDenominator::MinKRelevant => "min(10, relevant candidates)",
            }
        ),
        without_relevant: match (count("users without a relevant item"), count("users")) {
            (Some(none), Some(users)) => format!("{without} ({none:.0} of {users:.0} users on average)"),
            _ => without.into(),
        },
        tie_rule: match protocol.ranking.ties {
            Ties::Average => "the exact mean over all orders of the tied items".into(),
            Ties::Random { seed } => format!("a random order, seed {seed}"),
            Ties::Pessimistic => "irrelevant items first".into(),
        },
        seeds: format!("{}; each makes a split and seeds the fits", seeds.join(", ")),
        floor: "the exact mean over all orders of the candidates".into(),
        ceiling: "candidates in the order of their true ratings".into(),
        popularity: "the system Popularity in the table: number of training ratings of the item".into(),
        more,
    }
}

/// A count of the protocol, averaged over the seeds of one system (all systems meet the same lists).
fn mean_count(run: &Run<'_>, study: &Study, plan: &SplitPlan, name: &str) -> Option<f64> {
    let values: Vec<f64> = run
        .cells
        .iter()
        .filter(|cell| {
            cell.key.experiment == "main" && cell.key.dataset == study.name() && cell.key.split == plan.name
        })
        .filter_map(|cell| {
            cell.outcome.counts.iter().find(|(known, _)| known == name).map(|&(_, value)| value)
        })
        .collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
