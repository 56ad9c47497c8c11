//! GroupCE (Yan, Li and Choudhary, "A hierarchical group-wise ranking framework for recommendation models", arXiv 2506.12756,
//! AdKDD 2025): a click model whose users get hierarchical codes, and a ranking loss among the rows of users with like codes.
//!
//! ```text
//! codes     c_1, c_2, … of a user by residual quantisation of its embedding        (codes.rs)
//! group     of level l: the rows of a batch whose users' codes begin with the same c_1 … c_l
//! level     L_l = mean over groups with both labels of −Σ ỹ_i ln p_i,  p_i = σ(o_i)/Σ_j σ(o_j),  ỹ = y/Σ y
//! total     LogLoss(o) + λ·LogLoss(o from ê_u, straight through) + Σ_l L_l/(2σ_l²) + ln σ_l
//! ```
//!
//! The idea: rows of users who are alike are harder negatives for each other than rows of anybody, and the finer the code the harder. The
//! ablations that isolate it are settings: [`Lists::None`] (log loss alone), [`Lists::Batch`] (one list of all rows), [`Lists::User`], one
//! level of codes in place of several, and [`Lists::RandomCodes`] (groups of the same number that mean nothing).
//!
//! **Differences.** Code-books are fitted by k-means before an epoch, where the paper moves them with every batch; the backbone, which
//! the paper takes from others, is a plain network ([`net`](self)); `ln σ_l` is learned by the balancer
//! ([`kohort_objectives::Uncertainty`]), not by the model's optimiser. Lists do not reach beyond a shard.
//!
//! **Personalised losses.** In place of the log loss there can be compositions of [parts](crate::parts) by cohort, terms of fairness between cohorts, and
//! weights by exposure; they go together with any kind of lists.
//!
//! When not to use it: for calibrated probabilities of rare events (the list losses pull at the scores' level), or with batches so small that a
//! group has one row.
//!
//! ```
//! use kohort_data::{Column, Features, records::{RecordShares, Records, Target}};
//! use kohort_models::groupce::{self, Config, Input};
//! use kohort_models::trainer::TrainConfig;
//!
//! // Users of two kinds, who like films of their own kind.
//! let (user, film): (Vec<usize>, Vec<usize>) = (0..800).map(|row| (row % 40, row * 7 % 20)).unzip();
//! let mut features = Features::new(800);
//! let names: Vec<String> = user.iter().map(usize::to_string).collect();
//! features.push("user", Column::categorical(names.iter().map(String::as_str)))?;
//! let names: Vec<String> = film.iter().map(usize::to_string).collect();
//! features.push("film", Column::categorical(names.iter().map(String::as_str)))?;
//! let likes = user.iter().zip(&film).map(|(user, film)| user % 2 == film % 2);
//! let records = Records { targets: vec![Target::binary("like", likes)], ..Records::new("films", features) };
//! let split = RecordShares::default().split(&records, 1)?;
//!
//! let train = TrainConfig { epochs: 4, batch: 256, shard_rows: 256, ..Config::default().train };
//! let config = Config { codes: vec![2, 2], warm_up: 1, train, ..Config::default() };
//! let input = Input { train: &split.train, validation: Some(&split.validation), cohorts: None };
//! let model = groupce::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.losses))?;
//! let chances = model.predict(split.test.questions().features)?;
//! assert!(chances.iter().all(|p| (0.0..=1.0).contains(p)));
//! assert_eq!(model.codes(split.test.questions().features)?[0].len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod balance;
mod codes;
mod config;
mod held;
mod net;
mod popularity;
mod system;
#[cfg(test)]
mod tests;

use kohort_core::{Params, shards};
use kohort_data::records::{TargetKind, TrainRecords, ValidationRecords};
use kohort_data::{Column, Features};
use kohort_layers::{Mode, Table};

pub use config::{Config, LevelWeights, Lists, Stop};

use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::multitask::columns::Columns;
use crate::multitask::targets::chosen;
use crate::parts::{Cohorts, Plan};
use crate::trainer::{Checkpoint, Epoch, train};
use balance::LevelBalance;
use codes::Books;
use net::Net;
use system::Rows;

