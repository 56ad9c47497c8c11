//! What can be wrong with weights and masks.

/// An objective or balancer that was given what it can't use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectiveError {
    /// A weight that is negative or not a number.
    #[error("{what} {index} is {value}, expected a finite number of at least 0")]
    Weight {
        /// What the weight belongs to: `"row weight"`, `"weight of objective"`.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Lists of different lengths.
    #[error("{found} {what}, expected {expected}")]
    Length {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A denominator that is not positive.
    #[error("a fixed denominator of {value}, expected a finite number above 0")]
    Denominator {
        /// Its value.
        value: f64,
    },
    /// A balancer's setting outside what makes sense.
    #[error("{method}: {field} is {value}, expected {expected}")]
    Setting {
        /// The method's name.
        method: &'static str,
        /// The setting.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Saved state that does not fit a balancer.
    #[error("balancer state: {what}")]
    State {
        /// What does not fit.
        what: String,
    },
}
