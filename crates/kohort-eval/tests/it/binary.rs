use kohort_eval::EvalError;
use kohort_eval::binary::{average_precision, log_loss, rank_scores, roc_auc};
use proptest::prelude::*;

/// Few distinct scores, so that ties are common; lengths on both sides of the switch to the radix sort.
fn rows() -> impl Strategy<Value = Vec<(f32, bool)>> {
    let score = prop_oneof![(-5i32..5).prop_map(|x| x as f32 / 2.0), -1e3f32..1e3];
    prop_oneof![
        4 => prop::collection::vec((score.clone(), any::<bool>()), 1..60),
        1 => prop::collection::vec((score, any::<bool>()), 4096..4200),
    ]
}

fn split(rows: &[(f32, bool)]) -> (Vec<f32>, Vec<bool>) {
    rows.iter().copied().unzip()
}

/// For each distinct score as threshold: recall gained times precision, straight from the definition in O(n²).
fn definition_of_average_precision(scores: &[f32], labels: &[bool]) -> Option<f64> {
    let positives = labels.iter().filter(|&&label| label).count();
    if positives == 0 || positives == labels.len() {
        return None;
    }
    let mut thresholds = scores.to_vec();
    thresholds.sort_unstable_by(|a, b| b.total_cmp(a));
    thresholds.dedup();
    let (mut sum, mut recall_before) = (0.0, 0.0);
    for threshold in thresholds {
        let chosen: Vec<bool> =
            scores.iter().zip(labels).filter(|(s, _)| **s >= threshold).map(|(_, &label)| label).collect();
        let hits = chosen.iter().filter(|&&label| label).count() as f64;
        let recall = hits / positives as f64;
        sum += (recall - recall_before) * (hits / chosen.len() as f64);
        recall_before = recall;
    }
    Some(sum)
}

fn definition_of_roc_auc(scores: &[f32], labels: &[bool]) -> Option<f64> {
    let of = |class: bool| scores.iter().zip(labels).filter(move |(_, l)| **l == class).map(|(s, _)| *s);
    let (mut won, mut pairs) = (0.0, 0u32);
    for p in of(true) {
        for n in of(false) {
            pairs += 1;
            won += if p > n {
                1.0
            } else if p == n {
                0.5
            } else {
                0.0
            };
        }
    }
    (pairs > 0).then(|| won / f64::from(pairs))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_agree_with_their_definitions(rows in prop::collection::vec(((-4i32..4).prop_map(|x| x as f32), any::<bool>()), 1..80)) {
        let (scores, labels) = split(&rows);
        let ranked = rank_scores(&scores, &labels).unwrap();
        prop_assert_eq!(ranked.roc_auc, definition_of_roc_auc(&scores, &labels));
        match (ranked.average_precision, definition_of_average_precision(&scores, &labels)) {
            (Some(got), Some(expected)) => prop_assert!((got - expected).abs() < 1e-12, "{} {}", got, expected),
            (got, expected) => prop_assert_eq!(got, expected),
        }
    }

    #[test]
    fn the_order_of_the_rows_changes_no_bit(rows in rows(), seed: u64) {
        let (scores, labels) = split(&rows);
        let order = kohort_random::permutation(rows.len(), &mut kohort_random::stream(seed, "rows", &[]));
        let shuffled: Vec<_> = order.iter().map(|&row| rows[row as usize]).collect();
        let (other_scores, other_labels) = split(&shuffled);
        prop_assert_eq!(rank_scores(&scores, &labels).unwrap(), rank_scores(&other_scores, &other_labels).unwrap());
    }

    #[test]
    fn strictly_rising_maps_change_no_bit(rows in rows()) {
        let (scores, labels) = split(&rows);
        let mapped: Vec<f64> = scores.iter().map(|&s| (f64::from(s) / 100.0).exp() * 3.0 - 1.0).collect();
        prop_assert_eq!(rank_scores(&scores, &labels).unwrap(), rank_scores(&mapped, &labels).unwrap());
    }

    #[test]
    fn turning_scores_or_labels_round_turns_the_auc_round(rows in rows()) {
        let (scores, labels) = split(&rows);
        let Some(auc) = roc_auc(&scores, &labels).unwrap() else { return Ok(()) };
        let negated: Vec<f32> = scores.iter().map(|s| -s).collect();
        let flipped: Vec<bool> = labels.iter().map(|l| !l).collect();
        prop_assert!((roc_auc(&negated, &labels).unwrap().unwrap() - (1.0 - auc)).abs() < 1e-15);
        prop_assert!((roc_auc(&scores, &flipped).unwrap().unwrap() - (1.0 - auc)).abs() < 1e-15);
        prop_assert_eq!(roc_auc(&negated, &flipped).unwrap(), Some(auc));
    }
}

#[test]
fn constant_scores_give_one_half_and_the_prevalence() {
    let labels: Vec<bool> = (0..10_000).map(|i| i % 4 == 0).collect();
    let ranked = rank_scores(&[0.3f32; 10_000], &labels).unwrap();
    assert_eq!(ranked.roc_auc, Some(0.5));
    assert_eq!(ranked.average_precision, Some(0.25));
}

#[test]
fn one_class_has_no_value() {
    for labels in [[true; 3], [false; 3]] {
        assert_eq!(roc_auc(&[0.1f32, 0.2, 0.3], &labels).unwrap(), None);
        assert_eq!(average_precision(&[0.1f64, 0.2, 0.3], &labels).unwrap(), None);
    }
}

#[test]
fn zeros_of_both_signs_tie_and_infinities_have_their_place() {
    assert_eq!(roc_auc(&[-0.0f32, 0.0], &[true, false]).unwrap(), Some(0.5));
    assert_eq!(roc_auc(&[-0.0f64, 0.0], &[true, false]).unwrap(), Some(0.5));
    let scores = [f32::INFINITY, 1.0, f32::NEG_INFINITY];
    assert_eq!(roc_auc(&scores, &[true, true, false]).unwrap(), Some(1.0));
}

#[test]
fn nan_is_refused_with_its_place_in_both_precisions() {
    let expected = "`scores` is NaN at index 1; allowed: any number but NaN";
    assert_eq!(roc_auc(&[0.5f32, f32::NAN], &[true, false]).unwrap_err().to_string(), expected);
    assert_eq!(roc_auc(&[0.5f64, -f64::NAN], &[true, false]).unwrap_err().to_string(), expected);
    assert!(matches!(roc_auc::<f32>(&[], &[]), Err(EvalError::TooFew { .. })));
    assert!(matches!(roc_auc(&[1.0f32], &[]), Err(EvalError::Length { .. })));
}

#[test]
fn a_certain_and_wrong_probability_costs_a_finite_loss() {
    let loss = log_loss(&[1.0f64, 0.0], &[false, true]).unwrap();
    assert!((loss - (-f64::EPSILON.ln())).abs() < 1e-9, "{loss}");
    assert!(log_loss(&[1.1f32], &[true]).is_err());
    assert!(log_loss(&[f32::NAN], &[true]).is_err());
}
