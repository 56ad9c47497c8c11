//! LightGCN: embeddings of users and items smoothed over the graph of who took what (X. He, K. Deng, X. Wang, Y. Li, Y. Zhang
//! and M. Wang, "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation", SIGIR 2020).
//!
//! With `E⁽⁰⁾` `[users + items, d]` and `Ã = D^{−½} A D^{−½}` of the bipartite training graph:
//!
//! ```text
//! E⁽ᵏ⁺¹⁾ = Ã·E⁽ᵏ⁾,   X = (1/(K + 1)) Σ_{k=0..K} E⁽ᵏ⁾,   score(u, i) = x_u · x_i
//! L = (1/B) Σ_{(u,i,j)} [ −ln σ(x_u·x_i − x_u·x_j) + (λ/2)(|e_u|² + |e_i|² + |e_j|²) ]
//! ```
//!
//! with one j per row (u, i), drawn in each epoch anew from the items that u has not in training (S. Rendle, C. Freudenthaler,
//! Z. Gantner and L. Schmidt-Thieme, "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009). **K = 0 is
//! matrix factorisation** under the same loss, what LightGCN has to beat. λ acts on the rows of `E⁽⁰⁾` that the batch names.
//!
//! **Propagation and the trainer.** A step needs `X` at the batch's nodes, and `X` needs all of `E⁽⁰⁾`. So propagation is an op
//! on the tape ([`Tape::propagate`](kohort_core::Tape::propagate)) over one dense parameter, a batch is **one shard**
//! ([`Config::check`] sees to it), and threads share the rows of the sparse products: a row is summed by one thread in the order of
//! its columns, so that the bits are the same for any number of threads. The trainer knows nothing of it.
//!
//! **A user who came after training** has no row of E. [`LightGcn::newcomer`] gives what propagation would give them with a row
//! of zeros, were they joined to the items I that they took:
//!
//! ```text
//! x = (1/(K + 1)) Σ_{i ∈ I} (1/√(|I|·(d_i + 1))) Σ_{k<K} e_i⁽ᵏ⁾
//! ```
//!
//! with the items' own layers `e_i⁽ᵏ⁾` as training left them: exact for K = 1, and beyond without the newcomer's pull on
//! their items. Without layers there is nothing to give. [`LightGcn::assigner`] gives them a cohort by it.
//!
//! Several behaviours at once, friendships beside listening say, are [`behaviours`].
//!
//! **Differences from the paper's code**, which draws as many users as there are rows, with replacement, and one of the user's
//! items: here an epoch goes over each row once, in random order. Ratings are not looked at: a row is a positive.
//!
//! ```
//! use kohort_data::{Way, synthetic::Recipe};
//! use kohort_models::baselines::Scorer;
//! use kohort_models::lightgcn::{self, Config, Input};
//! use kohort_models::trainer::TrainConfig;
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let split = Way::PerUser { share: 0.2 }.split(&data.interactions, 1)?;
//! let train = TrainConfig { epochs: 2, ..Config::default().train };
//! let config = Config { width: 8, layers: 2, train, ..Config::default() };
//! let input = Input { train: &split.train, validation: None };
//! let model = lightgcn::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.losses))?;
//! assert_eq!(model.score(split.test.queries()).len(), split.test.answers().len());
//! assert_eq!(model.representations().users.len(), data.users.len() * 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod behaviours;
mod config;
mod stop;
mod system;
#[cfg(test)]
mod tests;

use kohort_cohorts::living::{InductiveAssigner, LivingError};
use kohort_core::Params;
use kohort_core::kernels::{Transpose, dot, gemm};
use kohort_data::{Queries, Train, Validation};
use kohort_objectives::Fixed;
use rayon::prelude::*;

pub use config::Config;
pub use stop::protocol;

use crate::ModelError;
use crate::baselines::{Scorer, score_each};
use crate::trainer::{Checkpoint, Epoch, train};
use stop::Held;
use system::Rows;

/// What LightGCN learns from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The rows to learn from; they are the graph, too.
    pub train: &'a Train,
    /// Rows for early stopping by NDCG@20 of the whole catalogue ([`protocol`]); without, the run goes through all epochs.
    pub validation: Option<&'a Validation>,
}

/// Propagated embeddings of all users and items. A user or an item without a training row has its own, K + 1 times shorter,
/// and nobody else's.
#[derive(Clone, Debug, PartialEq)]
pub struct Representations {
    /// Rows of X of the users, `[users, width]`.
    pub users: Vec<f32>,
    /// Rows of X of the items, `[items, width]`.
    pub items: Vec<f32>,
    /// Width d.
    pub width: usize,
}

