//! SASRec (Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018): the next item from a user's last ones.
//!
//! The encoder ([`kohort_layers::SequenceEncoder`], which says what it leaves out of the published code) gives a representation
//! `f_t` of each beginning `s_1 … s_t` of a user's training rows in the order of time. An item's score after it is its inner
//! product with the embedding that the encoder itself reads, and each position is asked for the next item:
//!
//! `y(f_t, i) = f_t·E[i]`, `L = −(1/P) Σ_positions [ln σ(y(f_t, s_{t+1})) + Σ_n ln(1 − σ(y(f_t, n)))]`
//!
//! with `P` the batch's positions and negatives `n` drawn uniformly, anew in each epoch, from the items that the user does not have in
//! training. A user's last `most + 1` rows are learned from; earlier ones only keep their items from being negatives.
//!
//! **Differences.** Held-out items are as likely to be negatives as any other; batches go through all users in a random order, where
//! the code draws users with replacement.
//!
//! **A frozen representation.** [`SasRec::representations`] is `f` at each user's last training row, and [`SasRec::represent`] at the end
//! of any lists: what a gate over adapters reads. A training row that is itself in the list would be known to its own gate; give
//! [`SasRec::represent`] what came before it.
//!
//! When not to use it: where times mean nothing, or most users have one or two rows. A user without history has the representation 0, so
//! all items score 0: fall back on popularity. [`Queries::time`] is not read; what came after training is told by [`SasRec::remember`].
//!
//! ```
//! use kohort_data::{Queries, ThreeWay, synthetic::Recipe};
//! use kohort_models::baselines::Scorer;
//! use kohort_models::sequence::{self, Config, Input};
//! use kohort_models::trainer::TrainConfig;
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let parts = ThreeWay::LeaveTwoOut.split(&data.interactions)?;
//! let input = Input { train: &parts.train, validation: Some(&parts.validation) };
//! let train = TrainConfig { epochs: 2, ..Config::default().train };
//! let config = Config { width: 8, blocks: 1, most: 10, train, ..Config::default() };
//! let mut model = sequence::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.validation))?;
//! assert_eq!(model.representations().len(), data.users.len() * 8);
//!
//! // What was held out to choose on is history when the test row is scored.
//! model.remember(&parts.train.with(parts.validation))?;
//! let scores = model.score(Queries { user: &[0, 0], item: &[3, 5], time: &[0, 0] });
//! assert!(scores.iter().all(|score| score.is_finite()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod held;
mod history;
mod system;
#[cfg(test)]
mod tests;

use kohort_core::{Params, kernels::dot, shards};
use kohort_data::{Queries, Train, Validation};
use kohort_layers::{Mode, SequenceEncoder};
use kohort_objectives::Fixed;

pub use config::Config;

use crate::ModelError;
use crate::baselines::{Scorer, score_each};
use crate::trainer::{Checkpoint, Epoch, train};
use held::Held;
use history::Histories;
use system::Rows;

/// What the model learns from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The rows to learn from. Ratings are not read; a pair may be there several times.
    pub train: &'a Train,
    /// Rows for early stopping. [`Epoch::validation`] is then 1 less the mean over users of nDCG@10, each user's validation items
    /// against 99 items that the user has in neither part. A part without rows is none: the run goes through all epochs.
    pub validation: Option<&'a Validation>,
}

/// A trained model.
pub struct SasRec {
    encoder: SequenceEncoder,
    histories: Histories,
    params: Params,
    /// `f` at the end of each history, `[users, width]`.
    users: Vec<f32>,
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Lists encoded on one tape.
const CHUNK: usize = 64;

/// Trains the model.
///
/// # Errors
/// A setting out of range, no user with two rows, parts of different sizes, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<SasRec, ModelError> {
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
) -> Result<SasRec, ModelError> {
    config.check()?;
    let rows = Rows::prepare(&input, config, seed)?;
    let held = match input.validation.filter(|held| !held.rows().is_empty()) {
        Some(held) => Some(Held::draw(input.train, held, seed)?),
        None => None,
    };
    let validate = |params: &Params| {
        let users = of_users(&rows.encoder, params, &rows.histories);
        let score = |&(user, item): &(u32, u32)| score(&rows.encoder, params, &users, user, item);
        held.as_ref()
            .map_or(f64::NAN, |held| 1.0 - held.ndcg(&held.pairs.iter().map(score).collect::<Vec<f32>>()))
    };
    let validate: Option<&dyn Fn(&Params) -> f64> = if held.is_some() { Some(&validate) } else { None };
    let mut balancer = Fixed::new(vec![1.0])?;
    let trained = train(&rows, &mut balancer, &config.train, seed, validate, checkpoint, observe)?;
    let users = of_users(&rows.encoder, &trained.params, &rows.histories);
    Ok(SasRec {
        encoder: rows.encoder,
        histories: rows.histories,
        params: trained.params,
        users,
        epochs: trained.epochs,
        best: trained.best,
    })
}

