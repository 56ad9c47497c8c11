//! SASRec's encoder of a user's last items (Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018): what the
//! user does next is read from a representation of each prefix of the list.
//!
//! With `E [items, d]` the items' embeddings, `P [most, d]` those of positions, and item `s_j` at `t_j` places from its list's end:
//!
//! ```text
//! x = dropout(√d·E[s] + P[t])                                  [entries, d]
//! B times:  n = norm(x)    x ← x + dropout(attention(n·W_q, n·W_k, n·W_v))
//!           n = norm(x)    x ← x + dropout(relu(n·W_1 + b_1)·W_2 + b_2)
//! f = norm(x)                                                  [entries, d]
//! ```
//!
//! Attention is causal with `H` heads side by side and no output matrix, as in the paper; row `j` of `f` knows items up to `s_j`.
//!
//! **Where paper and published code differ.** The paper makes queries, keys and values of normalised inputs and adds the input
//! itself back, and so do we; the code normalises the query's side only and adds that back. The factor `√d` is the code's, and with it ε
//! of the norms. Queries, keys and values have no bias, as in the paper. Dropout on attention weights and after the ReLU, which the
//! code has and the paper does not state, we leave out. Positions count from the end, as both do by padding in front: the latest item
//! of a list has the same position whatever the list's length.
//!
//! When not to use it: the order of the items has to mean something. Where lists are sets, a pooled bag is as good and cheaper.

use kohort_core::random::stream;
use kohort_core::{Activation, AttentionMask, Init, ParamId, Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use crate::{Embedding, Linear, Mode};

/// Shape and habits of a [`SequenceEncoder`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceConfig {
    /// Number of items `n`; ids are below it.
    pub items: usize,
    /// Width `d` of embeddings and of the representation.
    pub width: usize,
    /// Heads `H` of attention; a divisor of the width.
    pub heads: usize,
    /// Blocks `B`; with none an item's representation is that of itself and its position.
    pub blocks: usize,
    /// Items of a list, at most: a user's last so many.
    pub most: usize,
    /// Dropout rate, in [0, 1).
    pub dropout: f64,
}

/// A setting of a [`SequenceConfig`] outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value}, allowed is {allowed}")]
pub struct SequenceError {
    /// The field.
    pub key: &'static str,
    /// What it was set to.
    pub value: String,
    /// What it may be.
    pub allowed: &'static str,
}

impl SequenceConfig {
    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), SequenceError> {
        let refuse = |key, value: String, allowed| Err(SequenceError { key, value, allowed });
        for (key, value, least, most, allowed) in [
            ("items", self.items, 1, u32::MAX as usize, "a whole number from 1 to 4294967295"),
            ("width", self.width, 1, 4096, "a whole number from 1 to 4096"),
            ("heads", self.heads, 1, 4096, "a whole number from 1 to 4096"),
            ("blocks", self.blocks, 0, 64, "a whole number from 0 to 64"),
            ("most", self.most, 1, 4096, "a whole number from 1 to 4096"),
        ] {
            if !(least..=most).contains(&value) {
                return refuse(key, value.to_string(), allowed);
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            let found = format!("{} beside width = {}", self.heads, self.width);
            return refuse("heads", found, "a divisor of the width");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refuse("dropout", self.dropout.to_string(), "a number in [0, 1)");
        }
        Ok(())
    }
}

/// A layer normalisation's gain and shift, `[1, d]` each.
#[derive(Clone, Debug)]
struct Norm {
    gain: ParamId,
    shift: ParamId,
}

impl Norm {
    fn new<F: Real>(params: &mut Params<F>, name: &str, width: usize) -> Norm {
        Norm {
            gain: params.add(format!("{name}/gain"), 1, width, vec![F::one(); width]),
            shift: params.add(format!("{name}/shift"), 1, width, vec![F::zero(); width]),
        }
    }

    /// ε is that of the published code.
    fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var) -> Var {
        tape.layer_norm(params, x, self.gain, self.shift, F::of(1e-8))
    }
}

#[derive(Clone, Debug)]
struct Block {
    before_attention: Norm,
    query: ParamId,
    key: ParamId,
    value: ParamId,
    before_points: Norm,
    inner: Linear,
    outer: Linear,
}

