//! LightGCN's training rows, as the trainer sees them.
//!
//! A batch of B rows (u, i) with a negative j each: `nodes [3B]`, of which the distinct ones are propagated once.
//!
//! ```text
//! X  = (P·E)[distinct nodes]                  [≤ 3B, d]       P over K layers
//! L  = (1/B) Σ −ln σ(x_u·x_i − x_u·x_j)       logistic loss of the margin with target 1
//! R  = (λ/2B) Σ (|e_u|² + |e_i|² + |e_j|²)    e rows of E, as often as the batch names them
//! ```

use std::sync::Arc;

use kohort_core::sparse::Symmetric;
use kohort_core::{Init, LossKind, ParamId, Params, Tape, Var};
use kohort_data::TrainNegatives;
use kohort_data::territories::Territories;
use kohort_layers::Mode;
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};
use kohort_random::{rand::Rng, stream};

use super::behaviours::Fusion;
use super::{Config, Input, Representations};
use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::trainer::{Recorded, System};

/// Training rows, their graph, and the embeddings they start from.
pub(super) struct Rows<'a> {
    input: Input<'a>,
    config: &'a Config,
    /// The training rows' graph, and those of the other behaviours.
    graphs: Vec<Arc<Symmetric<f32>>>,
    /// How graphs are weighed, where there are several.
    fusion: Option<Fusion>,
    /// By behaviour and user, the items taken in it, ascending.
    taken: Vec<Vec<Vec<u32>>>,
    negatives: TrainNegatives,
    initial: Params,
    embedding: ParamId,
    /// Which rows of the training part these are: all whose user has an item left to be drawn as a negative.
    rows: Vec<u32>,
    objectives: Vec<String>,
    seed: u64,
    identity: String,
}

/// A row's nodes: its user, its item, and an item that is not the user's.
pub(super) type Triple = (u32, u32, u32);

