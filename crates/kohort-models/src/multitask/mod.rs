//! Multi-task models over rows with columns, in every form that gives a cohort a capacity of its own.
//!
//! `o_k = tower_k(body(encoder(row), cohort))`: one encoder for all columns, one [`Body`] that shares between tasks and
//! cohorts as it sees fit, one tower a task. Shapes stand at the head of `net.rs`; each body has a file with its formula
//! and source in `body/`. The loss is `Σ_k w_k·L_k`, each `L_k` a mean over the rows whose target is known; a body may add
//! a penalty that balancers neither see nor weigh.
//!
//! **Cohorts.** A row carries a node of a [`Hierarchy`]: the deepest cohort it is known to belong to, or
//! [`kohort_layers::UNKNOWN`]. What a body does for a row whose cohort it has nothing for is said in its file; none of them
//! fails.
//!
//! ```
//! use kohort_data::{Column, Features, records::{CohortPaths, RecordShares, Records, Target}};
//! use kohort_layers::Hierarchy;
//! use kohort_models::multitask::{self, Body, Config, Input, Predict, body::SharedBottomConfig};
//! use kohort_models::trainer::TrainConfig;
//!
//! // People who stay when it is warm, but for those of the north, who leave.
//! let warmth: Vec<f32> = (0..400).map(|row| (row as f32 * 0.7).sin()).collect();
//! let north = |row: usize| row % 2 == 0;
//! let (mut features, mut cohorts) = (Features::new(400), Features::new(400));
//! features.push("warmth", Column::Numeric(warmth.clone()))?;
//! cohorts.push("region", Column::categorical((0..400).map(|row| if north(row) { "north" } else { "south" })))?;
//! let stays = (0..400).map(|row| (warmth[row] > 0.0) != north(row));
//! let records =
//!     Records { cohorts, targets: vec![Target::binary("stays", stays)], ..Records::new("people", features) };
//!
//! let split = RecordShares { validation: 0.2, test: 0.2 }.split(&records, 1)?;
//! let paths = CohortPaths::of(&split.train, &["region"])?;
//! let hierarchy = Hierarchy::new(paths.parents().to_vec())?;
//! let of_train = paths.assign(split.train.cohorts())?;
//! let input = Input { train: &split.train, cohorts: &of_train, hierarchy: &hierarchy, validation: None };
//! let config = Config {
//!     body: Body::SharedBottom(SharedBottomConfig { widths: vec![8] }),
//!     train: TrainConfig { epochs: 2, batch: 64, ..TrainConfig::default() },
//!     ..Config::default()
//! };
//! let model = multitask::fit(input, &config, 1, &mut |_| {})?;
//!
//! let asked = split.test.questions();
//! let predictions = model.predict(asked.features, &paths.assign(asked.cohorts)?)?;
//! assert!(predictions[0].iter().all(|p| (0.0..=1.0).contains(p)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adapt;
mod adapters;
mod apart;
mod balance;
pub mod body;
pub(crate) mod columns;
mod config;
mod health;
mod held;
mod net;
mod predict;
mod system;
pub(crate) mod targets;
#[cfg(test)]
mod tests;
mod weigh;
mod weighing;

use kohort_core::Params;
use kohort_data::records::{Target, TrainRecords, ValidationRecords};
use kohort_layers::{Hierarchy, UNKNOWN};
use kohort_objectives::rules::WeightRule;
use kohort_objectives::{Balancer, BalancerConfig};

pub use adapt::{adapt, adapt_with};
pub use adapters::AdapterReport;
pub use apart::{PerCohort, PerTask, fit_per_cohort, fit_per_task};
pub use balance::{At, BalanceConfig, Over};
pub use body::Body;
pub use config::{AdaptConfig, Config};
pub use predict::Predict;
pub use targets::Task;
pub use weigh::{WeighConfig, Weigher, weigh};

use crate::ModelError;
use crate::trainer::{Checkpoint, Epoch, TrainConfig, train};
use columns::{Columns, Inputs};
use net::Net;
use system::Rows;

/// What a model learns from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The rows to learn from, with their columns and targets.
    pub train: &'a TrainRecords,
    /// Cohort of each training row: a node of the hierarchy, or [`UNKNOWN`].
    pub cohorts: &'a [u32],
    /// All cohorts there are.
    pub hierarchy: &'a Hierarchy,
    /// Rows for early stopping, with their cohorts; without, the run goes through all epochs.
    pub validation: Option<(&'a ValidationRecords, &'a [u32])>,
}

/// A trained model.
#[derive(Debug)]
pub struct MultiTask {
    net: Net,
    params: Params,
    columns: Columns,
    tasks: Vec<Task>,
    hierarchy: Hierarchy,
    /// For each cohort the one that its rows are served as: itself, if it has learned.
    served: Vec<u32>,
    /// Fingerprint of the model that the adapters are on, for one that has some.
    base: Option<u64>,
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Trains a model.
///
/// # Errors
/// A setting out of range, data that don't fit, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<MultiTask, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains a model with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<MultiTask, ModelError> {
    learn(input, config, seed, None, checkpoint, observe)
}

