//! On XMarket's leave-two-out test items against 99 negatives of the own market; data from the folder that `KOHORT_MIRROR`
//! names.

#![allow(clippy::unwrap_used, reason = "a test's helper functions fail the test when they panic")]

mod crossmarket;
mod implicit;

use std::path::PathBuf;

use kohort_data::read::xmarket;
use kohort_data::territories::Territories;
use kohort_data::{Duplicates, Parts, Queries, RankingCandidates, ThreeWay};
use kohort_eval::ranking::{CandidateLists, Candidates, Gain, RankingProtocol, UNRATED};
use kohort_models::baselines::Scorer;

const MARKETS: [&str; 7] = ["ca", "uk", "fr", "de", "mx", "jp", "in"];
const SEED: u64 = 0;

/// Seven markets, split, with the candidates of one seed.
struct XMarket {
    markets: Territories,
    parts: Parts,
    candidates: RankingCandidates,
}

impl XMarket {
    /// `None`, said aloud, without the data.
    fn read() -> Option<XMarket> {
        let folder = std::env::var_os("KOHORT_MIRROR").map(|mirror| PathBuf::from(mirror).join("xmarket"));
        let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
            println!("skipped: needs the data set xmarket in the folder that KOHORT_MIRROR names");
            return None;
        };
        let data = xmarket::read_with(&folder, None, &MARKETS, Some(Duplicates::Last)).unwrap();
        let markets = Territories::of(&data, xmarket::FEATURE).unwrap();
        let parts = ThreeWay::LeaveTwoOut.split(&data.interactions).unwrap();
        let candidates = parts.test_candidates(&markets, 99, SEED).unwrap();
        Some(XMarket { markets, parts, candidates })
    }

    /// Mean nDCG@10 of each market's users.
    fn ndcg(&self, model: &dyn Scorer) -> [f64; 7] {
        let RankingCandidates { user, item, positive, .. } = &self.candidates;
        let grades: Vec<f32> = positive.iter().map(|&p| if p { 1.0 } else { UNRATED }).collect();
        let lists = CandidateLists::sampled(user, item, &grades, 99, SEED).unwrap();
        let protocol = RankingProtocol {
            candidates: Candidates::SampledNegatives { count: 99, seed: SEED },
            relevant_from: 1.0,
            gain: Gain::Binary,
            ..RankingProtocol::default()
        };
        let scores = model.score(Queries { user, item, time: &vec![0; user.len()] });
        let result = lists.evaluate(&protocol, &scores).unwrap();
        std::array::from_fn(|market| {
            let own = result.units.iter().zip(&result.ndcg);
            let own = own.filter(|(user, _)| self.markets.of_user()[**user as usize] as usize == market);
            let values: Vec<f64> = own.filter_map(|(_, ndcg)| *ndcg).collect();
            values.iter().sum::<f64>() / values.len() as f64
        })
    }
}
