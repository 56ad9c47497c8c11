//! What a configuration of experts can get wrong.

/// A setting outside of what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}; allowed: {allowed}")]
pub struct ExpertError {
    /// The setting.
    pub field: &'static str,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

/// Refuses a setting unless it is allowed.
pub(super) fn require(
    holds: bool,
    field: &'static str,
    value: impl ToString,
    allowed: impl Into<String>,
) -> Result<(), ExpertError> {
    if holds {
        return Ok(());
    }
    Err(ExpertError { field, value: value.to_string(), allowed: allowed.into() })
}

/// Refuses a count of 0.
pub(super) fn at_least_one(field: &'static str, value: usize) -> Result<(), ExpertError> {
    require(value >= 1, field, value, "1 or more")
}
