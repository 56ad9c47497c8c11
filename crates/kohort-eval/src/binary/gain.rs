//! How much better than a baseline, in per cent of the baseline.

use serde::{Deserialize, Serialize};

/// A model's PR-AUC in one market beside the baseline's, with the prevalence that a random order would reach.
///
/// `gain = 100 · (model − baseline) / baseline` (R. Gampa et al., arXiv 2310.03148). A large gain may sit on a tiny base,
/// so the prevalence belongs beside it; gains of two markets compare only as each over its own baseline.
///
/// ```
/// use kohort_eval::binary::RelativeGain;
///
/// let scores = |model| RelativeGain { model, baseline: Some(0.2), prevalence: 0.1 };
/// assert!((scores(Some(0.25)).percent().unwrap() - 25.0).abs() < 1e-12);
/// assert_eq!(scores(None).percent(), None, "a market without positives has no gain");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RelativeGain {
    /// The model's value; `None` where it is undefined.
    pub model: Option<f64>,
    /// The baseline's value on the same rows.
    pub baseline: Option<f64>,
    /// Share of positives in these rows.
    pub prevalence: f64,
}

impl RelativeGain {
    /// From average precision on the same rows: `model` and `baseline` score `labels`, `[n]` each.
    ///
    /// # Errors
    /// As for [`average_precision`](super::average_precision).
    pub fn of<F: super::Score>(model: &[F], baseline: &[F], labels: &[bool]) -> crate::Result<Self> {
        let (model, baseline) = (super::rank_scores(model, labels)?, super::rank_scores(baseline, labels)?);
        Ok(Self {
            model: model.average_precision,
            baseline: baseline.average_precision,
            prevalence: model.positives as f64 / model.rows as f64,
        })
    }

    /// The gain in per cent of the baseline; `None` where one of the values is undefined or the baseline is 0.
    pub fn percent(&self) -> Option<f64> {
        let (model, baseline) = self.model.zip(self.baseline)?;
        (baseline > 0.0).then(|| 100.0 * (model - baseline) / baseline)
    }
}
