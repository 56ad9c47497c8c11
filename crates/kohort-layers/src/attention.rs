//! The attention of DMTL (Le and Abel, "Joint group profiling and recommendation via deep neural network-based multi-task
//! learning", arXiv 2504.06274), in both readings of the paper.
//!
//! **Over item attributes** ([`GateAttention`]): `α = softmax(W_a·[h_u; h_i] + b_a)` over the `d_i` dimensions of the
//! item embedding, `ĥ_i = α ⊙ h_i`. A softmax over `d_i` dimensions has mean `1/d_i`, so `ĥ_i` starts about `d_i` times
//! smaller than `h_i` and early training ignores the item. [`GateScale::Width`] multiplies by `d_i`, so that uniform
//! attention equals no attention; [`GateScale::Sigmoid`] gates each dimension on its own; [`GateScale::Paper`] is the formula as
//! it stands.
//!
//! **Over group members** ([`MemberAttention`]): members `m` of group `g` with embeddings `h_m` are weighed for an item,
//! `a_m = softmax_m(v·tanh(W_1·h_m + W_2·h_i))`, `h_g = Σ a_m·h_m`, as in AGREE (Cao et al., SIGIR 2018).

use kohort_core::random::stream;
use kohort_core::{Activation, Init, List, ParamId, Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use crate::Linear;

/// How the gate over item dimensions is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateScale {
    /// Softmax times the number of dimensions: mean weight 1.
    #[default]
    Width,
    /// Softmax as in the paper: mean weight `1/d_i`.
    Paper,
    /// A sigmoid per dimension, times 2: weight 1 at a logit of 0.
    Sigmoid,
}

/// Attention over the dimensions of the item embedding.
#[derive(Clone, Debug)]
pub struct GateAttention {
    linear: Linear,
    scale: GateScale,
    width: usize,
}

impl GateAttention {
    /// Adds `name/w [d_u + d_i, d_i]` and `name/b` to `params`; the weights start small, so the gate starts near uniform.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        (user, item): (usize, usize),
        scale: GateScale,
        seed: u64,
    ) -> GateAttention {
        let linear = Linear::new(params, name, user + item, item, Activation::Identity, seed);
        GateAttention { linear, scale, width: item }
    }

    /// `h_u [n, d_u]`, `h_i [n, d_i]` to the gated item `[n, d_i]` and the attention `[n, d_i]` (its rows sum to 1 but
    /// for the sigmoid).
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        user: Var,
        item: Var,
    ) -> (Var, Var) {
        let both = tape.concat(&[user, item]);
        let logits = self.linear.forward(tape, params, both);
        let (attention, factor) = match self.scale {
            GateScale::Width => (tape.softmax(logits), self.width as f64),
            GateScale::Paper => (tape.softmax(logits), 1.0),
            GateScale::Sigmoid => (tape.activate(logits, Activation::Sigmoid), 2.0),
        };
        let gated = tape.mul(item, attention);
        (tape.scale(gated, F::of(factor), F::zero()), attention)
    }
}

/// Attention over the members of a group, for an item.
#[derive(Clone, Debug)]
pub struct MemberAttention {
    member: Linear,
    item: ParamId,
    score: ParamId,
}

impl MemberAttention {
    /// Adds `name/member`, `name/item` and `name/score` to `params`.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        (member, item): (usize, usize),
        hidden: usize,
        seed: u64,
    ) -> MemberAttention {
        let mut draw = |part: &str, rows, cols| {
            let name = format!("{name}/{part}");
            let value = Init::Glorot.draw(rows, cols, &mut stream(seed, &name, &[]));
            params.add(name, rows, cols, value)
        };
        let (item, score) = (draw("item", item, hidden), draw("score", hidden, 1));
        let member =
            Linear::new(params, &format!("{name}/member"), member, hidden, Activation::Identity, seed);
        MemberAttention { member, item, score }
    }

    /// Members `[entries, d]` in segments, items `[segments, d_i]`: the groups' embeddings `[segments, d]` and the members'
    /// weights `[entries, 1]`. A group without members gets zeros.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        members: Var,
        item: Var,
        offsets: List,
    ) -> (Var, Var) {
        let of_member = self.member.forward(tape, params, members);
        let of_item = tape.linear(params, item, self.item, None, Activation::Identity);
        let of_item = tape.repeat_rows(of_item, offsets);
        let sum = tape.add(of_member, of_item);
        let hidden = tape.activate(sum, Activation::Tanh);
        let scores = tape.linear(params, hidden, self.score, None, Activation::Identity);
        let weights = tape.segment_softmax(scores, offsets);
        (tape.segment_sum(members, Some(weights), offsets), weights)
    }
}
