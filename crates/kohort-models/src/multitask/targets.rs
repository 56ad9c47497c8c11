//! Tasks: what is predicted of a row, on which scale it is learned, and how an output becomes a prediction.
//!
//! A yes-or-no task is a logit under binary cross-entropy. A number is standardised with the mean and deviation of its known
//! training rows and learned under squared error, so that tasks whose units differ start with losses of one size.

use kohort_core::LossKind;
use kohort_data::records::{Target, TargetKind};
use kohort_objectives::{Denominator, Objective};

use crate::ModelError;

/// The targets of these names, in their order; all of them without a name.
///
/// # Errors
/// [`ModelError::Config`] for a name that no target has.
pub(crate) fn chosen<'a>(targets: &'a [Target], names: &[String]) -> Result<Vec<&'a Target>, ModelError> {
    if names.is_empty() {
        return Ok(targets.iter().collect());
    }
    let find = |name: &String| {
        targets.iter().find(|target| target.name == *name).ok_or_else(|| {
            let known: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
            ModelError::Config(format!(
                "tasks: there is no target {name:?}, allowed are {}",
                known.join(", ")
            ))
        })
    };
    names.iter().map(find).collect()
}

/// One task of a trained model.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Name of the target.
    pub name: String,
    /// Yes or no, or a number.
    pub kind: TargetKind,
    mean: f32,
    deviation: f32,
}

impl Task {
    /// From a target's training rows.
    ///
    /// # Errors
    /// [`ModelError::Config`] where no row's target is known.
    pub(crate) fn fit(target: &Target) -> Result<Task, ModelError> {
        let known: Vec<f64> = (0..target.values.len())
            .filter(|&row| target.is_known(row))
            .map(|row| f64::from(target.values[row]))
            .collect();
        if known.is_empty() {
            return Err(ModelError::Config(format!(
                "task {:?}: no training row's target is known",
                target.name
            )));
        }
        let (mut mean, mut deviation) = (0.0, 1.0);
        if target.kind == TargetKind::Number {
            let rows = known.len() as f64;
            mean = known.iter().sum::<f64>() / rows;
            deviation = (known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt();
            if deviation < 1e-9 {
                deviation = 1.0;
            }
        }
        Ok(Task {
            name: target.name.clone(),
            kind: target.kind,
            mean: mean as f32,
            deviation: deviation as f32,
        })
    }

    /// Its loss: a mean over the rows whose target is known.
    pub(crate) fn objective(&self) -> Objective {
        Objective::entrywise(self.loss(), Denominator::Mask)
    }

    pub(crate) fn loss(&self) -> LossKind {
        match self.kind {
            TargetKind::Binary => LossKind::Logistic,
            TargetKind::Number => LossKind::Squared,
        }
    }

    /// A target on the scale it is learned on; 0 where it is not known, which no loss looks at.
    pub(crate) fn learned(&self, target: &Target) -> Vec<f32> {
        let scaled = |row: usize| (target.values[row] - self.mean) / self.deviation;
        (0..target.values.len()).map(|row| if target.is_known(row) { scaled(row) } else { 0.0 }).collect()
    }

    /// How good predictions are: ROC-AUC of yes or no, RMSE of a number in its units; `None` where it is undefined.
    pub(super) fn metric(&self, predictions: &[f32], truth: &[f32]) -> Option<f64> {
        match self.kind {
            TargetKind::Binary => {
                let labels: Vec<bool> = truth.iter().map(|&y| y > 0.5).collect();
                kohort_eval::binary::roc_auc(predictions, &labels).ok().flatten()
            }
            TargetKind::Number => kohort_eval::rating::rmse(predictions, truth).ok(),
        }
    }

    /// An output as a prediction: a probability, or a number in the target's units.
    pub(crate) fn prediction(&self, output: f32) -> f32 {
        match self.kind {
            TargetKind::Binary => 1.0 / (1.0 + (-output).exp()),
            TargetKind::Number => output * self.deviation + self.mean,
        }
    }
}
