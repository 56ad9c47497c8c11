//! Errors of predicted ratings.
//!
//! With predictions `p` and targets `r`, both `[n]`:
//! `RMSE = √(Σ (p−r)² / n)`, `MAE = Σ |p−r| / n`. Sums run in `f64` in the order of the rows.
//!
//! ```
//! use kohort_eval::rating::{mae, rmse};
//!
//! let predicted = [3.0f32, 4.0, 5.0];
//! let rated = [3.0f32, 2.0, 5.0];
//! assert_eq!(mae(&predicted, &rated)?, 2.0 / 3.0);
//! assert_eq!(rmse(&predicted, &rated)?, (4.0f64 / 3.0).sqrt());
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```

use crate::binary::Score;
use crate::error::{EvalError, Result, at_least, same_length};
use crate::units::UnitValues;
use std::collections::BTreeMap;

/// Root mean squared error of `prediction` `[n]` against `target` `[n]`, in units of the rating.
///
/// # Errors
/// Different lengths, no rows, or a value that is not finite.
pub fn rmse<F: Score>(prediction: &[F], target: &[F]) -> Result<f64> {
    Ok((sum(prediction, target, |e| e * e)? / prediction.len() as f64).sqrt())
}

/// Mean absolute error of `prediction` `[n]` against `target` `[n]`, in units of the rating.
///
/// # Errors
/// As for [`rmse`].
pub fn mae<F: Score>(prediction: &[F], target: &[F]) -> Result<f64> {
    Ok(sum(prediction, target, f64::abs)? / prediction.len() as f64)
}

/// Mean squared error of every unit's rows, for paired tests: `units`, `prediction` and `target` are `[n]`.
///
/// The mean of these values weights units equally, so it is not the square of the pooled RMSE, which weights rows.
///
/// # Errors
/// As for [`rmse`].
pub fn squared_error_by_unit<F: Score>(units: &[u32], prediction: &[F], target: &[F]) -> Result<UnitValues> {
    by_unit(units, prediction, target, |e| e * e)
}

/// Mean absolute error of every unit's rows, for paired tests: `units`, `prediction` and `target` are `[n]`.
///
/// # Errors
/// As for [`rmse`].
pub fn absolute_error_by_unit<F: Score>(units: &[u32], prediction: &[F], target: &[F]) -> Result<UnitValues> {
    by_unit(units, prediction, target, f64::abs)
}

fn sum<F: Score>(prediction: &[F], target: &[F], loss: impl Fn(f64) -> f64) -> Result<f64> {
    let mut total = 0.0;
    each_error(prediction, target, |_, error| total += loss(error))?;
    Ok(total)
}

fn by_unit<F: Score>(
    units: &[u32],
    prediction: &[F],
    target: &[F],
    loss: impl Fn(f64) -> f64,
) -> Result<UnitValues> {
    same_length(("units", units.len()), ("target", target.len()))?;
    let mut sums: BTreeMap<u32, (f64, u64)> = BTreeMap::new();
    each_error(prediction, target, |row, error| {
        let (sum, rows) = sums.entry(units[row]).or_default();
        *sum += loss(error);
        *rows += 1;
    })?;
    let (units, values) = sums.into_iter().map(|(unit, (sum, rows))| (unit, Some(sum / rows as f64))).unzip();
    UnitValues::new(units, values)
}

fn each_error<F: Score>(prediction: &[F], target: &[F], mut visit: impl FnMut(usize, f64)) -> Result<()> {
    same_length(("prediction", prediction.len()), ("target", target.len()))?;
    at_least("prediction", prediction.len(), 1)?;
    for (at, (&p, &r)) in prediction.iter().zip(target).enumerate() {
        let (p, r): (f64, f64) = (p.into(), r.into());
        for (name, value) in [("prediction", p), ("target", r)] {
            if !value.is_finite() {
                return Err(EvalError::Value { name, at, value, allowed: "finite numbers" });
            }
        }
        visit(at, p - r);
    }
    Ok(())
}
