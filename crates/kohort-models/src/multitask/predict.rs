//! A trained model over any rows: in fixed chunks, ordered by cohort, the same for any number of threads.

use kohort_core::{Params, Tape};
use kohort_data::Features;
use kohort_layers::{Hierarchy, Mode, UNKNOWN};
use rayon::prelude::*;

use super::columns::Inputs;
use super::net::Outputs;
use super::{MultiTask, check_cohorts};
use crate::ModelError;

/// Rows scored on one tape.
const SCORE_ROWS: usize = 256;

/// Whatever predicts tasks of rows.
pub trait Predict {
    /// For each task its prediction for every row: a probability, or a number in the target's units. `cohorts` holds a node
    /// of the hierarchy for each row, or [`UNKNOWN`].
    ///
    /// # Errors
    /// Columns that are not those of training, or a cohort that is none of the model's.
    fn predict(&self, features: &Features, cohorts: &[u32]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// Number of values in all parameters.
    fn parameters(&self) -> usize;
}

/// Place of each cohort in a walk through the hierarchy, parents first: rows of one branch stand together.
pub(super) fn rank(hierarchy: &Hierarchy) -> Vec<u32> {
    let mut order: Vec<u32> = (0..hierarchy.len() as u32).collect();
    order.sort_by_cached_key(|&cohort| hierarchy.path(cohort));
    let mut rank = vec![0; order.len()];
    (0u32..).zip(order).for_each(|(place, cohort)| rank[cohort as usize] = place);
    rank
}

impl MultiTask {
    /// Each task's output for every row.
    pub(super) fn outputs(&self, params: &Params, inputs: &Inputs, cohorts: &[u32]) -> Vec<Vec<f32>> {
        let mut outputs = vec![vec![0.0; cohorts.len()]; self.tasks.len()];
        let (order, chunks) = self.run(params, inputs, cohorts, |tape, outputs, _| {
            outputs.tasks.iter().map(|&task| tape.value(task).to_vec()).collect::<Vec<_>>()
        });
        for (rows, chunk) in order.chunks(SCORE_ROWS).zip(&chunks) {
            for (outputs, own) in outputs.iter_mut().zip(chunk) {
                rows.iter().zip(own).for_each(|(&row, &value)| outputs[row as usize] = value);
            }
        }
        outputs
    }

    /// Runs the network over rows in fixed chunks, ordered by cohort; gives that order and what `take` gave of each chunk.
    pub(super) fn run<T: Send>(
        &self,
        params: &Params,
        inputs: &Inputs,
        cohorts: &[u32],
        take: impl Fn(&Tape, &Outputs, &[u32]) -> T + Sync,
    ) -> (Vec<u32>, Vec<T>) {
        let rank = rank(&self.hierarchy);
        let place = |row: u32| rank.get(cohorts[row as usize] as usize).copied().unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..cohorts.len() as u32).collect();
        order.sort_by_key(|&row| place(row));
        let given = order.par_chunks(SCORE_ROWS).map_init(Tape::new, |tape, rows| {
            tape.reset();
            let cohorts: Vec<u32> = rows.iter().map(|&row| cohorts[row as usize]).collect();
            let served = |&cohort: &u32| self.served.get(cohort as usize).copied().unwrap_or(UNKNOWN);
            let served: Vec<u32> = cohorts.iter().map(served).collect();
            let outputs = self.net.forward(tape, params, (inputs, rows), &served, &mut Mode::score());
            take(tape, &outputs, &cohorts)
        });
        let given = given.collect();
        (order, given)
    }
}

impl Predict for MultiTask {
    fn predict(&self, features: &Features, cohorts: &[u32]) -> Result<Vec<Vec<f32>>, ModelError> {
        let inputs = self.columns.inputs(features)?;
        check_cohorts(cohorts, features.rows, &self.hierarchy)?;
        let outputs = self.outputs(&self.params, &inputs, cohorts);
        let predictions = outputs.into_iter().zip(&self.tasks).map(|(mut outputs, task)| {
            outputs.iter_mut().for_each(|output| *output = task.prediction(*output));
            outputs
        });
        Ok(predictions.collect())
    }

    fn parameters(&self) -> usize {
        self.params.count(false)
    }
}
