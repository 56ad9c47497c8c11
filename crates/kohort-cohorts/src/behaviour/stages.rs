//! Stages: a list of rules, of which the first that holds names a user's cohort.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BehaviourError, Features, Rule};

/// A name and when it applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Name of the cohort.
    pub name: String,
    /// When a user is in it, unless an earlier stage's rule holds.
    pub when: Rule,
}

impl Stage {
    /// A stage.
    pub fn new(name: impl Into<String>, when: Rule) -> Self {
        Self { name: name.into(), when }
    }
}

/// Stages in the order in which they are tried, and the stage of everybody else. Cannot be read back in a state that
/// [`Stages::new`] would refuse. Every user is in exactly one.
///
/// ```
/// use kohort_cohorts::behaviour::{Column, Features, Is, Rule, Stage, Stages};
///
/// // The stages of STAN, cut at medians: clicks, then length of stay, then purchases.
/// let columns = ["ctr", "stay", "cvr"].map(|name| Column::new(name, "")).to_vec();
/// let values = [0.1, 0.2, 0.1, 0.4, 0.1, 0.2, 0.5, 0.9, 0.1, 0.6, 0.9, 0.8].map(Some).to_vec();
/// let users = Features::new(columns, values)?;
/// let below = |name: &str| -> Result<Rule, Box<dyn std::error::Error>> {
///     Ok(Rule::when(name, Is::Below, users.median(name)?.ok_or("nobody has it")?, ""))
/// };
/// let stages = Stages::new(
///     vec![Stage::new("new", below("ctr")?), Stage::new("wander", below("stay")?), Stage::new("stick", below("cvr")?)],
///     "loyal",
/// )?;
/// assert_eq!(stages.assign(&users)?, [0, 0, 2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Stages {
    parts: Parts,
}

/// Stages as they are stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    stages: Vec<Stage>,
    otherwise: String,
}

impl TryFrom<Parts> for Stages {
    type Error = BehaviourError;

    fn try_from(parts: Parts) -> Result<Self, BehaviourError> {
        let stages = Self { parts };
        let names = stages.names();
        if let Some(at) =
            (0..names.len()).find(|&at| names[at].is_empty() || names[..at].contains(&names[at]))
        {
            return Err(BehaviourError::Setting {
                setting: format!("name of stage {at}"),
                value: format!("{:?}", names[at]),
                allowed: "a name that no earlier stage has",
            });
        }
        stages.parts.stages.iter().try_for_each(|stage| stage.when.check())?;
        Ok(stages)
    }
}

impl From<Stages> for Parts {
    fn from(stages: Stages) -> Self {
        stages.parts
    }
}

impl Stages {
    /// Stages in order, and the name of the last one, which takes the rest.
    ///
    /// # Errors
    /// An empty or repeated name, a threshold that is not finite.
    pub fn new(stages: Vec<Stage>, otherwise: impl Into<String>) -> Result<Self, BehaviourError> {
        Self::try_from(Parts { stages, otherwise: otherwise.into() })
    }

    /// The stages that have rules.
    pub fn stages(&self) -> &[Stage] {
        &self.parts.stages
    }

    /// Name of each label, `[stages + 1]`; the last is everybody else's.
    pub fn names(&self) -> Vec<&str> {
        let named = self.parts.stages.iter().map(|stage| stage.name.as_str());
        named.chain([self.parts.otherwise.as_str()]).collect()
    }

    /// The stage of each user, a place in [`names`](Self::names), `[users]`.
    ///
    /// # Errors
    /// A rule whose feature is not there, or in another unit.
    pub fn assign(&self, features: &Features) -> Result<Vec<u32>, BehaviourError> {
        self.stages().iter().try_for_each(|stage| stage.when.fits(features))?;
        let mut labels = Vec::with_capacity(features.users());
        for user in 0..features.users() {
            let mut label = self.stages().len();
            for (at, stage) in self.stages().iter().enumerate() {
                if stage.when.holds(features, user)? {
                    label = at;
                    break;
                }
            }
            labels.push(label as u32);
        }
        Ok(labels)
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, stage) in self.stages().iter().enumerate() {
            let word = if at == 0 { "if" } else { "else if" };
            writeln!(f, "{}: {word} {}", stage.name, stage.when)?;
        }
        let rest = if self.stages().is_empty() { "always" } else { "else" };
        writeln!(f, "{}: {rest}", self.parts.otherwise)
    }
}
