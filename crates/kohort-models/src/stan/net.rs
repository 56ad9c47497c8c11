//! The network.
//!
//! ```text
//! U_j = encoder_j(column j of the user)·P_j     [n, d₁] each
//! V   = encoder(all other columns)              [n, m]
//! z_k = CGC or PLE of [U_1 … U_n; V]            for each task k
//! o_k = tower_k(z_k)  or  tower_k([z_k; s_k])   [n, 1], a logit
//! ```

use kohort_core::{Activation, Layout, Params, Tape, Var};
use kohort_layers::experts::Ple;
use kohort_layers::{Encoder, Linear, Mlp, MlpConfig, Mode, Table};

use super::config::Config;
use super::stage::{Seen, Stage};
use crate::ModelError;
use crate::unseen::zero_unseen;

#[derive(Clone, Debug)]
pub(super) struct Net {
    fields: Vec<(Encoder, Linear)>,
    rest: Encoder,
    stage: Option<Stage>,
    experts: Ple,
    towers: Vec<(Mlp, Linear)>,
    into_towers: bool,
    dropout: f64,
}

pub(super) struct Outputs {
    /// Logit of each task, `[n, 1]`.
    pub(super) tasks: Vec<Var>,
    /// What is said of the users, for each task; nothing in a model without stages.
    pub(super) seen: Vec<Seen>,
    /// What all tasks share.
    pub(super) shared: Vec<Var>,
}

/// The columns that describe the user, one by one, and all others.
pub(super) struct Tables {
    pub(super) user: Vec<Table>,
    pub(super) rest: Table,
}

impl Net {
    pub(super) fn new(
        params: &mut Params,
        config: &Config,
        tables: &Tables,
        tasks: &[String],
        seed: u64,
    ) -> Result<Net, ModelError> {
        let field = |table: &Table| {
            let encoder = Encoder::new(params, "user", table, &config.encoder, seed);
            zero_unseen(params, "user", table);
            let name = format!("field/{}", table.columns[0].0);
            let linear =
                Linear::new(params, &name, encoder.width(), config.width, Activation::Identity, seed);
            (encoder, linear)
        };
        let fields: Vec<(Encoder, Linear)> = tables.user.iter().map(field).collect();
        let rest = Encoder::new(params, "rest", &tables.rest, &config.encoder, seed);
        zero_unseen(params, "rest", &tables.rest);
        let shape = (fields.len(), config.width);
        let stage = config.has_stage().then(|| Stage::new(params, config.attention, shape, tasks, seed));
        let inputs = fields.len() * config.width + rest.width();
        let experts = Ple::new(params, "experts", inputs, tasks.len(), &config.experts, seed)?;
        let tower_config = MlpConfig {
            widths: config.tower.clone(),
            activation: Activation::Relu,
            dropout: config.dropout,
            layer_norm: false,
        };
        let width = experts.outputs() + stage.as_ref().filter(|_| config.into_towers).map_or(0, Stage::width);
        let tower = |task: &String| {
            let mlp = Mlp::new(params, &format!("tower/{task}"), width, &tower_config, seed);
            let last = config.tower.last().copied().unwrap_or(width);
            (mlp, Linear::new(params, &format!("tower/{task}/out"), last, 1, Activation::Identity, seed))
        };
        let towers = tasks.iter().map(tower).collect();
        for slot in params.slots_mut() {
            slot.decay = match slot.layout {
                Layout::Table => config.table_decay as f32,
                Layout::Dense if slot.name.ends_with("/b") => 0.0,
                Layout::Dense => config.decay as f32,
            };
        }
        let Config { into_towers, dropout, .. } = *config;
        Ok(Net { fields, rest, stage, experts, towers, into_towers, dropout })
    }

    pub(super) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        tables: &Tables,
        ids: &[u32],
        mode: &mut Mode,
    ) -> Outputs {
        let field = |((encoder, linear), table): (&(Encoder, Linear), &Table)| {
            let x = encoder.forward(tape, params, table, ids)?;
            Some(linear.forward(tape, params, x))
        };
        let fields: Vec<Var> = self.fields.iter().zip(&tables.user).filter_map(field).collect();
        let seen = self.stage.as_ref().map_or(Vec::new(), |stage| stage.forward(tape, params, &fields));
        let mut all = fields.clone();
        all.extend(self.rest.forward(tape, params, &tables.rest, ids));
        let x = tape.concat(&all);
        let x = mode.dropout(tape, x, self.dropout);
        let mixed = self.experts.forward(tape, params, x, mode);
        let towers = self.towers.iter().zip(mixed.tasks).enumerate();
        let tasks = towers.map(|(k, ((mlp, out), z))| {
            let z = if self.into_towers { tape.concat(&[z, seen[k].stage]) } else { z };
            let h = mlp.forward(tape, params, z, mode);
            out.forward(tape, params, h)
        });
        Outputs { tasks: tasks.collect(), seen, shared: all }
    }
}
