//! Percentile bootstrap over units.
//!
//! Units (users, groups) are resampled with replacement and keep all their rows, because rows of one user are not
//! independent: the cluster bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13; Field
//! and Welsh, "Bootstrapping clustered data", JRSS B 2007). The interval runs between the `(1 ∓ level)/2` quantiles of
//! the statistic over the draws, linearly interpolated.
//!
//! Draw `i` uses its own named stream, so the result is the same for any number of threads. The samples depend only
//! on seed and number of units: two statistics bootstrapped with the same [`Draws`] meet the same samples.

use crate::error::{EvalError, Result, at_least, finite, setting};
use crate::units::{UnitValues, mean};
use kohort_random::rand::Rng;
use kohort_random::stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How many samples are drawn, from which seed, for which interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draws {
    /// Samples, 1 to 10⁷.
    pub draws: u32,
    /// Share of the interval, strictly between 0 and 1.
    pub level: f64,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for Draws {
    /// 2,000 draws, 95 %, seed 0.
    fn default() -> Self {
        Self { draws: 2000, level: 0.95, seed: 0 }
    }
}

impl Draws {
    pub(super) fn check(&self) -> Result<()> {
        setting("draws", self.draws, "1 to 10,000,000", (1..=10_000_000).contains(&self.draws))?;
        check_level(self.level)
    }
}

pub(super) fn check_level(level: f64) -> Result<()> {
    setting("level", level, "between 0 and 1, both excluded", level > 0.0 && level < 1.0)
}

/// An estimate with an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The statistic on the data itself.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share that the interval claims to cover, such as 0.95.
    pub level: f64,
}

/// A bootstrap interval and how many draws it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// The interval.
    pub interval: Interval,
    /// Draws on which the statistic was defined.
    pub defined: usize,
    /// Draws on which it was not (say, a sample with one class only); they are left out.
    pub undefined: usize,
}

/// Interval of any statistic of `n` units: `statistic(sample)` gets the indices of a resampled set of units, `[n]`,
/// with repetitions, and returns `None` where it is undefined.
///
/// # Errors
/// No units or 2³² and more, [`Draws`] out of range, a statistic that is undefined on the data itself or on every
/// draw, or not finite.
pub fn bootstrap<F>(n: usize, draws: &Draws, statistic: F) -> Result<Bootstrap>
where
    F: Fn(&[u32]) -> Option<f64> + Sync,
{
    draws.check()?;
    at_least("units", n, 1)?;
    setting("units", n, "fewer than 2^32", u32::try_from(n).is_ok())?;
    let own: Vec<u32> = (0..n as u32).collect();
    let estimate = statistic(&own).ok_or(EvalError::Undefined {
        what: "the bootstrapped statistic",
        why: "it has no value on the data itself",
    })?;
    let mut values: Vec<f64> = resample(n as u32, draws, &statistic).into_iter().flatten().collect();
    finite("statistic", &[estimate])?;
    finite("statistic of a draw", &values)?;
    values.sort_unstable_by(f64::total_cmp);
    let undefined = draws.draws as usize - values.len();
    let tail = 0.5 * (1.0 - draws.level);
    let (Some(low), Some(high)) = (quantile(&values, tail), quantile(&values, 1.0 - tail)) else {
        return Err(EvalError::Undefined { what: "the bootstrap interval", why: "no draw gave a value" });
    };
    let interval = Interval { estimate, low, high, level: draws.level };
    Ok(Bootstrap { interval, defined: values.len(), undefined })
}

/// Interval of the mean over units of a metric; units where it is undefined are left out before drawing.
///
/// # Errors
/// As for [`bootstrap`].
pub fn bootstrap_mean(values: &UnitValues, draws: &Draws) -> Result<Bootstrap> {
    let values = values.defined();
    bootstrap(values.len(), draws, |sample| mean(sample.iter().map(|&unit| values[unit as usize])))
}

/// The statistic of every draw, in the order of the draws.
pub(super) fn resample<F>(n: u32, draws: &Draws, statistic: &F) -> Vec<Option<f64>>
where
    F: Fn(&[u32]) -> Option<f64> + Sync,
{
    (0..draws.draws)
        .into_par_iter()
        .map_init(Vec::new, |sample, draw| {
            let mut numbers = stream(draws.seed, "bootstrap", &[u64::from(draw)]);
            sample.clear();
            sample.extend((0..n).map(|_| numbers.random_range(0..n)));
            statistic(sample)
        })
        .collect()
}

/// The value below which `share` (0 to 1) of the values lies, which ascend: linear interpolation between the two nearest order statistics; `None` for no
/// values.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
}
