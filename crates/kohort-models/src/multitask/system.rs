//! Training rows, as the trainer sees them.

use kohort_core::{Params, Tape};
use kohort_data::records::Target;
use kohort_layers::experts::HealthReport;
use kohort_layers::{Hierarchy, Mode, UNKNOWN};
use kohort_objectives::{Objective, ObjectiveError, Terms};

use super::columns::Inputs;
use super::health::{in_words, watch};
use super::net::Net;
use super::targets::{Task, chosen};
use super::{Input, rank};
use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::trainer::{Recorded, System};

/// Everything of a training run that does not depend on parameters' values.
pub(super) struct Rows<'a> {
    pub(super) net: &'a Net,
    pub(super) initial: Params,
    pub(super) tasks: &'a [Task],
    hierarchy: &'a Hierarchy,
    inputs: Inputs,
    objectives: Vec<String>,
    cohorts: &'a [u32],
    /// Place of each cohort in a walk through the hierarchy: rows of one branch stand together.
    rank: Vec<u32>,
    targets: Vec<Vec<f32>>,
    known: Vec<Option<Vec<bool>>>,
    weight: Option<&'a [f32]>,
    identity: String,
}

impl<'a> Rows<'a> {
    pub(super) fn prepare(
        input: &Input<'a>,
        net: &'a Net,
        tasks: &'a [Task],
        initial: Params,
        inputs: Inputs,
        (config, weigh): (&dyn std::fmt::Debug, bool),
    ) -> Result<Rows<'a>, ModelError> {
        let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
        let targets = chosen(input.train.targets(), &names)?;
        let weight = input.train.weight().filter(|_| weigh);
        let mut data = Fingerprint::new();
        eat_cohorts(&mut data, input.hierarchy, input.cohorts);
        inputs.eat(&mut data);
        data.eat_numbers(weight.unwrap_or_default());
        targets.iter().for_each(|target| eat_target(&mut data, target));
        // What stops the run is part of it.
        if let Some((held, cohorts)) = input.validation {
            eat_cohorts(&mut data, input.hierarchy, cohorts);
            data.eat_ids(held.origin());
            held.answers().targets.iter().for_each(|target| eat_target(&mut data, target));
        }
        Ok(Rows {
            net,
            initial,
            tasks,
            hierarchy: input.hierarchy,
            inputs,
            objectives: tasks.iter().map(|task| task.name.clone()).collect(),
            cohorts: input.cohorts,
            rank: rank(input.hierarchy),
            targets: tasks.iter().zip(&targets).map(|(task, target)| task.learned(target)).collect(),
            known: targets.iter().map(|target| target.known.clone()).collect(),
            weight,
            identity: format!("{config:?} on rows {:016x}", data.value()),
        })
    }

    /// The experts as every so many training rows use them, without what only training does.
    fn health(&self, params: &Params) -> Option<HealthReport> {
        let rows = self.cohorts.len();
        let some: Vec<u32> = (0..rows as u32).step_by(rows.div_ceil(LOOKED_AT)).collect();
        let cohorts = cut(self.cohorts, &some);
        let mut tape = Tape::new();
        let watched = (self.net, self.tasks.len(), self.hierarchy);
        let health = watch(&mut tape, params, watched, (&self.inputs, &some), &cohorts)?;
        Some(health.report())
    }

    fn rank_of(&self, row: u32) -> u32 {
        self.rank.get(self.cohorts[row as usize] as usize).copied().unwrap_or(u32::MAX)
    }
}

fn eat_cohorts(data: &mut Fingerprint, hierarchy: &Hierarchy, cohorts: &[u32]) {
    let parents = (0..hierarchy.len() as u32).map(|cohort| hierarchy.parent(cohort).unwrap_or(UNKNOWN));
    data.eat_ids(&parents.collect::<Vec<_>>());
    data.eat_ids(cohorts);
}

fn eat_target(data: &mut Fingerprint, target: &Target) {
    data.eat_numbers(&target.values);
    data.eat(u64::from(target.known.is_some()));
    target.known.iter().flatten().for_each(|&known| data.eat(known.into()));
}

/// Training rows that the monitor of experts looks at after an epoch, at most.
const LOOKED_AT: usize = 2048;

fn cut<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| values[row as usize]).collect()
}

impl System for Rows<'_> {
    fn rows(&self) -> usize {
        self.cohorts.len()
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

    /// By cohort, so that a shard holds few of them. Not for a body with a penalty on how its rows are spread, which is
    /// taken over a shard: there a shard stays a random one.
    fn arrange(&self, batch: &mut [u32]) {
        if self.net.body.by_cohort() {
            batch.sort_unstable_by_key(|&row| (self.rank_of(row), row));
        }
    }

    fn notes(&self, params: &Params) -> Vec<(String, f64)> {
        self.health(params).map(|health| ("gate entropy".to_owned(), health.entropy)).into_iter().collect()
    }

    fn remarks(&self, params: &Params) -> Vec<String> {
        let findings = self.health(params).map(|health| health.findings).unwrap_or_default();
        findings.iter().map(|finding| in_words(finding, self.net.body.experts(), self.tasks)).collect()
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let weight = self.weight.map(|weight| cut(weight, batch));
        let of = |(task, known): (&Task, &Option<Vec<bool>>)| {
            let objective: Objective = task.objective();
            let mask = known.as_ref().map(|known| cut(known, batch));
            objective.terms(batch.len(), weight.as_deref(), mask.as_deref())
        };
        self.tasks.iter().zip(&self.known).map(of).collect()
    }

    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        rows: &[u32],
        weights: &[Option<&[f32]>],
        scales: &[f64],
        mode: &mut Mode,
    ) -> Recorded {
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by_key(|&at| self.rank_of(rows[at as usize]));
        let rows = cut(rows, &order);
        let cohorts = cut(self.cohorts, &rows);
        let outputs = self.net.forward(tape, params, (&self.inputs, &rows), &cohorts, mode);
        let losses = (0..self.tasks.len()).map(|k| {
            let target = cut(&self.targets[k], &rows);
            let weight = weights[k].map(|weight| cut(weight, &order));
            let scale = scales[k] as f32;
            tape.loss(self.tasks[k].loss(), outputs.tasks[k], &target, weight.as_deref(), scale)
        });
        let losses = losses.collect();
        Recorded { penalty: outputs.seen.penalty, ..Recorded::new(losses, outputs.seen.shared) }
    }
}
