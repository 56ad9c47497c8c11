//! The setting: `configs/personalised.toml`.

use anyhow::{Context, Result};
use kohort_models::{groupce, stan};
use serde::{Deserialize, Serialize};

/// What all systems are made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// STAN and its ablations.
    pub(super) stan: stan::Config,
    /// GroupCE and its ablations.
    pub(super) groupce: groupce::Config,
}

impl Settings {
    pub(super) fn read() -> Result<Settings> {
        let settings: Settings = toml::from_str(include_str!("../../configs/personalised.toml"))
            .context("configs/personalised.toml")?;
        settings.stan.check()?;
        settings.groupce.check()?;
        Ok(settings)
    }
}
