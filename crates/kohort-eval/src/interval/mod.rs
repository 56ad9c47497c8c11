//! Intervals and tests: how much of a number is chance.
//!
//! * Over units: [`bootstrap`] for any statistic (resampling units with all their rows), [`bootstrap_mean`] for the
//!   mean of a per-unit metric.
//! * Over seeds: [`seed_interval`]; of the median, whatever the distribution: [`median_interval`].
//! * Two systems on the same units: [`paired_t_test`], [`sign_flip_test`], [`wilcoxon_signed_rank`],
//!   [`paired_bootstrap`]; over seeds and units together: [`compare_runs`].
//! * Several tests at once: [`holm`].
//!
//! ```
//! use kohort_eval::interval::{Alternative, Draws, bootstrap, holm, paired_t_test, seed_interval};
//!
//! let rmse_of_five_seeds = [0.912, 0.915, 0.910, 0.914, 0.913];
//! let spread = seed_interval(&rmse_of_five_seeds, 0.95)?;
//! assert!(spread.interval.low < 0.9128 && 0.9128 < spread.interval.high);
//!
//! // Cluster bootstrap of a pooled RMSE: squared errors and rows of each of four users.
//! let (squared, rows) = ([3.0, 1.5, 4.0, 0.5], [4.0, 2.0, 3.0, 1.0]);
//! let rmse = |sample: &[u32]| {
//!     let total = |of: &[f64]| sample.iter().map(|&user| of[user as usize]).sum::<f64>();
//!     Some((total(&squared) / total(&rows)).sqrt())
//! };
//! let draws = Draws { draws: 500, ..Draws::default() };
//! assert_eq!(bootstrap(4, &draws, rmse)?, bootstrap(4, &draws, rmse)?); // a seed, not luck
//!
//! let test = paired_t_test(&[0.2, 0.1, 0.3, 0.2], Alternative::TwoSided)?;
//! assert!(test.p < 0.05);
//! assert_eq!(holm(&[0.01, 0.04])?, [0.02, 0.04]);
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```
//!
//! When not to use it: percentile intervals of fewer than about 30 units are too narrow, and no test repairs a leak
//! from the test part into training.

mod bootstrap;
mod holm;
mod median;
mod paired;
mod runs;
mod seeds;
mod special;
#[cfg(test)]
mod tests;

pub use bootstrap::{Bootstrap, Draws, Interval, bootstrap, bootstrap_mean, quantile};
pub use holm::holm;
pub use median::median_interval;
pub use paired::{
    Alternative, PairedTest, WilcoxonMethod, paired_bootstrap, paired_t_test, sign_flip_test,
    wilcoxon_signed_rank,
};
pub use runs::{RunComparison, compare_runs};
pub use seeds::{SeedSpread, seed_interval};
