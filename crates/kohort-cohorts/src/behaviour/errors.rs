//! What behaviour can refuse.

/// Why there are no features or no stages.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BehaviourError {
    /// Columns of different lengths.
    #[error("{column}: {got} entries, expected {expected}, one for each event")]
    Length {
        /// Which column.
        column: &'static str,
        /// Its length.
        got: usize,
        /// Number of events.
        expected: usize,
    },
    /// A user that does not exist.
    #[error("event {event}: user {user} does not exist, there are {users}")]
    User {
        /// Event, from 0.
        event: usize,
        /// Its user.
        user: u32,
        /// Users there are.
        users: usize,
    },
    /// A value that is NaN, infinite or too large.
    #[error("event {event}: value {value} is not allowed, it must be finite and at most 1e15 in magnitude")]
    Value {
        /// Event, from 0.
        event: usize,
        /// What stands there.
        value: f64,
    },
    /// A setting out of its range.
    #[error("{setting} = {value}: allowed is {allowed}")]
    Setting {
        /// The setting's name.
        setting: String,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// A feature that is NaN, infinite or too large.
    #[error(
        "user {user}, feature {feature}: {value} is not allowed, it must be undefined or finite and at most 1e15 in magnitude"
    )]
    Feature {
        /// User, from 0.
        user: usize,
        /// The feature's name.
        feature: String,
        /// What stands there.
        value: f64,
    },
    /// Not one value per user and column.
    #[error("{values} values do not fill rows of {columns} features")]
    Rows {
        /// Values given.
        values: usize,
        /// Features per row.
        columns: usize,
    },
    /// A feature that a rule or a user asks for and that is not there.
    #[error("no feature {name:?}; there are {known}")]
    NoFeature {
        /// What was asked for.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A threshold in another unit than the feature.
    #[error("feature {name:?} is in {is:?}, the rule's threshold in {asked:?}")]
    Unit {
        /// The feature.
        name: String,
        /// Its unit.
        is: String,
        /// The threshold's.
        asked: String,
    },
}
