//! The synthetic experiment of the MMoE paper (Ma et al., KDD 2018, section 5.1): two regression tasks whose weights have a
//! stated cosine, learned by a shared bottom, a mixture with one gate, and one with a gate for each task, all of one size.
//!
//! A run is a data set and a fit; all models and cosines of a run have the same inputs, sines and seed, so a model's loss
//! between two cosines is paired by run. The error is a task's mean squared error over the variance of the task, the mean of
//! both tasks. The paper plots it against steps and says neither how many there are nor whether a fit has ended, so each fit
//! is read several times: after stated epochs, on the validation rows, which nothing else has looked at by then; and on test
//! rows after early stopping.
//!
//! The paper searches Adam's rate in a grid. So does this: each model gets one rate for a steepness, that with the least
//! validation error on pilot data sets of all cosines, none of which is measured.

use anyhow::{Context, Result, ensure};
use kohort_data::records::RecordShares;
use kohort_data::synthetic::MmoeRecipe;
use kohort_layers::Hierarchy;
use kohort_layers::experts::{ExpertConfig, MixtureConfig};
use kohort_models::multitask::{self, Body, Config, Input, Predict, body::SharedBottomConfig};
use kohort_models::trainer::TrainConfig;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::grid::{Cell, Key};
use crate::memo::Memo;
use crate::outcome::{Curve, Number, Outcome};
use crate::paper::Scope;

/// Name of the experiment.
pub(crate) const NAME: &str = "correlation";

/// Name of its data with sines of this steepness.
pub(crate) fn dataset(steepness: f64) -> String {
    format!("mmoe synthetic, steepness {steepness}")
}

/// The metric.
pub(crate) const ERROR: &str = "MSE / variance";
/// The reading on test rows, after early stopping.
pub(crate) const STOPPED: &str = "stopped early";
/// Name of the rate among a cell's counts.
pub(crate) const RATE: &str = "learning rate";

/// The lowest and the highest of the paper's cosines: what it claims is about these.
pub(crate) const PUBLISHED: (f64, f64) = (0.5, 1.0);

/// Where the seeds of pilots and of data sets begin. Settings were looked at on data sets below these.
const PILOTS: u64 = 9_000;
const MEASURED: u64 = 10_000;
/// Seeds of data sets that belong to one seed of the report, and to pilots.
const APART: u64 = 1_000;

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
    /// Pilot data sets for each cosine.
    pub(crate) pilots: usize,
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
    /// Epochs without a better validation error after which a fit stops.
    pub(crate) patience: usize,
    /// Epochs after which a fit is read on its way.
    pub(crate) marks: Vec<usize>,
    /// Rows of a batch.
    pub(crate) batch: usize,
    /// Adam's learning rates, of which each model gets one.
    pub(crate) rates: Vec<f64>,
}

/// The models, by name and title.
pub(crate) const MODELS: [(&str, &str); 3] =
    [("shared-bottom", "Shared bottom"), ("omoe", "OMoE"), ("mmoe", "MMoE")];

