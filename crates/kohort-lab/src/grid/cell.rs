//! One system, fitted once on one split from one seed.

use std::fmt;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::outcome::Outcome;

/// Which cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    /// The experiment it belongs to.
    pub(crate) experiment: String,
    /// The data set.
    pub(crate) dataset: String,
    /// The split.
    pub(crate) split: String,
    /// Seed of split and fit.
    pub(crate) seed: u64,
    /// Name of the system.
    pub(crate) system: String,
    /// Its title in tables.
    pub(crate) title: String,
    /// What differs from its main setting.
    pub(crate) variant: Option<String>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { experiment, dataset, split, seed, title, variant, .. } = self;
        write!(f, "{experiment}, {dataset}, {split}, seed {seed}, {title}")?;
        variant.as_ref().map_or(Ok(()), |variant| write!(f, " ({variant})"))
    }
}

impl Key {
    /// A file name without surprises; what makes it unique is the fingerprint that is added.
    pub(crate) fn stem(&self) -> String {
        let parts = [&self.experiment, &self.dataset, &self.split, &self.system];
        let mut text: Vec<String> = parts.into_iter().map(|part| plain(part)).collect();
        text.extend(self.variant.as_deref().map(plain));
        text.push(format!("seed{}", self.seed));
        text.join("_")
    }
}

fn plain(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '-' };
    text.replace("++", "pp").chars().map(keep).take(40).collect()
}

/// A cell to run.
pub(crate) struct Cell<'a> {
    /// Which one.
    pub(crate) key: Key,
    /// Expected seconds, only for the order and the estimate.
    pub(crate) cost: f64,
    /// Everything that changes its numbers, besides the key and the code.
    pub(crate) settings: Value,
    /// Makes its numbers.
    pub(crate) work: Work<'a>,
}

type Work<'a> = Box<dyn Fn() -> Result<Outcome> + Send + Sync + 'a>;

/// A cell's result, as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finished {
    /// Which one.
    pub(crate) key: Key,
    /// Checksum of settings, data and code.
    pub(crate) fingerprint: String,
    /// How long it took.
    pub(crate) seconds: f64,
    /// The numbers.
    pub(crate) outcome: Outcome,
}
