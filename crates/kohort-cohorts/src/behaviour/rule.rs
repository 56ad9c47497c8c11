//! A condition on features, as a value: it can be stored, read aloud and applied.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BehaviourError, Features};
use crate::LARGEST;

/// How deep conditions may lie in one another; reading deeper ones would use up the stack.
const DEEPEST: usize = 32;

/// How a feature is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Is {
    /// `≥`
    AtLeast,
    /// `>`
    Above,
    /// `≤`
    AtMost,
    /// `<`
    Below,
}

/// A feature compared with a threshold. Never holds for a user whose feature is undefined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The feature's name.
    pub feature: String,
    /// How it is compared.
    pub is: Is,
    /// The threshold, finite.
    pub threshold: f64,
    /// Its unit, which must be the feature's.
    pub unit: String,
}

/// A condition, or several joined.
///
/// ```
/// use kohort_cohorts::behaviour::{Is, Rule};
///
/// let rule = Rule::All(vec![
///     Rule::when("recency", Is::Below, 14.0, "days"),
///     Rule::Any(vec![Rule::when("tenure", Is::AtMost, 30.0, "days"), Rule::when("trend", Is::AtLeast, 1.0, "doublings")]),
/// ]);
/// assert_eq!(
///     rule.to_string(),
///     "recency is below 14 days and (tenure is at most 30 days or trend is at least 1 doublings)"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// One comparison.
    When(Condition),
    /// All of them hold; so it is for none.
    All(Vec<Rule>),
    /// At least one holds; not so for none.
    Any(Vec<Rule>),
    /// It does not hold, which is so where its feature is undefined.
    Not(Box<Rule>),
}

impl Rule {
    /// One comparison.
    pub fn when(feature: impl Into<String>, is: Is, threshold: f64, unit: impl Into<String>) -> Self {
        Self::When(Condition { feature: feature.into(), is, threshold, unit: unit.into() })
    }

    /// Whether thresholds are finite and joined conditions not too deep, wherever they come from.
    ///
    /// # Errors
    /// Names the threshold.
    pub fn check(&self) -> Result<(), BehaviourError> {
        self.check_below(0)
    }

    fn check_below(&self, depth: usize) -> Result<(), BehaviourError> {
        if depth > DEEPEST {
            return Err(BehaviourError::Setting {
                setting: "rule".to_owned(),
                value: format!("conditions {depth} deep"),
                allowed: "at most 32 conditions inside one another",
            });
        }
        match self {
            Self::When(condition) if condition.threshold.is_nan() || condition.threshold.abs() > LARGEST => {
                Err(BehaviourError::Setting {
                    setting: format!("threshold of {}", condition.feature),
                    value: condition.threshold.to_string(),
                    allowed: "a finite number, at most 1e15 in magnitude",
                })
            }
            Self::When(_) => Ok(()),
            Self::All(rules) | Self::Any(rules) => {
                rules.iter().try_for_each(|rule| rule.check_below(depth + 1))
            }
            Self::Not(rule) => rule.check_below(depth + 1),
        }
    }

    /// Whether every feature is there, in the unit of its threshold.
    ///
    /// # Errors
    /// A feature that is not there, or is in another unit.
    pub fn fits(&self, features: &Features) -> Result<(), BehaviourError> {
        match self {
            Self::When(condition) => {
                let column = &features.columns()[features.position(&condition.feature)?];
                if column.unit == condition.unit {
                    return Ok(());
                }
                Err(BehaviourError::Unit {
                    name: column.name.clone(),
                    is: column.unit.clone(),
                    asked: condition.unit.clone(),
                })
            }
            Self::All(rules) | Self::Any(rules) => rules.iter().try_for_each(|rule| rule.fits(features)),
            Self::Not(rule) => rule.fits(features),
        }
    }

    /// Whether it holds for a user.
    ///
    /// # Errors
    /// A feature that is not there.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn holds(&self, features: &Features, user: usize) -> Result<bool, BehaviourError> {
        Ok(match self {
            Self::When(condition) => {
                let value = features.row(user)[features.position(&condition.feature)?];
                value.is_some_and(|value| condition.is.holds(value, condition.threshold))
            }
            Self::All(rules) => {
                for rule in rules {
                    if !rule.holds(features, user)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Any(rules) => {
                for rule in rules {
                    if rule.holds(features, user)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(rule) => !rule.holds(features, user)?,
        })
    }
}

impl Is {
    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::AtMost => value <= threshold,
            Self::Below => value < threshold,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::Above => "above",
            Self::AtMost => "at most",
            Self::Below => "below",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // "is at least 1 events": the name of a count is its unit.
        write!(f, "{} is {} {}", self.feature, self.is.words(), self.threshold)?;
        let said = self.unit.is_empty() || self.unit == self.feature;
        if said { Ok(()) } else { write!(f, " {}", self.unit) }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rules, word, of_none) = match self {
            Self::When(condition) => return condition.fmt(f),
            Self::Not(rule) => return write!(f, "not ({rule})"),
            Self::All(rules) => (rules, " and ", "always"),
            Self::Any(rules) => (rules, " or ", "never"),
        };
        if rules.is_empty() {
            return f.write_str(of_none);
        }
        for (at, rule) in rules.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { word })?;
            match rule {
                Self::All(inner) | Self::Any(inner) if rules.len() > 1 && inner.len() > 1 => {
                    write!(f, "({rule})")?
                }
                _ => rule.fmt(f)?,
            }
        }
        Ok(())
    }
}
