//! Population stability index: how far a distribution has moved.
//!
//! With `a_b` of `A` users in bin b before and `e_b` of `E` after, over B bins:
//!
//! ```text
//! p_b = (a_b + ½) / (A + B/2)        q_b = (e_b + ½) / (E + B/2)
//! PSI = Σ_b (q_b − p_b) ln(q_b / p_b)  ≥ 0
//! ```
//!
//! The half in each bin keeps an empty bin finite; without it, the index of a birth would be infinite. Below 0.1 is usually
//! called stable, up to 0.25 a moderate shift, from there on a large one (N. Siddiqi, "Credit Risk Scorecards", Wiley, 2006).
//! The thresholds are custom, not a test: under no change, `PSI · A·E/(A + E)` is about χ² with B − 1 degrees of freedom (B.
//! Yurdakul and J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model Validation 14,
//! 2020), so small samples drift by chance. [`Drift::expected`] is that mean, (B − 1)(1/A + 1/E).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::LivingError;
use crate::LARGEST;

/// The usual words for an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stability {
    /// Below 0.1.
    Stable,
    /// From 0.1, below 0.25.
    Moderate,
    /// From 0.25.
    Large,
}

/// An index and what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// PSI.
    pub index: f64,
    /// `(bin, its term of the sum)`; bins are cohorts, or quantile bins of a feature.
    pub terms: Vec<(u32, f64)>,
    /// What the index would be on average if nothing had changed, for as many users.
    pub expected: f64,
}

impl Drift {
    /// The usual word.
    pub fn stability(&self) -> Stability {
        match self.index {
            index if index < 0.1 => Stability::Stable,
            index if index < 0.25 => Stability::Moderate,
            _ => Stability::Large,
        }
    }

    fn new(bins: Vec<u32>, before: &[usize], after: &[usize]) -> Option<Self> {
        let (n, m): (usize, usize) = (before.iter().sum(), after.iter().sum());
        if n == 0 || m == 0 {
            return None;
        }
        let (n, m, b) = (n as f64, m as f64, bins.len() as f64);
        let term = |at: usize| {
            let p = (before[at] as f64 + 0.5) / (n + 0.5 * b);
            let q = (after[at] as f64 + 0.5) / (m + 0.5 * b);
            (q - p) * (q / p).ln()
        };
        let terms: Vec<(u32, f64)> = bins.iter().enumerate().map(|(at, &bin)| (bin, term(at))).collect();
        let index = terms.iter().map(|term| term.1).sum();
        Some(Self { index, terms, expected: (b - 1.0) * (1.0 / n + 1.0 / m) })
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.stability() {
            Stability::Stable => "stable",
            Stability::Moderate => "a moderate shift",
            Stability::Large => "a large shift",
        };
        write!(f, "population stability index {:.3}, {word}", self.index)?;
        if self.index > 0.0 && self.index <= self.expected {
            write!(f, " (no more than chance)")?;
        }
        Ok(())
    }
}

/// Over users counted by cohort, each bin a cohort of either side; `None` where one side has no users.
pub(super) fn drift_of_counts(before: &BTreeMap<u32, usize>, after: &BTreeMap<u32, usize>) -> Option<Drift> {
    let bins: BTreeSet<u32> = before.keys().chain(after.keys()).copied().collect();
    let bins: Vec<u32> = bins.into_iter().collect();
    let of = |counts: &BTreeMap<u32, usize>| -> Vec<usize> {
        bins.iter().map(|id| counts.get(id).copied().unwrap_or(0)).collect()
    };
    let (before, after) = (of(before), of(after));
    Drift::new(bins, &before, &after)
}

/// How far the shares of cohorts moved, from the cohort of each user before and after; the users may be others. `None` where one
/// side has no users.
///
/// ```
/// use kohort_cohorts::living::{Stability, drift_of_shares};
///
/// let before: Vec<u32> = [0, 1].repeat(500);
/// let after: Vec<u32> = [0, 1, 1, 1].repeat(250);
/// assert_eq!(drift_of_shares(&before, &before).map(|drift| drift.index), Some(0.0));
/// assert_eq!(drift_of_shares(&before, &after).map(|drift| drift.stability()), Some(Stability::Large));
/// ```
pub fn drift_of_shares(before: &[u32], after: &[u32]) -> Option<Drift> {
    let counts = |labels: &[u32]| {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        labels.iter().for_each(|&label| *counts.entry(label).or_insert(0) += 1);
        counts
    };
    drift_of_counts(&counts(before), &counts(after))
}

/// How far a feature moved, in `bins` bins that held equally many users before; bin b holds the values above the (b/bins)
/// quantile and up to the next. Equal values share a bin, so a feature of few values has fewer bins. Pass one cohort's users to
/// watch the inside of a cohort whose size stays the same. `None` where one side has no users.
///
/// # Errors
/// Fewer than 2 or more than 1000 bins, a value that is not finite.
pub fn drift_of_feature(before: &[f64], after: &[f64], bins: usize) -> Result<Option<Drift>, LivingError> {
    if !(2..=1000).contains(&bins) {
        return Err(LivingError::Setting { setting: "bins", value: bins.to_string(), allowed: "2 to 1000" });
    }
    for (what, values) in [("before", before), ("after", after)] {
        if let Some(index) = values.iter().position(|v| v.is_nan() || v.abs() > LARGEST) {
            let allowed = "a finite number, at most 1e15 in magnitude";
            return Err(LivingError::Value { what, index, value: values[index], allowed });
        }
    }
    let mut sorted = before.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(&largest) = sorted.last() else { return Ok(None) };
    // The last value of each bin but the last one.
    let mut ends: Vec<f64> =
        (1..bins).map(|b| sorted[(b * sorted.len()).div_ceil(bins).max(1) - 1]).collect();
    ends.dedup();
    // An end at the top would leave nothing above it, before at least.
    ends.retain(|&end| end < largest);
    let count = |values: &[f64]| {
        let mut counts = vec![0usize; ends.len() + 1];
        values.iter().for_each(|value| counts[ends.partition_point(|end| end < value)] += 1);
        counts
    };
    Ok(Drift::new((0..=ends.len() as u32).collect(), &count(before), &count(after)))
}
