//! All that a run is, so that it can be saved after an epoch and taken up again.

use std::path::Path;

use kohort_core::optim::{Average, Optimizer};
use kohort_core::{Params, checkpoint};
use kohort_objectives::Balancer;
use kohort_objectives::conflict::Record;
use serde::{Deserialize, Serialize};

use super::{Epoch, Profile, TrainConfig, Trained};
use crate::ModelError;

pub(super) struct State {
    pub(super) params: Params,
    pub(super) optimizer: Optimizer,
    pub(super) average: Option<Average>,
    pub(super) step: u64,
    pub(super) epochs: Vec<Epoch>,
    pub(super) record: Record,
    best: Option<Best>,
    config: TrainConfig,
    identity: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Best {
    value: f64,
    epochs: usize,
    params: Params,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    config: TrainConfig,
    identity: String,
    params: Params,
    optimizer: Optimizer,
    average: Option<Average>,
    step: u64,
    epochs: Vec<Epoch>,
    best: Option<Best>,
    record: Record,
    balancer: Vec<f64>,
}

impl State {
    pub(super) fn new(params: Params, record: Record, config: &TrainConfig, identity: String) -> State {
        State {
            optimizer: Optimizer::new(&params, config.rule, config.tables),
            average: (config.average > 0.0).then(|| Average::new(&params, config.average)),
            params,
            step: 0,
            epochs: Vec::new(),
            record,
            best: None,
            // A run goes on from a checkpoint whether either of them was watched or not.
            config: TrainConfig { profile: false, ..*config },
            identity,
        }
    }

    /// The parameters to score with: the average where one is kept.
    pub(super) fn current(&self) -> Params {
        self.average.as_ref().map_or_else(|| self.params.clone(), |average| average.params(&self.params))
    }

    pub(super) fn finish_epoch(&mut self, report: Epoch, current: Params) {
        let value = report.validation;
        self.epochs.push(report);
        if let Some(value) = value
            && self.best.as_ref().is_none_or(|best| value < best.value)
        {
            self.best = Some(Best { value, epochs: self.epochs.len(), params: current });
        }
    }

    pub(super) fn patience_is_over(&self, config: &TrainConfig) -> bool {
        self.best.as_ref().is_some_and(|best| self.epochs.len() >= best.epochs + config.patience)
    }

    pub(super) fn into_trained(self, profile: Option<Profile>) -> Trained {
        match self.best {
            Some(best) => Trained { params: best.params, epochs: self.epochs, best: best.epochs, profile },
            None => Trained { params: self.current(), best: self.epochs.len(), epochs: self.epochs, profile },
        }
    }

    pub(super) fn save(&self, path: &Path, balancer: &dyn Balancer) -> Result<(), ModelError> {
        let saved = Saved {
            config: self.config,
            identity: self.identity.clone(),
            params: self.params.clone(),
            optimizer: self.optimizer.clone(),
            average: self.average.clone(),
            step: self.step,
            epochs: self.epochs.clone(),
            best: self.best.clone(),
            record: self.record.clone(),
            balancer: balancer.state(),
        };
        Ok(checkpoint::write(path, &saved)?)
    }

    /// Takes up a saved run, if it is one of this model under this config; changes nothing otherwise.
    pub(super) fn resume(&mut self, path: &Path, balancer: &mut dyn Balancer) -> Result<(), ModelError> {
        let saved: Saved = checkpoint::read(path)?;
        let refuse = |what: String| Err(ModelError::Resume { path: path.to_owned(), what });
        if saved.config != self.config {
            return refuse("it was saved under another training config".to_owned());
        }
        if saved.identity != self.identity {
            return refuse("it was saved under another seed, model config or data".to_owned());
        }
        let mut params = self.params.clone();
        if let Err(what) = params.adopt(&saved.params) {
            return refuse(what);
        }
        if let Some(Err(what)) = saved.best.as_ref().map(|best| self.params.clone().adopt(&best.params)) {
            return refuse(format!("its best epoch: {what}"));
        }
        let average_fits = saved.average.as_ref().is_none_or(|average| average.fits(&params));
        if !saved.optimizer.fits(&params, self.config.rule, self.config.tables)
            || saved.average.is_some() != self.average.is_some()
            || !average_fits
        {
            return refuse("the optimiser's state is of another model".to_owned());
        }
        if saved.record.names() != self.record.names() {
            return refuse("it was saved with other objectives".to_owned());
        }
        if let Err(error) = balancer.restore(&saved.balancer) {
            return refuse(error.to_string());
        }
        self.params = params;
        self.optimizer = saved.optimizer;
        self.average = saved.average;
        self.step = saved.step;
        self.epochs = saved.epochs;
        self.record = saved.record;
        self.best = saved.best;
        Ok(())
    }
}

/// Parameters and optimiser state of a checkpoint, for tests that look into them.
#[cfg(test)]
pub(crate) fn saved(path: &Path) -> (Params, Optimizer) {
    let saved: Saved = checkpoint::read(path).expect("a checkpoint that was just written");
    (saved.params, saved.optimizer)
}
