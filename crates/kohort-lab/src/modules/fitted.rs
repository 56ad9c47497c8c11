//! A fitted system: what it predicts, what its run looked like, what it cost.

use anyhow::Result;
use kohort_data::Features;
use kohort_data::records::Target;
use kohort_layers::UNKNOWN;
use kohort_models::multitask::{MultiTask, Predict};

use super::systems::Sees;
use super::worlds::{Cohorts, Material};
use crate::outcome::{Curve, Matrix};

/// Name of the matrix of cosines.
pub(crate) const COSINES: &str = "cosines of gradients";

/// A fitted system.
pub(crate) struct Fitted {
    pub(super) model: Model,
    /// Seconds of training on one core; for adapters those of the base included, and of a sequence encoder that a gate reads.
    pub(crate) seconds: f64,
    /// Parameters that were trained.
    pub(crate) trained: usize,
    /// Bytes of parameters that one more cohort adds.
    pub(crate) per_cohort: f64,
    /// Steps of an epoch.
    pub(super) steps: usize,
    pub(super) sees: Sees,
}

/// What was fitted.
pub(super) enum Model {
    Constants(Vec<Vec<f32>>),
    One(Box<MultiTask>),
    Many(Box<dyn Predict>),
}

impl Fitted {
    /// Each task's predictions of the test rows.
    pub(crate) fn predict(&self, material: &Material, features: &Features) -> Result<Vec<Vec<f32>>> {
        let cohorts = self.sees.of(material);
        Ok(match &self.model {
            Model::Constants(means) => {
                let of_row = |means: &Vec<f32>| {
                    let last = means.len() - 1;
                    cohorts
                        .test
                        .iter()
                        .map(|&c| means[if c == UNKNOWN { last } else { c as usize }])
                        .collect()
                };
                means.iter().map(of_row).collect()
            }
            Model::One(model) => model.predict(features, &cohorts.test)?,
            Model::Many(models) => models.predict(features, &cohorts.test)?,
        })
    }

    /// The one model, with the cohorts that it sees.
    pub(crate) fn one(&self, material: &Material) -> Option<(&MultiTask, Cohorts)> {
        match &self.model {
            Model::One(model) => Some((model.as_ref(), self.sees.of(material))),
            _ => None,
        }
    }

    /// Losses, weights and norms of gradients by epoch.
    pub(crate) fn curves(&self) -> Vec<Curve> {
        let Model::One(model) = &self.model else { return Vec::new() };
        let mut curves: Vec<Curve> = Vec::new();
        let mut push =
            |name: String, epoch: usize, value: f64| match curves.iter_mut().find(|curve| curve.name == name)
            {
                Some(curve) => curve.points.push((epoch as f64, value)),
                None => curves.push(Curve { name, points: vec![(epoch as f64, value)] }),
            };
        for epoch in &model.epochs {
            let at = epoch.epoch;
            epoch.losses.iter().for_each(|(name, loss)| push(format!("{name}, training"), at, *loss));
            for (values, what) in [(&epoch.weighting.weights, "weight"), (&epoch.weighting.norms, "gradient")]
            {
                for ((name, _), value) in epoch.losses.iter().zip(values) {
                    value.iter().for_each(|value| push(format!("{name}, {what}"), at, *value));
                }
            }
            epoch.validation.into_iter().for_each(|value| push("validation".to_owned(), at, value));
        }
        curves
    }

    /// Mean cosines of the objectives' gradients at the end of the run, as far as a balancer looked.
    pub(crate) fn cosines(&self) -> Option<Matrix> {
        let Model::One(model) = &self.model else { return None };
        let last = model.epochs.last()?;
        let values = last.weighting.cosines.clone();
        let names: Vec<String> = last.losses.iter().map(|(name, _)| name.clone()).collect();
        let known = values.iter().flatten().any(Option::is_some);
        known.then(|| Matrix { name: COSINES.to_owned(), rows: names.clone(), columns: names, values })
    }

    /// Milliseconds of a training step, validation included.
    pub(crate) fn step(&self) -> Option<f64> {
        let Model::One(model) = &self.model else { return None };
        let spent: f64 = model.epochs.iter().map(|epoch| epoch.seconds).sum();
        Some(1e3 * spent / (model.epochs.len() * self.steps).max(1) as f64)
    }
}

/// For each task the mean of each cohort's training rows, and last that of all.
pub(super) fn constants(material: &Material) -> Vec<Vec<f32>> {
    let cohorts = &material.flat;
    let means = |target: &Target| {
        let mut sums = vec![(0.0f64, 0usize); cohorts.hierarchy.len() + 1];
        let last = sums.len() - 1;
        for (row, &cohort) in cohorts.train.iter().enumerate().filter(|&(row, _)| target.is_known(row)) {
            for at in [Some(cohort as usize).filter(|_| cohort != UNKNOWN), Some(last)].into_iter().flatten()
            {
                sums[at] = (sums[at].0 + f64::from(target.values[row]), sums[at].1 + 1);
            }
        }
        let all = sums[last].0 / sums[last].1.max(1) as f64;
        sums.into_iter().map(|(sum, rows)| (if rows == 0 { all } else { sum / rows as f64 }) as f32).collect()
    };
    material.split.train.targets().iter().map(means).collect()
}
