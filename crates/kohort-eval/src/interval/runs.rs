//! Comparing two systems over seeds and units at once.
//!
//! Seeds and units vary for different reasons, and pooling all `seeds × units` differences as if they were independent
//! makes every difference significant. So there are two answers, and both are returned:
//!
//! * **over units**: the differences are averaged over the seeds first, one number per unit, and a paired t-test runs
//!   over the units. "Would this hold for other users, for the recipe as trained here?" This is the main result.
//! * **over seeds**: the means over units are compared, one number per seed, and a paired t-test runs over the seeds.
//!   "Would this hold for other runs on these users?" With 5 seeds it has little power; look at the sign of each.
//!   Random splits by seed share most of their training rows, so these differences are not fully independent and
//!   the p-value is optimistic.
//!
//! ```
//! use kohort_eval::UnitValues;
//! use kohort_eval::interval::{Alternative, compare_runs};
//!
//! let run = |values: [f64; 3]| UnitValues::new(vec![1, 2, 3], values.map(Some).to_vec());
//! let ours = [run([0.9, 0.6, 0.4])?, run([0.8, 0.7, 0.5])?]; // two seeds, three users
//! let theirs = [run([0.7, 0.5, 0.4])?, run([0.7, 0.5, 0.3])?];
//! let result = compare_runs(&ours, &theirs, Alternative::TwoSided)?;
//! assert!((result.difference - 0.8 / 6.0).abs() < 1e-12);
//! assert_eq!(result.per_seed.len(), 2);
//! assert_eq!(result.over_units.unwrap().n, 3);
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```

use super::paired::{Alternative, PairedTest, paired_t_test};
use crate::error::{EvalError, Result, at_least, same_length};
use crate::units::{UnitValues, mean};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Two systems compared over seeds and units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunComparison {
    /// Mean over units of the mean difference over seeds, `a − b`.
    pub difference: f64,
    /// Difference of each unit, averaged over the seeds where both systems are defined.
    pub per_unit: UnitValues,
    /// Mean difference over the units of each seed, `[seeds]`.
    pub per_seed: Vec<f64>,
    /// Paired t-test over `per_unit`; `None` when it is undefined (one unit, or all differences equal).
    pub over_units: Option<PairedTest>,
    /// Paired t-test over `per_seed`; `None` when it is undefined (one seed, or all differences equal).
    pub over_seeds: Option<PairedTest>,
    /// Pairs of seed and unit left out because the metric is undefined for one of the systems.
    pub undefined: usize,
}

/// Compares the runs `a` `[seeds]` with the runs `b` `[seeds]`, run `i` of both having the same seed and split.
/// Units may differ from seed to seed (random splits), but not between `a` and `b`.
///
/// # Errors
/// Different numbers of runs, none at all, runs of one seed on different units, a seed without any unit where both
/// are defined.
pub fn compare_runs(a: &[UnitValues], b: &[UnitValues], alternative: Alternative) -> Result<RunComparison> {
    same_length(("b", b.len()), ("a", a.len()))?;
    at_least("a", a.len(), 1)?;
    let mut sums: BTreeMap<u32, (f64, usize)> = BTreeMap::new();
    let mut per_seed = Vec::with_capacity(a.len());
    let mut undefined = 0;
    for (seed, (a, b)) in a.iter().zip(b).enumerate() {
        if a.units() != b.units() {
            let allowed = "the same units in both runs of a seed".into();
            return Err(EvalError::Setting {
                field: "units",
                value: format!("different for seed {seed}"),
                allowed,
            });
        }
        let mut differences = Vec::new();
        for ((&unit, a), b) in a.units().iter().zip(a.values()).zip(b.values()) {
            let (Some(a), Some(b)) = (a, b) else {
                undefined += 1;
                continue;
            };
            let (sum, seeds) = sums.entry(unit).or_default();
            *sum += a - b;
            *seeds += 1;
            differences.push(a - b);
        }
        per_seed.push(mean(differences.into_iter()).ok_or(EvalError::Undefined {
            what: "the difference of a seed",
            why: "it has no unit for which both systems are defined",
        })?);
    }
    let (units, values) =
        sums.into_iter().map(|(unit, (sum, seeds))| (unit, Some(sum / seeds as f64))).unzip();
    let per_unit = UnitValues::new(units, values)?;
    // Every seed has a unit, so there is at least one.
    let difference = per_unit.mean().unwrap_or_default();
    let test = |differences: &[f64]| match paired_t_test(differences, alternative) {
        Ok(test) => Ok(Some(test)),
        Err(EvalError::TooFew { .. } | EvalError::Undefined { .. }) => Ok(None),
        Err(other) => Err(other),
    };
    let over_units = test(&per_unit.defined())?;
    let over_seeds = test(&per_seed)?;
    Ok(RunComparison { difference, per_unit, per_seed, over_units, over_seeds, undefined })
}
