//! A weight for each row, predicted from the user's columns and cohort, by what it does to held-out rows.
//!
//! With the model's parameters θ, a batch B with losses ℓ_b, and held-out rows V (Ren et al., "Learning to reweight examples for robust deep
//! learning", ICML 2018, with the weights a network's as in Meta-Weight-Net, Shu et al., NeurIPS 2019):
//!
//! ```text
//! θ'       = θ − η·∇(1/|B|) Σ ŵ_b·ℓ_b(θ)                          one step ahead
//! ∂L_V(θ')/∂ŵ_b = −(η/|B|)·h·∇ℓ_b(θ),    h = ∇L_V(θ')
//!          ≈ −(η/|B|)·[ℓ_b(θ + εh) − ℓ_b(θ − εh)] / 2ε,  ε = 0.01/‖h‖
//! ```
//!
//! The last line needs no gradient of a single row and no second derivative: two forward passes give the slope of all rows' weights (the
//! finite difference of DARTS, Liu et al., ICLR 2019). A row whose loss falls along the held-out gradient gains weight. Then the
//! weights' network takes a step down the slope, and the model a step of its own with the weights that it had.
//!
//! Weights lie within [`WeighConfig::bound`] of 1 and are brought to mean 1 in each batch, so that they change no learning rate; metrics never
//! see them. The model that is trained along the way is thrown away: [`Weigher::weights`] go into
//! [`TrainRecords::with_weight`](kohort_data::records::TrainRecords::with_weight) and a fit with [`Config::weigh_rows`](super::Config::weigh_rows).
//!
//! **What L_V is** decides what weights are for: held-out rows as they are favour what most users need; held-out rows of one cohort favour it.
//! Rows that weights were learned on should not choose the epoch of the fit as well; hold out two parts.
//!
//! When not to use it: with few held-out rows the slope is noise, and a step costs about four of a plain fit.

mod config;
mod network;

use kohort_core::optim::{Adam, Optimizer, Rule, Sgd, Tables};
use kohort_core::shards::{Shards, score};
use kohort_core::{Grads, Params, Tape};
use kohort_data::Features;
use kohort_data::records::Target;
use kohort_layers::{Hierarchy, Mode, Table, UNKNOWN};
use kohort_random::{permutation, rand::Rng, stream};

pub use config::WeighConfig;

use super::columns::{Columns, Inputs};
use super::net::Net;
use super::targets::{self, Task};
use super::{Config, Input, check_cohorts};
use crate::ModelError;
use network::{Network, through_mean};

/// A trained predictor of weights.
#[derive(Debug)]
pub struct Weigher {
    network: Network,
    params: Params,
    columns: Columns,
    names: Vec<String>,
    hierarchy: Hierarchy,
    served: Vec<u32>,
}

/// Rows of one part, as the model reads them.
struct Part {
    inputs: Inputs,
    cohorts: Vec<u32>,
    targets: Vec<Vec<f32>>,
    known: Vec<Option<Vec<bool>>>,
}

/// The model whose steps are looked ahead.
struct Model {
    net: Net,
    tasks: Vec<Task>,
}

/// Rows scored on one tape.
const CHUNK: usize = 256;

/// Learns weights for the rows of `input`, whose validation part is what they are learned from.
///
/// # Errors
/// A setting out of range, no validation part, a column that is not there, or a loss that is not finite.
pub fn weigh(
    input: Input<'_>,
    config: &Config,
    weigh: &WeighConfig,
    seed: u64,
) -> Result<Weigher, ModelError> {
    config.check()?;
    weigh.check()?;
    input.check()?;
    let Some((held, held_cohorts)) = input.validation.filter(|(held, _)| !held.is_empty()) else {
        return Err(ModelError::Config(
            "weights are learned from held-out rows, and there are none".to_owned(),
        ));
    };
    check_cohorts(held_cohorts, held.len(), input.hierarchy)?;
    let columns = Columns::fit(input.train.features(), config.gate.as_deref())?;
    let tasks = targets::chosen(input.train.targets(), &config.tasks)?;
    let tasks = tasks.into_iter().map(Task::fit).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    let mut params = Params::new();
    let inputs = columns.inputs(input.train.features())?;
    let net =
        Net::new(&mut params, config, (&inputs.table, columns.gate_width()), &names, input.hierarchy, seed)?;
    let served = net.body.learns().served(input.hierarchy, input.cohorts);
    let served_as = |&cohort: &u32| served.get(cohort as usize).copied().unwrap_or(UNKNOWN);
    let held_cohorts: Vec<u32> = held_cohorts.iter().map(served_as).collect();
    let model = Model { net, tasks };
    let train = model.part(inputs, input.cohorts.to_vec(), input.train.targets())?;
    let held =
        model.part(columns.inputs(held.questions().features)?, held_cohorts, held.answers().targets)?;

    let described = described(input.train.features(), &weigh.columns)?;
    let columns = Columns::fit(&described, None)?;
    let table = columns.inputs(&described)?.table;
    let mut weights = Params::new();
    let network = Network::new(&mut weights, weigh, &table, input.hierarchy, seed);
    let mut learner = Learner {
        config,
        weigh,
        seed,
        own: Optimizer::new(&params, config.train.rule, config.train.tables),
        ahead: Optimizer::new(&params, Rule::Sgd(Sgd { momentum: 0.0 }), Tables::TouchedRows),
        learned: Optimizer::new(&weights, Rule::Adam(Adam::default()), Tables::TouchedRows),
        shards: Shards::new(&params, config.train.shard_rows),
        step: 0,
    };
    for epoch in 0..config.train.epochs {
        let mut order = permutation(input.train.len(), &mut stream(seed, "weigh order", &[epoch as u64]));
        for batch in order.chunks_mut(config.train.batch) {
            learner.step(
                &model,
                (&mut params, &train),
                &held,
                (&network, &mut weights, &table),
                batch,
                epoch,
            )?;
        }
    }
    let hierarchy = input.hierarchy.clone();
    Ok(Weigher { network, params: weights, columns, names: weigh.columns.clone(), hierarchy, served })
}

