//! How cohorts are looked for: `configs/discovery.toml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use kohort_cohorts::graph::Projection;
use serde::{Deserialize, Serialize};

use super::drill;

/// Everything that is not a model's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Width of the vectors.
    pub(crate) vectors: usize,
    /// Nearest others of a user.
    pub(crate) neighbours: usize,
    /// Items with more users are not searched.
    pub(crate) most_popular: usize,
    /// Least share of the users that is a cohort.
    pub(crate) least_share: f64,
    /// Pairs of bootstrap samples.
    pub(crate) pairs: usize,
    /// Rows that silhouettes are taken of.
    pub(crate) silhouette: usize,
    /// Share of the users whom the earlier fit of the flow sees.
    pub(crate) earlier: f64,
    /// Attributes that profiles look at.
    pub(crate) attributes: usize,
    /// Communities asked for, by experiment.
    pub(crate) clusters: BTreeMap<String, usize>,
    /// The drift drill.
    pub(crate) drill: drill::Settings,
}

impl Settings {
    /// The setting of the experiments.
    pub(crate) fn read() -> Result<Settings> {
        toml::from_str(include_str!("../../configs/discovery.toml")).context("configs/discovery.toml")
    }

    /// Communities asked for on an experiment's data.
    pub(crate) fn clusters(&self, experiment: &str) -> Result<usize> {
        let clusters = self.clusters.get(experiment).copied();
        clusters.with_context(|| format!("configs/discovery.toml has no number of clusters for {experiment}"))
    }

    /// How users become each other's nearest by what they took.
    pub(crate) fn projection(&self) -> Projection {
        let Settings { neighbours, most_popular, .. } = *self;
        Projection { neighbours, most_popular, ..Projection::default() }
    }

    /// Users whom a cohort must have, of so many.
    pub(crate) fn least(&self, users: usize) -> usize {
        (self.least_share * users as f64).ceil() as usize
    }
}
