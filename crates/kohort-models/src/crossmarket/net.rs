//! The network: one forward pass for training; scoring uses its three parts.
//!
//! ```text
//! x = |h|^-½ Σ_{j ∈ h} E_h[j]       a = x + f_u(x)       u = a + a·G_m + b_m        [users, D]
//! t = E_t[i] + f_t(E_t[i])                                                          [titles, D]
//! y = F·w + F·w_m + MLP(F) + s·⟨u, t⟩                                               [candidates, 1]
//! ```
//!
//! f_u and f_t are linear–ReLU–linear and start at 0, as do w, w_m, G_m and b_m; E_t starts as E_h, so that at first a title is
//! liked by who has it in the history; s starts at 1. What would add the same to all candidates of a list (a last bias of the
//! MLP, a bias of a territory) is left out: a softmax over the list cannot see it.

use kohort_core::random::stream;
use kohort_core::{Activation, Block, Init, Layout, ParamId, Params, Tape, Var};
use kohort_layers::{Bags, EmbeddingBag, Linear, Mlp, MlpConfig, Mode, Pooling};

use super::config::Config;
use crate::scaling::Scaling;

/// Consecutive rows of one territory: the territory, and where its rows end.
pub(super) type Segment = (u32, u32);

#[derive(Clone, Debug)]
struct Residual {
    hidden: Linear,
    out: Linear,
}

impl Residual {
    fn new(params: &mut Params, name: &str, (width, hidden): (usize, usize), seed: u64) -> Residual {
        let inner = Linear::new(params, &format!("{name}/hidden"), width, hidden, Activation::Relu, seed);
        let out = Linear::new(params, &format!("{name}/out"), hidden, width, Activation::Identity, seed);
        params.slot_mut(out.w).value.fill(0.0);
        Residual { hidden: inner, out }
    }

    fn forward(&self, tape: &mut Tape, params: &Params, x: Var) -> Var {
        let hidden = self.hidden.forward(tape, params, x);
        let out = self.out.forward(tape, params, hidden);
        tape.add(x, out)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Net {
    history: EmbeddingBag,
    pub(super) title: ParamId,
    user_tower: Residual,
    title_tower: Residual,
    /// One a territory, or none.
    blocks: Vec<Block>,
    pub(super) scale: ParamId,
    pub(super) weights: ParamId,
    /// Weights of each territory on the features; their biases are frozen at 0.
    local: Vec<Block>,
    mlp: Mlp,
    mlp_out: ParamId,
    /// Means and inverse deviations of the features: frozen parameters, so that exported weights are whole.
    scaling: (ParamId, ParamId),
    dropout: f64,
}

/// What the data decide.
pub(super) struct Sizes<'a> {
    pub(super) items: usize,
    pub(super) territories: usize,
    /// Of as many columns as there are features.
    pub(super) scaling: &'a Scaling,
}

impl Net {
    pub(super) fn new(params: &mut Params, config: &Config, sizes: &Sizes<'_>, seed: u64) -> Net {
        let Sizes { items, territories, scaling } = *sizes;
        let (mean, inv_deviation) = scaling.parts();
        let features = mean.len();
        let d = config.width;
        let init = Init::Normal(config.initial_deviation);
        let history = EmbeddingBag::new(params, "history", items, d, Pooling::Root, init, seed);
        let same = params.value(history.table).to_vec();
        let title = params.add_table("title", items, d, same);
        let user_tower = Residual::new(params, "user", (d, config.tower), seed);
        let title_tower = Residual::new(params, "title", (d, config.tower), seed);
        let mut block = |name: String, rows: usize, cols: usize| Block {
            w: params.add(format!("{name}/w"), rows, cols, vec![0.0; rows * cols]),
            b: Some(params.add(format!("{name}/b"), 1, cols, vec![0.0; cols])),
        };
        let blocks = if config.blocks { territories } else { 0 };
        let blocks: Vec<Block> = (0..blocks).map(|m| block(format!("block/{m}"), d, d)).collect();
        let local: Vec<Block> =
            (0..territories).map(|m| block(format!("weights/{m}"), features, 1)).collect();
        for bias in local.iter().filter_map(|block| block.b) {
            params.slot_mut(bias).trainable = false;
        }
        let scale = params.add("scale", 1, 1, vec![1.0]);
        let weights = params.add("weights", features, 1, vec![0.0; features]);
        let mlp = MlpConfig { widths: vec![config.hidden; 2], ..MlpConfig::default() };
        let mlp = Mlp::new(params, "features", features, &mlp, seed);
        let out = Init::Glorot.draw(config.hidden, 1, &mut stream(seed, "features/out", &[]));
        let mlp_out = params.add("features/out", config.hidden, 1, out);
        let scaling = (
            params.add("features/mean", 1, features, mean.to_vec()),
            params.add("features/inverse_deviation", 1, features, inv_deviation.to_vec()),
        );
        for id in [scaling.0, scaling.1] {
            params.slot_mut(id).trainable = false;
        }
        for slot in params.slots_mut() {
            slot.decay = match slot.layout {
                Layout::Table => config.table_decay as f32,
                Layout::Dense => config.decay as f32,
            };
        }
        Net {
            history,
            title,
            user_tower,
            title_tower,
            blocks,
            scale,
            weights,
            local,
            mlp,
            mlp_out,
            scaling,
            dropout: config.dropout,
        }
    }

