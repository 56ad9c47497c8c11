//! What can be wrong with the numbers handed to a metric.

use thiserror::Error;

/// Why a metric refused its input.
///
/// A metric that is merely *undefined* on valid input (ROC-AUC of one class) is not an error: it is `None`.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// Two slices that must describe the same rows have different lengths.
    #[error("`{name}` has {got} values but `{against}` has {expected}; both must describe the same rows")]
    Length {
        /// The slice that does not fit.
        name: &'static str,
        /// Its length.
        got: usize,
        /// The slice it was compared with.
        against: &'static str,
        /// That slice's length.
        expected: usize,
    },
    /// A slice is too short for the metric to mean anything.
    #[error("`{name}` has {got} values; at least {least} are needed")]
    TooFew {
        /// The slice.
        name: &'static str,
        /// Its length.
        got: usize,
        /// The smallest length that is allowed.
        least: usize,
    },
    /// One value of a slice is outside what is allowed.
    #[error("`{name}` is {value} at index {at}; allowed: {allowed}")]
    Value {
        /// The slice.
        name: &'static str,
        /// Position of the value.
        at: usize,
        /// The value.
        value: f64,
        /// What would have been accepted.
        allowed: &'static str,
    },
    /// A setting is outside what is allowed, or does not fit the data it is used with.
    #[error("`{field}` is {value}; allowed: {allowed}")]
    Setting {
        /// The setting.
        field: &'static str,
        /// What it was.
        value: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// A test statistic does not exist for these (valid) numbers.
    #[error("{what} is undefined: {why}")]
    Undefined {
        /// The statistic.
        what: &'static str,
        /// The reason.
        why: &'static str,
    },
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, EvalError>;

pub(crate) fn same_length(
    (name, got): (&'static str, usize),
    (against, expected): (&'static str, usize),
) -> Result<()> {
    if got == expected { Ok(()) } else { Err(EvalError::Length { name, got, against, expected }) }
}

pub(crate) fn at_least(name: &'static str, got: usize, least: usize) -> Result<()> {
    if got >= least { Ok(()) } else { Err(EvalError::TooFew { name, got, least }) }
}

pub(crate) fn finite(name: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(EvalError::Value { name, at, value: values[at], allowed: "finite numbers" }),
    }
}

pub(crate) fn setting(
    field: &'static str,
    value: impl ToString,
    allowed: impl Into<String>,
    holds: bool,
) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(EvalError::Setting { field, value: value.to_string(), allowed: allowed.into() })
    }
}
