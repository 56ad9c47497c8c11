//! Two towers with a block per group of territories on the user tower (R. Gampa, S. Javadi, B. Bayar and A. Yessenalina,
//! "Multi-Task Learning For Reduced Popularity Bias In Multi-Territory Video Recommendations", 2023, arXiv 2310.03148).
//!
//! `s = scale · ⟨g_k(f_u(u)), f_t(t)⟩ + bias` is the logit of a user of group `k` and a title; `f_u` and `f_t` are shared by all
//! groups, `g_k` belongs to one. The loss is binary cross-entropy over examples, masked by group:
//! `L = Σ_k (1/D_k) Σ_b m_{bk}·BCE(s_{bk}, y_b)`, `m_b = one-hot(k(b))`, with `D_k = B` (the paper's form) or `Σ_b m_{bk}`, the
//! group's own rows. Only the block of the row's own group is computed: masking all K scores gives the same gradient, which is
//! a test. Each group is an objective of its own, so balancers may work on groups. Shapes stand at the head of `net.rs`.
//!
//! **A group moves nothing of another's.** Without a row of group `k` in a step, the block of `k` and its optimiser state stay
//! as they are to the bit, weight decay included.
//!
//! **Differences from the paper**, which names neither sizes nor the optimiser nor the sampling: all of these are settings
//! ([`Config`]). Blocks are residual, `z + g_k(z)`, and start at zero, so that the first step is the baseline's; the last layers of
//! the user tower may be a group's own instead. The paper's user and title vectors (a ResNet-like model's, BERT's) are whatever
//! is brought ([`UserInput`], [`Input::titles`]).
//!
//! ```
//! use kohort_data::synthetic::Recipe;
//! use kohort_data::territories::Territories;
//! use kohort_data::{Vectors, Way};
//! use kohort_models::baselines::Scorer;
//! use kohort_models::towers::{self, Config, Groups, Input, UserInput};
//! use kohort_models::trainer::TrainConfig;
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1)?;
//! let regions = Territories::of(&data, "region")?;
//! // Stand-ins: one number per title, and per item factor.
//! let titles = Vectors::new((0..data.items.len()).map(|i| (i as f32).sin()).collect(), 1)?;
//! let input = Input {
//!     train: &split.train,
//!     known: None,
//!     users: UserInput::Folded(&titles),
//!     titles: &titles,
//!     territories: &regions,
//!     groups: Some(Groups { of_user: regions.of_user(), count: regions.len() }),
//!     weights: None,
//!     validation: None,
//! };
//! let train = TrainConfig { epochs: 1, ..Config::default().train };
//! let config = Config { user: vec![8, 4], title: vec![8, 4], train, ..Config::default() };
//! let model = towers::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.losses))?;
//! assert_eq!(model.score(split.test.queries()).len(), split.test.queries().user.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod config;
mod net;
mod stop;
mod system;
#[cfg(test)]
mod tests;
mod users;

use kohort_core::kernels::{Transpose, dot, gemm};
use kohort_core::{Params, shards};
use kohort_data::territories::Territories;
use kohort_data::{Queries, RankingCandidates, Train, Vectors};
use kohort_layers::{Mode, Segments};
use kohort_objectives::{Balancer, Denominator, Fixed};
use rayon::prelude::*;

pub use config::{Blocks, Config, Labels, Logit, Loss, Start, Stop};

use crate::ModelError;
use crate::baselines::Scorer;
use crate::trainer::{Checkpoint, Epoch, train};
use system::{Rows, distinct};

/// Where user vectors come from.
#[derive(Clone, Copy, Debug)]
pub enum UserInput<'a> {
    /// The users' own vectors, `[users, width]`, as brought.
    Given(&'a Vectors),
    /// Factors of items, `[items, width]`: a user is the sum of the factors of the items in the own history, over a
    /// power of their number ([`Config::history_power`]). **When training, without the row's own item**: at evaluation
    /// the target is not in the history either, and a tower that finds the target in its input learns to look there.
    Folded(&'a Vectors),
}

/// The group of each user.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a> {
    /// Group of each user, `[users]`.
    pub of_user: &'a [u32],
    /// Number of groups.
    pub count: usize,
}

/// What the towers learn from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The rows to learn from: all, or a sample of users.
    pub train: &'a Train,
    /// The rows that histories and sampled negatives are made from, where `train` is a sample of them, all of which must
    /// be there; `train` itself without. Under [`Labels::Shown`] only positives are history.
    pub known: Option<&'a Train>,
    /// User vectors.
    pub users: UserInput<'a>,
    /// Title vectors, `[items, width]`.
    pub titles: &'a Vectors,
    /// Who lives where: negatives are drawn, and early stopping averages, by territory.
    pub territories: &'a Territories,
    /// Groups of territories with a block each; without, one group and no block: the baseline.
    pub groups: Option<Groups<'a>>,
    /// Weight of each row of `train`, `[rows]`, such as the importance weights of an upsampled set; 1 without.
    pub weights: Option<&'a [f32]>,
    /// Candidates of the *validation* part for early stopping; without, the run goes through all epochs.
    pub validation: Option<&'a RankingCandidates>,
}

