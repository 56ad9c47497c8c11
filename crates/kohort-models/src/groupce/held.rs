//! Validation rows, to stop on.

use kohort_core::{LossKind, Params};
use kohort_data::records::ValidationRecords;
use kohort_layers::Table;

use super::config::{Config, Stop};
use super::net::Net;
use super::{Columns, Sides, chosen, logits, split, users_of};
use crate::ModelError;

pub(super) struct Held {
    users: Table,
    rest: Table,
    target: Vec<f32>,
    /// The rows of each user, of which the target is known.
    of_user: Vec<Vec<usize>>,
}

impl Held {
    pub(super) fn new(
        held: &ValidationRecords,
        config: &Config,
        columns: &Sides<Columns>,
    ) -> Result<Held, ModelError> {
        let features = split(held.questions().features, &config.user)?;
        let target = chosen(held.answers().targets, std::slice::from_ref(&config.target))?[0];
        let who = users_of(&features.user, &config.user[0])?;
        let mut of_user = vec![Vec::new(); who.iter().max().map_or(0, |&last| last as usize + 1)];
        for (row, &user) in who.iter().enumerate().filter(|(row, _)| target.is_known(*row)) {
            of_user[user as usize].push(row);
        }
        of_user.retain(|rows| !rows.is_empty());
        Ok(Held {
            users: columns.user.inputs(&features.user)?.table,
            rest: columns.rest.inputs(&features.rest)?.table,
            target: target.values.clone(),
            of_user,
        })
    }

    /// What early stopping minimises. Log loss where no user has both labels.
    pub(super) fn value(&self, stop: Stop, net: &Net, params: &Params) -> f64 {
        let logits = logits(net, params, &self.users, &self.rest, self.target.len());
        if logits.iter().any(|logit| !logit.is_finite()) {
            return f64::NAN;
        }
        match (stop, self.gauc(&logits)) {
            (Stop::Gauc, Some(gauc)) => 1.0 - gauc,
            _ => self.log_loss(&logits),
        }
    }

    fn gauc(&self, logits: &[f32]) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for rows in &self.of_user {
            let scores: Vec<f32> = rows.iter().map(|&row| logits[row]).collect();
            let labels: Vec<bool> = rows.iter().map(|&row| self.target[row] == 1.0).collect();
            if let Ok(Some(auc)) = kohort_eval::binary::roc_auc(&scores, &labels) {
                sum += rows.len() as f64 * auc;
                weight += rows.len() as f64;
            }
        }
        (weight > 0.0).then(|| sum / weight)
    }

    fn log_loss(&self, logits: &[f32]) -> f64 {
        let rows = || self.of_user.iter().flatten();
        let each = rows().map(|&row| f64::from(LossKind::Logistic.value(logits[row], self.target[row])));
        each.sum::<f64>() / rows().count().max(1) as f64
    }
}
