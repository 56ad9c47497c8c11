//! Numbers as text: one place decides how many decimals, and that nothing infinite is ever printed.

/// Shown where there is no finite number.
pub(crate) const ABSENT: &str = "n/a";

/// `value` with `digits` decimals, or `n/a`.
pub(crate) fn number(value: Option<f64>, digits: usize) -> String {
    match value {
        Some(value) if value.is_finite() => {
            let text = format!("{value:.digits$}");
            let is_zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
            if is_zero { text.trim_start_matches('-').to_string() } else { text }
        }
        _ => ABSENT.to_string(),
    }
}

/// The interval around a mean: `± 0.0012` where it is symmetric at the shown decimals, `[0.91, 0.94]` where it is not.
pub(crate) fn interval(mean: f64, low: Option<f64>, high: Option<f64>, digits: usize) -> Option<String> {
    let (low, high) = (low.filter(|v| v.is_finite())?, high.filter(|v| v.is_finite())?);
    let last_digit = 10f64.powi(-i32::try_from(digits).unwrap_or(0));
    let (down, up) = (mean - low, high - mean);
    Some(if (down - up).abs() <= 1.5 * last_digit && down >= 0.0 {
        format!("± {}", number(Some(down.max(up)), digits))
    } else {
        format!("[{}, {}]", number(Some(low), digits), number(Some(high), digits))
    })
}

/// Decimals that tell neighbouring ticks of distance `step` apart.
pub(crate) fn digits_for_step(step: f64) -> usize {
    if !step.is_finite() || step <= 0.0 {
        return 0;
    }
    (0..12)
        .find(|&digits| {
            let scaled = step * 10f64.powi(digits);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .map_or(12, |digits| digits as usize)
}

/// A number with as few decimals as say it (up to six).
pub(crate) fn shortest(value: f64) -> String {
    let text = number(Some(value), 6);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_not_available() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(number(Some(value), 3), "n/a");
            assert_eq!(interval(1.0, Some(value), Some(2.0), 3), None);
            assert_eq!(shortest(value), "n/a");
        }
        assert_eq!(number(None, 3), "n/a");
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(number(Some(-0.0001), 3), "0.000");
        assert_eq!(number(Some(-0.001), 3), "-0.001");
    }

    #[test]
    fn a_lopsided_interval_is_written_out() {
        assert_eq!(interval(0.5, Some(0.4), Some(0.6), 3).unwrap(), "± 0.100");
        assert_eq!(interval(0.5, Some(0.45), Some(0.6), 3).unwrap(), "[0.450, 0.600]");
        assert_eq!(interval(0.5, Some(0.55), Some(0.6), 3).unwrap(), "[0.550, 0.600]");
    }

    #[test]
    fn ticks_get_the_decimals_they_need() {
        assert_eq!([0.05, 0.25, 1.0, 20.0].map(digits_for_step), [2, 2, 0, 0]);
        assert_eq!(digits_for_step(f64::NAN), 0);
        assert_eq!(shortest(0.5), "0.5");
        assert_eq!(shortest(100.0), "100");
    }
}