/// Self-attention over the items of lists of different lengths.
///
/// ```
/// use kohort_core::{Params, Tape};
/// use kohort_layers::{Mode, SequenceConfig, SequenceEncoder};
///
/// let config = SequenceConfig { items: 9, width: 8, heads: 2, blocks: 1, most: 4, dropout: 0.2 };
/// let mut params = Params::<f32>::new();
/// let encoder = SequenceEncoder::new(&mut params, "history", &config, 1)?;
/// // Two users, and between them one who is new.
/// let (items, offsets) = ([3, 1, 4, 1, 5], [0, 3, 3, 5]);
/// let mut tape = Tape::new();
/// let f = encoder.forward(&mut tape, &params, &items, &offsets, &mut Mode::score());
/// let last = encoder.last(&mut tape, f, &offsets);
/// assert_eq!((tape.shape(f), tape.shape(last)), ((5, 8), (3, 8)));
/// assert_eq!(tape.value(last)[..8], tape.value(f)[2 * 8..3 * 8]);
/// assert_eq!(tape.value(last)[8..16], [0.0; 8]);
/// # Ok::<(), kohort_layers::SequenceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SequenceEncoder {
    /// Embeddings `E` of the items, which the model may score items with too.
    pub items: Embedding,
    positions: ParamId,
    blocks: Vec<Block>,
    norm: Norm,
    config: SequenceConfig,
}

impl SequenceEncoder {
    /// Adds `name/items`, `name/positions`, `name/0`, `name/1`, … and `name/norm` to `params`. Tables start normal with deviation 0.02,
    /// matrices as Glorot's (before the ReLU as He's), shifts and biases at 0, gains at 1.
    ///
    /// # Errors
    /// A setting out of range.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        config: &SequenceConfig,
        seed: u64,
    ) -> Result<SequenceEncoder, SequenceError> {
        config.check()?;
        let (d, start) = (config.width, Init::Normal(0.02));
        let items = Embedding::new(params, &format!("{name}/items"), config.items, d, start, seed);
        let positions = Embedding::new(params, &format!("{name}/positions"), config.most, d, start, seed);
        let blocks = (0..config.blocks)
            .map(|block| {
                let name = format!("{name}/{block}");
                let before_attention = Norm::new(params, &format!("{name}/attention"), d);
                let [query, key, value] = ["query", "key", "value"].map(|part| {
                    let name = format!("{name}/{part}");
                    let drawn = Init::Glorot.draw(d, d, &mut stream(seed, &name, &[]));
                    params.add(name, d, d, drawn)
                });
                let before_points = Norm::new(params, &format!("{name}/points"), d);
                let inner = Linear::new(params, &format!("{name}/inner"), d, d, Activation::Relu, seed);
                let outer = Linear::new(params, &format!("{name}/outer"), d, d, Activation::Identity, seed);
                Block { before_attention, query, key, value, before_points, inner, outer }
            })
            .collect();
        let norm = Norm::new(params, &format!("{name}/norm"), d);
        Ok(SequenceEncoder { items, positions: positions.table, blocks, norm, config: config.clone() })
    }

    /// What it was made with.
    pub fn config(&self) -> &SequenceConfig {
        &self.config
    }

    /// Lists of items, earliest first, to `f [entries, d]`: list `s` holds `items[offsets[s] .. offsets[s + 1]]`, at most
    /// [`SequenceConfig::most`] of them.
    ///
    /// # Panics
    /// If an item is not in the table, offsets don't fit the items, or a list is too long.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        items: &[u32],
        offsets: &[u32],
        mode: &mut Mode,
    ) -> Var {
        let places: Vec<u32> =
            offsets.windows(2).flat_map(|ends| (0..ends[1].saturating_sub(ends[0])).rev()).collect();
        let rate = self.config.dropout;
        let e = self.items.forward(tape, params, items);
        let e = tape.scale(e, F::of((self.config.width as f64).sqrt()), F::zero());
        let p = tape.gather(params, self.positions, &places);
        let x = tape.add(e, p);
        let mut x = mode.dropout(tape, x, rate);
        let offsets = tape.list(offsets);
        for block in &self.blocks {
            let n = block.before_attention.forward(tape, params, x);
            let [q, k, v] = [block.query, block.key, block.value]
                .map(|w| tape.linear(params, n, w, None, Activation::Identity));
            let y = tape.attention((q, k, v), offsets, self.config.heads, AttentionMask::Causal);
            let y = mode.dropout(tape, y, rate);
            x = tape.add(x, y);
            let n = block.before_points.forward(tape, params, x);
            let y = block.inner.forward(tape, params, n);
            let y = block.outer.forward(tape, params, y);
            let y = mode.dropout(tape, y, rate);
            x = tape.add(x, y);
        }
        self.norm.forward(tape, params, x)
    }

    /// The row of `f` for the last item of each list, `[lists, d]`: the representation of the whole list. Zeros for an empty one.
    #[track_caller]
    pub fn last<F: Real>(&self, tape: &mut Tape<F>, f: Var, offsets: &[u32]) -> Var {
        let lists = offsets.len().saturating_sub(1);
        let full = (0u32..).zip(offsets.windows(2)).filter(|(_, own)| own[0] < own[1]);
        let (full, rows): (Vec<u32>, Vec<u32>) = full.map(|(list, own)| (list, own[1] - 1)).unzip();
        let taken = tape.take_rows(f, &rows);
        if full.len() == lists { taken } else { tape.scatter_rows(taken, None, &full, lists) }
    }
}
