//! The network, in 32 bits for training and in any precision for gradient checks.
//!
//! ```text
//! z  = f_u(u)                       u [n, user width] → z [n, D]       ReLU between layers, the last is linear
//! z' = z + g_k(z)                   rows ordered by group k, one product per group present        (with blocks)
//!      g_k(z) = ReLU(z)·B_k + b_k at its simplest
//! v  = f_t(t)                       t [m, title width] → v [m, D]
//! s  = scale · ⟨z'_i, v_j⟩ + bias   for the stated pairs (i, j)        [pairs, 1]
//! ```
//!
//! `f_u`, `f_t`, scale and bias are shared by all groups; parameters of group `k` have names that begin with `group{k}/`.

use kohort_core::random::stream;
use kohort_core::{Activation, Block, Init, ParamId, Params, Real, Tape, Var};
use kohort_layers::{Linear, Mode, Segments};

use super::config::{Config, Start};

/// A layer that each group has of its own: one block per group.
#[derive(Clone, Debug)]
struct Own {
    blocks: Vec<Block>,
    act: Activation,
}

#[derive(Clone, Debug)]
pub(super) struct Net {
    /// The user tower's shared layers, and those that each group has of its own.
    user: Vec<Linear>,
    user_own: Vec<Own>,
    /// The layers of `g_k`; none without a residual block.
    block: Vec<Own>,
    relu_first: bool,
    title: Vec<Linear>,
    scale: ParamId,
    bias: ParamId,
    dropout: f64,
    pub(super) width: usize,
}

impl Net {
    /// Adds the parameters. `groups` is the number of groups with something of their own; 0 for the baseline.
    pub(super) fn new(
        params: &mut Params,
        config: &Config,
        (user_width, title_width): (usize, usize),
        groups: usize,
        seed: u64,
    ) -> Net {
        let own_layers = if groups > 0 { config.blocks.own_layers } else { 0 };
        let shared = config.user.len() - own_layers;
        let act = |layer: usize, of: usize| {
            if layer + 1 == of { Activation::Identity } else { config.activation }
        };
        let (mut user, mut user_own, mut inputs) = (Vec::new(), Vec::new(), user_width);
        for (layer, &outputs) in config.user.iter().enumerate() {
            let (name, act) = (format!("user/{layer}"), act(layer, config.user.len()));
            if layer < shared {
                user.push(linear(params, &name, (inputs, outputs), act, config.start, seed));
            } else {
                // The stream of the shared layer for all groups: the first step is the baseline's.
                let from = |_: usize| name.clone();
                let from = Some((config.start, &from as &dyn Fn(usize) -> String));
                user_own.push(own(params, &name, (inputs, outputs), act, groups, from, seed));
            }
            inputs = outputs;
        }
        let width = inputs;
        let mut block = Vec::new();
        if groups > 0 && config.blocks.residual {
            let hidden = &config.blocks.hidden;
            for (layer, &outputs) in hidden.iter().chain([&width]).enumerate() {
                let name = format!("block/{layer}");
                let last = layer == hidden.len();
                let act = if last { Activation::Identity } else { Activation::Relu };
                let from = |group: usize| format!("group{group}/{name}");
                let from = (!last).then_some((config.start, &from as &dyn Fn(usize) -> String));
                block.push(own(params, &name, (inputs, outputs), act, groups, from, seed));
                inputs = outputs;
            }
        }
        let (mut title, mut inputs) = (Vec::new(), title_width);
        for (layer, &outputs) in config.title.iter().enumerate() {
            let (name, act) = (format!("title/{layer}"), act(layer, config.title.len()));
            title.push(linear(params, &name, (inputs, outputs), act, config.start, seed));
            inputs = outputs;
        }
        for slot in params.slots_mut() {
            let own = slot.name.starts_with("group");
            slot.decay = if own { config.block_decay } else { config.decay } as f32;
            slot.rate = if own { config.block_rate } else { 1.0 } as f32;
        }
        // No decay: it would pull the temperature to infinity, and the bias away from the base rate.
        let scale = params.add("logit/scale", 1, 1, vec![config.logit.scale as f32]);
        let bias = params.add("logit/bias", 1, 1, vec![config.logit.bias as f32]);
        params.slot_mut(scale).trainable = config.logit.learn_scale;
        params.slot_mut(bias).trainable = config.logit.learn_bias;
        Net {
            user,
            user_own,
            block,
            relu_first: config.blocks.relu_first,
            title,
            scale,
            bias,
            dropout: config.dropout,
            width,
        }
    }

