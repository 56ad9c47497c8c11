//! The towers' training rows, as the trainer sees them.
//!
//! A row of [`Labels::Sampled`] is a positive with its negatives: the user tower runs once for all of them, and the title
//! tower once for each *distinct* title of a shard. Rows of a batch are ordered by group and territory before they are cut
//! into shards: a group's rows are then one product, and one territory's titles meet each other again.

use kohort_core::{LossKind, Params, Tape, Var};
use kohort_data::TrainNegatives;
use kohort_layers::{Mode, Segments};
use kohort_objectives::{Objective, ObjectiveError, Terms};
use kohort_random::stream;

use super::config::{Config, Labels, Loss};
use super::net::Net;
use super::users::{Histories, Users};
use super::{Input, check};
use crate::ModelError;
use crate::trainer::{Recorded, System};

/// The logit of a title that is no alternative to the positive.
const NEVER: f32 = -1e9;

/// Training rows with everything that does not depend on parameters, and the network they train.
pub(super) struct Rows<'a> {
    pub(super) net: Net,
    pub(super) users: Users<'a>,
    pub(super) input: Input<'a>,
    config: &'a Config,
    histories: Histories,
    negatives: Option<TrainNegatives>,
    /// `ln q_t` of each title, where the softmax is corrected by it.
    log_q: Option<Vec<f32>>,
    initial: Params,
    objectives: Vec<String>,
    /// Which rows of the training part these are: all whose user has an item left to be drawn as a negative.
    rows: Vec<u32>,
    seed: u64,
    identity: String,
}

