//! What is refused, and how it is said.

use kohort_cohorts::{Init, KMeansConfig, KMeansError, MiniBatch, Points};

use crate::{config, points};

#[test]
fn bad_points_are_named_by_row_and_column() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e16] {
        let mut values = vec![0.5f32; 30_000];
        values[12_345] = bad;
        values[20_000] = bad;
        let error = Points::new(&values, 10).unwrap_err().to_string();
        assert!(error.starts_with("row 1234, column 5: value "), "{error}");
    }
    let say = |values: &[f32], dim| Points::new(values, dim).unwrap_err().to_string();
    assert_eq!(say(&[1.0; 7], 3), "7 values do not fill rows of 3 dimensions: the last row has 1 of them");
    assert_eq!(say(&[], 3), "there are no points");
    assert_eq!(say(&[1.0], 0), "points need at least one dimension, got 0");
}

#[test]
fn bad_weights_are_named_by_row() {
    let say = |weights: &[f32]| points(&[1.0, 2.0, 3.0], 1).weighted(weights).unwrap_err().to_string();
    assert_eq!(say(&[1.0, 1.0]), "2 weights for 3 rows: one for each row is needed");
    assert_eq!(say(&[1.0, -0.5, 1.0]), "row 1: weight -0.5 is not allowed, it must be between 0 and 1e15");
    assert!(say(&[1.0, 1.0, f32::NAN]).starts_with("row 2: weight NaN"));
    assert_eq!(say(&[0.0; 3]), "all weights are 0: at least one must be above");
}

#[test]
fn more_clusters_than_distinct_points_are_refused() {
    let values = [1.0f32, 1.0, 2.0, -0.0, 0.0, 2.0];
    let error = config(4).fit(&points(&values, 1)).unwrap_err();
    assert_eq!(error, KMeansError::TooFewDistinctPoints { clusters: 4, distinct: 3 });
    assert_eq!(
        error.to_string(),
        "4 clusters need as many distinct points of positive weight, the data has 3"
    );
    let weighted = points(&values, 1).weighted(&[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]).unwrap();
    let error = config(3).fit(&weighted).unwrap_err();
    assert_eq!(error, KMeansError::TooFewDistinctPoints { clusters: 3, distinct: 2 });
}

#[test]
fn settings_out_of_range_are_named() {
    let say = |config: KMeansConfig<f32>| config.fit(&points(&[1.0, 2.0, 3.0], 1)).unwrap_err().to_string();
    assert_eq!(say(config(0)), "kmeans config, clusters = 0: allowed is 1 or more");
    assert_eq!(
        say(KMeansConfig { restarts: 0, ..config(2) }),
        "kmeans config, restarts = 0: allowed is 1 or more"
    );
    for tolerance in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(say(KMeansConfig { tolerance, ..config(2) }).starts_with("kmeans config, tolerance = "));
    }
    let mini_batch = Some(MiniBatch { batch_size: 0, patience: 1 });
    assert!(say(KMeansConfig { mini_batch, ..config(2) }).contains("mini_batch.batch_size = 0"));
    assert_eq!(
        say(KMeansConfig { init: Init::Given(vec![1.0; 3]), ..config(2) }),
        "3 values given for the centres, but 2 clusters of 1 dimensions need 2"
    );
    assert!(
        say(KMeansConfig { init: Init::Given(vec![1.0, f32::NAN]), ..config(2) })
            .starts_with("given centres: row 1, column 0")
    );
}

#[test]
fn a_fit_refuses_points_of_another_width() {
    let fit = config(2).fit(&points(&[1.0, 2.0, 3.0], 1)).unwrap();
    let error = fit.predict(&points(&[1.0, 2.0], 2)).unwrap_err();
    assert_eq!(error.to_string(), "the points have 2 dimensions, the centres have 1");
}

#[test]
fn unknown_config_keys_are_refused() {
    let mut value = serde_json::to_value(config(2)).unwrap();
    value["cluster"] = 3.into();
    let error = serde_json::from_value::<KMeansConfig<f32>>(value).unwrap_err().to_string();
    assert!(error.contains("unknown field `cluster`"), "{error}");
}