/// The columns of these names.
fn described(features: &Features, names: &[String]) -> Result<Features, ModelError> {
    let mut found = Features::new(features.rows);
    for name in names {
        let column = features.column(name);
        let column = column
            .ok_or_else(|| ModelError::Config(format!("weigh.columns: there is no column {name:?}")))?;
        found.push(name, column.clone())?;
    }
    Ok(found)
}

impl Model {
    fn part(&self, inputs: Inputs, cohorts: Vec<u32>, all: &[Target]) -> Result<Part, ModelError> {
        let names: Vec<String> = self.tasks.iter().map(|task| task.name.clone()).collect();
        let targets = targets::chosen(all, &names)?;
        Ok(Part {
            inputs,
            cohorts,
            targets: self.tasks.iter().zip(&targets).map(|(task, target)| task.learned(target)).collect(),
            known: targets.iter().map(|target| target.known.clone()).collect(),
        })
    }

    /// The sum of the weighted losses of `rows` over `batch`, and what the body adds to them.
    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        part: &Part,
        (rows, weight): (&[u32], &[f32]),
        batch: usize,
        mode: &mut Mode,
    ) -> Vec<(kohort_core::Var, f32)> {
        let cohorts = part.cohorts_of(rows);
        let outputs = self.net.forward(tape, params, (&part.inputs, rows), &cohorts, mode);
        let mut losses = Vec::with_capacity(self.tasks.len() + 1);
        for (k, task) in self.tasks.iter().enumerate() {
            let target: Vec<f32> = rows.iter().map(|&row| part.targets[k][row as usize]).collect();
            let known = |row: u32| part.known[k].as_ref().is_none_or(|known| known[row as usize]);
            let weight: Vec<f32> =
                rows.iter().zip(weight).map(|(&row, &w)| if known(row) { w } else { 0.0 }).collect();
            let scale = 1.0 / batch as f32;
            losses.push((tape.loss(task.loss(), outputs.tasks[k], &target, Some(&weight), scale), 1.0));
        }
        let share = rows.len() as f32 / batch as f32;
        losses.extend(outputs.seen.penalty.map(|penalty| (penalty, share)));
        losses
    }

    /// The gradient of the weighted losses of a batch.
    fn gradient(
        &self,
        shards: &mut Shards,
        params: &Params,
        part: &Part,
        (batch, weight): (&[u32], &[f32]),
        mode: impl Fn(usize) -> Mode + Sync,
    ) -> Grads {
        let recorded = shards.forward(params, batch.len(), |shard, tape| {
            let (rows, weight) = (&batch[shard.rows.clone()], &weight[shard.rows.clone()]);
            self.record(tape, params, part, (rows, weight), batch.len(), &mut mode(shard.index))
        });
        let total = shards.backward(|shard, tape, grads| tape.backward(params, &recorded[shard], grads));
        let mut grads = Grads::new(params);
        grads.add(total, 1.0);
        grads
    }

    /// The loss of each row, summed over the tasks that are known of it.
    fn losses(&self, params: &Params, part: &Part, rows: &[u32]) -> Vec<f32> {
        score(rows.len(), CHUNK, |range, tape| {
            let rows = &rows[range];
            let cohorts = part.cohorts_of(rows);
            let outputs = self.net.forward(tape, params, (&part.inputs, rows), &cohorts, &mut Mode::score());
            let of_row = |(at, &row): (usize, &u32)| {
                let each = self
                    .tasks
                    .iter()
                    .enumerate()
                    .filter(|(k, _)| part.known[*k].as_ref().is_none_or(|known| known[row as usize]));
                let loss = each.map(|(k, task)| {
                    task.loss().value(tape.value(outputs.tasks[k])[at], part.targets[k][row as usize])
                });
                loss.sum::<f32>()
            };
            rows.iter().enumerate().map(of_row).collect()
        })
    }
}

