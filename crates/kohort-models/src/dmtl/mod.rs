//! DMTL: joint group profiling and rating recommendation (Le and Abel, "Joint group profiling and recommendation via deep
//! neural network-based multi-task learning", arXiv 2504.06274).
//!
//! A rating head (squared error) and a profiling head (cross-entropy over groups) sit on one shared layer; the loss is
//! `L = L_rec + λ·L_profile`. The forward pass, with shapes, stands at the head of `net.rs`.
//!
//! **Differences from the paper**, each an option: the paper does not say how user and item are joined (concatenated here), nor any
//! size; its attention is described in two ways ([`Attention`]); a softmax gate is rescaled by its width
//! ([`kohort_layers::GateScale`]); ratings are predicted as what is left over a base (`μ`, or `μ + b_u + b_i` with a context); and beside
//! the paper's inputs the shared layer can be given the neighbourhood of the query ([`crate::context`]).
//!
//! **Profiling that proves something.** Groups come from training ratings, and the input knows the user, so a head that has
//! seen a user's label can simply remember it. [`Input::labelled`] hides the labels of some users from training; the head is
//! judged on those.

mod config;
mod history;
mod net;
mod side;
mod system;
#[cfg(test)]
mod tests;

use kohort_core::{Params, shards};
use kohort_data::{Dataset, Queries, Train, Validation};
use kohort_layers::{Mode, Table};
use kohort_objectives::{Balancer, Fixed, Uncertainty, UncertaintyForm};

pub use config::{Attention, Config, Lambda, Tasks};

use crate::ModelError;
use crate::baselines::Scorer;
use crate::context::Context;
use crate::trainer::{Checkpoint, Epoch, train};
use history::Histories;
use net::{Batch, History, Net};
use side::Scaling;
use system::Rows;

/// What DMTL learns from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Features of users and items, scale, and whether there are times. Its ratings are not read.
    pub dataset: &'a Dataset,
    /// The rows to learn from.
    pub train: &'a Train,
    /// Rows for early stopping.
    pub validation: Option<&'a Validation>,
    /// Group of each user, `[users]`, from training rows only.
    pub groups: &'a [u32],
    /// Number of groups.
    pub group_count: usize,
    /// Whether a user's group may be learned from, `[users]`; all of them without.
    pub labelled: Option<&'a [bool]>,
}

/// A trained model.
pub struct Dmtl {
    net: Net,
    params: Params,
    users: Table,
    items: Table,
    context: Option<(Context, Scaling)>,
    base: f32,
    histories: Option<Histories>,
    members: Vec<Vec<u32>>,
    groups: Vec<u32>,
    tasks: Tasks,
    limits: (u32, u32),
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Entries of a history that a row looks at, at most.
const MOST_HISTORY: usize = 128;
/// Rows scored on one tape.
const SCORE_ROWS: usize = 256;

/// Trains DMTL.
///
/// # Errors
/// A setting out of range, data that don't fit, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Dmtl, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains DMTL with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Dmtl, ModelError> {
    config.check()?;
    check(&input)?;
    let rows = Rows::prepare(&input, config, seed)?;
    let mut balancer: Box<dyn Balancer> = match (config.tasks, config.lambda) {
        (Tasks::Rating, _) => Box::new(Fixed::new(vec![1.0, 0.0])?),
        (Tasks::Profiling, _) => Box::new(Fixed::new(vec![0.0, 1.0])?),
        (Tasks::Both, Lambda::Fixed(lambda)) => Box::new(Fixed::new(vec![1.0, lambda])?),
        (Tasks::Both, Lambda::Learned(rate)) => {
            let forms = vec![UncertaintyForm::Regression, UncertaintyForm::Classification];
            Box::new(Uncertainty::new(forms, rate))
        }
    };
    let held = input
        .validation
        .filter(|held| !held.rows().is_empty())
        .map(|held| (held, rows.model.batch_of(held.queries())));
    let validate = |params: &Params| {
        let Some((held, described)) = &held else { return f64::NAN };
        let scores = rows.model.rate(params, held.queries(), described);
        let scale = input.dataset.scale;
        let squares =
            scores.iter().zip(&held.rows().rating).map(|(s, r)| f64::from(scale.clamp(*s) - r).powi(2));
        (squares.sum::<f64>() / scores.len() as f64).sqrt()
    };
    let validate: Option<&dyn Fn(&Params) -> f64> =
        if held.is_some() && config.tasks != Tasks::Profiling { Some(&validate) } else { None };
    let trained = train(&rows, balancer.as_mut(), &config.train, seed, validate, checkpoint, observe)?;
    let mut model = rows.model;
    model.params = trained.params;
    model.epochs = trained.epochs;
    model.best = trained.best;
    Ok(model)
}

