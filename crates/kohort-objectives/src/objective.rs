//! Summed losses with explicit denominators.
//!
//! `L = (1/D) Σ_n w_n·m_n·ℓ(p_n, t_n)` with row weights `w`, a mask `m ∈ {0, 1}`, and a denominator `D` that is stated,
//! never implied: papers and libraries differ there, and with masks the choice changes the balance of tasks. `D` belongs to
//! the whole batch, so it is computed here, before the batch is cut into shards.

use kohort_core::LossKind;
use serde::{Deserialize, Serialize};

use crate::ObjectiveError;

/// What is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Of each prediction and its target: MSE, MAE, BCE with logits.
    Entrywise(LossKind),
    /// Of a row of logits and its class.
    CrossEntropy,
}

/// What the sum is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Denominator {
    /// All rows of the batch, masked ones included: a rare task weighs less (arXiv 2310.03148's batch form).
    Rows,
    /// The unmasked rows: each task weighs the same however rare its labels are.
    #[default]
    Mask,
    /// The sum of weights over unmasked rows: a weighted mean.
    Weight,
    /// A number of the caller's.
    Fixed(f64),
}

/// One task's loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// What is summed.
    pub loss: Loss,
    /// What the sum is divided by.
    pub denominator: Denominator,
}

/// What a batch's loss needs besides predictions and targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Weight of each row, `[rows]`, 0 where masked; `None` where all are 1.
    pub weight: Option<Vec<f32>>,
    /// One over the denominator; 0 where no row counts, so that an absent task has loss 0 and no gradient.
    pub scale: f64,
}

impl Objective {
    /// Mean squared error, mean absolute error, or binary cross-entropy with logits.
    pub fn entrywise(kind: LossKind, denominator: Denominator) -> Objective {
        Objective { loss: Loss::Entrywise(kind), denominator }
    }

    /// Cross-entropy over classes.
    pub fn cross_entropy(denominator: Denominator) -> Objective {
        Objective { loss: Loss::CrossEntropy, denominator }
    }

    /// Weights and factor for a batch of `rows` rows with optional row weights and mask, each `[rows]`.
    ///
    /// # Errors
    /// If a length differs from `rows`, a weight is negative or not finite, or a fixed denominator is not positive.
    pub fn terms(
        &self,
        rows: usize,
        weight: Option<&[f32]>,
        mask: Option<&[bool]>,
    ) -> Result<Terms, ObjectiveError> {
        for (what, found) in
            [("row weights", weight.map(<[f32]>::len)), ("mask entries", mask.map(<[bool]>::len))]
        {
            if let Some(found) = found.filter(|&found| found != rows) {
                return Err(ObjectiveError::Length { what, found, expected: rows });
            }
        }
        if let Some((index, &value)) =
            weight.and_then(|w| w.iter().enumerate().find(|(_, w)| !w.is_finite() || **w < 0.0))
        {
            return Err(ObjectiveError::Weight { what: "row weight", index, value: f64::from(value) });
        }
        let weight: Option<Vec<f32>> = (weight.is_some() || mask.is_some()).then(|| {
            let of = |n: usize| if mask.is_none_or(|m| m[n]) { weight.map_or(1.0, |w| w[n]) } else { 0.0 };
            (0..rows).map(of).collect()
        });
        let denominator = match self.denominator {
            Denominator::Rows => rows as f64,
            Denominator::Mask => mask.map_or(rows, |m| m.iter().filter(|&&m| m).count()) as f64,
            Denominator::Weight => {
                weight.as_ref().map_or(rows as f64, |w| w.iter().map(|&w| f64::from(w)).sum())
            }
            Denominator::Fixed(value) if value > 0.0 && value.is_finite() => value,
            Denominator::Fixed(value) => return Err(ObjectiveError::Denominator { value }),
        };
        let absent = weight.as_ref().is_some_and(|weight| weight.iter().all(|&w| w == 0.0));
        let scale = if denominator > 0.0 && !absent { 1.0 / denominator } else { 0.0 };
        Ok(Terms { weight, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSE: LossKind = LossKind::Squared;

    #[test]
    fn each_denominator_counts_what_it_says() {
        let scale = |denominator, weight, mask| {
            Objective::entrywise(MSE, denominator).terms(4, weight, mask).map(|t| t.scale)
        };
        let weight = Some(&[1.0, 2.0, 3.0, 4.0][..]);
        let mask = Some(&[true, false, true, false][..]);
        assert_eq!(scale(Denominator::Rows, weight, mask), Ok(1.0 / 4.0));
        assert_eq!(scale(Denominator::Mask, weight, mask), Ok(1.0 / 2.0));
        assert_eq!(scale(Denominator::Weight, weight, mask), Ok(1.0 / 4.0));
        assert_eq!(scale(Denominator::Weight, None, None), Ok(1.0 / 4.0));
        assert_eq!(scale(Denominator::Fixed(8.0), weight, mask), Ok(1.0 / 8.0));
    }

    #[test]
    fn an_absent_task_has_scale_zero_whatever_the_denominator() {
        for denominator in
            [Denominator::Rows, Denominator::Mask, Denominator::Weight, Denominator::Fixed(8.0)]
        {
            let terms = |weight, mask| Objective::entrywise(MSE, denominator).terms(2, weight, mask);
            let absent = Ok(Terms { weight: Some(vec![0.0, 0.0]), scale: 0.0 });
            assert_eq!(terms(None, Some(&[false, false][..])), absent, "{denominator:?}");
            assert_eq!(terms(Some(&[0.0, 3.0][..]), Some(&[true, false][..])), absent, "{denominator:?}");
        }
    }

    #[test]
    fn bad_weights_masks_and_denominators_are_named() {
        let objective = Objective::entrywise(MSE, Denominator::Mask);
        let message = |weight: &[f32]| objective.terms(2, Some(weight), None).unwrap_err().to_string();
        assert_eq!(message(&[1.0, -1.0]), "row weight 1 is -1, expected a finite number of at least 0");
        assert_eq!(message(&[f32::NAN, 1.0]), "row weight 0 is NaN, expected a finite number of at least 0");
        assert_eq!(message(&[1.0]), "1 row weights, expected 2");
        let fixed = Objective::entrywise(MSE, Denominator::Fixed(0.0));
        assert_eq!(
            fixed.terms(2, None, None).unwrap_err().to_string(),
            "a fixed denominator of 0, expected a finite number above 0"
        );
    }
}
