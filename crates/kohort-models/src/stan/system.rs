//! Training rows, as the trainer sees them.

use kohort_core::{LossKind, Params, Tape};
use kohort_layers::Mode;
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};

use super::config::{Config, Weights};
use super::net::{Net, Tables};
use super::past::Past;
use super::weights::{mean, weights};
use crate::trainer::{Recorded, System, Words};

/// Everything of a training run that does not depend on parameters' values.
pub(super) struct Rows {
    pub(super) net: Net,
    pub(super) initial: Params,
    pub(super) config: Config,
    pub(super) tables: Tables,
    pub(super) past: Past,
    /// For each task its labels, and which of them are known.
    pub(super) targets: Vec<(Vec<f32>, Option<Vec<bool>>)>,
    pub(super) tasks: Vec<String>,
    pub(super) objectives: Vec<String>,
    pub(super) identity: String,
}

/// Training rows that the log looks at after an epoch, at most.
const LOOKED_AT: usize = 2048;

fn cut<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| values[row as usize]).collect()
}

impl System for Rows {
    fn rows(&self) -> usize {
        self.targets[0].0.len()
    }

    fn objectives(&self) -> &[String] {
        &self.objectives
    }

    fn initial(&self, _: u64) -> Params {
        self.initial.clone()
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let task = Objective::entrywise(LossKind::Logistic, Denominator::Mask);
        let stage = Objective::entrywise(LossKind::Squared, Denominator::Rows);
        let of_task = |(_, known): &(Vec<f32>, Option<Vec<bool>>)| {
            task.terms(batch.len(), None, known.as_ref().map(|known| cut(known, batch)).as_deref())
        };
        let stages = self.targets.iter().filter(|_| self.config.has_stage());
        let stages = stages.map(|_| stage.terms(batch.len(), None, None));
        self.targets.iter().map(of_task).chain(stages).collect()
    }

    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        rows: &[u32],
        masks: &[Option<&[f32]>],
        scales: &[f64],
        mode: &mut Mode,
    ) -> Recorded {
        let outputs = self.net.forward(tape, params, &self.tables, rows, mode);
        let tasks = self.tasks.len();
        let mut losses = Vec::with_capacity(2 * tasks);
        for k in 0..tasks {
            let mut weight = outputs.seen.get(k).and_then(|seen| {
                let count = rows.iter().map(|&row| self.past.count[k][row as usize]);
                weights(self.config.weights, tape.value(seen.preference), count, mode.stream())
            });
            if let (Some(weight), Some(mask)) = (&mut weight, masks[k]) {
                weight.iter_mut().zip(mask).for_each(|(weight, mask)| *weight *= mask);
            }
            let target = cut(&self.targets[k].0, rows);
            let weight = weight.as_deref().or(masks[k]);
            losses.push(tape.loss(LossKind::Logistic, outputs.tasks[k], &target, weight, scales[k] as f32));
        }
        for (k, seen) in outputs.seen.iter().enumerate() {
            let label = cut(&self.past.mean[k], rows);
            let scale = scales[tasks + k] as f32;
            losses.push(tape.loss(LossKind::Squared, seen.preference, &label, None, scale));
        }
        Recorded::new(losses, outputs.shared)
    }

    /// What rows weigh on average in each task, for γ changes a task's weight as a whole too.
    fn words(&self, params: &Params) -> Words {
        if self.config.weights == Weights::One {
            return Words::default();
        }
        let rows = self.rows();
        let some: Vec<u32> = (0..rows as u32).step_by(rows.div_ceil(LOOKED_AT)).collect();
        let mut tape = Tape::new();
        let outputs = self.net.forward(&mut tape, params, &self.tables, &some, &mut Mode::score());
        let of_task = |(k, task): (usize, &String)| {
            let preferences = tape.value(outputs.seen[k].preference);
            let each = preferences.iter().zip(&some).map(|(&preference, &row)| match self.config.weights {
                Weights::Preference => f64::from(preference),
                _ => mean(preference.into(), self.past.count[k][row as usize].into()),
            });
            (format!("mean weight, {task}"), each.sum::<f64>() / some.len() as f64)
        };
        self.tasks.iter().enumerate().map(of_task).collect::<Vec<_>>().into()
    }
}