/// A trained model: representations of all users and titles, and the weights that made them.
#[derive(Clone, Debug)]
pub struct Towers {
    params: Params,
    /// Representations of the users, times the scale, `[users, width]`.
    users: Vec<f32>,
    /// Representations of the titles, `[items, width]`.
    titles: Vec<f32>,
    width: usize,
    bias: f32,
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Rows of a tower run on one tape when scoring.
const SCORE_ROWS: usize = 256;

/// Trains the towers.
///
/// # Errors
/// A setting out of range, data that don't fit, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Towers, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains the towers with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<Towers, ModelError> {
    let groups = input.groups.map_or(1, |groups| groups.count);
    // Of means over groups the mean, so that the loss has one size for any number of groups.
    let weight = match config.denominator {
        Denominator::Mask | Denominator::Weight => 1.0 / groups.max(1) as f64,
        Denominator::Rows | Denominator::Fixed(_) => 1.0,
    };
    let mut balancer = Fixed::new(vec![weight; groups])?;
    fit_balanced(input, config, seed, &mut balancer, checkpoint, observe)
}

/// Trains the towers under a balancer, whose objectives are the groups (one for the baseline).
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
) -> Result<Towers, ModelError> {
    config.check()?;
    let rows = Rows::prepare(input, config, seed)?;
    check::no_empty_group(&input)?;
    if let Some(held) = input.validation {
        let scores = vec![0.0; held.user.len()];
        stop::value(config.stop, held, input.territories, &scores)
            .map_err(|error| ModelError::Config(format!("validation candidates: {error}")))?;
    }
    // After this check only a score that is not a number can be wrong, which the trainer reports as it does NaN.
    let validate = |params: &Params| match input.validation {
        Some(held) => stop::value(config.stop, held, input.territories, &rows.score(params, held))
            .map_or(f64::NAN, |value| -value),
        None => f64::NAN,
    };
    let validate: Option<&dyn Fn(&Params) -> f64> =
        if input.validation.is_some() { Some(&validate) } else { None };
    let trained = train(&rows, balancer, &config.train, seed, validate, checkpoint, observe)?;
    let mut model = rows.model(trained.params);
    model.epochs = trained.epochs;
    model.best = trained.best;
    Ok(model)
}

/// The parameters that a run of this seed starts from, for tools that should start from the same.
///
/// # Errors
/// A setting out of range, or data that don't fit.
pub fn initial(input: Input<'_>, config: &Config, seed: u64) -> Result<Params, ModelError> {
    config.check()?;
    Ok(crate::trainer::System::initial(&Rows::prepare(input, config, seed)?, seed))
}

/// The model of exported weights ([`Towers::export`]) on this input: nothing is trained.
///
/// # Errors
/// A setting out of range, data that don't fit, or a file that is damaged or holds another model.
pub fn load(input: Input<'_>, config: &Config, path: &std::path::Path) -> Result<Towers, ModelError> {
    config.check()?;
    let rows = Rows::prepare(input, config, 0)?;
    let mut params = crate::trainer::System::initial(&rows, 0);
    kohort_core::weights::import(&mut params, path)?;
    Ok(rows.model(params))
}

