//! The MMoE network of the benches, and how its ids are drawn: eight embeddings of 16, eight experts 256-128, a softmax gate and a
//! tower 64-1 for each task.

use kohort_core::{Activation, Init, ParamId, Params, Tape, Var};
use kohort_layers::experts::{ExpertConfig, ExpertError, GateConfig, Mixture, MixtureConfig};
use kohort_layers::{Embedding, Linear, Mlp, MlpConfig, Mode};
use kohort_random::rand::Rng;

pub(crate) const SEED: u64 = 7;
pub(crate) const VOCABULARIES: [usize; 8] = [1_000, 1_000, 5_000, 5_000, 20_000, 20_000, 100_000, 100_000];

const WIDTH: usize = 16;
const EXPERTS: usize = 8;
const HIDDEN: usize = 256;
const OUT: usize = 128;
const TOWER: usize = 64;

/// All layers.
pub(crate) struct Network {
    features: Vec<Embedding>,
    experts: usize,
    mixture: Mixture,
    towers: Vec<(Mlp, Linear)>,
}

impl Network {
    /// With tables of these numbers of ids and eight experts.
    #[allow(dead_code)] // the bench of growth has any number
    pub(crate) fn new(
        params: &mut Params,
        vocabularies: &[usize],
        tasks: usize,
    ) -> Result<Network, ExpertError> {
        Network::with_experts(params, vocabularies, tasks, EXPERTS)
    }

    pub(crate) fn with_experts(
        params: &mut Params,
        vocabularies: &[usize],
        tasks: usize,
        experts: usize,
    ) -> Result<Network, ExpertError> {
        let table = |(f, &ids): (usize, &usize)| {
            Embedding::new(params, &format!("feature{f}"), ids, WIDTH, Init::Normal(0.1), SEED)
        };
        let features = vocabularies.iter().enumerate().map(table).collect();
        let config = MixtureConfig {
            experts,
            expert: ExpertConfig { widths: vec![HIDDEN, OUT], ..ExpertConfig::default() },
            gate: GateConfig { bias: true, ..GateConfig::default() },
            one_gate: false,
        };
        let mixture = Mixture::new(params, "mmoe", vocabularies.len() * WIDTH, tasks, &config, SEED)?;
        let towers = (0..tasks)
            .map(|t| {
                let config = MlpConfig { widths: vec![TOWER], ..MlpConfig::default() };
                let hidden = Mlp::new(params, &format!("tower{t}/hidden"), mixture.outputs(), &config, SEED);
                let out = Linear::new(params, &format!("tower{t}/out"), TOWER, 1, Activation::Identity, SEED);
                (hidden, out)
            })
            .collect();
        Ok(Network { features, experts, mixture, towers })
    }

    /// The features' tables.
    #[allow(dead_code)] // not every bench asks
    pub(crate) fn tables(&self) -> impl Iterator<Item = ParamId> {
        self.features.iter().map(|feature| feature.table)
    }

    /// Multiplications and additions of the products of one row's forward pass. A backward pass takes twice as many.
    #[allow(dead_code)] // not every bench asks
    pub(crate) fn flops(&self) -> f64 {
        let inputs = self.features.len() * WIDTH;
        let experts = self.experts * (inputs * HIDDEN + HIDDEN * OUT);
        let tasks = self.towers.len() * (inputs * self.experts + self.experts * OUT + OUT * TOWER + TOWER);
        2.0 * (experts + tasks) as f64
    }

    /// Rows of these ids, `[features][n]`: a logit for each task, `[n, 1]`, and where tasks part, the experts' outputs and what the
    /// gates read.
    pub(crate) fn forward<I: AsRef<[u32]>>(
        &self,
        tape: &mut Tape,
        params: &Params,
        ids: &[I],
        mode: &mut Mode,
    ) -> (Vec<Var>, [Var; 2]) {
        let parts: Vec<Var> =
            self.features.iter().zip(ids).map(|(f, ids)| f.forward(tape, params, ids.as_ref())).collect();
        let x = tape.concat(&parts);
        let mixed = self.mixture.forward(tape, params, x, mode);
        let tower = |((hidden, out), &z): (&(Mlp, Linear), &Var)| {
            let h = hidden.forward(tape, params, z, mode);
            out.forward(tape, params, h)
        };
        let logits = self.towers.iter().zip(&mixed.tasks).map(tower).collect();
        (logits, [mixed.outputs[0].x, x])
    }
}

/// An id by a power law: `⌊V^u⌋ − 1`, `u` uniform.
pub(crate) fn draw(vocabulary: usize, numbers: &mut impl Rng) -> u32 {
    let rank = (vocabulary as f64).powf(numbers.random::<f64>()) as u32;
    rank.saturating_sub(1).min(vocabulary as u32 - 1)
}