impl<'a> Rows<'a> {
    pub(super) fn prepare(input: Input<'a>, config: &'a Config, seed: u64) -> Result<Rows<'a>, ModelError> {
        check::input(&input)?;
        let (train, known) = (input.train.rows(), input.known.unwrap_or(input.train).rows());
        if train.is_empty() {
            return Err(ModelError::NoRows);
        }
        let histories = match config.labels {
            Labels::Sampled { .. } => Histories::new(&known.user, &known.item, known.users),
            Labels::Shown { threshold } => {
                let liked: Vec<usize> =
                    (0..known.len()).filter(|&row| known.rating[row] >= threshold).collect();
                let user: Vec<u32> = liked.iter().map(|&row| known.user[row]).collect();
                let item: Vec<u32> = liked.iter().map(|&row| known.item[row]).collect();
                Histories::new(&user, &item, known.users)
            }
        };
        let missing = (0..train.len()).find(|&row| {
            let positive = match config.labels {
                Labels::Sampled { .. } => true,
                Labels::Shown { threshold } => train.rating[row] >= threshold,
            };
            positive && !histories.has(train.user[row], train.item[row])
        });
        if let Some(row) = missing {
            return Err(ModelError::NotKnown { user: train.user[row], item: train.item[row] });
        }
        let negatives = match config.labels {
            Labels::Sampled { .. } => {
                Some(TrainNegatives::new(input.known.unwrap_or(input.train), input.territories)?)
            }
            Labels::Shown { .. } => None,
        };
        let rows: Vec<u32> = (0..train.len() as u32)
            .filter(|&row| match &negatives {
                Some(negatives) if config.negatives() > 0 => negatives.free(train.user[row as usize]) > 0,
                _ => true,
            })
            .collect();
        let positives = match config.labels {
            Labels::Sampled { .. } => rows.len(),
            Labels::Shown { threshold } => train.rating.iter().filter(|&&r| r >= threshold).count(),
        };
        if positives == 0 {
            return Err(ModelError::NoPositives { rows: train.len() });
        }
        let log_q = match (config.loss, &negatives) {
            (Loss::Softmax { log_q: true }, Some(negatives)) => {
                Some(log_expected(&input, config.negatives(), negatives))
            }
            _ => None,
        };
        let users = Users::new(input.users, &histories, config.history_power);
        let mut initial = Params::new();
        let groups = input.groups.map_or(0, |groups| groups.count);
        let widths = (users.width(), input.titles.width());
        let net = Net::new(&mut initial, config, widths, groups, seed);
        let objectives = match input.groups {
            Some(groups) => (0..groups.count).map(|group| format!("group {group}")).collect(),
            None => vec!["all".to_owned()],
        };
        let identity = format!("{config:?} on {:016x}", check::fingerprint(&input));
        Ok(Rows {
            net,
            users,
            input,
            config,
            histories,
            negatives,
            log_q,
            initial,
            objectives,
            rows,
            seed,
            identity,
        })
    }

    fn user(&self, row: u32) -> u32 {
        self.input.train.rows().user[self.rows[row as usize] as usize]
    }

    fn item(&self, row: u32) -> u32 {
        self.input.train.rows().item[self.rows[row as usize] as usize]
    }

    pub(super) fn group(&self, row: u32) -> u32 {
        self.input.groups.map_or(0, |groups| groups.of_user[self.user(row) as usize])
    }

    /// Titles of some rows: of each row the own one, then its negatives in this epoch.
    pub(super) fn titles(&self, rows: &[u32], epoch: u64) -> Vec<u32> {
        let count = self.config.negatives();
        let mut titles = Vec::with_capacity(rows.len() * (1 + count));
        for &row in rows {
            titles.push(self.item(row));
            let original = u64::from(self.rows[row as usize]);
            let mut numbers = stream(self.seed, "tower negatives", &[epoch, original]);
            let user = self.user(row);
            if let Some(negatives) = &self.negatives {
                titles.extend((0..count).filter_map(|_| negatives.draw(user, &mut numbers)));
            }
        }
        titles
    }

    /// Whether each example of a row is a positive, as 1 and 0.
    fn targets(&self, rows: &[u32]) -> Vec<f32> {
        match self.config.labels {
            Labels::Sampled { negatives } => {
                let mut targets = vec![0.0; rows.len() * (1 + negatives)];
                targets.iter_mut().step_by(1 + negatives).for_each(|target| *target = 1.0);
                targets
            }
            Labels::Shown { threshold } => {
                let ratings = &self.input.train.rows().rating;
                let liked = |&row: &u32| ratings[self.rows[row as usize] as usize] >= threshold;
                rows.iter().map(|row| f32::from(u8::from(liked(row)))).collect()
            }
        }
    }

    /// What is added to the logits of a softmax over `pool`, `[rows, pool]`.
    fn corrections(&self, rows: &[u32], pool: &[u32], into: &mut [f32]) {
        for (&row, into) in rows.iter().zip(into.chunks_exact_mut(pool.len())) {
            let (user, own) = (self.user(row), self.item(row));
            for (x, &title) in into.iter_mut().zip(pool) {
                *x = match &self.log_q {
                    _ if title != own && self.histories.has(user, title) => NEVER,
                    Some(log_q) => -log_q[title as usize],
                    None => 0.0,
                };
            }
        }
    }
}

/// `ln` of the expected number of times that a row brings a title into the pool: as its positive, or among its negatives.
fn log_expected(input: &Input<'_>, count: usize, negatives: &TrainNegatives) -> Vec<f32> {
    let train = input.train.rows();
    let mut expected = vec![0.0f64; train.items];
    for &item in &train.item {
        expected[item as usize] += 1.0;
    }
    // One user of each territory stands for it: its pool is the territory's.
    let territories = input.territories.len();
    let (mut rows, mut user_of) = (vec![0.0f64; territories], vec![None; territories]);
    for &user in &train.user {
        let territory = input.territories.of_user()[user as usize] as usize;
        rows[territory] += 1.0;
        user_of[territory] = Some(user);
    }
    for (rows, user) in rows.iter().zip(user_of) {
        let Some(user) = user else { continue };
        let pool = negatives.pool(user);
        for &item in pool {
            expected[item as usize] += rows * count as f64 / pool.len() as f64;
        }
    }
    let total = train.len() as f64;
    // A title that never comes into the pool needs no correction.
    expected.into_iter().map(|x| if x > 0.0 { (x / total).ln() as f32 } else { 0.0 }).collect()
}

/// The distinct entries of a list, ascending, and where in them each entry is.
pub(super) fn distinct(list: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut values = list.to_vec();
    values.sort_unstable();
    values.dedup();
    let at = |value: &u32| values.partition_point(|other| other < value) as u32;
    let places = list.iter().map(at).collect();
    (values, places)
}

