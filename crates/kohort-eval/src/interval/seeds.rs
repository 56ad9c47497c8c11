//! The spread over training seeds.
//!
//! With one value per seed, `[n]`: mean ± `t_{n−1}` `s / √n`. It answers "what would another run of this recipe give on
//! this data?", not "on other users?"; for that use [`bootstrap_mean`](super::bootstrap_mean). Print both.

use super::bootstrap::{Interval, check_level};
use super::special::student_quantile;
use crate::error::{Result, at_least, finite};
use serde::{Deserialize, Serialize};

/// Mean over seeds, its Student-t interval and the standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeedSpread {
    /// The mean and its interval.
    pub interval: Interval,
    /// Sample standard deviation (divisor n − 1) of the values.
    pub deviation: f64,
    /// Seeds.
    pub seeds: usize,
}

/// Student-t interval of the mean of `values` `[seeds]`.
///
/// # Errors
/// Fewer than two values, a value that is not finite, a level outside (0, 1).
pub fn seed_interval(values: &[f64], level: f64) -> Result<SeedSpread> {
    check_level(level)?;
    let (mean, deviation) = mean_and_deviation("values", values)?;
    let n = values.len();
    let half = student_quantile(level, (n - 1) as f64) * deviation / (n as f64).sqrt();
    let interval = Interval { estimate: mean, low: mean - half, high: mean + half, level };
    Ok(SeedSpread { interval, deviation, seeds: n })
}

pub(super) fn mean_and_deviation(name: &'static str, values: &[f64]) -> Result<(f64, f64)> {
    at_least(name, values.len(), 2)?;
    finite(name, values)?;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    Ok((mean, (squares / (n - 1.0)).sqrt()))
}
