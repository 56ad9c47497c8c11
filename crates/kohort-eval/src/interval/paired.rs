//! Paired tests on the differences of two systems, unit by unit.
//!
//! All take the differences `d = a − b` `[n]` of one metric on the same units and test whether they lie around zero.
//!
//! | test | tests | assumes |
//! |---|---|---|
//! | [`paired_t_test`] | mean | differences roughly normal, or many units |
//! | [`sign_flip_test`] | mean | differences symmetric around zero under the null |
//! | [`wilcoxon_signed_rank`] | (pseudo-)median | the same; robust to outliers |
//! | [`paired_bootstrap`] | mean | many units; gives an interval as well |

use super::bootstrap::{Bootstrap, Draws, bootstrap, resample};
use super::seeds::mean_and_deviation;
use super::special::{normal_two_sided, student_two_sided};
use crate::error::{EvalError, Result, at_least, finite};
use crate::units::mean;
use kohort_random::rand::RngCore;
use kohort_random::stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Which differences count against the hypothesis that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// `a` differs from `b` either way.
    #[default]
    TwoSided,
    /// `a` is greater than `b`. Choose before looking.
    Greater,
    /// `a` is less than `b`. Choose before looking.
    Less,
}

/// Outcome of a paired test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// Mean of the differences.
    pub difference: f64,
    /// The test's statistic: t, the mean difference (sign flips) or the rank sum of the positive differences.
    pub statistic: f64,
    /// Chance of a statistic at least as extreme if there is no difference.
    pub p: f64,
    /// Differences that entered (Wilcoxon drops zeros).
    pub n: usize,
}

impl Alternative {
    /// From the two-sided tail of a symmetric statistic.
    fn tail(self, statistic: f64, two_sided: f64) -> f64 {
        let towards = |positive: bool| {
            if (statistic >= 0.0) == positive { 0.5 * two_sided } else { 1.0 - 0.5 * two_sided }
        };
        match self {
            Self::TwoSided => two_sided,
            Self::Greater => towards(true),
            Self::Less => towards(false),
        }
    }
}

/// Student's paired t-test on `differences` `[n]`: `t = mean / (s / √n)` with n − 1 degrees of freedom; the p-value is
/// exact for normal differences (incomplete beta function).
///
/// # Errors
/// Fewer than two differences, one that is not finite; [`EvalError::Undefined`] when all are equal, because then
/// there is no spread to compare the mean with.
pub fn paired_t_test(differences: &[f64], alternative: Alternative) -> Result<PairedTest> {
    let (difference, deviation) = mean_and_deviation("differences", differences)?;
    let n = differences.len();
    if deviation == 0.0 {
        return Err(EvalError::Undefined { what: "the paired t-test", why: "all differences are equal" });
    }
    let t = difference / (deviation / (n as f64).sqrt());
    let p = alternative.tail(t, student_two_sided(t, (n - 1) as f64));
    Ok(PairedTest { difference, statistic: t, p, n })
}

/// Permutation test by flipping the signs of `differences` `[n]`: p is the share of sign patterns whose mean is at
/// least as extreme. All `2ⁿ` patterns when they are no more than `draws`; otherwise `draws` random ones, and the data
/// itself counts as one more, so p is never 0 (Phipson and Smyth, "Permutation p-values should never be zero", 2010).
///
/// # Errors
/// No differences, one that is not finite, `draws` outside 1 to 10⁷.
pub fn sign_flip_test(
    differences: &[f64],
    alternative: Alternative,
    draws: u32,
    seed: u64,
) -> Result<PairedTest> {
    at_least("differences", differences.len(), 1)?;
    finite("differences", differences)?;
    Draws { draws, seed, ..Draws::default() }.check()?;
    let n = differences.len();
    let total: f64 = differences.iter().sum();
    // Sums in another order of signs round differently: patterns that tie with the data must count as extreme.
    let slack = 1e-12 * differences.iter().map(|d| d.abs()).sum::<f64>();
    let extreme = |sum: f64| match alternative {
        Alternative::TwoSided => sum.abs() >= total.abs() - slack,
        Alternative::Greater => sum >= total - slack,
        Alternative::Less => sum <= total + slack,
    };
    let flipped = |bit_source: &mut dyn FnMut() -> u64| -> f64 {
        let mut sum = 0.0;
        for chunk in differences.chunks(64) {
            let mut bits = bit_source();
            for d in chunk {
                sum += if bits & 1 == 1 { -d } else { *d };
                bits >>= 1;
            }
        }
        sum
    };
    let patterns = 1u64.checked_shl(n as u32).filter(|&all| n < 64 && all <= u64::from(draws));
    let p = match patterns {
        Some(all) => {
            let count = (0..all).into_par_iter().filter(|&bits| extreme(flipped(&mut || bits))).count();
            count as f64 / all as f64
        }
        None => {
            let count = (0..draws)
                .into_par_iter()
                .filter(|&draw| {
                    let mut numbers = stream(seed, "sign flips", &[u64::from(draw)]);
                    extreme(flipped(&mut || numbers.next_u64()))
                })
                .count();
            (count + 1) as f64 / (f64::from(draws) + 1.0)
        }
    };
    let difference = total / n as f64;
    Ok(PairedTest { difference, statistic: difference, p, n })
}

