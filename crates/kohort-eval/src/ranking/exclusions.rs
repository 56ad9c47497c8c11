//! Items that a unit is not asked about again.

use crate::error::{EvalError, Result, same_length};

/// Items that are not candidates for a unit, usually those it rated in the training part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exclusions {
    units: Vec<u32>,
    starts: Vec<usize>,
    items: Vec<u32>,
}

impl Exclusions {
    /// Excludes `items[i]` for `units[i]`; both are `[n]`, repetitions are harmless, `n` may be 0.
    ///
    /// # Errors
    /// Different lengths.
    pub fn new(units: &[u32], items: &[u32]) -> Result<Self> {
        same_length(("items", items.len()), ("units", units.len()))?;
        let mut pairs: Vec<(u32, u32)> = units.iter().copied().zip(items.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut exclusions = Self::default();
        for (at, &(unit, item)) in pairs.iter().enumerate() {
            if exclusions.units.last() != Some(&unit) {
                exclusions.units.push(unit);
                exclusions.starts.push(at);
            }
            exclusions.items.push(item);
        }
        exclusions.starts.push(pairs.len());
        Ok(exclusions)
    }

    /// The excluded items of `unit`, ascending and distinct.
    pub fn of(&self, unit: u32) -> &[u32] {
        match self.units.binary_search(&unit) {
            Ok(at) => &self.items[self.starts[at]..self.starts[at + 1]],
            Err(_) => &[],
        }
    }

    pub(super) fn check_items(&self, items: u32) -> Result<()> {
        within("excluded items", &self.items, items)
    }
}

/// Checks that every item is below `items`.
pub(super) fn within(name: &'static str, values: &[u32], items: u32) -> Result<()> {
    match values.iter().position(|&item| item >= items) {
        None => Ok(()),
        Some(at) => {
            let value = f64::from(values[at]);
            Err(EvalError::Value { name, at, value, allowed: "less than the number of items" })
        }
    }
}
