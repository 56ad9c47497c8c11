//! Scores on binary labels: ROC-AUC, average precision, log-loss.
//!
//! With scores `s` `[n]` and labels `y` `[n]`, `n⁺` of them positive and `n⁻` negative:
//!
//! * `ROC-AUC = P(s⁺ > s⁻) + ½ P(s⁺ = s⁻) = (Σ rank⁺ − n⁺(n⁺+1)/2) / (n⁺ n⁻)` with mid-ranks for ties
//!   (Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982). Counted in integers:
//!   twice the number of won pairs, so the result is exact and does not depend on the order of the rows.
//! * `average precision = Σ_t (R_t − R_{t−1}) P_t` over the *distinct* scores `t`, highest first: a group of ties is
//!   one step of the curve. This is what most people (and scikit-learn) mean by PR-AUC; the trapezoid over the same
//!   curve is optimistic (Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006).
//! * `log-loss = −Σ (y ln p + (1−y) ln(1−p)) / n`.
//!
//! Both ranking numbers come from one sort: single-precision scores are mapped to integers of the same order and
//! radix-sorted with their label in the lowest bit. Nothing here starts a thread.
//!
//! When not to use it: with one class there is no ROC-AUC (the answer is `None`, not 0.5), and an AUC over all rows
//! mixes within-user and between-user order; for top-k lists use [`crate::ranking`].
//!
//! ```
//! use kohort_eval::binary::{average_precision, rank_scores, roc_auc};
//!
//! let scores = [0.9f32, 0.8, 0.8, 0.1];
//! let labels = [true, false, true, false];
//! assert_eq!(roc_auc(&scores, &labels)?, Some(0.875)); // 3 pairs won, 1 tied, of 4
//! assert_eq!(average_precision(&scores, &labels)?, Some(0.5 * 1.0 + 0.5 * 2.0 / 3.0));
//! assert_eq!(rank_scores(&scores, &labels)?.positives, 2); // both numbers for one sort
//! assert_eq!(roc_auc(&scores, &[true; 4])?, None); // one class only
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```

mod gain;
mod order;

pub use gain::RelativeGain;
pub use order::Score;
pub(crate) use order::ascending_key;

use crate::error::{EvalError, Result, at_least, same_length};

/// ROC-AUC and average precision from one sort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankScores {
    /// Rows.
    pub rows: u64,
    /// Rows with a positive label.
    pub positives: u64,
    /// `None` when only one class is present.
    pub roc_auc: Option<f64>,
    /// `None` when only one class is present (without positives there is no recall; without negatives it is 1 for
    /// every model).
    pub average_precision: Option<f64>,
}

/// ROC-AUC and average precision of `scores` `[n]` for `labels` `[n]`, from one sort.
///
/// Infinite scores are ordered like any other; `-0.0` and `0.0` are tied.
///
/// # Errors
/// Different lengths, no rows, or a NaN score.
pub fn rank_scores<F: Score>(scores: &[F], labels: &[bool]) -> Result<RankScores> {
    same_length(("scores", scores.len()), ("labels", labels.len()))?;
    at_least("scores", scores.len(), 1)?;
    let mut curve = Curve::default();
    if !F::walk_descending(scores, labels, |positives, negatives| curve.step(positives, negatives)) {
        let at = scores.iter().position(|&s| Into::<f64>::into(s).is_nan()).unwrap_or_default();
        return Err(EvalError::Value { name: "scores", at, value: f64::NAN, allowed: "any number but NaN" });
    }
    Ok(curve.finish())
}

/// ROC-AUC of `scores` `[n]` for `labels` `[n]`; `None` when only one class is present.
///
/// # Errors
/// As for [`rank_scores`].
pub fn roc_auc<F: Score>(scores: &[F], labels: &[bool]) -> Result<Option<f64>> {
    Ok(rank_scores(scores, labels)?.roc_auc)
}

/// Average precision of `scores` `[n]` for `labels` `[n]`; `None` when only one class is present.
///
/// # Errors
/// As for [`rank_scores`].
pub fn average_precision<F: Score>(scores: &[F], labels: &[bool]) -> Result<Option<f64>> {
    Ok(rank_scores(scores, labels)?.average_precision)
}

/// Mean negative log-likelihood of `labels` `[n]` under `probabilities` `[n]`, in nats.
///
/// Probabilities are moved away from 0 and 1 by the spacing of `f64` at 1 (2.2e-16), so a certain and wrong
/// prediction costs 36 nats, not infinity. scikit-learn does the same for `float64` input; for `float32` it clips
/// already at 1.2e-7.
///
/// # Errors
/// Different lengths, no rows, or a probability outside `[0, 1]`.
pub fn log_loss<F: Score>(probabilities: &[F], labels: &[bool]) -> Result<f64> {
    same_length(("probabilities", probabilities.len()), ("labels", labels.len()))?;
    at_least("probabilities", probabilities.len(), 1)?;
    let mut total = 0.0;
    for (at, (&p, &label)) in probabilities.iter().zip(labels).enumerate() {
        let p: f64 = p.into();
        if !(0.0..=1.0).contains(&p) {
            return Err(EvalError::Value { name: "probabilities", at, value: p, allowed: "0 to 1" });
        }
        let p = p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        total -= if label { p.ln() } else { (-p).ln_1p() };
    }
    Ok(total / labels.len() as f64)
}

/// Both curves, walked from the highest score down, one step per distinct score.
#[derive(Default)]
struct Curve {
    positives: u64,
    negatives: u64,
    twice_won: u64,
    precision_sum: f64,
}

impl Curve {
    #[inline(always)]
    fn step(&mut self, positives: u64, negatives: u64) {
        // A negative loses to every positive above it and halves the point with those at its own score. For fewer
        // than 2³² rows twice the number of pairs fits 64 bits.
        self.twice_won += negatives * (2 * self.positives + positives);
        self.positives += positives;
        self.negatives += negatives;
        // No branch on `positives > 0`: labels are close to random bits, so it would be mispredicted half the time.
        let precision = self.positives as f64 / (self.positives + self.negatives) as f64;
        self.precision_sum += positives as f64 * precision;
    }

    fn finish(self) -> RankScores {
        let Self { positives, negatives, twice_won, precision_sum } = self;
        let both = positives > 0 && negatives > 0;
        RankScores {
            rows: positives + negatives,
            positives,
            roc_auc: both.then(|| twice_won as f64 / (2.0 * positives as f64 * negatives as f64)),
            average_precision: both.then(|| precision_sum / positives as f64),
        }
    }
}
