//! The network: one forward pass for training and scoring.
//!
//! ```text
//! h_u = E_u[u] + W_u·side(u) (+ history)        h_i = E_i[i] + W_i·side(i) (+ raters)          [n, d]
//! ĥ_i = attention(h_u, h_i)                                                                    [n, d]
//! z   = ReLU(W_s·[h_u; ĥ_i; context] + b_s)                                                    [n, d_z]
//! ŷ   = base + w_r·head(z) (+ h_u·ĥ_i + w_c·context)       p = softmax(W_p·z + b_p)            [n, 1], [n, groups]
//! ```

use kohort_core::{Activation, Init, ParamId, Params, Tape, Var};
use kohort_layers::{
    Embedding, Encoder, EncoderConfig, GateAttention, GateScale, Linear, MemberAttention, Mode, Table,
};

use super::config::{Attention, Config};
use super::history::Bagged;

/// What a forward pass is given, `n` rows.
pub(super) struct Batch<'a> {
    pub(super) user: &'a [u32],
    pub(super) item: &'a [u32],
    /// Standardised context, `[n, width]`; empty without.
    pub(super) context: &'a [f32],
    /// Members of each row's group and where each row's begin, for attention over members.
    pub(super) members: Option<(Vec<u32>, Vec<u32>)>,
    /// The user's rated items and the item's raters.
    pub(super) history: Option<(History, History)>,
    /// Whether training knew each row's user and item; all of them without. A newcomer's embedding is zero.
    pub(super) known: Option<(Vec<bool>, Vec<bool>)>,
}

/// Histories of the rows of a batch.
pub(super) enum History {
    /// As bags, to be pooled on the tape: training.
    Bags(Bagged),
    /// Pooled already, `[n, d]`: scoring.
    Pooled(Vec<f32>),
}

/// Values of a forward pass that others look at.
pub(super) struct Outputs {
    /// Rating residual `[n, 1]`, to be added to the base.
    pub(super) rating: Var,
    /// Logits of groups `[n, groups]`.
    pub(super) profile: Var,
    /// What both heads stand on: the shared layer `[n, d_z]`, and the embeddings `[n, d]`, which the dot product reaches
    /// past it.
    pub(super) shared: [Var; 3],
    /// Attention: `[n, d]` over item dimensions, or `[entries, 1]` over members with its offsets.
    pub(super) attention: Option<Var>,
}

#[derive(Clone, Debug)]
struct Side {
    embedding: Embedding,
    encoder: Option<(Encoder, Linear)>,
    /// Tables of the history: residual-weighted and plain.
    history: Option<(ParamId, ParamId)>,
}

#[derive(Clone, Debug)]
pub(super) struct Net {
    user: Side,
    item: Side,
    gate: Option<GateAttention>,
    members: Option<MemberAttention>,
    /// What uniform attention multiplies the item by.
    uniform: Option<f32>,
    shared: Linear,
    head: Option<Linear>,
    rating: Linear,
    profile: Linear,
    /// Weights straight from context to rating.
    straight: Option<Linear>,
    dot: bool,
    dropout: f64,
    context_dropout: f64,
    id_dropout: f64,
    context_width: usize,
}

/// Sizes that the data decide.
pub(super) struct Sizes {
    pub(super) users: usize,
    pub(super) items: usize,
    pub(super) groups: usize,
    pub(super) context: usize,
}

impl Net {
    pub(super) fn new(
        params: &mut Params,
        config: &Config,
        sizes: &Sizes,
        (users, items): (&Table, &Table),
        seed: u64,
    ) -> Net {
        let d = config.embedding;
        let init = Init::Normal(config.initial_deviation);
        let mut side = |name: &str, ids: usize, others: usize, features: &Table| {
            let embedding = Embedding::new(params, &format!("{name}/id"), ids, d, init, seed);
            let encoder = (config.side_features && !features.columns.is_empty()).then(|| {
                let encoder_config = EncoderConfig { init, ..EncoderConfig::default() };
                let encoder = Encoder::new(params, &format!("{name}/side"), features, &encoder_config, seed);
                let width = encoder.width();
                let linear =
                    Linear::new(params, &format!("{name}/side"), width, d, Activation::Identity, seed);
                (encoder, linear)
            });
            let history = config.history.then(|| {
                let mut table = |part: &str| {
                    Embedding::new(params, &format!("{name}/{part}"), others, d, init, seed).table
                };
                (table("rated"), table("seen"))
            });
            Side { embedding, encoder, history }
        };
        let user = side("user", sizes.users, sizes.items, users);
        let item = side("item", sizes.items, sizes.users, items);
        let gate = (config.attention == Attention::Item)
            .then(|| GateAttention::new(params, "attention", (d, d), config.gate, seed));
        let members = (config.attention == Attention::Members)
            .then(|| MemberAttention::new(params, "attention", (d, d), d, seed));
        let uniform = (config.attention == Attention::Uniform)
            .then(|| if config.gate == GateScale::Paper { 1.0 / d as f32 } else { 1.0 });
        let inputs = 2 * d + sizes.context;
        let shared = Linear::new(params, "shared", inputs, config.shared, Activation::Relu, seed);
        let head = (config.head > 0).then(|| {
            Linear::new(params, "rating/hidden", config.shared, config.head, Activation::Relu, seed)
        });
        let width = if config.head > 0 { config.head } else { config.shared };
        let rating = Linear::new(params, "rating", width, 1, Activation::Identity, seed);
        let profile =
            Linear::new(params, "profile", config.shared, sizes.groups.max(1), Activation::Identity, seed);
        let straight = (sizes.context > 0)
            .then(|| Linear::new(params, "context", sizes.context, 1, Activation::Identity, seed));
        // The ratings start at the base: what is learned is learned from there.
        for linear in [Some(&rating), straight.as_ref()].into_iter().flatten() {
            params.slot_mut(linear.w).value.fill(0.0);
        }
        for slot in params.slots_mut() {
            slot.decay = match slot.layout {
                kohort_core::Layout::Table => config.table_decay as f32,
                kohort_core::Layout::Dense => config.decay as f32,
            };
        }
        Net {
            user,
            item,
            gate,
            members,
            uniform,
            shared,
            head,
            rating,
            profile,
            straight,
            dot: config.dot,
            dropout: config.dropout,
            context_dropout: config.context_dropout,
            id_dropout: config.id_dropout,
            context_width: sizes.context,
        }
    }

