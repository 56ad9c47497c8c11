//! A measured curve, and whether it grows as it may.

use serde_json::{Value, json};

/// How cost may grow along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// With the quantity and no faster.
    Linear,
    /// Not at all.
    Flat,
    /// In whatever way: the curve is there to be seen.
    Shown,
}

/// A little above one: caches fill up on the way.
const LINEAR: f64 = 1.15;
/// The last point over the first.
const FLAT: f64 = 1.25;

pub(super) struct Point {
    pub(super) x: usize,
    /// Costs by rounds, milliseconds or what else the axis counts.
    pub(super) costs: Vec<f64>,
    /// The least that this machine can do it in, where that is known.
    pub(super) floor: Option<f64>,
}

impl Point {
    fn sorted(&self) -> Vec<f64> {
        let mut costs = self.costs.clone();
        costs.sort_by(f64::total_cmp);
        costs
    }

    pub(super) fn median(&self) -> f64 {
        let costs = self.sorted();
        match costs.len() {
            0 => f64::NAN,
            n => (costs[(n - 1) / 2] + costs[n / 2]) / 2.0,
        }
    }

    pub(super) fn of_floor(&self) -> Option<f64> {
        self.floor.map(|floor| self.median() / floor)
    }

    fn json(&self) -> Value {
        let costs = self.sorted();
        json!({
            "x": self.x,
            "cost": self.median(),
            "low": costs.first(),
            "high": costs.last(),
            "floor": self.floor,
            "of_floor": self.of_floor(),
        })
    }
}

pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) wanted: Wanted,
    pub(super) points: Vec<Point>,
}

impl Curve {
    /// Cost at the last point over that at the first.
    pub(super) fn times(&self) -> Option<f64> {
        Some(self.points.last()?.median() / self.points.first()?.median())
    }

    /// The exponent `p` of `cost ∝ x^p` between the last points: a fixed part of the cost hides growth at the first ones.
    pub(super) fn exponent(&self) -> Option<f64> {
        let [.., before, last] = &self.points[..] else { return None };
        let ln = |a: f64, b: f64| (a / b).ln();
        Some(ln(last.median(), before.median()) / ln(last.x as f64, before.x as f64))
    }

    /// What is wrong with it.
    pub(super) fn complaint(&self) -> Option<String> {
        // Written so that a NaN is named.
        let above = |value: f64, most: f64| value.is_nan() || value > most;
        match self.wanted {
            Wanted::Linear => {
                let p = self.exponent()?;
                above(p, LINEAR).then(|| format!("grows with the power {p:.2}, wanted {LINEAR}"))
            }
            Wanted::Flat => {
                let times = self.times()?;
                above(times, FLAT).then(|| format!("grows {times:.2} times, wanted {FLAT}"))
            }
            Wanted::Shown => None,
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "wanted": match self.wanted {
                Wanted::Linear => Some("linear"),
                Wanted::Flat => Some("flat"),
                Wanted::Shown => None,
            },
            "points": self.points.iter().map(Point::json).collect::<Value>(),
            "times": self.times(),
            "exponent": self.exponent(),
            "complaint": self.complaint(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(wanted: Wanted, cost: impl Fn(f64) -> f64) -> Curve {
        let point = |x: usize| Point { x, costs: vec![cost(x as f64)], floor: None };
        Curve { name: "step", wanted, points: [1, 10, 100, 1000].map(point).into() }
    }

    #[test]
    fn a_line_with_a_fixed_part_is_linear_and_a_square_is_not() {
        let line = curve(Wanted::Linear, |x| 5.0 + 2.0 * x);
        assert!(line.complaint().is_none() && line.exponent().unwrap() > 0.95);
        let square = curve(Wanted::Linear, |x| 5.0 + x * x);
        assert!(square.complaint().unwrap().contains("power 2.00"));
    }

    #[test]
    fn what_is_to_stay_may_not_follow_the_logarithm() {
        assert!(curve(Wanted::Flat, |_| 3.0).complaint().is_none());
        assert!(curve(Wanted::Flat, |x| 3.0 + x.ln()).complaint().is_some());
        assert!(curve(Wanted::Flat, |_| f64::NAN).complaint().is_some());
    }

    #[test]
    fn a_point_is_the_median_of_its_rounds() {
        let point = Point { x: 1, costs: vec![9.0, 1.0, 2.0], floor: Some(4.0) };
        assert_eq!((point.median(), point.of_floor()), (2.0, Some(0.5)));
        assert_eq!(point.json()["high"].as_f64(), Some(9.0));
    }
}