/// Rates that were chosen, by the bits of the steepness and the model.
pub(crate) type Rates = Memo<(u64, &'static str), f64>;

/// The reading after some epochs.
fn mark(epochs: usize) -> String {
    format!("after {epochs} epoch{}", if epochs == 1 { "" } else { "s" })
}

/// The variant of a cosine.
pub(crate) fn variant(cosine: f64) -> String {
    format!("cosine {cosine}")
}

/// What one fit came to.
struct Errors {
    /// On validation rows, by mark.
    marks: Vec<f64>,
    /// Least on validation rows.
    validation: f64,
    /// On test rows.
    test: f64,
}

impl Settings {
    /// The readings of a fit, in order.
    pub(crate) fn readings(&self) -> Vec<String> {
        self.marks.iter().map(|&epochs| mark(epochs)).chain([STOPPED.to_owned()]).collect()
    }

    /// As much of it as a run of this scope does: of a quick one one data set for a seed and what the claims are about.
    pub(crate) fn of(self, scope: &Scope) -> Settings {
        if !scope.quick {
            return self;
        }
        let first = self.steepness.iter().copied().take(1).collect();
        Settings { cosines: vec![PUBLISHED.0, PUBLISHED.1], steepness: first, runs: 1, pilots: 1, ..self }
    }

    /// Checks what no type does.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, empty) in [
            ("cosines", self.cosines.is_empty()),
            ("steepness", self.steepness.is_empty()),
            ("rates", self.rates.is_empty()),
            ("runs", self.runs == 0),
            ("pilots", self.pilots == 0),
        ] {
            ensure!(!empty, "[correlation] {name}: at least one is needed");
        }
        for (name, found) in [("runs", self.runs), ("pilots", self.pilots)] {
            ensure!(found <= APART as usize, "[correlation] {name}: {found}, allowed are up to {APART}");
        }
        // A fit has `patience` epochs at least after its first, so no mark is missing where none is later than that.
        let last = self.epochs.min(self.patience + 1);
        let wrong = self.marks.iter().find(|&&epochs| epochs == 0 || epochs > last);
        ensure!(
            wrong.is_none(),
            "[correlation] marks: {wrong:?}, allowed are 1 to {last}, which every fit reaches"
        );
        Ok(())
    }

    fn config(&self, model: &str, rate: f64) -> Config {
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
            learning_rate: rate,
            patience: self.patience,
            ..TrainConfig::default()
        };
        Config { body, tower: vec![self.tower], train, ..Config::default() }
    }

    /// Fits that choose a rate.
    fn pilot_fits(&self) -> usize {
        self.rates.len() * self.cosines.len() * self.pilots
    }

    /// The rate of a model: that with the least mean of validation errors over the pilots.
    fn chosen(&self, steepness: f64, model: &str) -> Result<f64> {
        let mut best: Option<(f64, f64)> = None;
        for &rate in &self.rates {
            let mut sum = 0.0;
            for &cosine in &self.cosines {
                for pilot in 0..self.pilots as u64 {
                    sum += self.fit((steepness, cosine), model, rate, PILOTS + pilot)?.validation;
                }
            }
            if best.is_none_or(|(least, _)| sum < least) {
                best = Some((sum, rate));
            }
        }
        let (_, rate) = best.context("[correlation] rates: at least one is needed")?;
        Ok(rate)
    }

    fn fit(&self, (steepness, cosine): (f64, f64), model: &str, rate: f64, seed: u64) -> Result<Errors> {
        let recipe = MmoeRecipe { rows: self.rows, steepness, ..MmoeRecipe::published(cosine) };
        let (records, _) = recipe.generate(seed)?;
        let split = RecordShares::default().split(&records, seed)?;
        let (hierarchy, all) = (Hierarchy::flat(1), vec![0; records.len()]);
        let input = Input {
            train: &split.train,
            cohorts: &all[..split.train.len()],
            hierarchy: &hierarchy,
            validation: Some((&split.validation, &all[..split.validation.len()])),
        };
        let fitted = multitask::fit(input, &self.config(model, rate), seed, &mut |_| {})?;
        let asked = split.test.questions();
        let predictions = fitted.predict(asked.features, &all[..split.test.len()])?;
        let each = split.test.answers().targets.iter().zip(&predictions).map(|(target, predicted)| {
            let rows = predicted.len() as f64;
            let mean = target.values.iter().map(|&y| f64::from(y)).sum::<f64>() / rows;
            let variance = target.values.iter().map(|&y| (f64::from(y) - mean).powi(2)).sum::<f64>() / rows;
            let error = predicted.iter().zip(&target.values).map(|(&p, &y)| f64::from(p - y).powi(2));
            error.sum::<f64>() / rows / variance
        });
        // Tasks are learned on the scale of their training rows' deviation, so a validation value is over the variance already.
        let after = |epochs: usize| {
            let epoch = epochs.checked_sub(1).and_then(|at| fitted.epochs.get(at));
            epoch.and_then(|epoch| epoch.validation).with_context(|| format!("no error {}", mark(epochs)))
        };
        Ok(Errors {
            marks: self.marks.iter().map(|&epochs| after(epochs)).collect::<Result<_>>()?,
            validation: after(fitted.best)?,
            test: each.sum::<f64>() / split.test.answers().targets.len() as f64,
        })
    }
}

/// All cells, seed by seed, so that a run that was stopped has whole seeds. Models take turns, so that threads seldom wait for the same
/// rate.
pub(crate) fn cells<'a>(settings: &'a Settings, rates: &'a Rates, scope: &Scope) -> Vec<Cell<'a>> {
    let mut cells = Vec::new();
    let worlds = settings.steepness.iter().flat_map(|&s| settings.cosines.iter().map(move |&p| (s, p)));
    for &seed in &scope.seeds {
        for world in worlds.clone() {
            for (name, title) in MODELS {
                // The first of a model's cells chooses its rate.
                let chooses =
                    scope.seeds.first() == Some(&seed) && settings.cosines.first() == Some(&world.1);
                cells.push(Cell {
                    key: Key {
                        experiment: NAME.to_owned(),
                        dataset: dataset(world.0),
                        split: "60-20-20".to_owned(),
                        seed,
                        system: name.to_owned(),
                        title: title.to_owned(),
                        variant: Some(variant(world.1)),
                    },
                    cost: 2.0 * (settings.runs + if chooses { settings.pilot_fits() } else { 0 }) as f64,
                    settings: json!(settings),
                    work: Box::new(move || {
                        let choose = || settings.chosen(world.0, name);
                        let rate = *rates.get((world.0.to_bits(), name), choose)?;
                        work(settings, world, name, rate, seed)
                    }),
                });
            }
        }
    }
    cells
}

/// A cell leaves a curve for each reading, whose points are the seed of a data set and the error on it.
fn work(settings: &Settings, world: (f64, f64), model: &str, rate: f64, seed: u64) -> Result<Outcome> {
    let curve = |name: String| Curve { name, points: Vec::with_capacity(settings.runs) };
    let mut curves: Vec<Curve> = settings.readings().into_iter().map(curve).collect();
    for run in 0..settings.runs as u64 {
        let seed = MEASURED + seed * APART + run;
        let errors = settings.fit(world, model, rate, seed)?;
        for (curve, error) in curves.iter_mut().zip(errors.marks.into_iter().chain([errors.test])) {
            curve.points.push((seed as f64, error));
        }
    }
    let numbers = curves.iter().map(|curve| {
        let mean = curve.points.iter().map(|(_, error)| error).sum::<f64>() / curve.points.len() as f64;
        Number::new(&curve.name, "both", ERROR, mean).between(Some(1.0), Some(0.0))
    });
    let numbers = numbers.collect();
    Ok(Outcome { numbers, curves, counts: vec![(RATE.to_owned(), rate)], ..Outcome::default() })
}
