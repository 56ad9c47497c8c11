//! Calibration and relative gains: golden values, properties, refusals.

use kohort_eval::EvalError;
use kohort_eval::binary::RelativeGain;
use kohort_eval::calibration::{Bins, calibration, calibration_by_cohort};
use proptest::prelude::*;

const GOLDEN: &str = include_str!("../golden/calibration.json");

fn floats(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn errors_and_curves_agree_with_scikit_learn() {
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).unwrap();
    let close = |got: f64, expected: &serde_json::Value| {
        let expected = expected.as_f64().unwrap();
        assert!((got - expected).abs() < 1e-12, "{got} {expected}");
    };
    for case in golden["calibration"].as_array().unwrap() {
        let p: Vec<f32> = floats(&case["p"]).into_iter().map(|p| p as f32).collect();
        let y: Vec<bool> = floats(&case["y"]).into_iter().map(|y| y == 1.0).collect();
        let bins = case["bins"].as_u64().unwrap() as usize;
        let found = calibration(&p, &y, Bins::EqualWidth { bins }).unwrap();
        close(found.ece, &case["ece"]);
        close(found.mce, &case["mce"]);
        close(found.pcoc.unwrap(), &case["pcoc"]);
        close(found.ne.unwrap(), &case["ne"]);
        assert_eq!(found.curve.len(), case["observed"].as_array().unwrap().len());
        for (point, at) in found.curve.iter().zip(0..) {
            let at: usize = at;
            close(point.observed, &case["observed"][at]);
            close(point.predicted, &case["predicted"][at]);
        }
        let mass = calibration(&p, &y, Bins::EqualMass { bins }).unwrap();
        close(mass.ece, &case["ece_mass"]);
        assert!(mass.curve.iter().all(|point| point.rows == (p.len() / bins) as u64));
    }
}

fn rows() -> impl Strategy<Value = Vec<(f32, bool)>> {
    proptest::collection::vec(((0u8..=20).prop_map(|p| f32::from(p) / 20.0), any::<bool>()), 1..120)
}

fn any_bins() -> impl Strategy<Value = Bins> {
    prop_oneof![
        (1usize..30).prop_map(|bins| Bins::EqualWidth { bins }),
        (1usize..30).prop_map(|bins| Bins::EqualMass { bins }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bins_hold_every_row_once_and_the_error_lies_between_its_bounds(rows in rows(), bins in any_bins()) {
        let (p, y): (Vec<f32>, Vec<bool>) = rows.iter().copied().unzip();
        let found = calibration(&p, &y, bins).unwrap();
        prop_assert_eq!(found.curve.iter().map(|point| point.rows).sum::<u64>(), p.len() as u64);
        prop_assert!(found.curve.windows(2).all(|w| w[0].predicted < w[1].predicted));
        prop_assert!(found.ece <= found.mce + 1e-12 && found.mce <= 1.0);
        // Merging all bins can only let errors cancel.
        let mean = p.iter().map(|&p| f64::from(p)).sum::<f64>() / p.len() as f64;
        let base = found.positives as f64 / p.len() as f64;
        prop_assert!(found.ece + 1e-12 >= (mean - base).abs());
        let one = calibration(&p, &y, Bins::EqualMass { bins: 1 }).unwrap();
        prop_assert!((one.ece - (mean - base).abs()).abs() < 1e-12);
    }

    #[test]
    fn the_order_of_the_rows_changes_no_bit_of_the_curve(rows in rows(), bins in any_bins(), seed: u64) {
        let order = kohort_random::permutation(rows.len(), &mut kohort_random::stream(seed, "rows", &[]));
        let (p, y): (Vec<f32>, Vec<bool>) = rows.iter().copied().unzip();
        let (q, z): (Vec<f32>, Vec<bool>) = order.iter().map(|&row| rows[row as usize]).unzip();
        let (a, b) = (calibration(&p, &y, bins).unwrap(), calibration(&q, &z, bins).unwrap());
        prop_assert_eq!((a.curve, a.ece, a.pcoc), (b.curve, b.ece, b.pcoc));
    }

    #[test]
    fn saying_the_base_rate_to_all_is_calibrated_and_knows_nothing(y in proptest::collection::vec(any::<bool>(), 2..60), bins in any_bins()) {
        let base = y.iter().filter(|&&label| label).count() as f64 / y.len() as f64;
        let found = calibration(&vec![base; y.len()], &y, bins).unwrap();
        prop_assert!(found.ece < 1e-12);
        match found.ne {
            Some(ne) => prop_assert!((ne - 1.0).abs() < 1e-9, "{}", ne),
            None => prop_assert!(base == 0.0 || base == 1.0),
        }
    }
}

#[test]
fn what_is_undefined_is_none_and_what_is_wrong_is_refused() {
    let negatives = calibration(&[0.2f32, 0.4], &[false, false], Bins::default()).unwrap();
    assert_eq!((negatives.pcoc, negatives.ne), (None, None));
    assert!((negatives.ece - 0.3).abs() < 1e-7);
    let certain = calibration(&[0.0f64, 1.0], &[false, true], Bins::default()).unwrap();
    assert_eq!((certain.ece, certain.curve.len()), (0.0, 2), "1 is in the last bin");
    let error = calibration(&[0.2f32, 1.5], &[false, true], Bins::default()).unwrap_err();
    assert_eq!(error.to_string(), "`probabilities` is 1.5 at index 1; allowed: 0 to 1");
    assert!(calibration(&[f32::NAN], &[true], Bins::default()).is_err());
    assert!(calibration::<f32>(&[], &[], Bins::default()).is_err());
    let error = calibration(&[0.5f32], &[true], Bins::EqualMass { bins: 0 }).unwrap_err();
    assert_eq!(error.to_string(), "`bins` is 0; allowed: 1 to 2^20");
}

#[test]
fn cohorts_are_calibrated_on_their_own() {
    let (p, y) = ([0.5f32, 0.5, 0.5, 0.5], [true, false, true, true]);
    let of = calibration_by_cohort(&[0, 0, 2, 2], 3, &p, &y, Bins::default()).unwrap();
    let ece: Vec<Option<f64>> = of.into_iter().map(|cohort| cohort.map(|found| found.ece)).collect();
    assert_eq!(ece, [Some(0.0), None, Some(0.5)]);
    let error = calibration_by_cohort(&[0, 0, 3, 2], 3, &p, &y, Bins::default()).unwrap_err();
    assert!(matches!(error, EvalError::Value { name: "cohorts", at: 2, .. }), "{error}");
    assert!(calibration_by_cohort(&[0], 3, &p, &y, Bins::default()).is_err());
}

#[test]
fn a_gain_is_undefined_where_a_value_is() {
    let labels = [true, false, false, false];
    let gain = RelativeGain::of(&[0.9f32, 0.1, 0.2, 0.3], &[0.1f32, 0.9, 0.8, 0.7], &labels).unwrap();
    assert_eq!((gain.model, gain.baseline, gain.prevalence), (Some(1.0), Some(0.25), 0.25));
    assert_eq!(gain.percent(), Some(300.0));
    let none = RelativeGain::of(&[0.9f32, 0.1], &[0.1f32, 0.9], &[false, false]).unwrap();
    assert_eq!((none.percent(), none.prevalence), (None, 0.0));
    assert_eq!(RelativeGain { model: Some(0.1), baseline: Some(0.0), prevalence: 0.0 }.percent(), None);
}
