//! The synthetic experiment of the MMoE paper (Ma et al., KDD 2018, section 5.1): two regression tasks whose weights have a
//! stated cosine, learned by a shared bottom, a mixture with one gate, and one with a gate for each task, all of one size.
//!
//! A run is a data set and a fit. The number of a cell is a task's mean squared error on test rows over the variance of the
//! task, averaged over both tasks and the cell's runs; all models of a run see the same data.

use anyhow::Result;
use kohort_data::records::RecordShares;
use kohort_data::synthetic::MmoeRecipe;
use kohort_layers::Hierarchy;
use kohort_layers::experts::{ExpertConfig, MixtureConfig};
use kohort_models::multitask::{self, Body, Config, Input, Predict, body::SharedBottomConfig};
use kohort_models::trainer::TrainConfig;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::grid::{Cell, Key};
use crate::outcome::{Number, Outcome};
use crate::paper::Scope;

/// Name of the experiment.
pub(crate) const NAME: &str = "correlation";

/// Name of its data with sines of this steepness.
pub(crate) fn dataset(steepness: f64) -> String {
    format!("mmoe synthetic, steepness {steepness}")
}

/// The metric.
pub(crate) const ERROR: &str = "MSE / variance";

/// Sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Cosines of the tasks' weights.
    pub(crate) cosines: Vec<f64>,
    /// Deviations of the sines' α.
    pub(crate) steepness: Vec<f64>,
    /// Runs for each seed of the report.
    pub(crate) runs: usize,
    /// Rows of a data set.
    pub(crate) rows: usize,
    /// Number of experts.
    pub(crate) experts: usize,
    /// Width of an expert.
    pub(crate) expert: usize,
    /// Width of the shared bottom.
    pub(crate) bottom: usize,
    /// Width of a tower.
    pub(crate) tower: usize,
    /// Epochs at most.
    pub(crate) epochs: usize,
    /// Rows of a batch.
    pub(crate) batch: usize,
    /// Adam's learning rate.
    pub(crate) learning_rate: f64,
}

/// The models, by name and title.
pub(crate) const MODELS: [(&str, &str); 3] =
    [("shared-bottom", "Shared bottom"), ("omoe", "OMoE"), ("mmoe", "MMoE")];

impl Settings {
    fn config(&self, model: &str) -> Config {
        let mixture = |one_gate| {
            Body::Mixture(MixtureConfig {
                experts: self.experts,
                expert: ExpertConfig { widths: vec![self.expert], ..ExpertConfig::default() },
                one_gate,
                ..MixtureConfig::default()
            })
        };
        let body = match model {
            "omoe" => mixture(true),
            "mmoe" => mixture(false),
            _ => Body::SharedBottom(SharedBottomConfig { widths: vec![self.bottom] }),
        };
        let train = TrainConfig {
            epochs: self.epochs,
            batch: self.batch,
            shard_rows: self.batch,
            learning_rate: self.learning_rate,
            patience: 3,
            ..TrainConfig::default()
        };
        Config { body, tower: vec![self.tower], train, ..Config::default() }
    }
}

/// The variant of a cosine.
pub(crate) fn variant(cosine: f64) -> String {
    format!("cosine {cosine}")
}

/// All cells.
pub(crate) fn cells<'a>(settings: &'a Settings, scope: &Scope) -> Vec<Cell<'a>> {
    let mut cells = Vec::new();
    let worlds = settings.steepness.iter().flat_map(|&s| settings.cosines.iter().map(move |&p| (s, p)));
    for (steepness, cosine) in worlds {
        for (name, title) in MODELS {
            for &seed in &scope.seeds {
                cells.push(Cell {
                    key: Key {
                        experiment: NAME.to_owned(),
                        dataset: dataset(steepness),
                        split: "60-20-20".to_owned(),
                        seed,
                        system: name.to_owned(),
                        title: title.to_owned(),
                        variant: Some(variant(cosine)),
                    },
                    cost: 2.0 * settings.runs as f64,
                    settings: json!(settings),
                    work: Box::new(move || work(settings, (steepness, cosine), name, seed)),
                });
            }
        }
    }
    cells
}

fn work(settings: &Settings, (steepness, cosine): (f64, f64), model: &str, seed: u64) -> Result<Outcome> {
    let config = settings.config(model);
    let mut errors = Vec::with_capacity(settings.runs);
    for run in 0..settings.runs as u64 {
        let seed = seed * 1000 + run;
        let recipe = MmoeRecipe { rows: settings.rows, steepness, ..MmoeRecipe::published(cosine) };
        let (records, _) = recipe.generate(seed)?;
        let split = RecordShares::default().split(&records, seed)?;
        let (hierarchy, all) = (Hierarchy::flat(1), vec![0; records.len()]);
        let input = Input {
            train: &split.train,
            cohorts: &all[..split.train.len()],
            hierarchy: &hierarchy,
            validation: Some((&split.validation, &all[..split.validation.len()])),
        };
        let fitted = multitask::fit(input, &config, seed, &mut |_| {})?;
        let asked = split.test.questions();
        let predictions = fitted.predict(asked.features, &all[..split.test.len()])?;
        let each = split.test.answers().targets.iter().zip(&predictions).map(|(target, predicted)| {
            let rows = predicted.len() as f64;
            let mean = target.values.iter().map(|&y| f64::from(y)).sum::<f64>() / rows;
            let variance = target.values.iter().map(|&y| (f64::from(y) - mean).powi(2)).sum::<f64>() / rows;
            let error = predicted.iter().zip(&target.values).map(|(&p, &y)| f64::from(p - y).powi(2));
            error.sum::<f64>() / rows / variance
        });
        errors.push(each.sum::<f64>() / split.test.answers().targets.len() as f64);
    }
    let mut outcome = Outcome::default();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    outcome.numbers.push(Number::new("runs", "both", ERROR, mean).between(Some(1.0), Some(0.0)));
    outcome.counts = (0..).zip(&errors).map(|(run, error)| (format!("run {run}"), *error)).collect();
    Ok(outcome)
}
