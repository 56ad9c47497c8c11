//! Training rows, as the trainer sees them.

use kohort_core::{LossKind, Params, Tape};
use kohort_layers::{Mode, Table};
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};
use kohort_random::{rand::Rng, stream};

use super::codes::Books;
use super::config::{Config, Lists};
use super::net::Net;
use crate::ModelError;
use crate::parts::{self, Plan, Seen};
use crate::trainer::{Recorded, System};

/// Everything of a training run that does not depend on parameters' values.
pub(super) struct Rows {
    pub(super) net: Net,
    pub(super) books: Books,
    pub(super) initial: Params,
    pub(super) config: Config,
    pub(super) users: Table,
    pub(super) rest: Table,
    /// Code of each row's user.
    pub(super) who: Vec<u32>,
    pub(super) target: Vec<f32>,
    pub(super) known: Option<Vec<bool>>,
    /// One row of each user with training rows.
    pub(super) one_each: Vec<u32>,
    /// Cohort of each row, and how many there are.
    pub(super) cohort: Vec<u32>,
    pub(super) cohorts: usize,
    pub(super) plan: Plan,
    /// Weight of each row by exposure.
    pub(super) exposure: Option<Vec<f32>>,
    /// Of each row's item, where anything asks.
    pub(super) log_popularity: Option<Vec<f32>>,
    pub(super) objectives: Vec<String>,
    pub(super) identity: String,
    pub(super) seed: u64,
}

/// Rows encoded on one tape.
const CHUNK: usize = 512;

impl Rows {
    /// The user embedding of the rows `ids`, `[ids, d]`.
    pub(super) fn embeddings(&self, params: &Params, users: &Table, ids: &[u32]) -> Vec<f32> {
        kohort_core::shards::score(ids.len(), CHUNK, |range, tape| {
            let e = self.net.user(tape, params, users, &ids[range]);
            tape.value(e).to_vec()
        })
    }

    /// Groups of a level as lists of rows: for each level, rows in the order of their groups, and where each group begins. Only groups
    /// that have both labels are there.
    fn groups(&self, keys: &[Vec<u32>], target: &[f32], known: &[bool]) -> (Vec<u32>, Vec<u32>) {
        let mut order: Vec<u32> = (0..keys.len() as u32).filter(|&row| known[row as usize]).collect();
        order.sort_by(|&a, &b| keys[a as usize].cmp(&keys[b as usize]).then(a.cmp(&b)));
        let (mut rows, mut offsets) = (Vec::with_capacity(order.len()), vec![0u32]);
        for group in order.chunk_by(|&a, &b| keys[a as usize] == keys[b as usize]) {
            let first = target[group[0] as usize];
            if group.iter().any(|&row| target[row as usize] != first) {
                rows.extend_from_slice(group);
                offsets.push(rows.len() as u32);
            }
        }
        (rows, offsets)
    }

    /// What each row's list is called on a level.
    fn keys(&self, level: usize, rows: &[u32], codes: &[u32]) -> Vec<Vec<u32>> {
        let depth = self.books.depth();
        let key = |(at, &row): (usize, &u32)| match self.config.lists {
            Lists::None | Lists::Batch => Vec::new(),
            Lists::User => vec![self.who[row as usize]],
            Lists::Codes => codes[at * depth..at * depth + level + 1].to_vec(),
            Lists::RandomCodes => {
                let mut numbers = stream(self.seed, "random codes", &[u64::from(self.who[row as usize])]);
                let drawn = self.config.codes.iter().map(|&codes| numbers.random_range(0..codes as u32));
                let mut drawn: Vec<u32> = drawn.collect();
                drawn.truncate(level + 1);
                drawn
            }
        };
        rows.iter().enumerate().map(key).collect()
    }
}

