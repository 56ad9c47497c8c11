//! Mixtures of experts.

use kohort_core::random::{rand::Rng, stream};

mod cohorts;
mod gates;
mod golden;
mod penalties;
mod planted;

/// Numbers between -1 and 1.
fn numbers(purpose: &str, count: usize) -> Vec<f64> {
    let mut stream = stream(5, purpose, &[]);
    (0..count).map(|_| stream.random_range(-1.0..1.0)).collect()
}
