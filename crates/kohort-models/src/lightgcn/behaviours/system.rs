//! Training rows of several behaviours, as the trainer sees them.
//!
//! A batch is B rows of the target. For each behaviour beside it, each row brings one edge of the same user in that behaviour with a
//! negative of its own, both drawn anew in each epoch; a user without such an edge brings none.

use std::sync::Arc;

use kohort_core::sparse::Symmetric;
use kohort_core::{LossKind, Params, Tape, Var};
use kohort_layers::Mode;
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};
use kohort_random::stream;

use super::super::system::{Places, Rows, Triple};
use super::super::{Config as Plain, Input as PlainInput, Representations};
use super::attention::Attention;
use super::relation::Relation;
use super::{Config, Edges, Input, TARGET};
use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::trainer::{Recorded, System};

/// The target's rows, the other behaviours, and the parameters that all start from.
pub(super) struct Behaviours<'a> {
    /// LightGCN's rows of the target.
    own: Rows<'a>,
    config: &'a Config,
    relations: Vec<Relation>,
    initial: Params,
    /// `None` where there is one view, which is all there is to attend to.
    attention: Option<Attention>,
    objectives: Vec<String>,
    seed: u64,
    identity: String,
}

/// What a recording gives at some nodes.
pub(super) struct Fused {
    /// Each view, behaviour after behaviour, hops within.
    views: Vec<Var>,
    /// `[n, views]`; `None` for one view.
    gate: Option<Var>,
    /// What is scored by.
    x: Var,
}

impl<'a> Behaviours<'a> {
    pub(super) fn prepare(
        input: Input<'a>,
        config: &'a Config,
        plain: &'a Plain,
        seed: u64,
    ) -> Result<Behaviours<'a>, ModelError> {
        let own = PlainInput { train: input.train, validation: input.validation };
        let own = Rows::prepare(own, plain, seed)?;
        let size = (input.train.rows().users, input.train.rows().items);
        let relations: Vec<Relation> =
            input.behaviours.iter().map(|one| Relation::new(one, size)).collect::<Result<_, _>>()?;
        let mut objectives = vec![TARGET.to_owned()];
        for behaviour in input.behaviours {
            if objectives.contains(&behaviour.name) {
                return Err(ModelError::setting("behaviours: name", &behaviour.name, "each name once"));
            }
            objectives.push(behaviour.name.clone());
        }
        let mut initial = own.initial.clone();
        let views = objectives.len() * config.hops.len();
        let numbers = &mut stream(seed, "behaviours attention", &[]);
        let attention = (views > 1).then(|| Attention::new(&mut initial, config.width, numbers));
        let identity = format!("{config:?} on {}, {:016x}", own.identity, fingerprint(&input));
        Ok(Behaviours { own, config, relations, initial, attention, objectives, seed, identity })
    }

    /// Weights of the objectives: 1 for the target, ω for the others.
    pub(super) fn weights(&self) -> Vec<f64> {
        let others = self.relations.iter().map(|_| self.config.auxiliary);
        std::iter::once(1.0).chain(others).collect()
    }

    fn graphs(&self) -> impl Iterator<Item = &Arc<Symmetric<f32>>> {
        std::iter::once(&self.own.graph).chain(self.relations.iter().map(|relation| &relation.graph))
    }

    fn fuse(&self, tape: &mut Tape, params: &Params, nodes: &[u32]) -> Fused {
        let mut views = Vec::new();
        for graph in self.graphs() {
            for &layers in &self.config.hops {
                views.push(tape.propagate(params, self.own.embedding, graph, layers, nodes));
            }
        }
        let Some(attention) = &self.attention else { return Fused { x: views[0], gate: None, views } };
        let hops = self.config.hops.len();
        let mut reached = Vec::with_capacity(nodes.len() * views.len());
        for &node in nodes {
            for graph in self.graphs() {
                let own = graph.matrix().row(node as usize).next().is_some();
                reached.extend(std::iter::repeat_n(own, hops));
            }
        }
        let (gate, x) = attention.fuse(tape, params, &views, &reached);
        Fused { views, gate: Some(gate), x }
    }

    /// What a behaviour is scored by within itself: the mean of its views.
    fn within(&self, tape: &mut Tape, fused: &Fused, behaviour: usize) -> Var {
        let hops = self.config.hops.len();
        let own = &fused.views[behaviour * hops..(behaviour + 1) * hops];
        let sum = own[1..].iter().fold(own[0], |sum, &view| tape.add(sum, view));
        if hops == 1 { sum } else { tape.scale(sum, 1.0 / hops as f32, 0.0) }
    }

    /// All nodes under some parameters, and each user's attention `[users, views]`.
    pub(super) fn represent(&self, params: &Params) -> (Representations, Vec<f32>) {
        let (users, width) = (self.own.input.train.rows().users, self.config.width);
        let nodes: Vec<u32> = (0..self.own.graph.nodes() as u32).collect();
        let mut tape = Tape::new();
        let fused = self.fuse(&mut tape, params, &nodes);
        let (own, items) = tape.value(fused.x).split_at(users * width);
        let gates = fused
            .gate
            .map_or_else(|| vec![1.0; users], |gate| tape.value(gate)[..users * fused.views.len()].to_vec());
        (Representations { users: own.to_vec(), items: items.to_vec(), width }, gates)
    }

    fn user(&self, row: u32) -> u32 {
        self.own.input.train.rows().user[self.own.rows[row as usize] as usize]
    }
}

