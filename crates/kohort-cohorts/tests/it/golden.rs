//! Against scikit-learn, from the same centres. Values and versions: `tests/golden/kmeans.json`, made by
//! `kmeans.py`.

use kohort_cohorts::{KMeans, KMeansConfig, Points, quality::silhouette};
use kohort_core::Real;
use serde_json::Value;

fn numbers<F: Real>(case: &Value, field: &str) -> Vec<F> {
    case[field].as_array().unwrap().iter().map(|v| F::of(v.as_f64().unwrap())).collect()
}

fn cases() -> Vec<Value> {
    let golden: Value = serde_json::from_str(include_str!("../golden/kmeans.json")).unwrap();
    golden["cases"].as_array().unwrap().clone()
}

fn fit<F: Real>(case: &Value) -> KMeans<F> {
    let (values, initial) = (numbers::<F>(case, "points"), numbers::<F>(case, "initial"));
    let dim = case["dim"].as_u64().unwrap() as usize;
    let weights = (!case["weights"].is_null()).then(|| numbers::<F>(case, "weights"));
    let mut points = Points::new(&values, dim).unwrap();
    if let Some(weights) = &weights {
        points = points.weighted(weights).unwrap();
    }
    let config = KMeansConfig {
        max_iterations: case["max_iterations"].as_u64().unwrap() as usize,
        tolerance: case["tolerance"].as_f64().unwrap(),
        ..KMeansConfig::from_centres(initial.len() / dim, initial)
    };
    config.fit(&points).unwrap()
}

fn agrees<F: Real>(case: &Value) {
    let name = case["name"].as_str().unwrap();
    let ours = fit::<F>(case);
    let labels: Vec<u32> =
        case["labels"].as_array().unwrap().iter().map(|l| l.as_u64().unwrap() as u32).collect();
    assert_eq!(ours.labels, labels, "{name}");
    assert_eq!(ours.iterations as u64, case["iterations"].as_u64().unwrap(), "{name}");
    for (ours, theirs) in ours.centres.iter().zip(numbers::<f64>(case, "centres")) {
        assert!(
            (ours.f64() - theirs).abs() <= 1e-5 * theirs.abs().max(1.0),
            "{name}: centre {ours} for {theirs}"
        );
    }
    let theirs = case["inertia"].as_f64().unwrap();
    // Centres rounded to f32 are not quite the means, the more so the farther they are from the origin.
    assert!((ours.inertia / theirs - 1.0).abs() <= 1e-6, "{name}: inertia {} for {theirs}", ours.inertia);
}

#[test]
fn fits_in_f64_equal_scikit_learn() {
    cases().iter().for_each(agrees::<f64>);
}

#[test]
fn fits_in_f32_equal_scikit_learn() {
    cases().iter().for_each(agrees::<f32>);
}

#[test]
fn silhouettes_equal_scikit_learn() {
    for case in cases() {
        let (name, values) = (case["name"].as_str().unwrap(), numbers::<f32>(&case, "points"));
        let labels: Vec<u32> = numbers::<f64>(&case, "labels").into_iter().map(|l| l as u32).collect();
        let points = Points::new(&values, case["dim"].as_u64().unwrap() as usize).unwrap();
        let ours = silhouette(&points, &labels).unwrap();
        let theirs = case["silhouette"].as_f64().unwrap();
        // The peer takes distances from the expanded square, which costs digits far from the origin.
        assert!((ours.mean - theirs).abs() < 1e-7, "{name}: {} for {theirs}", ours.mean);
        for (ours, theirs) in ours.per_cluster.iter().zip(numbers::<f64>(&case, "silhouette_per_cluster")) {
            assert!((ours.unwrap() - theirs).abs() < 1e-7, "{name}: {ours:?} for {theirs}");
        }
    }
}