/// How the p-value of [`wilcoxon_signed_rank`] is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WilcoxonMethod {
    /// Exact up to 50 non-zero differences without ties in size, else normal.
    Auto,
    /// The exact distribution of the rank sum; needs differences without ties in size, and at most 50.
    Exact,
    /// Normal approximation with the tie correction, without continuity correction.
    Normal,
}

const MOST_EXACT: usize = 50;

/// Wilcoxon's signed-rank test on `differences` `[n]` ("Individual comparisons by ranking methods", Biometrics 1945):
/// zeros are dropped, equal sizes share their mean rank. The statistic is the rank sum of the positive differences
/// (`scipy.stats.wilcoxon` prints the smaller of the two sums for a two-sided test; p agrees).
///
/// # Errors
/// No differences, one that is not finite; [`EvalError::Undefined`] when all are zero, or for
/// [`WilcoxonMethod::Exact`] when sizes tie or more than 50 remain.
pub fn wilcoxon_signed_rank(
    differences: &[f64],
    alternative: Alternative,
    method: WilcoxonMethod,
) -> Result<PairedTest> {
    at_least("differences", differences.len(), 1)?;
    finite("differences", differences)?;
    let mut sorted: Vec<f64> = differences.iter().copied().filter(|&d| d != 0.0).collect();
    sorted.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let n = sorted.len();
    if n == 0 {
        return Err(EvalError::Undefined { what: "Wilcoxon's test", why: "all differences are zero" });
    }
    let (mut positive, mut before, mut tie_term) = (0.0, 0usize, 0.0);
    for tied in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
        let size = tied.len() as f64;
        let rank = before as f64 + 0.5 * (size + 1.0);
        positive += rank * tied.iter().filter(|&&d| d > 0.0).count() as f64;
        tie_term += size * size * size - size;
        before += tied.len();
    }
    let can_be_exact = tie_term == 0.0 && n <= MOST_EXACT;
    let exact = match method {
        WilcoxonMethod::Auto => can_be_exact,
        WilcoxonMethod::Normal => false,
        WilcoxonMethod::Exact if can_be_exact => true,
        WilcoxonMethod::Exact => {
            let why = "sizes tie or more than 50 differences remain";
            return Err(EvalError::Undefined { what: "the exact Wilcoxon distribution", why });
        }
    };
    let p = if exact {
        exact_rank_sum_p(n, positive as usize, alternative)
    } else {
        let m = n as f64;
        let variance = (m * (m + 1.0) * (2.0 * m + 1.0) - 0.5 * tie_term) / 24.0;
        let z = (positive - 0.25 * m * (m + 1.0)) / variance.sqrt();
        alternative.tail(z, normal_two_sided(z))
    };
    let difference = mean(differences.iter().copied()).unwrap_or_default();
    Ok(PairedTest { difference, statistic: positive, p, n })
}

/// Tail of the sum of a random subset of the ranks `1..=n`. Counts stay below 2⁵⁰, so `f64` holds them exactly.
fn exact_rank_sum_p(n: usize, sum: usize, alternative: Alternative) -> f64 {
    let highest = n * (n + 1) / 2;
    let mut subsets = vec![0.0f64; highest + 1];
    subsets[0] = 1.0;
    for rank in 1..=n {
        for at in (rank..=highest).rev() {
            subsets[at] += subsets[at - rank];
        }
    }
    let all = (n as f64).exp2();
    let at_most = subsets[..=sum].iter().sum::<f64>() / all;
    let at_least = subsets[sum..].iter().sum::<f64>() / all;
    match alternative {
        Alternative::TwoSided => (2.0 * at_most.min(at_least)).min(1.0),
        Alternative::Greater => at_least,
        Alternative::Less => at_most,
    }
}

/// Bootstrap over units of the mean of `differences` `[n]`: both systems meet the same samples. Returns the interval
/// and the two-sided p, twice the smaller share of draws on one side of zero (the data itself counted as one more).
///
/// # Errors
/// As for [`bootstrap`](super::bootstrap), and a difference that is not finite.
pub fn paired_bootstrap(differences: &[f64], draws: &Draws) -> Result<(Bootstrap, f64)> {
    finite("differences", differences)?;
    let statistic = |sample: &[u32]| mean(sample.iter().map(|&unit| differences[unit as usize]));
    let interval = bootstrap(differences.len(), draws, statistic)?;
    let means: Vec<f64> =
        resample(differences.len() as u32, draws, &statistic).into_iter().flatten().collect();
    let share = |count: usize| (count + 1) as f64 / (means.len() + 1) as f64;
    let below = share(means.iter().filter(|&&m| m <= 0.0).count());
    let above = share(means.iter().filter(|&&m| m >= 0.0).count());
    Ok((interval, (2.0 * below.min(above)).min(1.0)))
}
