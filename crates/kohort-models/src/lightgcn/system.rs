//! LightGCN's training rows, as the trainer sees them.
//!
//! A batch of B rows (u, i) with a negative j each: `nodes [3B]`, of which the distinct ones are propagated once.
//!
//! ```text
//! X  = (P·E)[distinct nodes]                  [≤ 3B, d]       P over K layers
//! L  = (1/B) Σ −ln σ(x_u·x_i − x_u·x_j)       logistic loss of the margin with target 1
//! R  = (λ/2B) Σ (|e_u|² + |e_i|² + |e_j|²)    e rows of E, as often as the batch names them
//! ```

use std::ops::Range;
use std::sync::Arc;

use kohort_core::sparse::Symmetric;
use kohort_core::{Init, LossKind, ParamId, Params, Tape, Var};
use kohort_data::TrainNegatives;
use kohort_data::territories::Territories;
use kohort_layers::Mode;
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};
use kohort_random::stream;

use super::{Config, Input, Representations};
use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::trainer::{Recorded, System};

/// Training rows, their graph, and the embeddings they start from.
pub(super) struct Rows<'a> {
    pub(super) input: Input<'a>,
    pub(super) config: &'a Config,
    pub(super) graph: Arc<Symmetric<f32>>,
    negatives: TrainNegatives,
    pub(super) initial: Params,
    pub(super) embedding: ParamId,
    /// Which rows of the training part these are: all whose user has an item left to be drawn as a negative.
    pub(super) rows: Vec<u32>,
    objectives: Vec<String>,
    seed: u64,
    pub(super) identity: String,
}

/// A row's nodes: its user, its item, and an item that is not the user's.
pub(super) type Triple = (u32, u32, u32);

/// The distinct nodes of some triples, ascending, and where those of each triple stand among them.
pub(super) struct Places {
    pub(super) nodes: Vec<u32>,
    /// Place of user, item and negative, triple after triple, `[3B]`.
    all: Vec<u32>,
}

impl Places {
    pub(super) fn of(triples: &[Triple]) -> Places {
        let all: Vec<u32> = triples.iter().flat_map(|&(user, item, other)| [user, item, other]).collect();
        let mut nodes = all.clone();
        nodes.sort_unstable();
        nodes.dedup();
        let place = |node: &u32| nodes.partition_point(|other| other < node) as u32;
        let all = all.iter().map(place).collect();
        Places { nodes, all }
    }

    /// `scale · Σ w·(−ln σ(x_u·x_i − x_u·x_j))` over some of the triples, with `x` a row for each of the nodes.
    pub(super) fn ranking_loss(
        &self,
        tape: &mut Tape,
        x: Var,
        triples: Range<usize>,
        weight: Option<&[f32]>,
        scale: f64,
    ) -> Var {
        let own = &self.all[3 * triples.start..3 * triples.end];
        let column = |n: usize| -> Vec<u32> { own.iter().skip(n).step_by(3).copied().collect() };
        let (user, item, other) = (column(0), column(1), column(2));
        let liked = tape.pair_dot(x, x, &user, &item);
        let drawn = tape.pair_dot(x, x, &user, &other);
        let margin = tape.sub(liked, drawn);
        tape.loss(LossKind::Logistic, margin, &vec![1.0; triples.len()], weight, scale as f32)
    }

    /// `Σ |e_u|² + |e_i|² + |e_j|²` over some of the triples, with `e` a row for each of the nodes.
    pub(super) fn squares(&self, tape: &mut Tape, e: Var, triples: Range<usize>) -> Var {
        let own = &self.all[3 * triples.start..3 * triples.end];
        let squares = tape.pair_dot(e, e, own, own);
        tape.sum(squares)
    }
}

