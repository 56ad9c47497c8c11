//! One value per unit, the currency between metrics and paired tests.

use crate::error::{EvalError, Result, same_length};
use serde::{Deserialize, Serialize};

/// A metric's value for every unit (user or group); `None` where the metric is undefined for the unit.
///
/// Paired tests compare two of these unit by unit, so they keep the ids: two runs that were not measured on the same
/// units cannot be compared by accident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitValues {
    units: Vec<u32>,
    values: Vec<Option<f64>>,
}

impl UnitValues {
    /// Pairs `units` `[n]` (strictly ascending ids) with `values` `[n]`.
    ///
    /// # Errors
    /// [`EvalError::Length`] when the lengths differ, [`EvalError::Value`] when ids are not strictly ascending or a
    /// value is not finite.
    pub fn new(units: Vec<u32>, values: Vec<Option<f64>>) -> Result<Self> {
        same_length(("values", values.len()), ("units", units.len()))?;
        if let Some(at) = units.windows(2).position(|pair| pair[0] >= pair[1]) {
            let value = f64::from(units[at + 1]);
            return Err(EvalError::Value {
                name: "units",
                at: at + 1,
                value,
                allowed: "strictly ascending ids",
            });
        }
        for (at, value) in values.iter().enumerate() {
            if let Some(value) = *value
                && !value.is_finite()
            {
                return Err(EvalError::Value {
                    name: "values",
                    at,
                    value,
                    allowed: "finite numbers or none",
                });
            }
        }
        Ok(Self { units, values })
    }

    /// Ids of the units, strictly ascending, `[n]`.
    pub fn units(&self) -> &[u32] {
        &self.units
    }

    /// Values in the order of [`units`](Self::units), `[n]`.
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// Only the defined values, in unit order.
    pub fn defined(&self) -> Vec<f64> {
        self.values.iter().flatten().copied().collect()
    }

    /// Mean over the units where the metric is defined; `None` if there is no such unit.
    pub fn mean(&self) -> Option<f64> {
        mean(self.values.iter().flatten().copied())
    }
}

/// Mean in the order of iteration, `None` for nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sum = 0.0;
    let mut n = 0usize;
    for value in values {
        sum += value;
        n += 1;
    }
    (n > 0).then(|| sum / n as f64)
}