impl<'a> Rows<'a> {
    pub(super) fn prepare(input: Input<'a>, config: &'a Config, seed: u64) -> Result<Rows<'a>, ModelError> {
        let train = input.train.rows();
        if train.is_empty() {
            return Err(ModelError::NoRows);
        }
        let sizes = (train.users, train.items);
        let mut graphs = vec![Symmetric::bipartite(sizes, &train.user, &train.item)?];
        let mut taken = Vec::with_capacity(input.behaviours.len());
        for behaviour in input.behaviours {
            behaviour.check()?;
            graphs.push(Symmetric::bipartite(sizes, behaviour.user, behaviour.item)?);
            taken.push(behaviour.by_user(train.users));
        }
        let everywhere = Territories::new(vec!["all".to_owned()], vec![0; train.users])?;
        let negatives = TrainNegatives::of_all_items(input.train, &everywhere)?;
        let free = |&row: &u32| negatives.free(train.user[row as usize]) > 0;
        let rows: Vec<u32> = (0..train.len() as u32).filter(free).collect();
        if rows.is_empty() {
            return Err(ModelError::NoPositives { rows: train.len() });
        }
        let mut initial = Params::new();
        let start = Init::Normal(config.initial_deviation);
        let nodes = graphs[0].nodes();
        let values = start.draw(nodes, config.width, &mut stream(seed, "lightgcn start", &[]));
        let embedding = initial.add("nodes/embedding", nodes, config.width, values);
        let fusion = (graphs.len() > 1).then(|| Fusion::new(&mut initial, config, seed));
        let identity = format!("{config:?} on {:016x}", fingerprint(&input));
        Ok(Rows {
            input,
            config,
            graphs: graphs.into_iter().map(Arc::new).collect(),
            fusion,
            taken,
            negatives,
            initial,
            embedding,
            rows,
            objectives: std::iter::once("ranking")
                .chain(input.behaviours.iter().map(|behaviour| behaviour.name))
                .map(str::to_owned)
                .collect(),
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

    /// For each triple and behaviour an item that its user took so, as a node; `None` where there is none.
    fn also(&self, triples: &[Triple], epoch: u64) -> Vec<Vec<Option<u32>>> {
        let users = self.input.train.rows().users as u32;
        let of = |(b, taken): (usize, &Vec<Vec<u32>>)| {
            let draw = |&(user, item, _): &Triple| {
                let own = &taken[user as usize];
                let key = [epoch, b as u64, u64::from(user), u64::from(item)];
                let at = stream(self.seed, "lightgcn behaviours", &key).random_range(0..own.len().max(1));
                own.get(at).map(|&item| users + item)
            };
            triples.iter().map(draw).collect()
        };
        self.taken.iter().enumerate().map(of).collect()
    }

    /// Records the loss of triples, and of each other behaviour with the item that stands beside each.
    pub(super) fn record_triples(
        &self,
        tape: &mut Tape,
        params: &Params,
        triples: &[Triple],
        also: &[Vec<Option<u32>>],
        weight: &[Option<&[f32]>],
        scale: &[f64],
    ) -> Recorded {
        let all: Vec<u32> = triples.iter().flat_map(|&(user, item, other)| [user, item, other]).collect();
        let mut nodes = all.clone();
        nodes.extend(also.iter().flatten().flatten());
        nodes.sort_unstable();
        nodes.dedup();
        let place = |node: &u32| nodes.partition_point(|other| other < node) as u32;
        let places: Vec<u32> = all.iter().map(place).collect();
        let column = |n: usize| -> Vec<u32> { places.iter().skip(n).step_by(3).copied().collect() };
        let (user, item, other) = (column(0), column(1), column(2));

        let parts = self.graphs.iter();
        let parts: Vec<Var> = parts
            .map(|graph| tape.propagate(params, self.embedding, graph, self.config.layers, &nodes))
            .collect();
        let x = self.fusion.as_ref().map_or(parts[0], |fusion| fusion.mix(tape, params, &parts));
        let drawn = tape.pair_dot(x, x, &user, &other);
        let ones = vec![1.0; triples.len()];
        let ranks = |tape: &mut Tape, item: &[u32], weight: Option<&[f32]>, scale: f64| {
            let liked = tape.pair_dot(x, x, &user, item);
            let margin = tape.sub(liked, drawn);
            tape.loss(LossKind::Logistic, margin, &ones, weight, scale as f32)
        };
        let mut losses = vec![ranks(tape, &item, weight[0], scale[0])];
        for (b, items) in also.iter().enumerate() {
            // Who has nothing to show in a behaviour has no say in it.
            let there: Vec<f32> = items.iter().map(|item| f32::from(u8::from(item.is_some()))).collect();
            let places: Vec<u32> =
                items.iter().zip(&item).map(|(own, &item)| own.map_or(item, |own| place(&own))).collect();
            losses.push(ranks(tape, &places, Some(&there), scale[b + 1]));
        }
        let mut recorded = Recorded::new(losses, vec![x]);
        if self.config.penalty > 0.0 {
            let e = tape.propagate(params, self.embedding, &self.graphs[0], 0, &nodes);
            let squares = tape.pair_dot(e, e, &places, &places);
            let sum = tape.sum(squares);
            let factor = self.config.penalty / (2.0 * triples.len() as f64);
            recorded.penalty = Some(tape.scale(sum, factor as f32, 0.0));
        }
        recorded
    }

    /// All nodes under some parameters.
    pub(super) fn represent(&self, params: &Params) -> Representations {
        let (users, width) = (self.input.train.rows().users, self.config.width);
        let e = params.value(self.embedding);
        let parts = self.graphs.iter();
        let parts: Vec<Vec<f32>> =
            parts.map(|graph| graph.propagated(self.config.layers, e, width)).collect();
        let mut users_first = match &self.fusion {
            Some(fusion) => fusion.mixed(params, &parts, width),
            None => parts.concat(),
        };
        let items = users_first.split_off(users * width);
        Representations { users: users_first, items, width }
    }
}

impl Rows<'_> {
    /// What each item gives a newcomer: `(1/((K + 1)·√(d_i + 1))) Σ_{k<K} e_i⁽ᵏ⁾`, `[items, width]`; empty for K = 0
    /// and for several behaviours, of which a newcomer would have to bring all.
    pub(super) fn given(&self, params: &Params) -> Vec<f32> {
        let (users, width, layers) = (self.input.train.rows().users, self.config.width, self.config.layers);
        let Some(before_last) = layers.checked_sub(1).filter(|_| self.fusion.is_none()) else {
            return Vec::new();
        };
        // The mean of K layers, where their sum over K + 1 is wanted.
        let share = layers as f64 / (layers + 1) as f64;
        let mut given = self.graphs[0]
            .propagated(before_last, params.value(self.embedding), width)
            .split_off(users * width);
        for (item, row) in given.chunks_exact_mut(width).enumerate() {
            let degree = self.graphs[0].matrix().row(users + item).count();
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
    for behaviour in input.behaviours {
        hash.eat(behaviour.weight.to_bits());
        hash.eat_ids(behaviour.user);
        hash.eat_ids(behaviour.item);
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
        self.objectives.iter().map(|_| objective.terms(batch.len(), None, None)).collect()
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
        let epoch = mode.epoch().unwrap_or(0);
        let triples = self.triples(rows, epoch);
        let also = self.also(&triples, epoch);
        self.record_triples(tape, params, &triples, &also, weights, scales)
    }
}