impl Part {
    fn cohorts_of(&self, rows: &[u32]) -> Vec<u32> {
        rows.iter().map(|&row| self.cohorts[row as usize]).collect()
    }
}

struct Learner<'a> {
    config: &'a Config,
    weigh: &'a WeighConfig,
    seed: u64,
    own: Optimizer,
    ahead: Optimizer,
    learned: Optimizer,
    shards: Shards,
    step: u64,
}

impl Learner<'_> {
    fn step(
        &mut self,
        model: &Model,
        (params, train): (&mut Params, &Part),
        held: &Part,
        (network, weights, table): (&Network, &mut Params, &Table),
        batch: &[u32],
        epoch: usize,
    ) -> Result<(), ModelError> {
        let cohorts = train.cohorts_of(batch);
        let mut tape = Tape::new();
        let w = network.forward(&mut tape, weights, table, batch, &cohorts);
        let raw = tape.value(w).to_vec();
        let mean = raw.iter().sum::<f32>() / raw.len() as f32;
        let weight: Vec<f32> = raw.iter().map(|w| w / mean).collect();

        let (seed, step) = (self.seed, self.step);
        let masks = |shard: usize| {
            Mode::train(stream(seed, "weigh dropout", &[step, shard as u64])).in_epoch(epoch as u64)
        };
        let own = model.gradient(&mut self.shards, params, train, (batch, &weight), masks);
        let mut numbers = stream(seed, "weigh held", &[step]);
        let many = self.weigh.held.min(held.cohorts.len());
        let some: Vec<u32> = (0..many).map(|_| numbers.random_range(0..held.cohorts.len() as u32)).collect();
        // Where the step would lead, without weight decay, which is nobody's doing.
        let mut bare = params.clone();
        bare.slots_mut().iter_mut().for_each(|slot| slot.decay = 0.0);
        let mut next = bare.clone();
        self.ahead.step(&mut next, &own, self.weigh.lookahead as f32);
        let even = vec![1.0; some.len()];
        let outward = model.gradient(&mut self.shards, &next, held, (&some, &even), |_| Mode::score());
        let length = outward.dot(&outward, &bare, |_| true).sqrt();
        if !length.is_finite() {
            let what = "the gradient of held-out rows".to_owned();
            return Err(ModelError::Diverged { what, epoch: epoch + 1, step });
        }
        if length > 0.0 {
            let reach = (REACH / length) as f32;
            let mut at = |distance: f32| {
                let mut moved = bare.clone();
                self.ahead.step(&mut moved, &outward, -distance);
                model.losses(&moved, train, batch)
            };
            let (up, down) = (at(reach), at(-reach));
            // Times |B|/η, and per length of h: Adam asks for no more.
            let slope: Vec<f64> =
                up.iter().zip(&down).map(|(up, down)| f64::from(down - up) / (2.0 * REACH)).collect();
            let slope = through_mean(&slope, &raw);
            let slope: Vec<f32> = slope.into_iter().map(|d| (d / batch.len() as f64) as f32).collect();
            let slope = tape.input(batch.len(), 1, &slope);
            let along = tape.mul(w, slope);
            let along = tape.sum(along);
            let mut grads = Grads::new(weights);
            tape.backward(weights, &[(along, 1.0)], &mut grads);
            self.learned.step(weights, &grads, self.weigh.rate as f32);
        }
        self.own.step(params, &own, self.config.train.learning_rate as f32);
        self.step += 1;
        Ok(())
    }
}

/// Length of the step along h whose losses are compared.
const REACH: f64 = 0.01;

impl Weigher {
    /// The weight of each row, mean 1 over these rows. `cohorts` holds a node of the hierarchy for each, or
    /// [`kohort_layers::UNKNOWN`].
    ///
    /// # Errors
    /// Columns that are not those of training, or a cohort that is none of the model's.
    pub fn weights(&self, features: &Features, cohorts: &[u32]) -> Result<Vec<f32>, ModelError> {
        check_cohorts(cohorts, features.rows, &self.hierarchy)?;
        let table = self.columns.inputs(&described(features, &self.names)?)?.table;
        let mut weights = score(features.rows, CHUNK, |range, tape| {
            let served = |&cohort: &u32| self.served.get(cohort as usize).copied().unwrap_or(UNKNOWN);
            let cohorts: Vec<u32> = cohorts[range.clone()].iter().map(served).collect();
            let ids: Vec<u32> = (range.start as u32..range.end as u32).collect();
            let w = self.network.forward(tape, &self.params, &table, &ids, &cohorts);
            tape.value(w).to_vec()
        });
        let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / weights.len().max(1) as f64;
        weights.iter_mut().for_each(|w| *w = (f64::from(*w) / mean) as f32);
        Ok(weights)
    }
}
