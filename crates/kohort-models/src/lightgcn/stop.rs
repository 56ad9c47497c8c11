//! What early stopping looks at: the whole catalogue ranked for the users of the validation rows, never the test part's.

use kohort_data::{Train, Validation};
use kohort_eval::EvalError;
use kohort_eval::ranking::{
    CandidateLists, Candidates, Catalogue, Exclusions, Gain, RankingMetric, RankingProtocol,
};

use super::Representations;
use crate::ModelError;

/// How the paper measures: the first 20 of the whole catalogue without the user's training items, every held-out item
/// alike (grade 1).
pub fn protocol() -> RankingProtocol {
    RankingProtocol {
        candidates: Candidates::WholeCatalogue,
        k: 20,
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    }
}

/// Users scored at once.
const BLOCK: usize = 256;

/// Validation rows, ready to be ranked again after each epoch.
pub(super) struct Held {
    lists: CandidateLists,
    train: Exclusions,
    items: u32,
}

impl Held {
    pub(super) fn new(train: &Train, validation: &Validation) -> Result<Held, ModelError> {
        let (train, held) = (train.rows(), validation.rows());
        for (what, found, expected) in [
            ("users of the validation rows", held.users, train.users),
            ("items of the validation rows", held.items, train.items),
        ] {
            if found != expected {
                return Err(ModelError::Size { what, found, expected });
            }
        }
        let wrong = |error: EvalError| ModelError::Config(format!("validation rows: {error}"));
        let held = Held {
            lists: CandidateLists::held_out(&held.user, &held.item, &vec![1.0; held.len()]).map_err(wrong)?,
            train: Exclusions::new(&train.user, &train.item).map_err(wrong)?,
            items: train.items as u32,
        };
        Catalogue::new(&held.lists, &held.train, held.items).map_err(wrong)?;
        Ok(held)
    }

    /// Mean NDCG@20; NaN, which the trainer reports, if a score is.
    pub(super) fn ndcg(&self, found: &Representations) -> f64 {
        Catalogue::new(&self.lists, &self.train, self.items)
            .and_then(|catalogue| {
                catalogue.evaluate_blocks(&protocol(), BLOCK, |users, scores| found.lists(users, scores))
            })
            .ok()
            .and_then(|ranked| ranked.mean(RankingMetric::Ndcg))
            .unwrap_or(f64::NAN)
    }
}
