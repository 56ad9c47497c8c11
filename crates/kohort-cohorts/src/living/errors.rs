//! What living cohorts can refuse.

/// Why cohorts could not be continued, folded or voted on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LivingError {
    /// Two lists that should describe the same things.
    #[error("{what}: {got}, expected {expected}")]
    Length {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
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
    /// A cohort that is its own ancestor.
    #[error("parents: cohort {cohort} is its own ancestor")]
    Circle {
        /// One of the circle.
        cohort: u32,
    },
    /// A number that is NaN, infinite or too large.
    #[error("{what}[{index}] = {value}: allowed is {allowed}")]
    Value {
        /// In which list.
        what: &'static str,
        /// Where in it.
        index: usize,
        /// What stands there.
        value: f64,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A neighbour that is not among the known users.
    #[error("neighbour {user} does not exist, there are {users} known users")]
    Neighbour {
        /// Who was named.
        user: u32,
        /// Known users.
        users: usize,
    },
    /// Ids that could not be matched.
    #[error(transparent)]
    Match(#[from] crate::MatchError),
    /// Centres that are no points.
    #[error("centres: {0}")]
    Centres(#[from] crate::PointsError),
}
