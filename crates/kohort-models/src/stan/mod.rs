//! STAN (Li et al., "STAN: stage-adaptive network for multi-task recommendation by learning user lifecycle-based representation", RecSys
//! 2023, arXiv 2306.12232): where a user is in life with the product shows in which tasks the user prefers, and that weighs the tasks.
//!
//! ```text
//! stage     s_k, ỹ_k: what the user prefers, from columns that describe the user          (stage.rs)
//! label     l_k: the mean of task k in the user's strictly earlier rows, c_k their number   (past.rs)
//! weight    γ_k ~ Beta(1 + ỹ_k·c_k, 1 + (1 − ỹ_k)·c_k), without gradient                     (weights.rs)
//! total     Σ_k mean(γ_k·BCE(o_k, y_k)) + w·Σ_k mean((l_k − ỹ_k)²),  o from experts         (net.rs)
//! ```
//!
//! The stage shapes the tasks twice: the embeddings that it learns from are those that the experts read, and γ says which of a user's rows count
//! for what. [`Config::into_towers`] lets a tower read the stage as well. Ablations are settings: [`Weights::One`] with
//! [`Config::stage_loss`] 0 is plain CGC or PLE, with the loss it is the representation alone; [`Weights::Mean`] and [`Weights::Preference`]
//! are weights without draws.
//!
//! **Differences.** Sums over users are means over the batch's rows, so that the rate does not depend on its size; fields are brought to one
//! width by a linear map each; all earlier training rows count, online systems take 30 days. The paper prints its cross-entropy without the
//! minus sign, and names two forms of f: both are there ([`Attention`]).
//!
//! When not to use it: where rows have no times or users no second row, and where the columns of the user say nothing of habits.
//!
//! ```
//! use kohort_data::{Column, Features, records::{RecordShares, Records, Target}};
//! use kohort_models::stan::{self, Config, Input};
//! use kohort_models::trainer::TrainConfig;
//!
//! let (user, item): (Vec<usize>, Vec<usize>) = (0..600).map(|row| (row % 30, row * 7 % 20)).unzip();
//! let text = |ids: &[usize]| ids.iter().map(usize::to_string).collect::<Vec<_>>();
//! let mut features = Features::new(600);
//! features.push("user", Column::categorical(text(&user).iter().map(String::as_str)))?;
//! features.push("item", Column::categorical(text(&item).iter().map(String::as_str)))?;
//! let clicks = user.iter().zip(&item).map(|(user, item)| (user + item) % 3 == 0);
//! let buys = user.iter().zip(&item).map(|(user, item)| user % 4 == 0 && item % 2 == 0);
//! let targets = vec![Target::binary("click", clicks), Target::binary("buy", buys)];
//! let records = Records { targets, ..Records::new("shop", features) };
//! let split = RecordShares::default().split(&records, 1)?;
//!
//! let of_train = split.train.origin();
//! let users: Vec<u32> = of_train.iter().map(|&row| user[row as usize] as u32).collect();
//! let times: Vec<i64> = of_train.iter().map(|&row| i64::from(row)).collect();
//! let input =
//!     Input { train: &split.train, users: &users, times: &times, validation: Some(&split.validation) };
//! let config = Config { train: TrainConfig { epochs: 2, batch: 64, ..Config::default().train }, ..Config::default() };
//! let model = stan::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.notes))?;
//! let [chances, preferences] = [model.predict(split.test.questions().features)?, model.preferences(split.test.questions().features)?];
//! assert_eq!((chances.len(), preferences.len()), (2, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod net;
mod past;
mod stage;
mod system;
#[cfg(test)]
mod tests;
mod weights;

use kohort_core::{LossKind, Params, shards};
use kohort_data::Features;
use kohort_data::records::{Target, TargetKind, TrainRecords, ValidationRecords};
use kohort_layers::Mode;
use kohort_objectives::{Balancer, Fixed};

pub use config::{Config, Weights};
pub use stage::Attention;

use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::multitask::columns::Columns;
use crate::multitask::targets::chosen;
use crate::trainer::{Checkpoint, Epoch, train};
use net::{Net, Tables};
use past::Past;
use system::Rows;

/// What the model learns from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The rows to learn from.
    pub train: &'a TrainRecords,
    /// Who each training row is about, `[rows]`: whose earlier rows are its past.
    pub users: &'a [u32],
    /// When each training row was, `[rows]`, in any unit.
    pub times: &'a [i64],
    /// Rows for early stopping; without, the run goes through all epochs.
    pub validation: Option<&'a ValidationRecords>,
}