fn check(input: &Input<'_>) -> Result<(), ModelError> {
    let users = input.dataset.user_features.rows;
    let rows = input.train.rows();
    let sizes = [
        ("groups", input.groups.len(), users),
        ("labelled", input.labelled.map_or(users, <[bool]>::len), users),
        ("users of the training rows", rows.users, users),
        ("items of the training rows", rows.items, input.dataset.item_features.rows),
    ];
    for (what, found, expected) in sizes {
        if found != expected {
            return Err(ModelError::Config(format!("{what}: {found}, expected {expected}")));
        }
    }
    match input.groups.iter().find(|&&g| g as usize >= input.group_count) {
        Some(group) => Err(ModelError::Config(format!("group {group} of {}", input.group_count))),
        None => Ok(()),
    }
}

/// Inputs of queries that don't depend on parameters.
struct Described {
    context: Vec<f32>,
    base: Vec<f32>,
}

impl Dmtl {
    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Writes the weights as a safetensors file for other tools, with `metadata` (canonical JSON, say) inside.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn export(&self, path: &std::path::Path, metadata: &str) -> Result<(), ModelError> {
        Ok(kohort_core::weights::export(&self.params, path, metadata)?)
    }

    /// Takes over the weights of an exported model of the same shape; changes nothing when there is an error.
    ///
    /// # Errors
    /// If the file is damaged or holds another model.
    pub fn import(&mut self, path: &std::path::Path) -> Result<(), ModelError> {
        Ok(kohort_core::weights::import(&mut self.params, path)?)
    }

    /// Whether [`Dmtl::profile`] says anything: the profiling head was trained, and its input is not the group itself, as
    /// it is with attention over the group's members.
    pub fn names_groups(&self) -> bool {
        self.tasks != Tasks::Rating && self.members.is_empty()
    }

    /// Probability of each group for the user of each query, `[queries, groups]`. See [`Dmtl::names_groups`].
    pub fn profile(&self, queries: Queries<'_>) -> Vec<f32> {
        let described = self.batch_of(queries);
        self.run(&self.params, queries, &described, |tape, outputs| {
            let probabilities = tape.softmax(outputs.profile);
            tape.value(probabilities).to_vec()
        })
    }

    fn batch_of(&self, queries: Queries<'_>) -> Described {
        match &self.context {
            Some((context, scaling)) => {
                let described = context.describe(queries);
                Described { context: scaling.apply(&described.values), base: described.base }
            }
            None => Described { context: Vec::new(), base: vec![self.base; queries.user.len()] },
        }
    }

    fn rate(&self, params: &Params, queries: Queries<'_>, described: &Described) -> Vec<f32> {
        let residuals = self.run(params, queries, described, |tape, out| tape.value(out.rating).to_vec());
        residuals.iter().zip(&described.base).map(|(r, b)| r + b).collect()
    }

    /// Runs the network over queries in fixed chunks. An id beyond those of training has an embedding of zeros.
    fn run(
        &self,
        params: &Params,
        queries: Queries<'_>,
        described: &Described,
        take: impl Fn(&mut kohort_core::Tape, &net::Outputs) -> Vec<f32> + Sync,
    ) -> Vec<f32> {
        let rows = queries.user.len();
        let sums = self.histories.as_ref().zip(self.net.history_tables()).map(|(lists, tables)| {
            (lists.of_user.sums(params, tables[0]), lists.of_item.sums(params, tables[1]))
        });
        let width = described.context.len().checked_div(rows).unwrap_or(0);
        shards::score(rows, SCORE_ROWS, |range, tape| {
            let clip = |ids: &[u32], limit: u32| ids.iter().map(|&id| id.min(limit)).collect::<Vec<_>>();
            let known = |ids: &[u32], limit: u32| ids.iter().map(|&id| id <= limit).collect::<Vec<_>>();
            let (users, items) = (&queries.user[range.clone()], &queries.item[range.clone()]);
            let (user, item) = (clip(users, self.limits.0), clip(items, self.limits.1));
            let context = &described.context[range.start * width..range.end * width];
            let history = self.histories.as_ref().zip(sums.as_ref()).map(|(lists, sums)| {
                let raters = lists.of_item.pooled(params, &sums.1, &item, &user);
                (
                    History::Pooled(lists.of_user.pooled(params, &sums.0, &user, &item)),
                    History::Pooled(raters),
                )
            });
            let members = self.members_of(&user);
            let known = Some((known(users, self.limits.0), known(items, self.limits.1)));
            let batch = Batch { user: &user, item: &item, context, members, history, known };
            let outputs =
                self.net.forward(tape, params, &batch, (&self.users, &self.items), &mut Mode::score());
            take(tape, &outputs)
        })
    }

    /// Members of each user's group and where each user's begin.
    fn members_of(&self, user: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
        if self.members.is_empty() {
            return None;
        }
        let (mut ids, mut offsets) = (Vec::new(), vec![0u32]);
        for &u in user {
            ids.extend_from_slice(&self.members[self.groups[u as usize] as usize]);
            offsets.push(ids.len() as u32);
        }
        Some((ids, offsets))
    }
}

impl Scorer for Dmtl {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        let described = self.batch_of(queries);
        self.rate(&self.params, queries, &described)
    }

    fn rates(&self) -> bool {
        self.tasks != Tasks::Profiling
    }
}
