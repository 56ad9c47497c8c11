//! DMTL's training rows, as the trainer sees them.

use kohort_core::{Cut, LossKind, Params, Tape};
use kohort_layers::Mode;
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};
use kohort_random::{rand::seq::SliceRandom, stream};

use super::config::{Attention, Config};
use super::history::{Lists, residuals};
use super::net::{Net, Sizes};
use super::side::{Scaling, table};
use super::{Dmtl, Input, MOST_HISTORY};
use crate::ModelError;
use crate::context::{Context, Described};
use crate::trainer::{Recorded, System};

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
    identity: String,
}

impl Rows {
    pub(super) fn prepare(input: &Input<'_>, config: &Config, seed: u64) -> Result<Rows, ModelError> {
        let rows = input.train.rows();
        let (users, items) = (table(&input.dataset.user_features), table(&input.dataset.item_features));
        let mean = rows.mean().ok_or(ModelError::NoRows)? as f32;
        let (context, described) = match &config.context {
            Some(wanted) => {
                let described = Context::out_of_fold(input.train, input.dataset, wanted, seed)?;
                let scaling = Scaling::fit(&described.values, described.names.len());
                (Some((Context::fit(input.train, input.dataset, wanted)?, scaling)), described)
            }
            None => (None, Described { base: vec![mean; rows.len()], ..Described::default() }),
        };
        let width = described.names.len();
        let scaled = context.as_ref().map(|(_, scaling)| scaling.apply(&described.values));
        let sizes = Sizes { users: rows.users, items: rows.items, groups: input.group_count, context: width };
        let mut initial = Params::new();
        let net = Net::new(&mut initial, config, &sizes, (&users, &items), seed);
        let lists = config.history.then(|| {
            let residual = residuals(rows, &described.base);
            let of_user = Lists::new(&rows.user, rows.users, &rows.item, &residual, MOST_HISTORY);
            (of_user, Lists::new(&rows.item, rows.items, &rows.user, &residual, MOST_HISTORY))
        });
        let model = Dmtl {
            net,
            params: Params::new(),
            users,
            items,
            context,
            base: mean,
            lists,
            members: members(input, config, seed),
            groups: input.groups.to_vec(),
            tasks: config.tasks,
            limits: (rows.users.saturating_sub(1) as u32, rows.items.saturating_sub(1) as u32),
            epochs: Vec::new(),
            best: 0,
        };
        let known = |u: u32| input.labelled.is_none_or(|l| l[u as usize]);
        let mut data = 0u64;
        for row in 0..rows.len() {
            let key = u64::from(rows.user[row]) << 32 | u64::from(rows.item[row]);
            for word in [key, rows.rating[row].to_bits().into(), rows.time[row] as u64] {
                data = (data ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
            }
        }
        Ok(Rows {
            identity: format!("{config:?} on rows {data:016x}"),
            model,
            initial,
            objectives: vec!["rating".to_owned(), "profiling".to_owned()],
            user: rows.user.clone(),
            item: rows.item.clone(),
            context: scaled.unwrap_or_default(),
            width,
            target: residuals(rows, &described.base),
            group: rows.user.iter().map(|&u| input.groups[u as usize]).collect(),
            labelled: rows.user.iter().map(|&u| known(u)).collect(),
        })
    }

    fn cut<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
        rows.iter().map(|&r| values[r as usize]).collect()
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
        let batch = self.model.batch(&user, &item, &context);
        let tables = (&self.model.users, &self.model.items);
        let outputs = self.model.net.forward(tape, params, &batch, tables, mode);
        let target = Rows::cut(&self.target, rows);
        let rating = tape.loss(LossKind::Squared, outputs.rating, &target, weights[0], scales[0] as f32);
        let group = Rows::cut(&self.group, rows);
        let profiling = tape.cross_entropy(outputs.profile, &group, weights[1], scales[1] as f32);
        Recorded { losses: vec![rating, profiling], shared: Cut(vec![outputs.shared]) }
    }

    /// Mean entropy of the attention in nats over the first rows, and that of uniform attention. A gate stuck at
    /// `ln d_i` pays attention to nothing.
    fn notes(&self, params: &Params) -> Vec<(String, f64)> {
        let rows: Vec<u32> = (0..self.rows().min(1024) as u32).collect();
        let (user, item) = (Rows::cut(&self.user, &rows), Rows::cut(&self.item, &rows));
        let context = self.context_of(&rows);
        let batch = self.model.batch(&user, &item, &context);
        let mut tape = Tape::new();
        let tables = (&self.model.users, &self.model.items);
        let outputs = self.model.net.forward(&mut tape, params, &batch, tables, &mut Mode::score());
        let Some(attention) = outputs.attention else { return Vec::new() };
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
        vec![
            ("attention entropy".to_owned(), lists.iter().map(entropy).sum::<f64>() / count),
            ("uniform entropy".to_owned(), lists.iter().map(uniform).sum::<f64>() / count),
        ]
    }
}