/// Trains a model under a balancer of one's own, whose objectives are what [`Config::balance`] says; its method is not asked.
///
/// # Errors
/// As [`fit_with`].
pub fn fit_balanced(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    balancer: &mut dyn Balancer,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<MultiTask, ModelError> {
    learn(input, config, seed, Some(balancer), checkpoint, observe)
}

fn learn(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    balancer: Option<&mut dyn Balancer>,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<MultiTask, ModelError> {
    config.check()?;
    input.check()?;
    let columns = Columns::fit(input.train.features(), config.gate.as_deref())?;
    let inputs = columns.inputs(input.train.features())?;
    let tasks = targets::chosen(input.train.targets(), &config.tasks)?
        .into_iter()
        .map(Task::fit)
        .collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    let mut params = Params::new();
    let net =
        Net::new(&mut params, config, (&inputs.table, columns.gate_width()), &names, input.hierarchy, seed)?;
    let served = net.body.learns().served(input.hierarchy, input.cohorts);
    let model = MultiTask {
        net,
        served,
        params: Params::new(),
        columns,
        tasks,
        hierarchy: input.hierarchy.clone(),
        base: None,
        epochs: Vec::new(),
        best: 0,
    };
    let mut balance = config.balance.clone();
    if !config.task_weights.is_empty() {
        if config.task_weights.len() != names.len() {
            let (found, expected) = (config.task_weights.len(), names.len());
            return Err(ModelError::Size { what: "task_weights", found, expected });
        }
        balance.method = BalancerConfig::Fixed(config.task_weights.clone());
    }
    let run = Run {
        settings: config,
        weigh: config.weigh_rows,
        balance: &balance,
        rules: &config.rules,
        train: &config.train,
        seed,
    };
    model.trained(&input, inputs, params, run, balancer, checkpoint, observe)
}

/// Number of values in all parameters of a model with this config for these rows and cohorts, without training it.
///
/// # Errors
/// A setting out of range, or data that don't fit.
pub fn parameters(train: &TrainRecords, config: &Config, hierarchy: &Hierarchy) -> Result<usize, ModelError> {
    config.check()?;
    let columns = Columns::fit(train.features(), config.gate.as_deref())?;
    let inputs = columns.inputs(train.features())?;
    let targets = targets::chosen(train.targets(), &config.tasks)?;
    let names: Vec<String> = targets.into_iter().map(|target| target.name.clone()).collect();
    let mut params = Params::new();
    Net::new(&mut params, config, (&inputs.table, columns.gate_width()), &names, hierarchy, 0)?;
    Ok(params.count(false))
}

/// How a model is trained.
struct Run<'a> {
    settings: &'a dyn std::fmt::Debug,
    weigh: bool,
    balance: &'a BalanceConfig,
    rules: &'a [WeightRule],
    train: &'a TrainConfig,
    seed: u64,
}

impl Input<'_> {
    fn check(&self) -> Result<(), ModelError> {
        if self.train.is_empty() {
            return Err(ModelError::NoRows);
        }
        if self.train.targets().is_empty() {
            return Err(ModelError::Config("the training rows have no target".to_owned()));
        }
        check_cohorts(self.cohorts, self.train.len(), self.hierarchy)
    }
}

/// Every row has a cohort that is there, or none.
fn check_cohorts(cohorts: &[u32], rows: usize, hierarchy: &Hierarchy) -> Result<(), ModelError> {
    if cohorts.len() != rows {
        return Err(ModelError::Size { what: "cohorts of rows", found: cohorts.len(), expected: rows });
    }
    match cohorts.iter().position(|&cohort| cohort != UNKNOWN && cohort as usize >= hierarchy.len()) {
        Some(row) => Err(ModelError::UnknownCohort { row, cohort: cohorts[row], count: hierarchy.len() }),
        None => Ok(()),
    }
}

impl MultiTask {
    /// This model, trained from `initial`.
    #[allow(clippy::too_many_arguments)] // everything that a run is made of, once
    fn trained(
        mut self,
        input: &Input<'_>,
        inputs: Inputs,
        initial: Params,
        run: Run<'_>,
        balancer: Option<&mut dyn Balancer>,
        checkpoint: Option<Checkpoint<'_>>,
        observe: &mut dyn FnMut(&Epoch),
    ) -> Result<MultiTask, ModelError> {
        let trained = {
            let weigh = (run.settings, run.weigh);
            let plan = run.balance.plan(&self.tasks, input.cohorts, input.hierarchy);
            let mut own = None;
            let balancer = match balancer {
                Some(balancer) => balancer,
                None => own.insert(run.balance.balancer(&plan, run.seed)?).as_mut(),
            };
            let shape = (plan, run.rules);
            let mut rows = Rows::prepare(input, &self.net, &self.tasks, initial, inputs, weigh, shape)?;
            if let Some((held, cohorts)) = input.validation.filter(|_| balancer.listens()) {
                rows.metrics =
                    Some(Box::new(self.metrics(held, cohorts, rows.plan.clone(), run.balance.level)?));
            }
            let held = input.validation.map(|(held, cohorts)| self.held(held, cohorts)).transpose()?;
            let validate = |params: &Params| held.as_ref().map_or(f64::NAN, |held| held(params));
            let validate: Option<&dyn Fn(&Params) -> f64> =
                if held.is_some() { Some(&validate) } else { None };
            train(&rows, balancer, run.train, run.seed, validate, checkpoint, observe)?
        };
        (self.params, self.epochs, self.best) = (trained.params, trained.epochs, trained.best);
        Ok(self)
    }

    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The tasks, in the order of all predictions.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Fingerprint of the model that this one's adapters are on, where it has some.
    pub fn base(&self) -> Option<u64> {
        self.base
    }

    /// The cohorts that the model was built for.
    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    /// The targets of the model's tasks.
    fn targets<'a>(&self, targets: &'a [Target]) -> Result<Vec<&'a Target>, ModelError> {
        let names: Vec<String> = self.tasks.iter().map(|task| task.name.clone()).collect();
        targets::chosen(targets, &names)
    }
}
