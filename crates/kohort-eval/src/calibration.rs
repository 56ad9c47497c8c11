//! Calibration: does a probability of 0.3 come true three times in ten?
//!
//! With probabilities p and labels y, `[n]` each, cut into bins b of n_b rows:
//!
//! * reliability curve: (mean p, mean y) of every bin that has rows;
//! * `ECE = Σ_b n_b / n · |mean y − mean p|` (M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated
//!   probabilities using Bayesian binning", AAAI 2015), and MCE, the largest of the differences;
//! * `PCOC = Σ p / Σ y`, predicted clicks over clicks, 1 at best;
//! * `NE = log-loss / entropy of the base rate` (X. He et al., "Practical lessons from predicting clicks on ads at
//!   Facebook", ADKDD 2014): below 1 where the model knows more than the base rate.
//!
//! ECE depends on the bins: print them beside it, and compare only equal ones. A model that says the base rate to
//! everybody is perfectly calibrated and useless, so look at PR-AUC or NE too.
//!
//! ```
//! use kohort_eval::calibration::{Bins, calibration};
//!
//! let found = calibration(&[0.1f32, 0.1, 0.9, 0.9], &[false, false, true, false], Bins::EqualWidth { bins: 10 })?;
//! assert!((found.ece - (0.5 * 0.1 + 0.5 * 0.4)).abs() < 1e-7);
//! assert!((found.pcoc.unwrap() - 2.0).abs() < 1e-7);
//! assert_eq!(found.curve.len(), 2);
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```

use crate::binary::{Score, log_loss};
use crate::error::{EvalError, Result, setting};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How rows are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Bins {
    /// Bin b holds probabilities from b / bins up to, not including, (b + 1) / bins; the last one includes 1.
    EqualWidth {
        /// Bins, 1 to 2²⁰.
        bins: usize,
    },
    /// Bins of equally many rows (give or take one), lowest probabilities first; equal probabilities stay together in the
    /// bin of the first of them, so that the order of the rows does not matter.
    EqualMass {
        /// Bins, 1 to 2²⁰.
        bins: usize,
    },
}

impl Default for Bins {
    /// Fifteen of equal width, the most usual choice.
    fn default() -> Self {
        Self::EqualWidth { bins: 15 }
    }
}

impl fmt::Display for Bins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EqualWidth { bins } => write!(f, "{bins} bins of equal width"),
            Self::EqualMass { bins } => write!(f, "{bins} bins of equal mass"),
        }
    }
}

/// A point of the reliability curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Rows in the bin.
    pub rows: u64,
    /// Their mean probability.
    pub predicted: f64,
    /// Their share of positives.
    pub observed: f64,
}

/// Calibration of a set of probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The bins that were used.
    pub bins: Bins,
    /// Rows.
    pub rows: u64,
    /// Rows with a positive label.
    pub positives: u64,
    /// Expected calibration error, 0 to 1.
    pub ece: f64,
    /// Largest error of a bin, 0 to 1.
    pub mce: f64,
    /// Predicted over observed positives; `None` without positives.
    pub pcoc: Option<f64>,
    /// Normalised entropy; `None` when only one class is present.
    pub ne: Option<f64>,
    /// Points of the bins that have rows, lowest probabilities first.
    pub curve: Vec<Point>,
}

/// Calibration of `probabilities` `[n]` for `labels` `[n]`.
///
/// # Errors
/// Different lengths, no rows, a probability outside `[0, 1]`, a number of bins out of range.
pub fn calibration<F: Score>(probabilities: &[F], labels: &[bool], bins: Bins) -> Result<Calibration> {
    let (Bins::EqualWidth { bins: count } | Bins::EqualMass { bins: count }) = bins;
    setting("bins", count, "1 to 2^20", (1..=1 << 20).contains(&count))?;
    let loss = log_loss(probabilities, labels)?;
    // Sums over rows sorted by probability and label: the order of the rows changes no bit.
    let mut rows: Vec<(f64, bool)> =
        probabilities.iter().map(|&p| p.into()).zip(labels.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let n = rows.len();
    let bin_of = |at: usize| match bins {
        Bins::EqualWidth { .. } => ((rows[at].0 * count as f64) as usize).min(count - 1),
        Bins::EqualMass { .. } => rows.partition_point(|row| row.0 < rows[at].0) * count / n,
    };
    let mut curve: Vec<Point> = Vec::new();
    let (mut bin, mut from) = (bin_of(0), 0);
    for at in 1..=n {
        let next = if at < n { bin_of(at) } else { usize::MAX };
        if next != bin {
            let own = &rows[from..at];
            let size = own.len() as f64;
            curve.push(Point {
                rows: own.len() as u64,
                predicted: own.iter().map(|row| row.0).sum::<f64>() / size,
                observed: own.iter().filter(|row| row.1).count() as f64 / size,
            });
            (bin, from) = (next, at);
        }
    }
    let gap = |point: &Point| (point.observed - point.predicted).abs();
    let positives = labels.iter().filter(|&&label| label).count();
    let base = positives as f64 / n as f64;
    let entropy = -(base * base.ln() + (1.0 - base) * (1.0 - base).ln());
    let predicted: f64 = rows.iter().map(|row| row.0).sum();
    Ok(Calibration {
        bins,
        rows: n as u64,
        positives: positives as u64,
        ece: curve.iter().map(|point| point.rows as f64 / n as f64 * gap(point)).sum(),
        mce: curve.iter().map(gap).fold(0.0, f64::max),
        pcoc: (positives > 0).then(|| predicted / positives as f64),
        ne: (positives > 0 && positives < n).then(|| loss / entropy),
        curve,
    })
}

/// Calibration of each cohort, `[cohorts]`; `None` for a cohort without rows. `cohorts` `[n]` holds ids below `count`.
///
/// # Errors
/// As for [`calibration`]; a cohort that is not below `count`.
pub fn calibration_by_cohort<F: Score>(
    cohorts: &[u32],
    count: usize,
    probabilities: &[F],
    labels: &[bool],
    bins: Bins,
) -> Result<Vec<Option<Calibration>>> {
    crate::error::same_length(("cohorts", cohorts.len()), ("labels", labels.len()))?;
    crate::error::same_length(("probabilities", probabilities.len()), ("labels", labels.len()))?;
    let mut of: Vec<(Vec<F>, Vec<bool>)> = vec![(Vec::new(), Vec::new()); count];
    for (at, &cohort) in cohorts.iter().enumerate() {
        let Some((own, own_labels)) = of.get_mut(cohort as usize) else {
            let value = f64::from(cohort);
            return Err(EvalError::Value {
                name: "cohorts",
                at,
                value,
                allowed: "ids below the number of cohorts",
            });
        };
        own.push(probabilities[at]);
        own_labels.push(labels[at]);
    }
    of.iter()
        .map(|(own, labels)| (!own.is_empty()).then(|| calibration(own, labels, bins)).transpose())
        .collect()
}
