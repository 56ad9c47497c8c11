//! Rows held out of training: when to stop, and metrics for balancers that listen.

use kohort_core::Params;
use kohort_data::records::ValidationRecords;

use super::balance::{Plan, Scored};
use super::{MultiTask, check_cohorts};
use crate::ModelError;

impl MultiTask {
    /// A metric of each objective on held-out rows.
    pub(super) fn metrics<'a>(
        &'a self,
        held: &'a ValidationRecords,
        cohorts: &'a [u32],
        plan: Plan,
        level: Option<usize>,
    ) -> Result<impl Fn(&Params) -> Vec<Option<f64>> + 'a, ModelError> {
        let inputs = self.columns.inputs(held.questions().features)?;
        check_cohorts(cohorts, held.len(), &self.hierarchy)?;
        let targets = self.targets(held.answers().targets)?;
        let groups = plan.groups(cohorts, level, &self.hierarchy);
        Ok(move |params: &Params| {
            let outputs = self.outputs(params, &inputs, cohorts);
            let scored = outputs.into_iter().zip(&self.tasks).zip(&targets);
            let scored: Vec<Scored> = scored
                .map(|((outputs, task), target)| Scored {
                    predictions: outputs.into_iter().map(|output| task.prediction(output)).collect(),
                    target: target.values.clone(),
                    known: (0..target.values.len()).map(|row| target.is_known(row)).collect(),
                })
                .collect();
            plan.metrics(&self.tasks, &groups, &scored)
        })
    }

    /// The value that early stopping minimises: the mean of the tasks' losses on held-out rows.
    pub(super) fn held<'a>(
        &'a self,
        held: &'a ValidationRecords,
        cohorts: &'a [u32],
    ) -> Result<impl Fn(&Params) -> f64 + 'a, ModelError> {
        let inputs = self.columns.inputs(held.questions().features)?;
        check_cohorts(cohorts, held.len(), &self.hierarchy)?;
        let targets = self.targets(held.answers().targets)?;
        Ok(move |params: &Params| {
            let outputs = self.outputs(params, &inputs, cohorts);
            let losses =
                self.tasks.iter().zip(&targets).zip(&outputs).filter_map(|((task, target), outputs)| {
                    let learned = task.learned(target);
                    let known: Vec<usize> = (0..held.len()).filter(|&row| target.is_known(row)).collect();
                    let each =
                        known.iter().map(|&row| f64::from(task.loss().value(outputs[row], learned[row])));
                    (!known.is_empty()).then(|| each.sum::<f64>() / known.len() as f64)
                });
            losses.sum::<f64>() / self.tasks.len() as f64
        })
    }
}