    /// How features are standardised.
    pub(super) fn scaling(&self, params: &Params) -> Scaling {
        Scaling::given(params.value(self.scaling.0), params.value(self.scaling.1))
    }

    /// Vectors of users with these histories, `[users, D]`. Users of no territory come without segments.
    pub(super) fn users(
        &self,
        tape: &mut Tape,
        params: &Params,
        histories: Bags<'_>,
        segments: &[Segment],
        mode: &mut Mode,
    ) -> Var {
        let x = self.history.forward(tape, params, histories);
        let x = mode.dropout(tape, x, self.dropout);
        let a = self.user_tower.forward(tape, params, x);
        if self.blocks.is_empty() || segments.is_empty() {
            return a;
        }
        let out = in_blocks(tape, params, a, &self.blocks, segments);
        tape.add(a, out)
    }

    /// Vectors of titles, `[titles, D]`.
    pub(super) fn titles(&self, tape: &mut Tape, params: &Params, items: &[u32]) -> Var {
        let e = tape.gather(params, self.title, items);
        self.title_tower.forward(tape, params, e)
    }

    /// What the features `[candidates, features]` say, `[candidates, 1]`.
    pub(super) fn evidence(
        &self,
        tape: &mut Tape,
        params: &Params,
        features: Var,
        segments: &[Segment],
    ) -> Var {
        let linear = tape.linear(params, features, self.weights, None, Activation::Identity);
        let hidden = self.mlp.forward(tape, params, features, &mut Mode::score());
        let deep = tape.linear(params, hidden, self.mlp_out, None, Activation::Identity);
        let sum = tape.add(linear, deep);
        if segments.is_empty() {
            return sum;
        }
        let local = in_blocks(tape, params, features, &self.local, segments);
        tape.add(sum, local)
    }

    /// `evidence + s·match`, `[candidates, 1]`.
    pub(super) fn logits(&self, tape: &mut Tape, params: &Params, evidence: Var, matches: Var) -> Var {
        let scale = tape.param(params, self.scale);
        let scaled = tape.scale_by(matches, scale);
        tape.add(evidence, scaled)
    }
}

fn in_blocks(tape: &mut Tape, params: &Params, x: Var, blocks: &[Block], segments: &[Segment]) -> Var {
    let offsets: Vec<u32> = std::iter::once(0).chain(segments.iter().map(|&(_, end)| end)).collect();
    let blocks: Vec<Option<Block>> =
        segments.iter().map(|&(territory, _)| blocks.get(territory as usize).copied()).collect();
    tape.blocks(params, x, &offsets, &blocks, Activation::Identity)
}