/// A trained model.
pub struct Stan {
    rows: Rows,
    columns: Sides,
    params: Params,
    /// Every epoch of the run. Objectives are the tasks, then `stage: ` and each task.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// What was learned of the user's columns, one by one, and of all others.
struct Sides {
    user: Vec<Columns>,
    rest: Columns,
}

/// Rows scored on one tape.
const CHUNK: usize = 512;

/// Trains the model.
///
/// # Errors
/// A setting out of range, a column or target that is not there, lists that are not one a row, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Stan, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains the model with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Stan, ModelError> {
    let tasks = if config.tasks.is_empty() { input.train.targets().len() } else { config.tasks.len() };
    let mut weights = vec![1.0; tasks];
    if config.has_stage() {
        weights.resize(2 * tasks, config.stage_loss);
    }
    fit_balanced(input, config, seed, &mut Fixed::new(weights)?, checkpoint, observe)
}

/// Trains the model under a balancer, whose objectives are the tasks and then, where anything asks for them, their stages;
/// [`Config::stage_loss`] is then the balancer's affair.
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
) -> Result<Stan, ModelError> {
    config.check()?;
    let (columns, rows) = prepare(&input, config, seed)?;
    let held = match input.validation.filter(|held| !held.is_empty()) {
        Some(held) => {
            let targets = chosen(held.answers().targets, &rows.tasks)?;
            Some((columns.tables(held.questions().features, &config.user)?, targets))
        }
        None => None,
    };
    let validate = |params: &Params| {
        held.as_ref().map_or(f64::NAN, |(tables, targets)| held_loss(&rows.net, params, tables, targets))
    };
    let validate: Option<&dyn Fn(&Params) -> f64> = if held.is_some() { Some(&validate) } else { None };
    let trained = train(&rows, balancer, &config.train, seed, validate, checkpoint, observe)?;
    Ok(Stan { rows, columns, params: trained.params, epochs: trained.epochs, best: trained.best })
}

fn prepare(input: &Input<'_>, config: &Config, seed: u64) -> Result<(Sides, Rows), ModelError> {
    let train = input.train;
    if train.is_empty() {
        return Err(ModelError::NoRows);
    }
    let lists = [("users of rows", input.users.len()), ("times of rows", input.times.len())];
    if let Some((what, found)) = lists.into_iter().find(|(_, found)| *found != train.len()) {
        return Err(ModelError::Size { what, found, expected: train.len() });
    }
    let targets = chosen(train.targets(), &config.tasks)?;
    if targets.is_empty() {
        return Err(ModelError::Config("the training rows have no target".to_owned()));
    }
    for target in &targets {
        let name = &target.name;
        if target.kind != TargetKind::Binary {
            return Err(ModelError::Config(format!("target {name:?} is a number, expected yes or no")));
        }
        if target.known_rows() == 0 {
            return Err(ModelError::Config(format!("target {name:?}: no training row's is known")));
        }
    }
    let features = split(train.features(), &config.user)?;
    let columns = Sides {
        user: features.0.iter().map(|field| Columns::fit(field, None)).collect::<Result<_, _>>()?,
        rest: Columns::fit(&features.1, None)?,
    };
    let tables = columns.tables(train.features(), &config.user)?;
    let tasks: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    let mut params = Params::new();
    let net = Net::new(&mut params, config, &tables, &tasks, seed)?;
    let mut data = Fingerprint::new();
    data.eat_ids(input.users);
    input.times.iter().for_each(|&time| data.eat(time as u64));
    tables.user.iter().chain([&tables.rest]).for_each(|table| data.eat_table(table));
    targets.iter().for_each(|target| data.eat_target(target));
    input.validation.iter().for_each(|held| data.eat_held(held));
    let stages = tasks.iter().filter(|_| config.has_stage()).map(|task| format!("stage: {task}"));
    let rows = Rows {
        net,
        initial: params,
        config: config.clone(),
        tables,
        past: Past::of(input.users, input.times, &targets),
        targets: targets.iter().map(|target| (target.values.clone(), target.known.clone())).collect(),
        objectives: tasks.iter().cloned().chain(stages).collect(),
        tasks,
        identity: format!("{config:?} on rows {:016x}", data.value()),
    };
    Ok((columns, rows))
}

