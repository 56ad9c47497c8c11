//! On XMarket's leave-two-out test items against 99 negatives of the own market, the implicit baselines reach what an
//! independent numpy script reached with negatives of its own; data from the folder that `KOHORT_MIRROR` names.

use std::path::PathBuf;

use kohort_data::read::xmarket;
use kohort_data::territories::Territories;
use kohort_data::{Duplicates, Queries, ThreeWay};
use kohort_eval::ranking::{CandidateLists, Candidates, Gain, RankingProtocol, UNRATED};
use kohort_models::implicit::registry;

const MARKETS: [&str; 7] = ["ca", "uk", "fr", "de", "mx", "jp", "in"];

/// nDCG@10, and how far a draw of the negatives may be from it: India has 239 users and Japan 487.
const EXPECTED: [(&str, [f64; 7]); 3] = [
    ("popularity-local", [0.3405, 0.4462, 0.2614, 0.2865, 0.5217, 0.2003, 0.4430]),
    ("popularity-pooled", [0.2775, 0.4222, 0.2381, 0.2398, 0.4469, 0.0999, 0.0578]),
    ("item-knn", [0.3535, 0.5060, 0.3793, 0.4005, 0.5934, 0.2795, 0.5239]),
];
const TOLERANCE: [f64; 7] = [0.01, 0.01, 0.01, 0.01, 0.01, 0.03, 0.03];
const SEED: u64 = 0;

#[test]
fn ndcg_on_xmarket_is_that_of_an_independent_script() {
    let folder = std::env::var_os("KOHORT_MIRROR").map(|mirror| PathBuf::from(mirror).join("xmarket"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: needs the data set xmarket in the folder that KOHORT_MIRROR names");
        return;
    };
    let data = xmarket::read_with(&folder, None, &MARKETS, Some(Duplicates::Last)).unwrap();
    let markets = Territories::of(&data, xmarket::FEATURE).unwrap();
    let parts = ThreeWay::LeaveTwoOut.split(&data.interactions).unwrap();
    let candidates = parts.test_candidates(&markets, 99, SEED).unwrap();
    let grades: Vec<f32> =
        candidates.positive.iter().map(|&positive| if positive { 1.0 } else { UNRATED }).collect();
    let lists = CandidateLists::sampled(&candidates.user, &candidates.item, &grades, 99, SEED).unwrap();
    let protocol = RankingProtocol {
        candidates: Candidates::SampledNegatives { count: 99, seed: SEED },
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    let time = vec![0; candidates.user.len()];
    let mut wrong = Vec::new();
    for (name, expected) in EXPECTED {
        let entry = registry().into_iter().find(|entry| entry.name == name).unwrap();
        let model = (entry.fit)(&parts.train, &markets).unwrap();
        let scores = model.score(Queries { user: &candidates.user, item: &candidates.item, time: &time });
        let result = lists.evaluate(&protocol, &scores).unwrap();
        for (market, (expected, tolerance)) in expected.into_iter().zip(TOLERANCE).enumerate() {
            let own = result.units.iter().zip(&result.ndcg);
            let own = own.filter(|(user, _)| markets.of_user()[**user as usize] as usize == market);
            let values: Vec<f64> = own.filter_map(|(_, ndcg)| *ndcg).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            println!("{name} {}: {mean:.4} (expected {expected:.4})", MARKETS[market]);
            if (mean - expected).abs() > tolerance {
                wrong.push(format!(
                    "{name} {}: {mean:.4}, expected {expected} ± {tolerance}",
                    MARKETS[market]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