    pub(super) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        batch: &Batch<'_>,
        (users, items): (&Table, &Table),
        mode: &mut Mode,
    ) -> Outputs {
        let rows = batch.user.len();
        let (rated, raters) = batch.history.as_ref().map(|(a, b)| (a, b)).unzip();
        let mut attention = None;
        let mut h_u = match (&self.members, &batch.members) {
            (Some(_), Some((ids, _))) => self.user.embedding.forward(tape, params, ids),
            _ => self.side(tape, params, &self.user, batch.user, users, rated, mode),
        };
        let mut h_i = self.side(tape, params, &self.item, batch.item, items, raters, mode);
        if let (Some(members), Some((_, offsets))) = (&self.members, &batch.members) {
            let offsets = tape.list(offsets);
            let (group, weights) = members.forward(tape, params, h_u, h_i, offsets);
            (h_u, attention) = (group, Some(weights));
        }
        if let Some((user, item)) = &batch.known {
            (h_u, h_i) = (mask_newcomers(tape, h_u, user), mask_newcomers(tape, h_i, item));
        }
        let gated = match (&self.gate, self.uniform) {
            (Some(gate), _) => {
                let (gated, weights) = gate.forward(tape, params, h_u, h_i);
                attention = Some(weights);
                gated
            }
            (None, Some(factor)) if factor != 1.0 => tape.scale(h_i, factor, 0.0),
            _ => h_i,
        };
        let mut inputs = vec![mode.dropout(tape, h_u, self.dropout), mode.dropout(tape, gated, self.dropout)];
        let context = (self.context_width > 0).then(|| tape.input(rows, self.context_width, batch.context));
        if let Some(context) = context {
            inputs.push(mode.dropout(tape, context, self.context_dropout));
        }
        let joined = tape.concat(&inputs);
        let shared = self.shared.forward(tape, params, joined);
        let z = mode.dropout(tape, shared, self.dropout);
        let hidden = match &self.head {
            Some(head) => head.forward(tape, params, z),
            None => z,
        };
        let mut rating = self.rating.forward(tape, params, hidden);
        if let (Some(straight), Some(context)) = (&self.straight, context) {
            let direct = straight.forward(tape, params, context);
            rating = tape.add(rating, direct);
        }
        if self.dot {
            let product = tape.row_dot(h_u, gated);
            rating = tape.add(rating, product);
        }
        let profile = self.profile.forward(tape, params, z);
        Outputs { rating, profile, shared: [shared, h_u, gated], attention }
    }

    /// Tables of the user's and the item's history.
    pub(super) fn history_tables(&self) -> Option<[(ParamId, ParamId); 2]> {
        Some([self.user.history?, self.item.history?])
    }

    /// Embedding of users or items: id, side features and history.
    #[allow(clippy::too_many_arguments)] // one row of the formula above, read once
    fn side(
        &self,
        tape: &mut Tape,
        params: &Params,
        side: &Side,
        ids: &[u32],
        features: &Table,
        history: Option<&History>,
        mode: &mut Mode,
    ) -> Var {
        let mut h = side.embedding.forward(tape, params, ids);
        if self.id_dropout > 0.0 {
            let ones = tape.input(ids.len(), 1, &vec![1.0; ids.len()]);
            let kept = mode.dropout(tape, ones, self.id_dropout);
            if kept != ones {
                h = tape.mul(h, kept);
            }
        }
        if let Some((encoder, linear)) = &side.encoder
            && let Some(encoded) = encoder.forward(tape, params, features, ids)
        {
            let projected = linear.forward(tape, params, encoded);
            h = tape.add(h, projected);
        }
        match (side.history, history) {
            (Some((rated, seen)), Some(History::Bags(bags))) => {
                let (ids, offsets) = (tape.list(&bags.ids), tape.list(&bags.offsets));
                for (table, weight) in [(rated, &bags.residual), (seen, &bags.plain)] {
                    let weight = tape.input(bags.ids.len(), 1, weight);
                    let pooled = tape.bag(params, table, ids, offsets, Some(weight));
                    h = tape.add(h, pooled);
                }
            }
            (Some(_), Some(History::Pooled(pooled))) => {
                let pooled = tape.input(ids.len(), side.embedding.width, pooled);
                h = tape.add(h, pooled);
            }
            _ => {}
        }
        h
    }
}

/// Zeros in the rows that training did not know.
fn mask_newcomers(tape: &mut Tape, h: Var, known: &[bool]) -> Var {
    if known.iter().all(|&k| k) {
        return h;
    }
    let mask: Vec<f32> = known.iter().map(|&k| f32::from(u8::from(k))).collect();
    let mask = tape.input(known.len(), 1, &mask);
    tape.mul(h, mask)
}
