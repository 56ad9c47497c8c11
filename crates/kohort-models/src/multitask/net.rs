//! The network: one forward pass for training and scoring.
//!
//! ```text
//! x   = encoder(columns)                                    [n, inputs]
//! z_k = body(x, cohort)        one representation a task    [n, width]
//! o_k = w_k·tower_k(z_k) + b_k  a logit or a number         [n, 1]
//! ```

use kohort_core::{Activation, Layout, Params, Tape, Var};
use kohort_layers::{Encoder, Hierarchy, Linear, Mlp, MlpConfig, Mode, Table};

use super::body::{About, Adapted, Represent, Represented, Sizes};
use super::columns::Inputs;
use super::config::Config;
use crate::ModelError;

/// All layers.
#[derive(Debug)]
pub(super) struct Net {
    encoder: Encoder,
    pub(super) body: Box<dyn Represent>,
    towers: Vec<(Mlp, Linear)>,
    dropout: f64,
}

/// What a forward pass gives.
pub(super) struct Outputs {
    /// Output of each task, `[n, 1]`.
    pub(super) tasks: Vec<Var>,
    /// What the body made of the rows.
    pub(super) seen: Represented,
}

impl Net {
    /// Adds all parameters.
    pub(super) fn new(
        params: &mut Params,
        config: &Config,
        (table, gate): (&Table, Option<usize>),
        tasks: &[String],
        hierarchy: &Hierarchy,
        seed: u64,
    ) -> Result<Net, ModelError> {
        let encoder = Encoder::new(params, "row", table, &config.encoder, seed);
        if encoder.width() == 0 {
            return Err(ModelError::Config("there is no column to predict from".to_owned()));
        }
        let sizes = Sizes { inputs: encoder.width(), tasks, hierarchy, gate };
        let body = config.body.build(params, sizes, &config.penalties, config.dropout, seed)?;
        let tower_config = MlpConfig {
            widths: config.tower.clone(),
            activation: Activation::Relu,
            dropout: config.dropout,
            layer_norm: false,
        };
        let towers = tasks.iter().map(|task| {
            let mlp = Mlp::new(params, &format!("tower/{task}"), body.width(), &tower_config, seed);
            let inputs = config.tower.last().copied().unwrap_or(body.width());
            let name = format!("tower/{task}/out");
            (mlp, Linear::new(params, &name, inputs, 1, Activation::Identity, seed))
        });
        let towers = towers.collect();
        decay(params, config);
        Ok(Net { encoder, body, towers, dropout: config.dropout })
    }

    /// Width of the encoded row.
    pub(super) fn inputs(&self) -> usize {
        self.encoder.width()
    }

    /// Number of tasks.
    pub(super) fn tasks(&self) -> usize {
        self.towers.len()
    }

    /// The same encoder and towers around a body with adapters.
    pub(super) fn with(&self, body: Adapted) -> Net {
        let Net { encoder, towers, dropout, .. } = self;
        Net { encoder: encoder.clone(), body: Box::new(body), towers: towers.clone(), dropout: *dropout }
    }

    /// The rows `ids` of `inputs`, of these cohorts, `[ids]`.
    pub(super) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        (inputs, ids): (&Inputs, &[u32]),
        cohorts: &[u32],
        mode: &mut Mode,
    ) -> Outputs {
        let Some(x) = self.encoder.forward(tape, params, &inputs.table, ids) else {
            unreachable!("a net has a column, or it is not made")
        };
        let gate = inputs.gate.as_ref().map(|gate| {
            let read = tape.input_rows(&gate.values, gate.width, ids);
            (read, ids.iter().map(|&row| gate.known[row as usize]).collect())
        });
        let about = &About { cohorts, gate };
        let x = mode.dropout(tape, x, self.dropout);
        let seen = self.body.forward(tape, params, x, about, mode);
        let tasks = self
            .towers
            .iter()
            .zip(&seen.mixed.tasks)
            .map(|((mlp, out), &z)| {
                let h = mlp.forward(tape, params, z, mode);
                out.forward(tape, params, h)
            })
            .collect();
        Outputs { tasks, seen }
    }
}

/// Weight decay of every parameter: of tables and of weights as the config says, of biases none.
pub(super) fn decay(params: &mut Params, config: &Config) {
    for slot in params.slots_mut() {
        slot.decay = match slot.layout {
            Layout::Table => config.table_decay as f32,
            Layout::Dense if slot.name.ends_with("/b") => 0.0,
            Layout::Dense => config.decay as f32,
        };
    }
}
