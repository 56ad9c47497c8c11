//! DMTL's training rows, as the trainer sees them.

use kohort_core::{LossKind, Params, Tape};
use kohort_data::Queries;
use kohort_layers::Mode;
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};
use kohort_random::{rand::seq::SliceRandom, stream};

use super::config::{Attention, Config};
use super::history::{Bagged, Histories};
use super::net::{Batch, History, Net, Sizes};
use super::side::{LIMIT, Scaling, table};
use super::{Dmtl, Input, MOST_HISTORY};
use crate::ModelError;
use crate::context::{Context, Described, Folded};
use crate::fingerprint::Fingerprint;
use crate::trainer::{Recorded, System, Words};

/// Training rows with everything that does not depend on parameters, and the model they train.
pub(super) struct Rows {
    pub(super) model: Dmtl,
    initial: Params,
    objectives: Vec<String>,
    user: Vec<u32>,
    item: Vec<u32>,
    context: Vec<f32>,
    width: usize,
    /// Rating less its base.
    target: Vec<f32>,
    group: Vec<u32>,
    labelled: Vec<bool>,
    /// Fold of each row, and each fold's histories; without a context there are no folds, and no bias to leak through.
    fold: Vec<u32>,
    by_fold: Vec<Histories>,
    identity: String,
}

impl Rows {
    pub(super) fn prepare(input: &Input<'_>, config: &Config, seed: u64) -> Result<Rows, ModelError> {
        let rows = input.train.rows();
        let (users, items) = (table(&input.dataset.user_features), table(&input.dataset.item_features));
        let mean = rows.mean().ok_or(ModelError::NoRows)? as f32;
        let (context, folded) = match &config.context {
            Some(wanted) => {
                let folded = Context::out_of_fold(input.train, input.dataset, wanted, seed)?;
                let scaling =
                    Scaling::fit(&folded.described.values, folded.described.names.len()).within(LIMIT);
                (Some((Context::fit(input.train, input.dataset, wanted)?, scaling)), folded)
            }
            None => {
                let described = Described { base: vec![mean; rows.len()], ..Described::default() };
                (None, Folded { described, ..Folded::default() })
            }
        };
        let Folded { described, fold, base } = folded;
        let width = described.names.len();
        let scaled = context.as_ref().map(|(_, scaling)| scaling.apply(&described.values));
        let sizes = Sizes { users: rows.users, items: rows.items, groups: input.group_count, context: width };
        let mut initial = Params::new();
        let net = Net::new(&mut initial, config, &sizes, (&users, &items), seed);
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let histories = config.history.then(|| {
            let full = context.as_ref().map(|(context, _)| {
                let pairs = Queries { user: &rows.user, item: &rows.item, time: &rows.time };
                context.base(pairs)
            });
            Histories::new(rows, &all, full.as_deref().unwrap_or(&described.base), MOST_HISTORY)
        });
        let by_fold: Vec<Histories> = if config.history {
            let outside = |f: u32| all.iter().copied().filter(|&r| fold[r as usize] != f).collect::<Vec<_>>();
            (0u32..)
                .zip(&base)
                .map(|(f, base)| Histories::new(rows, &outside(f), base, MOST_HISTORY))
                .collect()
        } else {
            Vec::new()
        };
        let model = Dmtl {
            net,
            params: Params::new(),
            users,
            items,
            context,
            base: mean,
            histories,
            members: members(input, config, seed),
            groups: input.groups.to_vec(),
            tasks: config.tasks,
            limits: (rows.users.saturating_sub(1) as u32, rows.items.saturating_sub(1) as u32),
            epochs: Vec::new(),
            best: 0,
        };
        let known = |u: u32| input.labelled.is_none_or(|l| l[u as usize]);
        let mut data = Fingerprint::new();
        for row in 0..rows.len() {
            let key = u64::from(rows.user[row]) << 32 | u64::from(rows.item[row]);
            for word in [key, rows.rating[row].to_bits().into(), rows.time[row] as u64] {
                data.eat(word);
            }
        }
        Ok(Rows {
            identity: format!("{config:?} on rows {:016x}", data.value()),
            model,
            initial,
            objectives: vec!["rating".to_owned(), "profiling".to_owned()],
            user: rows.user.clone(),
            item: rows.item.clone(),
            context: scaled.unwrap_or_default(),
            width,
            target: rows.rating.iter().zip(&described.base).map(|(r, b)| r - b).collect(),
            fold,
            by_fold,
            group: rows.user.iter().map(|&u| input.groups[u as usize]).collect(),
            labelled: rows.user.iter().map(|&u| known(u)).collect(),
        })
    }

