//! Correction for testing several hypotheses at once.

use crate::error::{EvalError, Result};

/// Holm's adjusted p-values for `p` `[m]`, in the order given: sorted ascending, the i-th is multiplied by `m − i + 1`,
/// made monotone and cut at 1 (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
/// of Statistics 1979). Rejecting where the adjusted value is below α keeps the chance of any false rejection below α.
///
/// # Errors
/// A p-value outside `[0, 1]`.
pub fn holm(p: &[f64]) -> Result<Vec<f64>> {
    if let Some(at) = p.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(EvalError::Value { name: "p", at, value: p[at], allowed: "0 to 1" });
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut highest: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        highest = highest.max((p[at] * (p.len() - rank) as f64).min(1.0));
        adjusted[at] = highest;
    }
    Ok(adjusted)
}
