//! Lift: how much more frequent an attribute is in a cohort than outside it.
//!
//! With a of n users of the cohort who have it, and b of m others:
//!
//! ```text
//! lift = ((a + ½) / (n + ½)) / ((b + ½) / (m + ½))
//! s²   = 1/(a + ½) − 1/(n + ½) + 1/(b + ½) − 1/(m + ½)
//! ends = lift · exp(∓ z s)
//! ```
//!
//! A ratio of two shares of different users, and its interval on the log scale. The halves keep it finite where a or b is 0, and
//! pull small counts towards 1. Note that "lift" elsewhere often has everybody below the line; everybody includes the cohort, so
//! that a large cohort could not stand out, and the two shares would not be independent.
//!
//! Sources: D. Katz, J. Baptista, S. P. Azen and M. C. Pike, "Obtaining confidence intervals for the risk ratio in cohort studies",
//! Biometrics 34, 1978; the halves: S. D. Walter, "The distribution of Levin's measure of attributable risk", Biometrika 62, 1975,
//! and H. M. Pettigrew, J. J. Gart and D. G. Thomas, "The bias and higher cumulants of the logarithm of a binomial variate", Biometrika
//! 73, 1986.

use serde::{Deserialize, Serialize};

/// A ratio of shares and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// The ratio; 1: as frequent inside as outside.
    pub lift: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Lift {
    /// Of `inside.0` users who have it among `inside.1` of the cohort, and `outside.0` among `outside.1` others, with an interval
    /// of `z` standard errors to each side.
    ///
    /// ```
    /// use kohort_cohorts::profile::Lift;
    ///
    /// let lift = Lift::new((30, 40), (10, 160), 1.96);
    /// assert!(lift.low > 5.0 && lift.lift > 11.0 && lift.high < 22.0);
    /// ```
    pub fn new(inside: (usize, usize), outside: (usize, usize), z: f64) -> Self {
        let [a, n, b, m] = [inside.0, inside.1, outside.0, outside.1].map(|count| count as f64 + 0.5);
        let lift = (a / n) / (b / m);
        let spread = (z * (1.0 / a - 1.0 / n + 1.0 / b - 1.0 / m).max(0.0).sqrt()).exp();
        Self { lift, low: lift / spread, high: lift * spread }
    }
}