/// `f` at the end of each list, `[lists, width]`; lists have at most `most` items, all of them known.
fn encode<'a>(
    encoder: &SequenceEncoder,
    params: &Params,
    lists: usize,
    list: impl Fn(usize) -> &'a [u32] + Sync,
) -> Vec<f32> {
    shards::score(lists, CHUNK, |range, tape| {
        let (mut items, mut offsets) = (Vec::new(), vec![0u32]);
        for own in range {
            items.extend_from_slice(list(own));
            offsets.push(items.len() as u32);
        }
        let f = encoder.forward(tape, params, &items, &offsets, &mut Mode::score());
        let last = encoder.last(tape, f, &offsets);
        tape.value(last).to_vec()
    })
}

fn of_users(encoder: &SequenceEncoder, params: &Params, histories: &Histories) -> Vec<f32> {
    let most = encoder.config().most;
    encode(encoder, params, histories.users(), |user| histories.last(user, most))
}

/// `f·E[i]`; 0 for a user or an item that is not known.
fn score(encoder: &SequenceEncoder, params: &Params, users: &[f32], user: u32, item: u32) -> f32 {
    let (user, item, width) = (user as usize, item as usize, encoder.config().width);
    match users.chunks_exact(width).nth(user) {
        Some(f) if item < encoder.config().items => dot(f, params.row(encoder.items.table, item)),
        _ => 0.0,
    }
}

impl SasRec {
    /// The encoder, to record it on a tape of one's own with [`SasRec::params`].
    pub fn encoder(&self) -> &SequenceEncoder {
        &self.encoder
    }

    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The representation of each user at the end of the history, `[users, width]`; zeros for a user without one.
    pub fn representations(&self) -> Vec<f32> {
        self.users.clone()
    }

    /// The representation of any lists of items, earliest first, `[lists, width]`: list `n` holds
    /// `items[offsets[n] .. offsets[n + 1]]`, of which the last [`Config::most`] are read. Items that training did not know are left out;
    /// a list without a known item gives zeros.
    ///
    /// # Panics
    /// If the offsets don't rise within the items.
    pub fn represent(&self, items: &[u32], offsets: &[u32]) -> Vec<f32> {
        let (known, most) = (self.encoder.config().items, self.encoder.config().most);
        let lists: Vec<Vec<u32>> = offsets
            .windows(2)
            .map(|ends| {
                let own = &items[ends[0] as usize..ends[1] as usize];
                let mut own: Vec<u32> =
                    own.iter().rev().copied().filter(|&item| (item as usize) < known).take(most).collect();
                own.reverse();
                own
            })
            .collect();
        encode(&self.encoder, &self.params, lists.len(), |list| &lists[list])
    }

    /// Takes these rows for the users' histories from now on; parameters stay. With [`Train::with`], rows that were held out to choose on
    /// become history before the test part is scored.
    ///
    /// # Errors
    /// Rows over other items.
    pub fn remember(&mut self, rows: &Train) -> Result<(), ModelError> {
        let (what, found, expected) =
            ("items of the rows to remember", rows.rows().items, self.encoder.config().items);
        if found != expected {
            return Err(ModelError::Size { what, found, expected });
        }
        self.histories = Histories::new(rows.rows());
        self.users = of_users(&self.encoder, &self.params, &self.histories);
        Ok(())
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
        let mut params = self.params.clone();
        kohort_core::weights::import(&mut params, path)?;
        self.users = of_users(&self.encoder, &params, &self.histories);
        self.params = params;
        Ok(())
    }
}

impl Scorer for SasRec {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), user, item| score(&self.encoder, &self.params, &self.users, user, item))
    }

    fn rates(&self) -> bool {
        false
    }
}
