//! From values to positions, with round ticks.

use crate::number::{digits_for_step, number, shortest};

/// A value beyond this is treated as infinite.
const DRAWABLE: f64 = 1e100;

/// A linear or logarithmic map from `[low, high]` to `[from, to]`.
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// Covers the finite values among `values` (with `log`: the positive ones), with a margin of `pad` of the range.
    pub(super) fn over(values: impl Iterator<Item = f64>, log: bool, pad: f64, from: f64, to: f64) -> Self {
        // Beyond the drawable a range would overflow.
        let drawable = |v: &f64| v.abs() < DRAWABLE && (!log || *v > 0.0);
        let usable = values.filter(drawable).map(|v| if log { v.log10() } else { v });
        let (mut low, mut high) =
            usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // A range of nothing cannot be divided by.
        if high - low < 1e-12 * low.abs().max(1.0) {
            let half = if log { 0.5 } else { (low.abs() * 0.05).max(0.5) };
            (low, high) = (low - half, low + half);
        } else {
            let margin = pad * (high - low);
            (low, high) = (low - margin, high + margin);
        }
        Self { low, high, from, to, log }
    }

    /// Takes away the margin on the empty side of zero, so that bars stand on the axis; zero must be covered.
    pub(super) fn standing_on_zero(mut self, has_negative: bool) -> Self {
        if !has_negative {
            self.low = 0.0;
            self.high = self.high.max(f64::MIN_POSITIVE);
        }
        self
    }

    /// The position of `value`, or nothing where it has none.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value };
        (value.abs() < DRAWABLE)
            .then(|| self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from))
    }

    /// Round values inside the range with their texts; about `count` of them.
    pub(super) fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        if self.log {
            return self.log_ticks();
        }
        let raw = (self.high - self.low) / count as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= raw * 0.999);
        let step = step.unwrap_or(raw);
        let digits = digits_for_step(step);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).take(50).map(|i| i as f64 * step).map(|v| (v, number(Some(v), digits))).collect()
    }

    fn log_ticks(&self) -> Vec<(f64, String)> {
        let factors: &[f64] = if self.high - self.low < 1.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks = Vec::new();
        for power in (self.low.floor() as i32)..=(self.high.ceil() as i32) {
            for factor in factors {
                let value = factor * 10f64.powi(power);
                if value.is_finite() && value > 0.0 && (self.low..=self.high).contains(&value.log10()) {
                    ticks.push((value, shortest(value)));
                }
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::over([0.894, 0.961].into_iter(), false, 0.0, 0.0, 100.0);
        let texts: Vec<String> = scale.ticks(5).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["0.90", "0.92", "0.94", "0.96"]);
    }

    #[test]
    fn one_value_no_value_and_infinite_values_still_make_a_scale() {
        for values in [vec![], vec![3.0, 3.0], vec![f64::NAN, f64::INFINITY], vec![-f64::MAX, f64::MAX]] {
            let scale = Scale::over(values.iter().copied(), false, 0.1, 0.0, 100.0);
            assert!(scale.ticks(5).iter().all(|(value, _)| scale.at(*value).is_some()));
            for value in [f64::NAN, f64::INFINITY, f64::MAX] {
                assert_eq!(scale.at(value), None);
            }
        }
    }

    #[test]
    fn a_log_scale_puts_equal_factors_at_equal_distances() {
        let scale = Scale::over([0.1, 10.0].into_iter(), true, 0.0, 0.0, 100.0);
        assert_eq!([0.1, 1.0, 10.0, 0.0].map(|v| scale.at(v)), [Some(0.0), Some(50.0), Some(100.0), None]);
        assert_eq!(scale.ticks(5).len(), 3);
    }
}
