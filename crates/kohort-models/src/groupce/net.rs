//! The network.
//!
//! ```text
//! e = W·encoder(user columns) + b        [n, d]   the user embedding
//! v = encoder(all other columns)         [n, m]
//! o = w·mlp([e; v]) + b                  [n, 1]   a logit
//! ```

use kohort_core::{Activation, Layout, Params, Tape, Var};
use kohort_layers::{Encoder, Linear, Mlp, MlpConfig, Mode, Table};

use super::config::Config;
use crate::ModelError;
use crate::unseen::zero_unseen;

#[derive(Clone, Debug)]
pub(super) struct Net {
    user: Encoder,
    embed: Linear,
    rest: Encoder,
    mlp: Mlp,
    out: Linear,
    dropout: f64,
}

impl Net {
    pub(super) fn new(
        params: &mut Params,
        config: &Config,
        users: &Table,
        rest: &Table,
        seed: u64,
    ) -> Result<Net, ModelError> {
        let user = Encoder::new(params, "user", users, &config.encoder, seed);
        let embed = Linear::new(params, "embed", user.width(), config.width, Activation::Identity, seed);
        let others = Encoder::new(params, "rest", rest, &config.encoder, seed);
        if others.width() == 0 {
            return Err(ModelError::Config("there is no column beside the user's".to_owned()));
        }
        zero_unseen(params, "user", users);
        zero_unseen(params, "rest", rest);
        let mlp_config = MlpConfig {
            widths: config.hidden.clone(),
            activation: Activation::Relu,
            dropout: config.dropout,
            layer_norm: false,
        };
        let inputs = config.width + others.width();
        let mlp = Mlp::new(params, "mlp", inputs, &mlp_config, seed);
        let last = config.hidden.last().copied().unwrap_or(inputs);
        let out = Linear::new(params, "out", last, 1, Activation::Identity, seed);
        for slot in params.slots_mut() {
            slot.decay = match slot.layout {
                Layout::Table => config.table_decay as f32,
                Layout::Dense if slot.name.ends_with("/b") => 0.0,
                Layout::Dense => config.decay as f32,
            };
        }
        Ok(Net { user, embed, rest: others, mlp, out, dropout: config.dropout })
    }

    /// `e` of the rows `ids`.
    pub(super) fn user(&self, tape: &mut Tape, params: &Params, users: &Table, ids: &[u32]) -> Var {
        let Some(x) = self.user.forward(tape, params, users, ids) else {
            unreachable!("a user has a column, or the config is refused")
        };
        self.embed.forward(tape, params, x)
    }

    /// `v` of the rows `ids`.
    pub(super) fn rest(&self, tape: &mut Tape, params: &Params, rest: &Table, ids: &[u32]) -> Var {
        let Some(v) = self.rest.forward(tape, params, rest, ids) else {
            unreachable!("there is another column, or the net is refused")
        };
        v
    }

    /// `o` from `e` and `v`.
    pub(super) fn logit(&self, tape: &mut Tape, params: &Params, e: Var, v: Var, mode: &mut Mode) -> Var {
        let x = tape.concat(&[e, v]);
        let x = mode.dropout(tape, x, self.dropout);
        let h = self.mlp.forward(tape, params, x, mode);
        self.out.forward(tape, params, h)
    }
}