/// What the model learns from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The rows to learn from.
    pub train: &'a TrainRecords,
    /// Rows for early stopping; without, the run goes through all epochs.
    pub validation: Option<&'a ValidationRecords>,
    /// Who belongs to which cohort, where compositions or fairness ask.
    pub cohorts: Option<Cohorts<'a>>,
}

/// A trained model.
pub struct GroupCe {
    rows: Rows,
    columns: Sides<Columns>,
    params: Params,
    /// Every epoch of the run. Objectives are `log loss` (`parts` with compositions), `quantised log loss` and `level 1`, `level 2`, …
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Of the user's columns and of all others.
struct Sides<T> {
    user: T,
    rest: T,
}

/// Rows scored on one tape.
const CHUNK: usize = 512;

/// Trains the model.
///
/// # Errors
/// A setting out of range, a column or target that is not there, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<GroupCe, ModelError> {
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
) -> Result<GroupCe, ModelError> {
    config.check()?;
    if input.train.is_empty() {
        return Err(ModelError::NoRows);
    }
    let features = split(input.train.features(), &config.user)?;
    let columns =
        Sides { user: Columns::fit(&features.user, None)?, rest: Columns::fit(&features.rest, None)? };
    let rows = prepare(&input, config, &columns, &features, seed)?;
    let held = match input.validation.filter(|held| !held.is_empty()) {
        Some(held) => Some(held::Held::new(held, config, &columns)?),
        None => None,
    };
    let validate =
        |params: &Params| held.as_ref().map_or(f64::NAN, |held| held.value(config.stop, &rows.net, params));
    let validate: Option<&dyn Fn(&Params) -> f64> = if held.is_some() { Some(&validate) } else { None };
    let mut balance = LevelBalance::new(config);
    let trained = train(&rows, &mut balance, &config.train, seed, validate, checkpoint, observe)?;
    Ok(GroupCe { rows, columns, params: trained.params, epochs: trained.epochs, best: trained.best })
}

fn prepare(
    input: &Input<'_>,
    config: &Config,
    columns: &Sides<Columns>,
    features: &Sides<Features>,
    seed: u64,
) -> Result<Rows, ModelError> {
    let target = chosen(input.train.targets(), std::slice::from_ref(&config.target))?[0];
    if target.kind != TargetKind::Binary {
        return Err(ModelError::Config(format!(
            "target {:?} is a number, expected yes or no",
            config.target
        )));
    }
    if target.known_rows() == 0 {
        return Err(ModelError::Config(format!("target {:?}: no training row's is known", config.target)));
    }
    let who = users_of(&features.user, &config.user[0])?.to_vec();
    let (users, rest) =
        (columns.user.inputs(&features.user)?.table, columns.rest.inputs(&features.rest)?.table);
    let mut seen = vec![false; who.iter().max().map_or(0, |&last| last as usize + 1)];
    let first = |&row: &u32| !std::mem::replace(&mut seen[who[row as usize] as usize], true);
    let one_each: Vec<u32> = (0..who.len() as u32).filter(first).collect();
    let (names, cohort) = match input.cohorts {
        None => (&[][..], vec![u32::MAX; who.len()]),
        Some(Cohorts { names, of_row }) if of_row.len() == who.len() => (names, of_row.to_vec()),
        Some(Cohorts { of_row, .. }) => {
            let (what, found, expected) = ("cohorts of rows", of_row.len(), who.len());
            return Err(ModelError::Size { what, found, expected });
        }
    };
    if names.is_empty() && !config.fairness.is_empty() {
        return Err(ModelError::Config("fairness: there are no cohorts".to_owned()));
    }
    let plan = Plan::new(&config.compositions, names)?;
    let items = config.item.as_ref().map(|name| match input.train.features().column(name) {
        Some(Column::Categorical { codes, .. }) => Ok(codes.as_slice()),
        _ => Err(ModelError::Config(format!("item: {name:?} is no categorical column"))),
    });
    let items = items.transpose()?.map(|items| popularity::Popularity::of(&who, items));
    let exposure = match (&config.exposure, &items) {
        (Some(exposure), Some(items)) => Some(exposure.weights(&items.rows)?),
        _ => None,
    };
    let mut params = Params::new();
    let net = Net::new(&mut params, config, &users, &rest, seed)?;
    let books = Books::new(&mut params, config);
    let mut data = Fingerprint::new();
    data.eat_ids(&who);
    data.eat_ids(&cohort);
    data.eat_table(&users);
    data.eat_table(&rest);
    data.eat_target(target);
    input.validation.iter().for_each(|held| data.eat_held(held));
    let first = if config.compositions.is_empty() { "log loss" } else { "parts" };
    let levels = (1..=config.depth()).map(|level| format!("level {level}"));
    Ok(Rows {
        net,
        books,
        initial: params,
        config: config.clone(),
        users,
        rest,
        who,
        target: target.values.clone(),
        known: target.known.clone(),
        one_each,
        cohort,
        cohorts: names.len(),
        plan,
        exposure,
        log_popularity: items.map(|items| items.log_share),
        objectives: [first, "quantised log loss"].map(str::to_owned).into_iter().chain(levels).collect(),
        identity: format!("{config:?} on rows {:016x}", data.value()),
        seed,
    })
}

