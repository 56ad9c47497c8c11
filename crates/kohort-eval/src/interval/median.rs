//! The median of a sample, whatever the distribution.

use super::bootstrap::{Interval, check_level, quantile};
use crate::error::{Result, finite};

/// Interval of the median between two order statistics (the sign test turned round): as many of `n` values lie below the median as heads come of
/// `n` fair coins. It covers at least `level`; `None` where too few values can, fewer than six for 0.95.
///
/// # Errors
/// A value that is not finite, a level outside (0, 1).
pub fn median_interval(values: &[f64], level: f64) -> Result<Option<Interval>> {
    check_level(level)?;
    finite("values", values)?;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    // The chance of `heads` heads, as a logarithm, for 2⁻ⁿ is soon too small for a number; and the chance of no more than these.
    let (mut chance, mut tail, mut left_out) = (-(n as f64) * std::f64::consts::LN_2, 0.0, 0);
    for heads in 0..n / 2 {
        tail += chance.exp();
        if tail > 0.5 * (1.0 - level) {
            break;
        }
        left_out = heads + 1;
        chance += ((n - heads) as f64 / (heads + 1) as f64).ln();
    }
    let ends = (left_out > 0).then(|| (sorted[left_out - 1], sorted[n - left_out]));
    let estimate = quantile(&sorted, 0.5);
    Ok(ends.zip(estimate).map(|((low, high), estimate)| Interval { estimate, low, high, level }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_those_of_the_sign_tests_table() {
        let ends = |n: u32| {
            let values: Vec<f64> = (1..=n).rev().map(f64::from).collect();
            median_interval(&values, 0.95).unwrap().map(|found| (found.low, found.high))
        };
        assert_eq!((ends(0), ends(5)), (None, None));
        assert_eq!(ends(6), Some((1.0, 6.0)));
        assert_eq!(ends(10), Some((2.0, 9.0)));
        assert_eq!(ends(20), Some((6.0, 15.0)));
        // Of many, where the binomial law is a normal one: 5,000 less 98, and as far above.
        assert_eq!(ends(10_000), Some((4902.0, 5099.0)));
        let estimate = median_interval(&[4.0, 1.0, 2.0, 3.0, 9.0, 0.0], 0.95).unwrap().unwrap().estimate;
        assert_eq!(estimate, 2.5);
        assert!(median_interval(&[1.0, f64::NAN], 0.95).is_err() && median_interval(&[1.0], 1.0).is_err());
    }
}
