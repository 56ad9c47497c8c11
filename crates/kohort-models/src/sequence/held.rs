//! Validation items among items that the user does not have in training, to stop on.

use kohort_data::{Train, Validation};
use kohort_eval::ranking::{CandidateLists, Candidates, Exclusions, Gain, RankingProtocol};

use crate::ModelError;

/// Negatives of a validation list.
const NEGATIVES: u32 = 99;

pub(super) struct Held {
    /// User and item of each candidate.
    pub(super) pairs: Vec<(u32, u32)>,
    lists: CandidateLists,
    protocol: RankingProtocol,
}

impl Held {
    pub(super) fn draw(train: &Train, validation: &Validation, seed: u64) -> Result<Held, ModelError> {
        let (known, held) = (train.rows(), validation.rows());
        let draw = || {
            let taken = Exclusions::new(&known.user, &known.item)?;
            CandidateLists::held_out(&held.user, &held.item, &vec![1.0; held.len()])?.with_negatives(
                NEGATIVES,
                seed,
                known.items as u32,
                &taken,
            )
        };
        let lists: CandidateLists =
            draw().map_err(|error| ModelError::Config(format!("validation: {error}")))?;
        Ok(Held {
            pairs: lists.pairs(),
            lists,
            protocol: RankingProtocol {
                candidates: Candidates::SampledNegatives { count: NEGATIVES, seed },
                relevant_from: 1.0,
                gain: Gain::Binary,
                ..RankingProtocol::default()
            },
        })
    }

    /// Mean nDCG@10 of users; NaN for scores that are no numbers.
    pub(super) fn ndcg(&self, scores: &[f32]) -> f64 {
        let Ok(result) = self.lists.evaluate(&self.protocol, scores) else { return f64::NAN };
        let values: Vec<f64> = result.ndcg.iter().flatten().copied().collect();
        values.iter().sum::<f64>() / values.len() as f64
    }
}