/// A hash of the behaviours beside the target.
fn fingerprint(input: &Input<'_>) -> u64 {
    let mut hash = Fingerprint::new();
    for behaviour in input.behaviours {
        behaviour.name.bytes().for_each(|byte| hash.eat(byte.into()));
        match &behaviour.edges {
            Edges::Items { user, item } => {
                hash.eat(0);
                hash.eat_ids(user);
                hash.eat_ids(item);
            }
            Edges::Users { ties } => {
                hash.eat(1 + ties.len() as u64);
                ties.iter().for_each(|&(a, b)| hash.eat(u64::from(a) << 32 | u64::from(b)));
            }
        }
    }
    hash.value()
}

impl System for Behaviours<'_> {
    fn rows(&self) -> usize {
        self.own.rows()
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
        let mut terms = vec![objective.terms(batch.len(), None, None)?];
        for relation in &self.relations {
            let taught: Vec<bool> = batch.iter().map(|&row| relation.teaches(self.user(row))).collect();
            terms.push(objective.terms(batch.len(), None, Some(&taught))?);
        }
        Ok(terms)
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
        let (epoch, count) = (mode.epoch().unwrap_or(0), rows.len());
        let mut triples: Vec<Triple> = self.own.triples(rows, epoch);
        // Without a part in the loss, edges of a behaviour are not drawn.
        let taught = if self.config.auxiliary > 0.0 { self.relations.len() } else { 0 };
        for (behaviour, relation) in self.relations[..taught].iter().enumerate() {
            for (at, &row) in rows.iter().enumerate() {
                let row = self.own.rows[row as usize];
                let name = [epoch, u64::from(row), behaviour as u64];
                let mut numbers = stream(self.seed, "behaviours rows", &name);
                // Whoever has no edge stands in with the target's row, whose weight is 0.
                let drawn = relation.draw(triples[at].0, &mut numbers);
                triples.push(drawn.unwrap_or(triples[at]));
            }
        }
        let places = Places::of(&triples);
        let fused = self.fuse(tape, params, &places.nodes);
        let mut losses = vec![places.ranking_loss(tape, fused.x, 0..count, weights[0], scales[0])];
        for behaviour in 1..self.objectives.len() {
            let (own, weight, scale) = if behaviour <= taught {
                let own = behaviour * count..(behaviour + 1) * count;
                (own, weights[behaviour], scales[behaviour])
            } else {
                (0..count, None, 0.0)
            };
            let h = self.within(tape, &fused, behaviour);
            losses.push(places.ranking_loss(tape, h, own, weight, scale));
        }
        let shared = if fused.gate.is_some() { fused.views } else { vec![fused.x] };
        let mut recorded = Recorded::new(losses, shared);
        if self.config.penalty > 0.0 {
            let e = tape.propagate(params, self.own.embedding, &self.own.graph, 0, &places.nodes);
            let sum = places.squares(tape, e, 0..count);
            let factor = self.config.penalty / (2.0 * count as f64);
            recorded.penalty = Some(tape.scale(sum, factor as f32, 0.0));
        }
        recorded
    }
}