impl System for Rows {
    fn rows(&self) -> usize {
        self.who.len()
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

    /// Fits the code-books to what user embeddings are now.
    fn prepare(&self, params: &mut Params, epoch: usize) -> Result<(), ModelError> {
        let due =
            epoch >= self.config.warm_up && (epoch - self.config.warm_up).is_multiple_of(self.config.refresh);
        if self.config.lists != Lists::Codes || !due {
            return Ok(());
        }
        let users = self.embeddings(params, &self.users, &self.one_each);
        if users.iter().any(|value| !value.is_finite()) {
            let what = "the user embedding".to_owned();
            return Err(ModelError::Diverged { what, epoch: epoch + 1, step: 0 });
        }
        let mut numbers = stream(self.seed, "code-books", &[epoch as u64]);
        self.books.fit(params, &users, numbers.random())
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let mask: Option<Vec<bool>> =
            self.known.as_ref().map(|known| batch.iter().map(|&row| known[row as usize]).collect());
        let exposure: Option<Vec<f32>> =
            self.exposure.as_ref().map(|weight| batch.iter().map(|&row| weight[row as usize]).collect());
        let divisor = if exposure.is_some() { Denominator::Weight } else { Denominator::Mask };
        let loss = Objective::entrywise(LossKind::Logistic, divisor);
        let own = loss.terms(batch.len(), exposure.as_deref(), mask.as_deref())?;
        let level =
            Objective::entrywise(LossKind::Logistic, Denominator::Rows).terms(batch.len(), None, None)?;
        let levels = std::iter::repeat_n(level, self.config.depth());
        Ok([own.clone(), own].into_iter().chain(levels).collect())
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
        let target: Vec<f32> = rows.iter().map(|&row| self.target[row as usize]).collect();
        let e = self.net.user(tape, params, &self.users, rows);
        let v = self.net.rest(tape, params, &self.rest, rows);
        let logits = self.net.logit(tape, params, e, v, mode);
        let cut = |values: &[u32]| -> Vec<u32> { rows.iter().map(|&row| values[row as usize]).collect() };
        let (cohort, user) = (cut(&self.cohort), cut(&self.who));
        let rarity = |popularity: &Vec<f32>| rows.iter().map(|&row| popularity[row as usize]).collect();
        let all = vec![1.0; rows.len()];
        let seen = Seen {
            logits,
            target: &target,
            weight: weights[0].unwrap_or(&all),
            cohort: &cohort,
            user: &user,
            log_popularity: &self.log_popularity.as_ref().map_or(vec![0.0; rows.len()], rarity),
            vectors: v,
        };
        let own = parts::record(tape, &self.plan, &seen, scales[0] as f32);
        let mut penalty = None;
        for fairness in &self.config.fairness {
            let Some(term) = fairness.record(tape, &seen, self.cohorts) else { continue };
            penalty = Some(penalty.map_or(term, |sum| tape.add(sum, term)));
        }
        let nothing = tape.scale(own, 0.0, 0.0);
        let begun = mode.epoch().is_some_and(|epoch| epoch >= self.config.warm_up as u64);
        let mut losses = vec![own, nothing];
        let mut codes = Vec::new();
        if begun && self.config.lists == Lists::Codes {
            let coded = self.books.assign(params, tape.value(e));
            codes = coded.codes;
            if self.config.quantised > 0.0 {
                // Straight through: the value is the quantised one, the slope that of the embedding.
                let shift = coded.quantised.iter().zip(tape.value(e)).map(|(q, e)| q - e);
                let shift: Vec<f32> = shift.collect();
                let shift = tape.input(rows.len(), self.config.width, &shift);
                let quantised = tape.add(e, shift);
                let logits = self.net.logit(tape, params, quantised, v, mode);
                losses[1] = tape.loss(LossKind::Logistic, logits, &target, weights[1], scales[1] as f32);
            }
        }
        let known: Vec<bool> =
            rows.iter().map(|&row| self.known.as_ref().is_none_or(|known| known[row as usize])).collect();
        for level in 0..self.config.depth() {
            if !begun {
                losses.push(nothing);
                continue;
            }
            let (order, offsets) = self.groups(&self.keys(level, rows, &codes), &target, &known);
            // A mean over the shard's groups, as heavy as the shard's rows are of the batch.
            let groups = (offsets.len() - 1).max(1) as f64;
            let scale = scales[2 + level] * rows.len() as f64 / groups;
            let kind = self.config.list_loss;
            losses.push(tape.list_loss(kind, logits, &target, &order, &offsets, None, scale as f32));
        }
        Recorded { penalty, ..Recorded::new(losses, vec![e, v]) }
    }
}