    /// What the shared part of the user tower makes of `x [n, user width]`.
    pub(super) fn shared<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        mode: &mut Mode,
    ) -> Var {
        let mut z = mode.dropout(tape, x, self.dropout);
        let last = self.user.len() + self.user_own.len();
        for (layer, linear) in self.user.iter().enumerate() {
            z = linear.forward(tape, params, z);
            if layer + 1 < last {
                z = mode.dropout(tape, z, self.dropout);
            }
        }
        z
    }

    /// The rest of the user tower: what groups have of their own, and the logit's scale. `[n, D]`, rows as in `segments`.
    pub(super) fn grouped<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        mut z: Var,
        segments: &Segments,
        mode: &mut Mode,
    ) -> Var {
        for (layer, own) in self.user_own.iter().enumerate() {
            z = own.forward(tape, params, z, segments);
            if layer + 1 < self.user_own.len() {
                z = mode.dropout(tape, z, self.dropout);
            }
        }
        if !self.block.is_empty() {
            let mut g = if self.relu_first { tape.activate(z, Activation::Relu) } else { z };
            for own in &self.block {
                g = own.forward(tape, params, g, segments);
            }
            z = tape.add(z, g);
        }
        let scale = tape.param(params, self.scale);
        tape.scale_by(z, scale)
    }

    /// The title tower: `x [m, title width]` to `[m, D]`.
    pub(super) fn titles<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        mode: &mut Mode,
    ) -> Var {
        let mut v = mode.dropout(tape, x, self.dropout);
        for (layer, linear) in self.title.iter().enumerate() {
            v = linear.forward(tape, params, v);
            if layer + 1 < self.title.len() {
                v = mode.dropout(tape, v, self.dropout);
            }
        }
        v
    }

    /// Logits `[pairs, 1]` of rows `left` of the users `z` with rows `right` of the titles `v`.
    pub(super) fn logits<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        (z, v): (Var, Var),
        (left, right): (&[u32], &[u32]),
    ) -> Var {
        let dots = tape.pair_dot(z, v, left, right);
        let bias = tape.param(params, self.bias);
        tape.add(dots, bias)
    }

    pub(super) fn bias(&self, params: &Params) -> f32 {
        params.value(self.bias)[0]
    }
}

impl Own {
    fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var, segments: &Segments) -> Var {
        let own = |&group: &u32| self.blocks.get(group as usize).copied();
        let blocks: Vec<Option<Block>> = segments.cohorts.iter().map(own).collect();
        tape.blocks(params, x, &segments.offsets, &blocks, self.act)
    }
}

/// Weights and biases of a layer `[in, out]` that starts from the streams `name/w` and `name/b`.
fn drawn(
    name: &str,
    (inputs, outputs): (usize, usize),
    act: Activation,
    start: Start,
    seed: u64,
) -> [Vec<f32>; 2] {
    let (weight, bias) = match start {
        Start::He if act == Activation::Relu => (Init::He, Init::Constant(0.0)),
        Start::He => (Init::Glorot, Init::Constant(0.0)),
        Start::FanIn => {
            let limit = Init::Uniform(1.0 / (inputs as f64).sqrt());
            (limit, limit)
        }
    };
    [
        weight.draw(inputs, outputs, &mut stream(seed, &format!("{name}/w"), &[])),
        bias.draw(1, outputs, &mut stream(seed, &format!("{name}/b"), &[])),
    ]
}

fn linear(
    params: &mut Params,
    name: &str,
    (inputs, outputs): (usize, usize),
    act: Activation,
    start: Start,
    seed: u64,
) -> Linear {
    let [w, b] = drawn(name, (inputs, outputs), act, start, seed);
    Linear {
        w: params.add(format!("{name}/w"), inputs, outputs, w),
        b: params.add(format!("{name}/b"), 1, outputs, b),
        act,
    }
}

/// A layer `[in, out]` for each group. `from` says how it starts, and names the streams of a group's weights; without, all
/// is 0.
fn own(
    params: &mut Params,
    name: &str,
    (inputs, outputs): (usize, usize),
    act: Activation,
    groups: usize,
    from: Option<(Start, &dyn Fn(usize) -> String)>,
    seed: u64,
) -> Own {
    let blocks = (0..groups)
        .map(|group| {
            let [w, b] = match from {
                Some((start, from)) => drawn(&from(group), (inputs, outputs), act, start, seed),
                None => [vec![0.0; inputs * outputs], vec![0.0; outputs]],
            };
            Block {
                w: params.add(format!("group{group}/{name}/w"), inputs, outputs, w),
                b: Some(params.add(format!("group{group}/{name}/b"), 1, outputs, b)),
            }
        })
        .collect();
    Own { blocks, act }
}
