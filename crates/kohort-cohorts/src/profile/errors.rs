//! What profiles can refuse.

/// Why cohorts could not be described.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Two lists that should describe the same users.
    #[error("{what}: {got}, expected {expected}")]
    Length {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A user or an attribute that does not exist.
    #[error("entry {entry}: {what} {value} does not exist, there are {count}")]
    Place {
        /// Entry, from 0.
        entry: usize,
        /// A user or an attribute.
        what: &'static str,
        /// Its number.
        value: u32,
        /// How many there are.
        count: usize,
    },
    /// A setting out of its range.
    #[error("{setting} = {value}: allowed is {allowed}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
}
