//! What can be wrong with rules, with the rule's name.

use crate::ObjectiveError;

/// A rule that can't be applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A name that nothing has.
    #[error("rule `{rule}`: no {what} `{name}`, there are: {known}")]
    Unknown {
        /// The rule.
        rule: String,
        /// What was looked for: a task, a cohort, a column, a value of a column.
        what: String,
        /// The name that was not found.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A condition or factor that does not fit its column, or says nothing.
    #[error("rule `{rule}`, column `{column}`: {what}")]
    Condition {
        /// The rule.
        rule: String,
        /// The column.
        column: String,
        /// What is wrong.
        what: String,
    },
    /// A factor that is negative or not a number.
    #[error("rule `{rule}`: factor is {value}, expected a finite number of at least 0")]
    Factor {
        /// The rule.
        rule: String,
        /// The factor.
        value: f64,
    },
    /// A plan with such a factor.
    #[error("rule `{rule}`: {source}")]
    Schedule {
        /// The rule.
        rule: String,
        /// What is wrong with the plan.
        source: ObjectiveError,
    },
    /// Two rules that can't both be meant.
    #[error("rules `{first}` and `{second}` contradict each other: {what}")]
    Contradiction {
        /// One rule.
        first: String,
        /// The other.
        second: String,
        /// Why.
        what: String,
    },
    /// A row whose weight would be negative or not finite.
    #[error("rule `{rule}`: weight of row {row} becomes {value}, expected a finite number of at least 0")]
    Weight {
        /// The rule.
        rule: String,
        /// The row, from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// Rows that don't fit what rules were checked against.
    #[error("rows for rules: {what}")]
    Rows {
        /// What does not fit.
        what: String,
    },
}
