//! The strategies: `configs/objectives.toml`.

use anyhow::{Context, Result};
use kohort_models::multitask::{BalanceConfig, Body};
use kohort_objectives::rules::WeightRule;
use serde::Deserialize;

use crate::modules::{System, Weighed, weighed};

/// All strategies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    strategies: Vec<Strategy>,
}

/// One.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strategy {
    /// Name in cells.
    name: String,
    /// Name in tables.
    title: String,
    balance: BalanceConfig,
    #[serde(default)]
    rules: Vec<WeightRule>,
}

impl Settings {
    pub(super) fn read() -> Result<Settings> {
        toml::from_str(include_str!("../../configs/objectives.toml")).context("configs/objectives.toml")
    }

    /// The systems that are compared.
    pub(super) fn systems(&self, body: &Body) -> Vec<System> {
        let own: Vec<(&str, &str, Weighed)> = self
            .strategies
            .iter()
            .map(|s| {
                let weighed = Weighed { balance: s.balance.clone(), rules: s.rules.clone() };
                (s.name.as_str(), s.title.as_str(), weighed)
            })
            .collect();
        weighed(body, own.iter().map(|(name, title, weighed)| (*name, *title, weighed)))
    }
}
