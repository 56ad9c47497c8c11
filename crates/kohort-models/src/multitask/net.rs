//! The network: one forward pass for training and scoring.
//!
//! ```text
//! x   = encoder(columns)                                    [n, inputs]
//! z_k = body(x, cohort)        one representation a task    [n, width]
//! o_k = w_k·tower_k(z_k) + b_k  a logit or a number         [n, 1]
//! ```

use kohort_core::{Activation, Layout, Params, Tape, Var};
use kohort_layers::{Encoder, Hierarchy, Linear, Mlp, MlpConfig, Mode, Table};

use super::body::{About, Represent, Sizes};
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
    /// Where all tasks' gradients meet.
    pub(super) shared: Vec<Var>,
    /// What is to be kept small beside the losses, `[1, 1]` as a mean over these rows.
    pub(super) penalty: Option<Var>,
}

impl Net {
    /// Adds all parameters.
    pub(super) fn new(
        params: &mut Params,
        config: &Config,
        table: &Table,
        tasks: &[String],
        hierarchy: &Hierarchy,
        seed: u64,
    ) -> Result<Net, ModelError> {
        let encoder = Encoder::new(params, "row", table, &config.encoder, seed);
        if encoder.width() == 0 {
            return Err(ModelError::Config("there is no column to predict from".to_owned()));
        }
        let sizes = Sizes { inputs: encoder.width(), tasks: tasks.len(), hierarchy };
        let body = config.body.build(params, sizes, config.dropout, seed)?;
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
        for slot in params.slots_mut() {
            let bias = slot.name.ends_with("/b");
            slot.decay = match slot.layout {
                Layout::Table => config.table_decay as f32,
                Layout::Dense if bias => 0.0,
                Layout::Dense => config.decay as f32,
            };
        }
        Ok(Net { encoder, body, towers, dropout: config.dropout })
    }

    /// The rows `ids` of `table`.
    pub(super) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        (table, ids): (&Table, &[u32]),
        about: &About<'_>,
        mode: &mut Mode,
    ) -> Outputs {
        let Some(x) = self.encoder.forward(tape, params, table, ids) else {
            unreachable!("a net has a column, or it is not made")
        };
        let x = mode.dropout(tape, x, self.dropout);
        let seen = self.body.forward(tape, params, x, about, mode);
        let tasks = self
            .towers
            .iter()
            .zip(&seen.tasks)
            .map(|((mlp, out), &z)| {
                let h = mlp.forward(tape, params, z, mode);
                out.forward(tape, params, h)
            })
            .collect();
        Outputs { tasks, shared: seen.shared, penalty: seen.penalty }
    }
}
