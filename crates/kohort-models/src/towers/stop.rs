//! What early stopping looks at: the validation candidates, never the test part's.

use kohort_data::RankingCandidates;
use kohort_data::territories::Territories;
use kohort_eval::EvalError;
use kohort_eval::binary::average_precision;
use kohort_eval::ranking::{CandidateLists, Candidates, Gain, RankingMetric, RankingProtocol};

use super::config::Stop;

/// The mean over territories with a positive of what `stop` names, higher is better; NaN if none has one.
///
/// # Errors
/// Candidates that no ranking can be made of (a count of 0, a user with more negatives than `count`), or a NaN score.
pub(super) fn value(
    stop: Stop,
    candidates: &RankingCandidates,
    territories: &Territories,
    scores: &[f32],
) -> Result<f64, EvalError> {
    let of_user = territories.of_user();
    let mut by_territory: Vec<Vec<usize>> = vec![Vec::new(); territories.len()];
    for (at, &user) in candidates.user.iter().enumerate() {
        by_territory[of_user[user as usize] as usize].push(at);
    }
    let mut values = Vec::new();
    for own in by_territory.iter().filter(|own| own.iter().any(|&at| candidates.positive[at])) {
        values.extend(match stop {
            Stop::PrAuc => {
                let scores: Vec<f32> = own.iter().map(|&at| scores[at]).collect();
                let labels: Vec<bool> = own.iter().map(|&at| candidates.positive[at]).collect();
                average_precision(&scores, &labels)?
            }
            Stop::Ndcg => ndcg(candidates, own, scores)?,
        });
    }
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean nDCG@10 of the users of some candidates, ties averaged.
fn ndcg(candidates: &RankingCandidates, own: &[usize], scores: &[f32]) -> Result<Option<f64>, EvalError> {
    let (count, seed) = (candidates.count, candidates.seed);
    let users: Vec<u32> = own.iter().map(|&at| candidates.user[at]).collect();
    let items: Vec<u32> = own.iter().map(|&at| candidates.item[at]).collect();
    let grades: Vec<f32> = own
        .iter()
        .map(|&at| if candidates.positive[at] { 1.0 } else { kohort_eval::ranking::UNRATED })
        .collect();
    let scores: Vec<f32> = own.iter().map(|&at| scores[at]).collect();
    let lists = CandidateLists::sampled(&users, &items, &grades, count, seed)?;
    let protocol = RankingProtocol {
        candidates: Candidates::SampledNegatives { count, seed },
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    Ok(lists.evaluate(&protocol, &scores)?.mean(RankingMetric::Ndcg))
}
