use kohort_eval::EvalError;
use kohort_eval::rating::{absolute_error_by_unit, mae, rmse, squared_error_by_unit};

#[test]
fn errors_of_known_rows() {
    let (p, r) = ([1.0f64, 2.0, 5.0, 4.0], [2.0f64, 2.0, 3.0, 1.0]);
    assert_eq!(rmse(&p, &r).unwrap(), (14.0f64 / 4.0).sqrt());
    assert_eq!(mae(&p, &r).unwrap(), 6.0 / 4.0);
}

#[test]
fn errors_by_unit_are_means_over_the_units_rows_in_order_of_ids() {
    let squared = squared_error_by_unit(&[9, 2, 9], &[1.0f32, 2.0, 3.0], &[3.0f32, 5.0, 3.0]).unwrap();
    assert_eq!(squared.units(), [2, 9]);
    assert_eq!(squared.values(), [Some(9.0), Some(2.0)]);
    let absolute = absolute_error_by_unit(&[9, 2, 9], &[1.0f32, 2.0, 3.0], &[3.0f32, 5.0, 3.0]).unwrap();
    assert_eq!(absolute.mean(), Some(2.0));
}

/// Single-precision sums of this many ones would stop at 2^24.
#[test]
fn long_sums_do_not_lose_rows() {
    let n = (1 << 24) + 1000;
    assert_eq!(mae(&vec![1.0f32; n], &vec![0.0; n]).unwrap(), 1.0);
}

#[test]
fn bad_rows_are_named() {
    assert!(matches!(rmse::<f32>(&[], &[]), Err(EvalError::TooFew { least: 1, .. })));
    let error = rmse(&[1.0f32, 2.0], &[1.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`prediction` has 2 values but `target` has 1; both must describe the same rows"
    );
    let error = mae(&[1.0f32, f32::NAN], &[1.0, 2.0]).unwrap_err();
    assert_eq!(error.to_string(), "`prediction` is NaN at index 1; allowed: finite numbers");
}
