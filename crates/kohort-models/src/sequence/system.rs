//! SASRec's training rows, as the trainer sees them: a row is a user.

use kohort_core::{LossKind, Params, Tape};
use kohort_data::{TrainNegatives, Validation, territories::Territories};
use kohort_layers::{Mode, SequenceEncoder};
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};
use kohort_random::stream;

use super::Input;
use super::config::Config;
use super::history::Histories;
use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::trainer::{Recorded, System};

/// Users with something to predict, and the encoder they train.
pub(super) struct Rows {
    pub(super) encoder: SequenceEncoder,
    pub(super) histories: Histories,
    initial: Params,
    objectives: Vec<String>,
    negatives: TrainNegatives,
    /// Negatives of a position.
    count: usize,
    /// The user of each row: all who have two items or more, and an item left to be drawn.
    user: Vec<u32>,
    seed: u64,
    identity: String,
}

impl Rows {
    pub(super) fn prepare(input: &Input<'_>, config: &Config, seed: u64) -> Result<Rows, ModelError> {
        let rows = input.train.rows();
        if rows.is_empty() {
            return Err(ModelError::NoRows);
        }
        if let Some(held) = input.validation.map(Validation::rows) {
            for (what, found, expected) in [
                ("users of the validation rows", held.users, rows.users),
                ("items of the validation rows", held.items, rows.items),
            ] {
                if found != expected {
                    return Err(ModelError::Size { what, found, expected });
                }
            }
        }
        let everywhere = Territories::new(vec!["everywhere".to_owned()], vec![0; rows.users])?;
        let negatives = TrainNegatives::of_all_items(input.train, &everywhere)?;
        let histories = Histories::new(rows);
        let user: Vec<u32> = (0..rows.users as u32)
            .filter(|&user| histories.last(user as usize, 2).len() == 2 && negatives.free(user) > 0)
            .collect();
        if user.is_empty() {
            return Err(ModelError::NoPositives { rows: rows.len() });
        }
        let mut initial = Params::new();
        let encoder = SequenceEncoder::new(&mut initial, "sequence", &config.encoder(rows.items), seed)?;
        for slot in initial.slots_mut() {
            slot.decay = config.decay as f32;
        }
        Ok(Rows {
            identity: format!("{config:?} on {:016x}", fingerprint(input)),
            encoder,
            histories,
            initial,
            objectives: vec!["next item".to_owned()],
            negatives,
            count: config.negatives,
            user,
            seed,
        })
    }

    /// The items that a row's positions are predicted from, and those that are predicted.
    fn shifted(&self, row: u32) -> (&[u32], &[u32]) {
        let most = self.encoder.config().most;
        let own = self.histories.last(self.user[row as usize] as usize, most + 1);
        (&own[..own.len() - 1], &own[1..])
    }
}

/// Of all that is learned from or chosen by.
fn fingerprint(input: &Input<'_>) -> u64 {
    let mut print = Fingerprint::new();
    for rows in std::iter::once(input.train.rows()).chain(input.validation.map(Validation::rows)) {
        print.eat(rows.items as u64);
        print.eat_ids(&rows.user);
        print.eat_ids(&rows.item);
        rows.time.iter().for_each(|&time| print.eat(time as u64));
    }
    print.value()
}

/// Positions of lists beside items to score there. Each item is looked up once: `found` says where it stands.
struct Pairs {
    items: Vec<u32>,
    found: Vec<u32>,
    left: Vec<u32>,
    right: Vec<u32>,
    target: Vec<f32>,
}

impl Pairs {
    fn push(&mut self, position: u32, item: u32, target: f32) {
        let at = &mut self.found[item as usize];
        if *at == u32::MAX {
            *at = self.items.len() as u32;
            self.items.push(item);
        }
        self.left.push(position);
        self.right.push(*at);
        self.target.push(target);
    }
}

impl System for Rows {
    fn rows(&self) -> usize {
        self.user.len()
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

    /// The loss is a mean over the batch's positions, of which a user has as many as the history allows.
    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let positions: usize = batch.iter().map(|&row| self.shifted(row).1.len()).sum();
        let denominator = Denominator::Fixed(positions as f64);
        let objective = Objective::entrywise(LossKind::Logistic, denominator);
        Ok(vec![objective.terms(batch.len(), None, None)?])
    }

    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        rows: &[u32],
        _: &[Option<&[f32]>],
        scales: &[f64],
        mode: &mut Mode,
    ) -> Recorded {
        let found = vec![u32::MAX; self.encoder.config().items];
        let mut pairs =
            Pairs { items: Vec::new(), found, left: Vec::new(), right: Vec::new(), target: Vec::new() };
        let (mut ids, mut offsets) = (Vec::new(), vec![0u32]);
        for &row in rows {
            let user = self.user[row as usize];
            let (before, next) = self.shifted(row);
            let epoch = mode.epoch().unwrap_or_default();
            let mut numbers = stream(self.seed, "negatives", &[epoch, u64::from(user)]);
            for (position, &item) in (ids.len() as u32..).zip(next) {
                pairs.push(position, item, 1.0);
                for _ in 0..self.count {
                    // Never none: such a user is no row.
                    if let Some(drawn) = self.negatives.draw(user, &mut numbers) {
                        pairs.push(position, drawn, 0.0);
                    }
                }
            }
            ids.extend_from_slice(before);
            offsets.push(ids.len() as u32);
        }
        let f = self.encoder.forward(tape, params, &ids, &offsets, mode);
        let e = self.encoder.items.forward(tape, params, &pairs.items);
        let logits = tape.pair_dot(f, e, &pairs.left, &pairs.right);
        let loss = tape.loss(LossKind::Logistic, logits, &pairs.target, None, scales[0] as f32);
        Recorded::new(vec![loss], vec![f, e])
    }
}
