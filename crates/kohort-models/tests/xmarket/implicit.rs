//! The implicit baselines reach what an independent numpy script reached with negatives of its own.

use kohort_models::implicit::registry;

use super::{MARKETS, XMarket};

/// nDCG@10, and how far a draw of the negatives may be from it: India has 239 users and Japan 487.
const EXPECTED: [(&str, [f64; 7]); 3] = [
    ("popularity-local", [0.3405, 0.4462, 0.2614, 0.2865, 0.5217, 0.2003, 0.4430]),
    ("popularity-pooled", [0.2775, 0.4222, 0.2381, 0.2398, 0.4469, 0.0999, 0.0578]),
    ("item-knn", [0.3535, 0.5060, 0.3793, 0.4005, 0.5934, 0.2795, 0.5239]),
];
const TOLERANCE: [f64; 7] = [0.01, 0.01, 0.01, 0.01, 0.01, 0.03, 0.03];

#[test]
fn ndcg_is_that_of_an_independent_script() {
    let Some(data) = XMarket::read() else { return };
    let mut wrong = Vec::new();
    for (name, expected) in EXPECTED {
        let entry = registry().into_iter().find(|entry| entry.name == name).unwrap();
        let model = (entry.fit)(&data.parts.train, &data.markets).unwrap();
        let found = data.ndcg(model.as_ref());
        for (market, (expected, tolerance)) in expected.into_iter().zip(TOLERANCE).enumerate() {
            let mean = found[market];
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
