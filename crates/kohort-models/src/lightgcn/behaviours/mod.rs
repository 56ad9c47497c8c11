//! A graph network over several behaviours and many hops, after NAH-GNN (G. Tan, "NAH-GNN: A graph-based framework for multi-behavior
//! and high-hop interaction recommendation", PLoS ONE 20(4): e0321419, 2025) as far as we know it.
//!
//! With behaviours b, of which 0 is the target (what is recommended), numbers of layers K ∈ `hops`, one table `E` `[users + items, d]`
//! for all, and `Ã_b = D^{−½} A_b D^{−½}` of each behaviour's edges:
//!
//! ```text
//! H_{b,K} = (1/(K + 1)) Σ_{k=0..K} Ã_bᵏ·E                           views, each [users + items, d]
//! X       = Σ_{b,K} α_{b,K} H_{b,K},   α = softmax(q·tanh(W h))     node by node, over behaviours with an edge there
//! L       = BPR(X, rows of 0) + ω Σ_{b>0} BPR(mean_K H_{b,K}, rows of b) + (λ/2B) Σ |e|²
//! score(u, i) = x_u · x_i
//! ```
//!
//! BPR and λ are [LightGCN's](super). A behaviour joins users to items, such as tags or clicks, or users to users, such as
//! friendships ([`Edges`]). For each row of the target its user brings one edge of each other behaviour, drawn with a negative of its
//! own; who has none brings none. **One behaviour and one number of layers is LightGCN, to the bit**; behaviours with the
//! same edges all have LightGCN's views.
//!
//! **What is published and what we chose.** We had the abstract and figures' captions, not the equations: a graph of
//! several behaviours, aggregation that knows its neighbours behaviour by behaviour, weights of the behaviours that are found as the
//! model learns, a module for far hops (an ablation goes from one hop to three), one prediction for the target. Ours:
//!
//! - neighbours weigh by degrees, as in LightGCN, and not by an attention of pairs, which would cost a product an edge;
//! - far hops are views of their own, with an attention between near and far, over LightGCN's mean within a view;
//! - one attention for all nodes, behaviours and hops, without heads;
//! - one table for all behaviours; the loss of the others and their draws as above; λ on nodes of the target's rows only.
//!
//! The paper's data (BeiBei, Tmall) and its HR@10 are not repeated here.
//!
//! ```
//! use kohort_data::{Way, synthetic::Recipe};
//! use kohort_models::baselines::Scorer;
//! use kohort_models::lightgcn::behaviours::{self, Behaviour, Config, Edges, Input};
//! use kohort_models::trainer::TrainConfig;
//!
//! let (data, _) = Recipe::small().generate(7)?;
//! let split = Way::PerUser { share: 0.2 }.split(&data.interactions, 1)?;
//! let friends = Behaviour { name: "friends".to_owned(), edges: Edges::Users { ties: vec![(0, 1), (1, 2)] } };
//! let train = TrainConfig { epochs: 2, ..Config::default().train };
//! let config = Config { width: 8, hops: vec![1, 3], train, ..Config::default() };
//! let input = Input { train: &split.train, validation: None, behaviours: &[friends] };
//! let model = behaviours::fit(input, &config, 1, &mut |_| {})?;
//! assert_eq!(model.score(split.test.queries()).len(), split.test.answers().len());
//! let weights: f64 = model.attention().iter().map(|view| view.weight).sum();
//! assert!((weights - 1.0).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attention;
mod config;
mod relation;
mod system;
#[cfg(test)]
mod tests;

use kohort_core::Params;
use kohort_data::{Queries, Train, Validation};
use kohort_objectives::Fixed;

pub use config::Config;

use super::Representations;
use super::stop::Held;
use crate::ModelError;
use crate::baselines::Scorer;
use crate::trainer::{Checkpoint, Epoch, train};
use system::Behaviours;

/// Name of the target among objectives and views.
pub const TARGET: &str = "target";

/// What users did besides, or whom they know.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// Its name, each once and none [`TARGET`].
    pub name: String,
    /// Who with what.
    pub edges: Edges,
}

/// Edges of a behaviour; one that is told twice is one.
#[derive(Clone, Debug, PartialEq)]
pub enum Edges {
    /// Users and items, side by side.
    Items {
        /// Users, `[edges]`.
        user: Vec<u32>,
        /// Items, `[edges]`.
        item: Vec<u32>,
    },
    /// Users and users, in either direction.
    Users {
        /// Both ends, `[edges]`.
        ties: Vec<(u32, u32)>,
    },
}

/// What the model learns from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Rows of the target.
    pub train: &'a Train,
    /// Rows of the target for early stopping, as in [`super::Input`].
    pub validation: Option<&'a Validation>,
    /// The other behaviours. Edges that tell of held-out rows are the caller's to leave out.
    pub behaviours: &'a [Behaviour],
}

/// How much a view counts.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewWeight {
    /// The behaviour's name.
    pub behaviour: String,
    /// The view's number of layers.
    pub hops: usize,
    /// α, the mean over users; those of all views sum to 1.
    pub weight: f64,
}

/// A trained model.
#[derive(Clone, Debug)]
pub struct BehaviourGcn {
    params: Params,
    representations: Representations,
    attention: Vec<ViewWeight>,
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Trains the embeddings and the attention.
///
/// # Errors
/// A setting out of range, data that don't fit, a behaviour whose edges lead nowhere, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<BehaviourGcn, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<BehaviourGcn, ModelError> {
    config.check()?;
    let plain = config.plain();
    let system = Behaviours::prepare(input, config, &plain, seed)?;
    let held = input.validation.map(|held| Held::new(input.train, held)).transpose()?;
    let value =
        |params: &Params| held.as_ref().map_or(f64::NAN, |held| -held.ndcg(&system.represent(params).0));
    let validate: Option<&dyn Fn(&Params) -> f64> = if held.is_some() { Some(&value) } else { None };
    let mut balancer = Fixed::new(system.weights())?;
    let trained = train(&system, &mut balancer, &config.train, seed, validate, checkpoint, observe)?;
    let (representations, gates) = system.represent(&trained.params);
    let attention = weights(&input, config, &gates);
    Ok(BehaviourGcn {
        params: trained.params,
        representations,
        attention,
        epochs: trained.epochs,
        best: trained.best,
    })
}

/// Means of gates `[users, views]`.
fn weights(input: &Input<'_>, config: &Config, gates: &[f32]) -> Vec<ViewWeight> {
    let names = std::iter::once(TARGET).chain(input.behaviours.iter().map(|one| one.name.as_str()));
    let views: Vec<(&str, usize)> =
        names.flat_map(|name| config.hops.iter().map(move |&hops| (name, hops))).collect();
    let users = gates.len() / views.len();
    let mean = |view: usize| {
        let own = gates.iter().skip(view).step_by(views.len());
        own.map(|&weight| f64::from(weight)).sum::<f64>() / users.max(1) as f64
    };
    let of = |(view, &(name, hops)): (usize, &(&str, usize))| ViewWeight {
        behaviour: name.to_owned(),
        hops,
        weight: mean(view),
    };
    views.iter().enumerate().map(of).collect()
}

impl BehaviourGcn {
    /// X of all users and items.
    pub fn representations(&self) -> &Representations {
        &self.representations
    }

    /// How much each view counts, behaviour after behaviour, hops within.
    pub fn attention(&self) -> &[ViewWeight] {
        &self.attention
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

/// Scores are `x_u · x_i`; 0 for a user or an item that is not known.
impl Scorer for BehaviourGcn {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        self.representations.scores(queries)
    }

    fn rates(&self) -> bool {
        false
    }
}