impl Rows<'_> {
    fn model(&self, params: Params) -> Towers {
        let all: Vec<u32> = (0..self.input.train.rows().users as u32).collect();
        Towers {
            users: self.represent_users(&params, &all),
            titles: self.represent_titles(&params),
            width: self.net.width,
            bias: self.net.bias(&params),
            params,
            epochs: Vec::new(),
            best: 0,
        }
    }

    /// Scores of candidates, `[candidates]`.
    fn score(&self, params: &Params, candidates: &RankingCandidates) -> Vec<f32> {
        let (known, places) = distinct(&candidates.user);
        let users = self.represent_users(params, &known);
        let titles = self.represent_titles(params);
        score_pairs(&users, &titles, self.net.width, self.net.bias(params), &places, &candidates.item)
    }

    /// Representations of some users, whole histories in, `[users, width]`.
    fn represent_users(&self, params: &Params, users: &[u32]) -> Vec<f32> {
        let group = |user: u32| self.input.groups.map_or(0, |groups| groups.of_user[user as usize]);
        let mut order: Vec<u32> = (0..users.len() as u32).collect();
        order.sort_by_key(|&at| group(users[at as usize]));
        let width = self.users.width();
        let made: Vec<f32> = shards::score(users.len(), SCORE_ROWS, |range, tape| {
            let own: Vec<u32> = order[range].iter().map(|&at| users[at as usize]).collect();
            let x = tape.input_with(own.len(), width, |into| {
                for (&user, into) in own.iter().zip(into.chunks_exact_mut(width)) {
                    self.users.write(user, None, into);
                }
            });
            let z = self.net.shared(tape, params, x, &mut Mode::score());
            let segments = Segments::of(own.iter().map(|&user| group(user)));
            let z = self.net.grouped(tape, params, z, &segments, &mut Mode::score());
            tape.value(z).to_vec()
        });
        let width = self.net.width;
        let mut out = vec![0.0; made.len()];
        for (&at, row) in order.iter().zip(made.chunks_exact(width)) {
            out[at as usize * width..(at as usize + 1) * width].copy_from_slice(row);
        }
        out
    }

    /// Representations of all titles, `[items, width]`.
    fn represent_titles(&self, params: &Params) -> Vec<f32> {
        let vectors = self.input.titles;
        shards::score(vectors.rows(), SCORE_ROWS, |range, tape| {
            let values = &vectors.values()[range.start * vectors.width()..range.end * vectors.width()];
            let t = tape.input(range.len(), vectors.width(), values);
            let v = self.net.titles(tape, params, t, &mut Mode::score());
            tape.value(v).to_vec()
        })
    }
}

/// Logits of pairs; a user or title that is not there has a representation of zeros.
fn score_pairs(
    users: &[f32],
    titles: &[f32],
    width: usize,
    bias: f32,
    user: &[u32],
    title: &[u32],
) -> Vec<f32> {
    const CHUNK: usize = 4096;
    let mut scores = vec![bias; user.len().min(title.len())];
    scores.par_chunks_mut(CHUNK).zip(user.par_chunks(CHUNK)).zip(title.par_chunks(CHUNK)).for_each(
        |((scores, user), title)| {
            for ((score, &user), &title) in scores.iter_mut().zip(user).zip(title) {
                if let (Some(z), Some(v)) = (row_of(users, width, user), row_of(titles, width, title)) {
                    *score += dot(z, v);
                }
            }
        },
    );
    scores
}

fn row_of(values: &[f32], width: usize, row: u32) -> Option<&[f32]> {
    values.chunks_exact(width).nth(row as usize)
}

impl Towers {
    /// Writes the weights as a safetensors file for other tools, with `metadata` (canonical JSON, say) inside.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn export(&self, path: &std::path::Path, metadata: &str) -> Result<(), ModelError> {
        Ok(kohort_core::weights::export(&self.params, path, metadata)?)
    }

    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Number of titles in a list.
    pub fn items(&self) -> usize {
        self.titles.len() / self.width
    }

    /// Scores of the whole catalogue for some users: fills `scores` `[users, items]`, row-major, with one product per
    /// block of users. Every title went through its tower once, when the model was made.
    ///
    /// ```no_run
    /// # fn of(model: kohort_models::towers::Towers, catalogue: kohort_eval::ranking::Catalogue,
    /// #     protocol: kohort_eval::ranking::RankingProtocol) -> Result<(), kohort_eval::EvalError> {
    /// let ranked = catalogue.evaluate_blocks(&protocol, 256, |users, scores| model.lists(users, scores))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If `scores` is not `[users, items]`.
    pub fn lists(&self, users: &[u32], scores: &mut [f32]) {
        const BLOCK: usize = 64;
        let (items, width) = (self.items(), self.width);
        assert_eq!(scores.len(), users.len() * items, "scores are [users, items]");
        if items == 0 {
            return;
        }
        scores.par_chunks_mut(BLOCK * items).zip(users.par_chunks(BLOCK)).for_each(|(scores, users)| {
            let mut z = vec![0.0; users.len() * width];
            for (z, &user) in z.chunks_exact_mut(width).zip(users) {
                if let Some(own) = row_of(&self.users, width, user) {
                    z.copy_from_slice(own);
                }
            }
            scores.fill(self.bias);
            let shape = (users.len(), items, width);
            gemm((Transpose::No, Transpose::Yes), shape, 1.0, &z, &self.titles, 1.0, scores);
        });
    }
}

/// Scores are logits, `scale · ⟨g_k(f_u(u)), f_t(t)⟩ + bias`; the bias alone for a user or title that is not known.
impl Scorer for Towers {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_pairs(&self.users, &self.titles, self.width, self.bias, queries.user, queries.item)
    }

    fn rates(&self) -> bool {
        false
    }
}