/// The user's columns, and all others.
fn split(features: &Features, user: &[String]) -> Result<Sides<Features>, ModelError> {
    let mut sides = Sides { user: Features::new(features.rows), rest: Features::new(features.rows) };
    for name in user {
        let column = features.column(name);
        let column =
            column.ok_or_else(|| ModelError::Config(format!("user: there is no column {name:?}")))?;
        sides.user.push(name, column.clone())?;
    }
    for (name, column) in features.columns.iter().filter(|(name, _)| !user.contains(name)) {
        sides.rest.push(name, column.clone())?;
    }
    Ok(sides)
}

/// Who each row's user is.
fn users_of<'a>(features: &'a Features, name: &str) -> Result<&'a [u32], ModelError> {
    match features.column(name) {
        Some(Column::Categorical { codes, .. }) => Ok(codes),
        _ => Err(ModelError::Config(format!("user: {name:?} is no categorical column, so it names no user"))),
    }
}

/// The logit of every row.
fn logits(net: &Net, params: &Params, users: &Table, rest: &Table, rows: usize) -> Vec<f32> {
    shards::score(rows, CHUNK, |range, tape| {
        let ids: Vec<u32> = (range.start as u32..range.end as u32).collect();
        let e = net.user(tape, params, users, &ids);
        let v = net.rest(tape, params, rest, &ids);
        let o = net.logit(tape, params, e, v, &mut Mode::score());
        tape.value(o).to_vec()
    })
}

impl GroupCe {
    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The chance of a yes for each row.
    ///
    /// # Errors
    /// Columns that are not those of training.
    pub fn predict(&self, features: &Features) -> Result<Vec<f32>, ModelError> {
        let sides = split(features, &self.rows.config.user)?;
        let users = self.columns.user.inputs(&sides.user)?.table;
        let rest = self.columns.rest.inputs(&sides.rest)?.table;
        let logits = logits(&self.rows.net, &self.params, &users, &rest, features.rows);
        Ok(logits.into_iter().map(|o| 1.0 / (1.0 + (-o).exp())).collect())
    }

    /// The codes of each row's user, the coarsest first: cohorts within cohorts that the model found. All are 0 for a model without code-books,
    /// and for one whose best epoch was of the warm-up.
    ///
    /// # Errors
    /// Columns that are not those of training.
    pub fn codes(&self, features: &Features) -> Result<Vec<Vec<u32>>, ModelError> {
        let sides = split(features, &self.rows.config.user)?;
        let users = self.columns.user.inputs(&sides.user)?.table;
        let ids: Vec<u32> = (0..features.rows as u32).collect();
        let embeddings = self.rows.embeddings(&self.params, &users, &ids);
        let coded = self.rows.books.assign(&self.params, &embeddings);
        Ok(coded.codes.chunks(self.rows.books.depth().max(1)).map(<[u32]>::to_vec).collect())
    }

    /// Number of values in all parameters but the code-books.
    pub fn parameters(&self) -> usize {
        self.params.count(true)
    }
}