    fn cut<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
        rows.iter().map(|&r| values[r as usize]).collect()
    }

    /// A batch of training rows, with histories as bags.
    fn batch<'a>(&self, rows: &[u32], (user, item, context): (&'a [u32], &'a [u32], &'a [f32])) -> Batch<'a> {
        let history = self.model.histories.as_ref().map(|all| {
            let (mut rated, mut raters) = (Bagged::new(), Bagged::new());
            for (&row, (&u, &i)) in rows.iter().zip(user.iter().zip(item)) {
                let fold = self.fold.get(row as usize).and_then(|&f| self.by_fold.get(f as usize));
                let lists = fold.unwrap_or(all);
                lists.of_user.add_bag(u, i, &mut rated);
                lists.of_item.add_bag(i, u, &mut raters);
            }
            (History::Bags(rated), History::Bags(raters))
        });
        Batch { user, item, context, members: self.model.members_of(user), history, known: None }
    }

    fn context_of(&self, rows: &[u32]) -> Vec<f32> {
        let row = |&r: &u32| &self.context[r as usize * self.width..(r as usize + 1) * self.width];
        rows.iter().flat_map(row).copied().collect()
    }
}

/// Members of each group, at most as many as the config allows; none unless attention looks at them.
fn members(input: &Input<'_>, config: &Config, seed: u64) -> Vec<Vec<u32>> {
    if config.attention != Attention::Members {
        return Vec::new();
    }
    let mut members = vec![Vec::new(); input.group_count];
    for (user, &group) in (0u32..).zip(input.groups) {
        members[group as usize].push(user);
    }
    for (group, list) in (0u64..).zip(&mut members) {
        if list.len() > config.members {
            list.shuffle(&mut stream(seed, "members", &[group]));
            list.truncate(config.members);
            list.sort_unstable();
        }
    }
    members
}

const RATING: Objective =
    Objective { loss: kohort_objectives::Loss::Entrywise(LossKind::Squared), denominator: Denominator::Mask };
const PROFILING: Objective =
    Objective { loss: kohort_objectives::Loss::CrossEntropy, denominator: Denominator::Mask };

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

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let labelled = Rows::cut(&self.labelled, batch);
        Ok(vec![RATING.terms(batch.len(), None, None)?, PROFILING.terms(batch.len(), None, Some(&labelled))?])
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
        let (user, item) = (Rows::cut(&self.user, rows), Rows::cut(&self.item, rows));
        let context = self.context_of(rows);
        let batch = self.batch(rows, (&user, &item, &context));
        let tables = (&self.model.users, &self.model.items);
        let outputs = self.model.net.forward(tape, params, &batch, tables, mode);
        let target = Rows::cut(&self.target, rows);
        let rating = tape.loss(LossKind::Squared, outputs.rating, &target, weights[0], scales[0] as f32);
        let group = Rows::cut(&self.group, rows);
        let profiling = tape.cross_entropy(outputs.profile, &group, weights[1], scales[1] as f32);
        Recorded::new(vec![rating, profiling], outputs.shared.to_vec())
    }

    /// Mean entropy of the attention in nats over the first rows, and that of uniform attention. A gate stuck at
    /// `ln d_i` pays attention to nothing.
    fn words(&self, params: &Params) -> Words {
        let rows: Vec<u32> = (0..self.rows().min(1024) as u32).collect();
        let (user, item) = (Rows::cut(&self.user, &rows), Rows::cut(&self.item, &rows));
        let context = self.context_of(&rows);
        let batch = self.batch(&rows, (&user, &item, &context));
        let mut tape = Tape::new();
        let tables = (&self.model.users, &self.model.items);
        let outputs = self.model.net.forward(&mut tape, params, &batch, tables, &mut Mode::score());
        let Some(attention) = outputs.attention else { return Words::default() };
        let value = tape.value(attention);
        let lists: Vec<&[f32]> = match &batch.members {
            Some((_, offsets)) => offsets.windows(2).map(|w| &value[w[0] as usize..w[1] as usize]).collect(),
            None => value.chunks_exact(tape.shape(attention).1).collect(),
        };
        let lists: Vec<&[f32]> = lists.into_iter().filter(|list| !list.is_empty()).collect();
        let count = lists.len().max(1) as f64;
        let entropy = |list: &&[f32]| {
            let total: f64 = list.iter().map(|&a| f64::from(a)).sum();
            let share = list.iter().map(|&a| f64::from(a) / total).filter(|&p| p > 0.0);
            share.map(|p| -p * p.ln()).sum::<f64>()
        };
        let uniform = |list: &&[f32]| (list.len() as f64).ln();
        let notes = vec![
            ("attention entropy".to_owned(), lists.iter().map(entropy).sum::<f64>() / count),
            ("uniform entropy".to_owned(), lists.iter().map(uniform).sum::<f64>() / count),
        ];
        notes.into()
    }
}
