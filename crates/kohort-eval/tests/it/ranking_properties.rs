//! What must hold for every list and every ranking of it.

use kohort_eval::ranking::{
    CandidateLists, Gain, PerUnit, PrecisionDenominator, RankingMetric, RankingProtocol, RecallDenominator,
    Ties, WithoutRelevant,
};
use proptest::prelude::*;

/// Rows of (unit, item, grade, score) with many ties in score.
fn rows() -> impl Strategy<Value = Vec<(u32, u32, f32, f32)>> {
    let row = (0u32..5, 0u32..1000, (1i32..6).prop_map(|g| g as f32), (0i32..6).prop_map(|s| s as f32));
    prop::collection::vec(row, 1..60)
}

fn protocols() -> impl Strategy<Value = RankingProtocol> {
    (
        1usize..12,
        prop_oneof![Just(PrecisionDenominator::K), Just(PrecisionDenominator::MinKN)],
        prop_oneof![Just(RecallDenominator::AllRelevant), Just(RecallDenominator::MinKRelevant)],
        prop_oneof![Just(WithoutRelevant::Skip), Just(WithoutRelevant::Zero)],
        prop_oneof![
            Just(Ties::Average),
            Just(Ties::Pessimistic),
            any::<u64>().prop_map(|seed| Ties::Random { seed })
        ],
        prop_oneof![Just(Gain::Binary), Just(Gain::Linear), Just(Gain::Exponential)],
    )
        .prop_map(|(k, precision, recall, without_relevant, ties, gain)| RankingProtocol {
            k,
            precision,
            recall,
            without_relevant,
            ties,
            gain,
            ..RankingProtocol::default()
        })
}

fn lists(rows: &[(u32, u32, f32, f32)]) -> (CandidateLists, Vec<f32>) {
    let units: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let items: Vec<u32> = rows.iter().map(|row| row.1).collect();
    let grades: Vec<f32> = rows.iter().map(|row| row.2).collect();
    (CandidateLists::held_out(&units, &items, &grades).unwrap(), rows.iter().map(|row| row.3).collect())
}

fn all_values(result: &PerUnit) -> Vec<f64> {
    RankingMetric::ALL.iter().flat_map(|&metric| result.values(metric).iter().flatten().copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_order_of_the_rows_changes_no_bit(rows in rows(), protocol in protocols(), seed: u64) {
        let (one, scores) = lists(&rows);
        let order = kohort_random::permutation(rows.len(), &mut kohort_random::stream(seed, "rows", &[]));
        let shuffled: Vec<_> = order.iter().map(|&row| rows[row as usize]).collect();
        let (other, other_scores) = lists(&shuffled);
        prop_assert_eq!(one.evaluate(&protocol, &scores).unwrap(), other.evaluate(&protocol, &other_scores).unwrap());
    }

    #[test]
    fn strictly_rising_maps_of_the_scores_change_no_bit(rows in rows(), protocol in protocols()) {
        let (lists, scores) = lists(&rows);
        let mapped: Vec<f32> = scores.iter().map(|s| (s * 0.3).exp() - 7.0).collect();
        prop_assert_eq!(lists.evaluate(&protocol, &scores).unwrap(), lists.evaluate(&protocol, &mapped).unwrap());
    }

    #[test]
    fn no_ranking_beats_the_ceiling_and_all_values_lie_between_zero_and_one(rows in rows(), protocol in protocols()) {
        let (lists, scores) = lists(&rows);
        let ceiling = lists.ceiling(&protocol).unwrap();
        let floor = lists.floor(&protocol).unwrap();
        for below in [lists.evaluate(&protocol, &scores).unwrap(), floor] {
            for (value, highest) in all_values(&below).into_iter().zip(all_values(&ceiling)) {
                prop_assert!((0.0..=1.0).contains(&value), "{}", value);
                prop_assert!(value <= highest + 1e-12, "{} above {}", value, highest);
            }
        }
        for (ndcg, &relevant) in ceiling.ndcg.iter().zip(&ceiling.relevant) {
            prop_assert!(relevant == 0 || (ndcg.unwrap() - 1.0).abs() < 1e-12, "oracle NDCG {:?}", ndcg);
        }
    }

    #[test]
    fn the_worst_order_of_ties_is_below_their_average(rows in rows(), protocol in protocols()) {
        let (lists, scores) = lists(&rows);
        let with = |ties| all_values(&lists.evaluate(&RankingProtocol { ties, ..protocol.clone() }, &scores).unwrap());
        for (worst, average) in with(Ties::Pessimistic).into_iter().zip(with(Ties::Average)) {
            prop_assert!(worst <= average + 1e-12, "{} above {}", worst, average);
        }
    }

    #[test]
    fn constant_scores_with_averaged_ties_are_the_floor(rows in rows(), protocol in protocols()) {
        let (lists, _) = lists(&rows);
        let protocol = RankingProtocol { ties: Ties::Average, ..protocol };
        let constant = lists.evaluate(&protocol, &vec![0.5; rows.len()]).unwrap();
        for (got, floor) in all_values(&constant).into_iter().zip(all_values(&lists.floor(&protocol).unwrap())) {
            prop_assert!((got - floor).abs() < 1e-12);
        }
    }
}

#[test]
fn the_mean_over_shuffles_approaches_the_exact_floor() {
    let rows: Vec<(u32, u32, f32, f32)> =
        (0..600).map(|i| (i % 40, i, ((i * 7) % 5 + 1) as f32, 0.0)).collect();
    let (lists, _) = lists(&rows);
    let protocol = RankingProtocol { k: 5, ..RankingProtocol::default() };
    let exact = lists.floor(&protocol).unwrap();
    let shuffled = lists.shuffled_floor(&protocol, 400, 2).unwrap();
    assert_eq!(shuffled, lists.shuffled_floor(&protocol, 400, 2).unwrap());
    for metric in RankingMetric::ALL {
        let (exact, shuffled) = (exact.mean(metric).unwrap(), shuffled.mean(metric).unwrap());
        // 16,000 lists, standard deviation of one value at most 0.5.
        assert!((exact - shuffled).abs() < 4.0 * 0.5 / 16_000f64.sqrt(), "{metric}: {exact} {shuffled}");
    }
    assert!(lists.shuffled_floor(&protocol, 0, 2).is_err());
}
