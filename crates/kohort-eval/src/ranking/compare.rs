//! Comparing two systems' rankings, only under the same protocol.

use super::per_unit::{PerUnit, RankingMetric};
use crate::error::{EvalError, Result, same_length};
use crate::interval::{Alternative, RunComparison, compare_runs};

/// [`compare_runs`] on one metric of the runs `a` `[seeds]` and `b` `[seeds]`.
///
/// # Errors
/// As for [`compare_runs`], and runs whose protocols differ: such numbers are not comparable.
pub fn compare_rankings(
    a: &[PerUnit],
    b: &[PerUnit],
    metric: RankingMetric,
    alternative: Alternative,
) -> Result<RunComparison> {
    same_length(("b", b.len()), ("a", a.len()))?;
    for (a, b) in a.iter().zip(b) {
        if a.protocol != b.protocol {
            let (value, allowed) =
                (format!("\"{}\"", b.protocol), format!("the other run's \"{}\"", a.protocol));
            return Err(EvalError::Setting { field: "protocol", value, allowed });
        }
    }
    let values =
        |runs: &[PerUnit]| runs.iter().map(|run| run.unit_values(metric)).collect::<Result<Vec<_>>>();
    compare_runs(&values(a)?, &values(b)?, alternative)
}
