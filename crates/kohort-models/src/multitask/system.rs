//! Training rows, as the trainer sees them.

use kohort_core::{Params, Tape};
use kohort_layers::experts::HealthReport;
use kohort_layers::{Hierarchy, Mode, UNKNOWN};
use kohort_objectives::rules::WeightRule;
use kohort_objectives::{ObjectiveError, Terms};

use super::Input;
use super::balance::Plan;
use super::columns::Inputs;
use super::health::{in_words, watch};
use super::net::Net;
use super::predict::rank;
use super::targets::{Task, chosen};
use super::weighing::Weighing;
use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::trainer::{Recorded, Site, System, Words};

/// Everything of a training run that does not depend on parameters' values.
pub(super) struct Rows<'a> {
    pub(super) net: &'a Net,
    pub(super) initial: Params,
    pub(super) tasks: &'a [Task],
    hierarchy: &'a Hierarchy,
    inputs: Inputs,
    pub(super) plan: Plan,
    site: Site,
    weighing: Option<Weighing>,
    /// A metric of each objective on held-out rows.
    pub(super) metrics: Option<Metrics<'a>>,
    cohorts: &'a [u32],
    /// Place of each cohort in a walk through the hierarchy: rows of one branch stand together.
    rank: Vec<u32>,
    targets: Vec<Vec<f32>>,
    known: Vec<Option<Vec<bool>>>,
    weight: Option<&'a [f32]>,
    identity: String,
}

type Metrics<'a> = Box<dyn Fn(&Params) -> Vec<Option<f64>> + Sync + 'a>;

impl<'a> Rows<'a> {
    pub(super) fn prepare(
        input: &Input<'a>,
        net: &'a Net,
        tasks: &'a [Task],
        initial: Params,
        inputs: Inputs,
        (config, weigh): (&dyn std::fmt::Debug, bool),
        (plan, rules): (Plan, &[WeightRule]),
    ) -> Result<Rows<'a>, ModelError> {
        let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
        let targets = chosen(input.train.targets(), &names)?;
        let weight = input.train.weight().filter(|_| weigh);
        let mut data = Fingerprint::new();
        eat_cohorts(&mut data, input.hierarchy, input.cohorts);
        inputs.eat(&mut data);
        data.eat_numbers(weight.unwrap_or_default());
        targets.iter().for_each(|target| data.eat_target(target));
        if let Some((held, cohorts)) = input.validation {
            eat_cohorts(&mut data, input.hierarchy, cohorts);
            data.eat_held(held);
        }
        let site = site(&plan, net, &initial, &inputs, input.cohorts)?;
        Ok(Rows {
            site,
            weighing: Weighing::new(rules, input.train, tasks, (input.cohorts, input.hierarchy))?,
            metrics: None,
            plan,
            net,
            initial,
            tasks,
            hierarchy: input.hierarchy,
            inputs,
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
        &self.plan.names
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

    fn words(&self, params: &Params) -> Words {
        let Some(health) = self.health(params) else { return Words::default() };
        let named = |finding| in_words(finding, self.net.body.experts(), self.tasks);
        Words {
            notes: vec![("gate entropy".to_owned(), health.entropy)],
            remarks: health.findings.iter().map(named).collect(),
        }
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        self.plan.terms(
            batch,
            self.tasks,
            |_| self.weight.map(|weight| cut(weight, batch)),
            |k| self.known[k].as_ref().map(|known| cut(known, batch)),
        )
    }

    fn terms_at(&self, batch: &[u32], step: u64) -> Result<Vec<Terms>, ModelError> {
        let Some(weighing) = &self.weighing else { return Ok(self.terms(batch)?) };
        let rules = weighing.weights(batch, step)?;
        let weight = |k: usize| match (self.weight.map(|weight| cut(weight, batch)), &rules[k]) {
            (Some(own), Some(rule)) => Some(own.iter().zip(rule).map(|(a, b)| a * b).collect()),
            (own, rule) => own.or_else(|| rule.clone()),
        };
        let known = |k: usize| self.known[k].as_ref().map(|known| cut(known, batch));
        Ok(self.plan.terms(batch, self.tasks, weight, known)?)
    }

    fn present(&self, terms: &[Terms]) -> Vec<bool> {
        self.plan.present(terms)
    }

    fn site(&self) -> Site {
        self.site.clone()
    }

    fn factor(&self) -> f64 {
        self.plan.factor()
    }

    fn metrics(&self, params: &Params) -> Option<Vec<Option<f64>>> {
        self.metrics.as_ref().map(|metrics| metrics(params))
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
        let targets: Vec<Vec<f32>> = self.targets.iter().map(|target| cut(target, &rows)).collect();
        let weights: Vec<Option<Vec<f32>>> =
            weights.iter().map(|weight| weight.map(|weight| cut(weight, &order))).collect();
        let about = (&outputs.tasks[..], &targets[..]);
        let losses = self.plan.losses(tape, &rows, self.tasks, about, (&weights, scales));
        self.plan.recorded(tape, losses, &outputs.tasks, &outputs.seen.mixed.tasks, outputs.seen.penalty)
    }
}

/// Where gradients are looked at, from a recording of a row of every cohort.
fn site(
    plan: &Plan,
    net: &Net,
    params: &Params,
    inputs: &Inputs,
    cohorts: &[u32],
) -> Result<Site, ModelError> {
    let mut rows: Vec<u32> = (0..cohorts.len() as u32).collect();
    rows.sort_by_key(|&row| cohorts[row as usize]);
    rows.dedup_by_key(|row| cohorts[*row as usize]);
    let mut tape = Tape::new();
    let of_rows = cut(cohorts, &rows);
    let outputs = net.forward(&mut tape, params, (inputs, &rows), &of_rows, &mut Mode::score());
    plan.site(&mut tape, params, &outputs.tasks, &outputs.seen.mixed.tasks)
}