/// A trained model.
#[derive(Clone, Debug)]
pub struct LightGcn {
    params: Params,
    representations: Representations,
    /// What an item gives a newcomer but for 1/√|I|, `[items, width]`; empty without layers.
    given: Vec<f32>,
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Trains the embeddings.
///
/// # Errors
/// A setting out of range, data that don't fit, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<LightGcn, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains the embeddings with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<LightGcn, ModelError> {
    config.check()?;
    let rows = Rows::prepare(input, config, seed)?;
    let held = input.validation.map(|held| Held::new(input.train, held)).transpose()?;
    let value = |params: &Params| held.as_ref().map_or(f64::NAN, |held| -held.ndcg(&rows.represent(params)));
    let validate: Option<&dyn Fn(&Params) -> f64> = if held.is_some() { Some(&value) } else { None };
    let mut balancer = Fixed::new(vec![1.0])?;
    let trained = train(&rows, &mut balancer, &config.train, seed, validate, checkpoint, observe)?;
    Ok(LightGcn {
        representations: rows.represent(&trained.params),
        given: rows.given(&trained.params),
        params: trained.params,
        epochs: trained.epochs,
        best: trained.best,
    })
}

impl LightGcn {
    /// Propagated embeddings, for whatever wants users as points: cohorts, say.
    pub fn representations(&self) -> &Representations {
        &self.representations
    }

    /// The representation `[width]` of a user who is not in training, from the items they took; those that are not known and
    /// repeated ones don't count. `None` without a known item, and for a model without layers.
    pub fn newcomer(&self, items: &[u32]) -> Option<Vec<f32>> {
        let mut own: Vec<u32> = items.to_vec();
        own.sort_unstable();
        own.dedup();
        let width = self.representations.width;
        let rows: Vec<&[f32]> =
            own.iter().filter_map(|&item| self.given.chunks_exact(width).nth(item as usize)).collect();
        let scale = 1.0 / (rows.len() as f32).sqrt();
        let mut x = vec![0.0; width];
        for row in &rows {
            x.iter_mut().zip(*row).for_each(|(x, given)| *x += scale * given);
        }
        (!rows.is_empty()).then_some(x)
    }

    /// What an item gives a newcomer who took it, but for 1/√|I|: `[items, width]`, empty without layers.
    pub fn given(&self) -> &[f32] {
        &self.given
    }

    /// Who places newcomers among cohorts of the users in training, from what they took: to be saved beside the model. `cohorts`
    /// `[users]` may come from anywhere, and users without a known item go to `fallback`.
    ///
    /// # Errors
    /// A model without layers, cohorts of fewer users than training has, or of none.
    pub fn assigner(
        &self,
        train: &Train,
        cohorts: &[Option<u32>],
        fallback: Option<u32>,
    ) -> Result<InductiveAssigner, LivingError> {
        let rows = train.rows();
        let width = self.representations.width;
        InductiveAssigner::fit(&self.given, width, (&rows.user, &rows.item), cohorts, fallback)
    }

    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Scores of the whole catalogue for some users: fills `scores` `[users, items]`, row-major.
    ///
    /// # Panics
    /// If `scores` is not `[users, items]`.
    pub fn lists(&self, users: &[u32], scores: &mut [f32]) {
        self.representations.lists(users, scores);
    }
}

impl Representations {
    fn user(&self, user: u32) -> Option<&[f32]> {
        self.users.chunks_exact(self.width).nth(user as usize)
    }

    fn scores(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(): &mut (), user, item| {
            let item = self.items.chunks_exact(self.width).nth(item as usize);
            self.user(user).zip(item).map_or(0.0, |(user, item)| dot(user, item))
        })
    }

    fn lists(&self, users: &[u32], scores: &mut [f32]) {
        const BLOCK: usize = 64;
        let (items, width) = (self.items.len() / self.width, self.width);
        assert_eq!(scores.len(), users.len() * items, "scores are [users, items]");
        if items == 0 {
            return;
        }
        scores.par_chunks_mut(BLOCK * items).zip(users.par_chunks(BLOCK)).for_each(|(scores, users)| {
            let mut x = vec![0.0; users.len() * width];
            for (x, &user) in x.chunks_exact_mut(width).zip(users) {
                if let Some(own) = self.user(user) {
                    x.copy_from_slice(own);
                }
            }
            let shape = (users.len(), items, width);
            gemm((Transpose::No, Transpose::Yes), shape, 1.0, &x, &self.items, 0.0, scores);
        });
    }
}

/// Scores are `x_u · x_i`; 0 for a user or an item that is not known.
impl Scorer for LightGcn {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        self.representations.scores(queries)
    }

    fn rates(&self) -> bool {
        false
    }
}
