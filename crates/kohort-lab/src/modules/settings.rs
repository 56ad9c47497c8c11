//! The comparison's setting: `configs/modules.toml`. What a system is made of is the same on all data sets; what a data set
//! asks for (widths of embeddings, rate, regularisation) was chosen on validation rows for the shared bottom and is
//! everybody's.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use kohort_models::multitask::body::AdapterKind;
use kohort_models::multitask::{AdaptConfig, Body, Config};
use serde::{Deserialize, Serialize};

use super::correlation;

/// Everything that the systems are made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Systems that are one body, by name.
    pub(crate) bodies: BTreeMap<String, Body>,
    /// Systems that are adapters on a trained shared bottom, by name.
    pub(crate) adapters: BTreeMap<String, AdapterKind>,
    /// What a data set asks for, by experiment.
    pub(crate) data: BTreeMap<String, ForData>,
    /// The synthetic experiment of the MMoE paper.
    pub(crate) correlation: correlation::Settings,
}

/// What a data set asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForData {
    /// All but the body.
    pub(crate) model: Config,
    /// All of an adapter's training but its kind.
    pub(crate) adapt: Adapt,
}

/// Training of adapters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adapt {
    /// Weight decay.
    pub(crate) decay: f64,
    /// Learning rate.
    pub(crate) learning_rate: f64,
    /// Whether the towers go on learning.
    pub(crate) towers: bool,
}

impl Settings {
    /// The setting of the comparison.
    pub(crate) fn read() -> Result<Settings> {
        let text = include_str!("../../configs/modules.toml");
        let settings: Settings = toml::from_str(text).context("configs/modules.toml")?;
        for data in settings.data.values() {
            data.model.check()?;
        }
        settings.correlation.check().context("configs/modules.toml")?;
        Ok(settings)
    }

    /// What an experiment's data set asks for.
    pub(crate) fn of(&self, experiment: &str) -> Result<&ForData> {
        self.data.get(experiment).with_context(|| format!("configs/modules.toml has no [data.{experiment}]"))
    }
}

impl ForData {
    /// A model with this body.
    pub(crate) fn with(&self, body: &Body) -> Config {
        Config { body: body.clone(), ..self.model.clone() }
    }

    /// Adapters of this kind.
    pub(crate) fn adapted(&self, kind: &AdapterKind) -> AdaptConfig {
        let train = kohort_models::trainer::TrainConfig {
            learning_rate: self.adapt.learning_rate,
            ..self.model.train
        };
        AdaptConfig {
            kind: kind.clone(),
            towers: self.adapt.towers,
            weigh_rows: self.model.weigh_rows,
            decay: self.adapt.decay,
            balance: kohort_models::multitask::BalanceConfig::default(),
            rules: Vec::new(),
            train,
        }
    }
}
