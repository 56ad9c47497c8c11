//! The experiments' setting: `configs/territories.toml`, chosen on validation rows.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use kohort_data::upsample::Upsampling;
use kohort_models::{crossmarket, inputs, towers};
use serde::{Deserialize, Serialize};

/// Everything that the systems are made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Negatives a user among the test candidates, as published.
    pub(crate) negatives: u32,
    /// Groups with a block each.
    pub(crate) groups: usize,
    /// How they are made.
    pub(crate) group_by: GroupBy,
    /// The two samples of users.
    pub(crate) upsampling: Upsampling,
    /// The vectors that stand in for the paper's.
    pub(crate) inputs: inputs::Config,
    /// The two towers.
    pub(crate) towers: towers::Config,
    /// The two towers on planted data, whose rows carry their label.
    pub(crate) planted: towers::Config,
    /// The ranker for all markets.
    pub(crate) crossmarket: crossmarket::Config,
}

/// How territories are put in groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GroupBy {
    /// Major and minor ones mixed.
    Size,
    /// Those that watch the same things.
    Viewing,
    /// By a map from territory to group.
    Rule(BTreeMap<String, String>),
}

impl GroupBy {
    /// Name in variants.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            GroupBy::Size => "by size",
            GroupBy::Viewing => "by viewing",
            GroupBy::Rule(_) => "by rule",
        }
    }
}

impl Settings {
    /// The setting of the experiments.
    pub(crate) fn of_paper() -> Result<Settings> {
        let text = include_str!("../../configs/territories.toml");
        let settings: Settings = toml::from_str(text).context("configs/territories.toml")?;
        settings.towers.check()?;
        settings.planted.check()?;
        settings.crossmarket.check()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_read_and_in_range() {
        let settings = Settings::of_paper().unwrap();
        assert!(settings.groups >= 1 && settings.negatives == 99);
    }
}