/// A list with each value as often as a row has examples.
fn spread<T: Copy>(values: &[T], times: usize) -> Vec<T> {
    values.iter().flat_map(|&value| std::iter::repeat_n(value, times)).collect()
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

    /// By group, and within by territory. Not for in-batch negatives, whose pool the shard is: it stays a random one.
    fn arrange(&self, batch: &mut [u32]) {
        if self.config.loss == Loss::Logistic {
            let territory = self.input.territories.of_user();
            batch.sort_unstable_by_key(|&row| (self.group(row), territory[self.user(row) as usize], row));
        }
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let objective = Objective::entrywise(LossKind::Logistic, self.config.denominator);
        let weights: Option<Vec<f32>> = self
            .input
            .weights
            .map(|weights| batch.iter().map(|&row| weights[self.rows[row as usize] as usize]).collect());
        if self.input.groups.is_none() {
            return Ok(vec![objective.terms(batch.len(), weights.as_deref(), None)?]);
        }
        (0..self.objectives.len() as u32)
            .map(|group| {
                let mask: Vec<bool> = batch.iter().map(|&row| self.group(row) == group).collect();
                objective.terms(batch.len(), weights.as_deref(), Some(&mask))
            })
            .collect()
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
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by_key(|&at| self.group(rows[at as usize]));
        let rows: Vec<u32> = order.iter().map(|&at| rows[at as usize]).collect();
        let weights: Vec<Option<Vec<f32>>> = weights
            .iter()
            .map(|weights| weights.map(|weights| order.iter().map(|&at| weights[at as usize]).collect()))
            .collect();

        let width = self.users.width();
        let x = tape.input_with(rows.len(), width, |into| {
            for (&row, into) in rows.iter().zip(into.chunks_exact_mut(width)) {
                self.users.write(self.user(row), Some(self.item(row)), into);
            }
        });
        let shared = self.net.shared(tape, params, x, mode);
        let segments = Segments::of(rows.iter().map(|&row| self.group(row)));
        let users = self.net.grouped(tape, params, shared, &segments, mode);

        let examples = self.titles(&rows, mode.epoch().unwrap_or(0));
        let (pool, places) = distinct(&examples);
        let vectors = self.input.titles;
        let t = tape.input_rows(vectors.values(), vectors.width(), &pool);
        let titles = self.net.titles(tape, params, t, mode);

        let times = 1 + self.config.negatives();
        let losses = match self.config.loss {
            Loss::Logistic => {
                let left: Vec<u32> = spread(&(0..rows.len() as u32).collect::<Vec<_>>(), times);
                let logits = self.net.logits(tape, params, (users, titles), (&left, &places));
                let targets = self.targets(&rows);
                let each = |(weights, &scale): (&Option<Vec<f32>>, &f64)| {
                    let weights = weights.as_ref().map(|weights| spread(weights, times));
                    let scale = (scale / times as f64) as f32;
                    tape.loss(LossKind::Logistic, logits, &targets, weights.as_deref(), scale)
                };
                weights.iter().zip(scales).map(each).collect()
            }
            Loss::Softmax { .. } => {
                let logits = tape.cross(users, titles);
                let correction =
                    tape.input_with(rows.len(), pool.len(), |into| self.corrections(&rows, &pool, into));
                let logits = tape.add(logits, correction);
                let classes: Vec<u32> = places.iter().step_by(times).copied().collect();
                let each = |(weights, &scale): (&Option<Vec<f32>>, &f64)| {
                    tape.cross_entropy(logits, &classes, weights.as_deref(), scale as f32)
                };
                weights.iter().zip(scales).map(each).collect()
            }
        };
        Recorded::new(losses, self.cut(x, shared, titles))
    }
}

impl Rows<'_> {
    /// What all groups stand on. A user tower without a shared layer has nothing to cut.
    fn cut(&self, x: Var, shared: Var, titles: Var) -> Vec<Var> {
        if shared == x { vec![titles] } else { vec![shared, titles] }
    }
}
