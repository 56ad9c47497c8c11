//! Weights of rows by rules: "new users in JP: 3 × on conversion".
//!
//! A rule names a task or none, a cohort or none, and conditions on columns; a row that meets all of them has its weight in that task's
//! loss multiplied by the rule's factor. Factors of several rules multiply, starting from 1. [`Rules::new`] checks rules against
//! what there is, once; [`Rules::weights`] applies them to plain columns, and its result goes to
//! [`Objective::terms`](crate::Objective::terms). Metrics never see these weights: a weighted loss is a choice of training, a weighted metric would be
//! another question.
//!
//! ```
//! use kohort_objectives::rules::{Column, Kind, Known, Rules, Rows, WeightRule};
//!
//! // In TOML: name = "new users in JP", task = "conversion", factor = 3.0,
//! //          when = [{ column = "country", any-of = ["JP"] }, { column = "age", below = 30 }]
//! let rules: Vec<WeightRule> = serde_json::from_str(
//!     r#"[{ "name": "new users in JP", "task": "conversion", "factor": 3.0,
//!           "when": [{ "column": "country", "any-of": ["JP"] }, { "column": "age", "below": 30 }] }]"#,
//! )?;
//! let known = Known {
//!     tasks: vec!["click".into(), "conversion".into()],
//!     cohorts: vec![],
//!     columns: vec![
//!         ("country".into(), Kind::Names(vec!["DE".into(), "JP".into()])),
//!         ("age".into(), Kind::Numbers),
//!     ],
//! };
//! let rules = Rules::new(&rules, &known)?;
//! let columns = [Column::Codes(&[1, 1, 0]), Column::Numbers(&[3.0, 90.0, 3.0])];
//! let weights = rules.weights(Rows { count: 3, cohorts: &[], columns: &columns }, 0)?;
//! assert_eq!(weights, [None, Some(vec![3.0, 1.0, 1.0])]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checked;
mod error;

pub use checked::{Column, Rows, Rules};
pub use error::RuleError;

use serde::{Deserialize, Serialize};

use crate::Schedule;

/// A rule, as a config states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightRule {
    /// What errors call it.
    pub name: String,
    /// The task whose loss it weighs; all of them without one.
    #[serde(default)]
    pub task: Option<String>,
    /// The cohort whose rows it weighs; all of them without one.
    #[serde(default)]
    pub cohort: Option<String>,
    /// What a row must meet, all of it.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// What the weight is multiplied by.
    pub factor: Factor,
}

/// A test of one column: values or a range.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Condition {
    /// The column's name.
    pub column: String,
    /// Any of these values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Value>,
    /// At least this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Less than this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Of a column of numbers.
    Number(f64),
    /// Of a column of names.
    Name(String),
}

/// What a weight is multiplied by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Factor {
    /// This: `factor = 3.0`.
    Number(f64),
    /// A row's number in a column: `factor = { column = "price" }`.
    Column {
        /// The column's name.
        column: String,
    },
    /// A plan over steps: `factor = { schedule = { linear = { from = 1.0, to = 0.0, steps = 1000 } } }`.
    Schedule {
        /// The plan.
        schedule: Schedule,
    },
}

/// What rules may speak of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Names of tasks, in the order of the weights.
    pub tasks: Vec<String>,
    /// Names of cohorts, by id.
    pub cohorts: Vec<String>,
    /// Names and kinds of columns, in the order in which they will be handed over.
    pub columns: Vec<(String, Kind)>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Numbers; NaN where one is missing, which meets no condition.
    Numbers,
    /// Codes of these names.
    Names(Vec<String>),
}