/// The user's columns, each alone, and all others.
fn split(features: &Features, user: &[String]) -> Result<(Vec<Features>, Features), ModelError> {
    let field = |name: &String| {
        let column = features.column(name);
        let column =
            column.ok_or_else(|| ModelError::Config(format!("user: there is no column {name:?}")))?;
        let mut field = Features::new(features.rows);
        field.push(name, column.clone())?;
        Ok(field)
    };
    let fields = user.iter().map(field).collect::<Result<Vec<_>, ModelError>>()?;
    let mut rest = Features::new(features.rows);
    for (name, column) in features.columns.iter().filter(|(name, _)| !user.contains(name)) {
        rest.push(name, column.clone())?;
    }
    Ok((fields, rest))
}

impl Sides {
    fn tables(&self, features: &Features, user: &[String]) -> Result<Tables, ModelError> {
        let (fields, rest) = split(features, user)?;
        let user = self.user.iter().zip(&fields).map(|(columns, field)| Ok(columns.inputs(field)?.table));
        Ok(Tables { user: user.collect::<Result<_, ModelError>>()?, rest: self.rest.inputs(&rest)?.table })
    }
}

/// For each row every task's logit and, in a model with stages, every preference, `[rows, outputs]`.
fn outputs(net: &Net, params: &Params, tables: &Tables, rows: usize) -> Vec<f32> {
    shards::score(rows, CHUNK, |range, tape| {
        let ids: Vec<u32> = (range.start as u32..range.end as u32).collect();
        let outputs = net.forward(tape, params, tables, &ids, &mut Mode::score());
        let mut all = outputs.tasks;
        all.extend(outputs.seen.iter().map(|seen| seen.preference));
        let all = tape.concat(&all);
        tape.value(all).to_vec()
    })
}

/// The mean of the tasks' log losses on held-out rows, every row as heavy as any.
fn held_loss(net: &Net, params: &Params, tables: &Tables, targets: &[&Target]) -> f64 {
    let rows = targets.first().map_or(0, |target| target.values.len());
    let (outputs, tasks) = (outputs(net, params, tables, rows), targets.len());
    let width = outputs.len() / rows.max(1);
    let of_task = |(k, target): (usize, &&Target)| {
        let known = (0..rows).filter(|&row| target.is_known(row));
        let each = known
            .map(|row| f64::from(LossKind::Logistic.value(outputs[row * width + k], target.values[row])));
        each.sum::<f64>() / target.known_rows().max(1) as f64
    };
    targets.iter().enumerate().map(of_task).sum::<f64>() / tasks as f64
}

impl Stan {
    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Names of the tasks, in the order of all predictions.
    pub fn tasks(&self) -> &[String] {
        &self.rows.tasks
    }

    /// For each task the chance of a yes, `[rows]`.
    ///
    /// # Errors
    /// Columns that are not those of training.
    pub fn predict(&self, features: &Features) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut of_tasks = self.columns_of(features, 0)?;
        of_tasks.iter_mut().flatten().for_each(|o| *o = 1.0 / (1.0 + (-*o).exp()));
        Ok(of_tasks)
    }

    /// For each task what each row's user prefers, `[rows]`, in (0, 1): where a user is in life. Cut at the medians of training users,
    /// [`kohort_cohorts::behaviour::Stages`] makes cohorts of them.
    ///
    /// # Errors
    /// Columns that are not those of training, or a model in which nothing asks for preferences.
    pub fn preferences(&self, features: &Features) -> Result<Vec<Vec<f32>>, ModelError> {
        if !self.rows.config.has_stage() {
            return Err(ModelError::Config("the model has no stages: weights one, stage_loss 0".to_owned()));
        }
        self.columns_of(features, self.rows.tasks.len())
    }

    fn columns_of(&self, features: &Features, from: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        let tables = self.columns.tables(features, &self.rows.config.user)?;
        let outputs = outputs(&self.rows.net, &self.params, &tables, features.rows);
        let tasks = self.rows.tasks.len();
        let width = if self.rows.config.has_stage() { 2 * tasks } else { tasks };
        let column = |k: usize| outputs.iter().skip(from + k).step_by(width).copied().collect();
        Ok((0..tasks).map(column).collect())
    }

    /// Number of values in all parameters.
    pub fn parameters(&self) -> usize {
        self.params.count(false)
    }
}
