//! What a cell leaves behind: numbers, per-user values for tests, bootstrap draws, lines for plots, counts.

use kohort_eval::UnitValues;
use serde::{Deserialize, Serialize};

/// What a cell leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The numbers of the report.
    pub(crate) numbers: Vec<Number>,
    /// The same number for every user, for paired tests and intervals over users.
    pub(crate) per_user: Vec<PerUser>,
    /// Numbers that do not exist on this data, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) undefined: Vec<Undefined>,
    /// Metrics that are no mean over users, on samples of the users that all systems share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) draws: Vec<Drawn>,
    /// Lines for plots: training curves, entropies, histograms.
    #[serde(default)]
    pub(crate) curves: Vec<Curve>,
    /// Counts that belong beside the numbers.
    #[serde(default)]
    pub(crate) counts: Vec<(String, f64)>,
    /// Named matrices for heat maps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) matrices: Vec<Matrix>,
    /// What a monitor had to say, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) remarks: Vec<String>,
}

/// Numbers by row and column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Matrix {
    pub(crate) name: String,
    pub(crate) rows: Vec<String>,
    pub(crate) columns: Vec<String>,
    /// `[rows, columns]`; nothing where there is no number.
    pub(crate) values: Vec<Vec<Option<f64>>>,
}

/// One number of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Number {
    pub(crate) protocol: String,
    pub(crate) task: String,
    pub(crate) cohort: Option<String>,
    pub(crate) metric: String,
    pub(crate) value: f64,
    /// What a random order gets on this very test part.
    pub(crate) floor: Option<f64>,
    /// What an oracle gets on it.
    pub(crate) ceiling: Option<f64>,
}

impl Outcome {
    /// Everything measured on one part of the users.
    pub(crate) fn of(mut self, cohort: &str) -> Outcome {
        self.numbers.iter_mut().for_each(|number| number.cohort = Some(cohort.to_owned()));
        self.per_user.iter_mut().for_each(|users| users.cohort = Some(cohort.to_owned()));
        self.undefined.iter_mut().for_each(|number| number.cohort = Some(cohort.to_owned()));
        self.draws.iter_mut().for_each(|drawn| drawn.cohort = Some(cohort.to_owned()));
        self.counts.iter_mut().for_each(|(name, _)| *name = format!("{cohort}: {name}"));
        self
    }

    /// Adds what another measurement found.
    pub(crate) fn extend(&mut self, other: Outcome) {
        self.numbers.extend(other.numbers);
        self.per_user.extend(other.per_user);
        self.undefined.extend(other.undefined);
        self.draws.extend(other.draws);
        self.curves.extend(other.curves);
        self.counts.extend(other.counts);
        self.matrices.extend(other.matrices);
        self.remarks.extend(other.remarks);
    }

    /// A line by its name.
    pub(crate) fn curve(&self, name: &str) -> Option<&Curve> {
        self.curves.iter().find(|curve| curve.name == name)
    }
}

impl Number {
    /// A number without floor and ceiling.
    pub(crate) fn new(protocol: &str, task: &str, metric: impl Into<String>, value: f64) -> Number {
        Number {
            protocol: protocol.to_owned(),
            task: task.to_owned(),
            cohort: None,
            metric: metric.into(),
            value,
            floor: None,
            ceiling: None,
        }
    }

    /// Says which part of the users it is about.
    pub(crate) fn of(mut self, cohort: &str) -> Number {
        self.cohort = Some(cohort.to_owned());
        self
    }

    /// Sets floor and ceiling.
    pub(crate) fn between(mut self, floor: Option<f64>, ceiling: Option<f64>) -> Number {
        (self.floor, self.ceiling) = (floor, ceiling);
        self
    }
}

/// A metric for every user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PerUser {
    pub(crate) protocol: String,
    pub(crate) cohort: Option<String>,
    pub(crate) metric: String,
    pub(crate) values: UnitValues,
}

/// Name of the per-user series behind RMSE.
pub(crate) const SQUARED_ERROR: &str = "squared error";

/// A number that this data cannot give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undefined {
    pub(crate) protocol: String,
    pub(crate) task: String,
    pub(crate) cohort: Option<String>,
    pub(crate) metric: String,
    /// What is missing.
    pub(crate) why: String,
}

/// A metric on samples of the users: sample n is the same for every system and seed of the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Drawn {
    pub(crate) protocol: String,
    pub(crate) cohort: Option<String>,
    pub(crate) metric: String,
    /// One a sample; single precision, because they only ever make intervals.
    pub(crate) values: Vec<f32>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}