impl<'a> Rows<'a> {
    pub(super) fn prepare(input: Input<'a>, config: &'a Config, seed: u64) -> Result<Rows<'a>, ModelError> {
        let train = input.train.rows();
        if train.is_empty() {
            return Err(ModelError::NoRows);
        }
        let graph = Symmetric::bipartite((train.users, train.items), &train.user, &train.item)?;
        let everywhere = Territories::new(vec!["all".to_owned()], vec![0; train.users])?;
        let negatives = TrainNegatives::of_all_items(input.train, &everywhere)?;
        let free = |&row: &u32| negatives.free(train.user[row as usize]) > 0;
        let rows: Vec<u32> = (0..train.len() as u32).filter(free).collect();
        if rows.is_empty() {
            return Err(ModelError::NoPositives { rows: train.len() });
        }
        let mut initial = Params::new();
        let start = Init::Normal(config.initial_deviation);
        let values = start.draw(graph.nodes(), config.width, &mut stream(seed, "lightgcn start", &[]));
        let embedding = initial.add("nodes/embedding", graph.nodes(), config.width, values);
        let identity = format!("{config:?} on {:016x}", fingerprint(&input));
        Ok(Rows {
            input,
            config,
            graph: Arc::new(graph),
            negatives,
            initial,
            embedding,
            rows,
            objectives: vec!["ranking".to_owned()],
            seed,
            identity,
        })
    }

    /// Rows of the training part with the negative of each in this epoch, as nodes.
    pub(super) fn triples(&self, rows: &[u32], epoch: u64) -> Vec<Triple> {
        let train = self.input.train.rows();
        let of_row = |&row: &u32| {
            let row = self.rows[row as usize];
            let (user, item) = (train.user[row as usize], train.item[row as usize]);
            let mut numbers = stream(self.seed, "lightgcn negatives", &[epoch, u64::from(row)]);
            // Rows whose user has every item are left out, so there is one to draw.
            let negative = self.negatives.draw(user, &mut numbers).unwrap_or(item);
            (user, train.users as u32 + item, train.users as u32 + negative)
        };
        rows.iter().map(of_row).collect()
    }

    pub(super) fn record_triples(
        &self,
        tape: &mut Tape,
        params: &Params,
        triples: &[Triple],
        weight: Option<&[f32]>,
        scale: f64,
    ) -> Recorded {
        let places = Places::of(triples);
        let x = tape.propagate(params, self.embedding, &self.graph, self.config.layers, &places.nodes);
        let loss = places.ranking_loss(tape, x, 0..triples.len(), weight, scale);
        let mut recorded = Recorded::new(vec![loss], vec![x]);
        if self.config.penalty > 0.0 {
            let e = tape.propagate(params, self.embedding, &self.graph, 0, &places.nodes);
            let sum = places.squares(tape, e, 0..triples.len());
            let factor = self.config.penalty / (2.0 * triples.len() as f64);
            recorded.penalty = Some(tape.scale(sum, factor as f32, 0.0));
        }
        recorded
    }

    /// All nodes under some parameters.
    pub(super) fn represent(&self, params: &Params) -> Representations {
        let (users, width) = (self.input.train.rows().users, self.config.width);
        let e = params.value(self.embedding);
        let mut users_first = self.graph.propagated(self.config.layers, e, width);
        let items = users_first.split_off(users * width);
        Representations { users: users_first, items, width }
    }
}

impl Rows<'_> {
    /// What each item gives a newcomer: `(1/((K + 1)·√(d_i + 1))) Σ_{k<K} e_i⁽ᵏ⁾`, `[items, width]`; empty for K = 0.
    pub(super) fn given(&self, params: &Params) -> Vec<f32> {
        let (users, width, layers) = (self.input.train.rows().users, self.config.width, self.config.layers);
        let Some(before_last) = layers.checked_sub(1) else { return Vec::new() };
        // The mean of K layers, where their sum over K + 1 is wanted.
        let share = layers as f64 / (layers + 1) as f64;
        let mut given =
            self.graph.propagated(before_last, params.value(self.embedding), width).split_off(users * width);
        for (item, row) in given.chunks_exact_mut(width).enumerate() {
            let degree = self.graph.matrix().row(users + item).count();
            let factor = (share / (degree as f64 + 1.0).sqrt()) as f32;
            row.iter_mut().for_each(|x| *x *= factor);
        }
        given
    }
}

/// A hash of everything that is learned from or stopped by.
fn fingerprint(input: &Input<'_>) -> u64 {
    let mut hash = Fingerprint::new();
    for rows in [Some(input.train.rows()), input.validation.map(|held| held.rows())].into_iter().flatten() {
        hash.eat(rows.users as u64);
        hash.eat(rows.items as u64);
        hash.eat_ids(&rows.user);
        hash.eat_ids(&rows.item);
    }
    hash.value()
}

impl System for Rows<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn objectives(&self) -> &[String] {
        &self.objectives
    }

    fn initial(&self, _: u64) -> Params {
        self.initial.clone()
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let objective = Objective::entrywise(LossKind::Logistic, Denominator::Rows);
        Ok(vec![objective.terms(batch.len(), None, None)?])
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
        let triples = self.triples(rows, mode.epoch().unwrap_or(0));
        self.record_triples(tape, params, &triples, weights[0], scales[0])
    }
}
