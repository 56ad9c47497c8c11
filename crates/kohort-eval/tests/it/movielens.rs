//! Floor and ceiling on real MovieLens-100K, against an independent computation of the same protocols.
//!
//! The expected figures were made in Python for this project (random row splits, each user's held-out rated items,
//! relevant from 4, random order and oracle, means over users). They rest on their own few splits, and the standard
//! deviation of one split is 0.005: ours are averaged over ten and compared to 0.01.

use kohort_eval::ranking::{
    CandidateLists, PerUnit, PrecisionDenominator, RankingMetric, RankingProtocol, WithoutRelevant,
};
use std::path::Path;

/// Share held out in percent, then (floor, ceiling) of P/10, P/min, recall with zeros, recall with skips.
const EXPECTED: [(usize, [(f64, f64); 4]); 3] = [
    (10, [(0.376, 0.484), (0.576, 0.684), (0.762, 0.867), (0.819, 0.931)]),
    (15, [(0.441, 0.600), (0.580, 0.740), (0.706, 0.835), (0.734, 0.869)]),
    (20, [(0.482, 0.679), (0.579, 0.777), (0.651, 0.796), (0.665, 0.813)]),
];

#[test]
fn floor_and_ceiling_of_movielens_match_an_independent_computation() {
    let Some(mirror) = std::env::var_os("KOHORT_MIRROR") else {
        println!("skipped: KOHORT_MIRROR is not set, so there is no MovieLens-100K");
        return;
    };
    let path = Path::new(&mirror).join("ml-100k/u.data");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is missing", path.display());
        return;
    };
    let rows: Vec<[u32; 3]> = text
        .lines()
        .map(|line| {
            let mut fields = line.split('\t').map(|field| field.parse().unwrap());
            std::array::from_fn(|_| fields.next().unwrap())
        })
        .collect();
    for (percent, expected) in EXPECTED {
        let splits: Vec<CandidateLists> = (0..10).map(|seed| hold_out(&rows, percent, seed)).collect();
        let readings = [
            (PrecisionDenominator::K, WithoutRelevant::Zero, RankingMetric::Precision),
            (PrecisionDenominator::MinKN, WithoutRelevant::Zero, RankingMetric::Precision),
            (PrecisionDenominator::K, WithoutRelevant::Zero, RankingMetric::Recall),
            (PrecisionDenominator::K, WithoutRelevant::Skip, RankingMetric::Recall),
        ];
        for ((precision, without_relevant, metric), (floor, ceiling)) in readings.into_iter().zip(expected) {
            let protocol = RankingProtocol { precision, without_relevant, ..RankingProtocol::default() };
            let mean = |of: &dyn Fn(&CandidateLists) -> PerUnit| {
                splits.iter().map(|lists| of(lists).mean(metric).unwrap()).sum::<f64>() / splits.len() as f64
            };
            let got = (
                mean(&|lists| lists.floor(&protocol).unwrap()),
                mean(&|lists| lists.ceiling(&protocol).unwrap()),
            );
            for (got, expected) in [(got.0, floor), (got.1, ceiling)] {
                println!("{percent} % {metric} {got:.4} {expected}");
                assert!(
                    (got - expected).abs() < 0.01,
                    "{percent} % {protocol}: {got:.4} instead of {expected}"
                );
            }
        }
    }
}

fn hold_out(rows: &[[u32; 3]], percent: usize, seed: u64) -> CandidateLists {
    let order = kohort_random::permutation(rows.len(), &mut kohort_random::stream(seed, "test split", &[]));
    let held: Vec<[u32; 3]> =
        order[..rows.len() * percent / 100].iter().map(|&row| rows[row as usize]).collect();
    let column = |c: usize| held.iter().map(|row| row[c]).collect::<Vec<u32>>();
    let grades: Vec<f32> = held.iter().map(|row| row[2] as f32).collect();
    CandidateLists::held_out(&column(0), &column(1), &grades).unwrap()
}
