//! A mixture of adapters for each row: `y[n] = act(x[n]·W + b + s·Σ_k ω_k[n]·(drop(x[n])·A_k)·B_k)`, `ω[n] = softmax(z[n]·W_g)`,
//! where z is a representation of the row's user or sequence, `[n, d]`, and `W_g: [d, K]` has no bias.
//!
//! [`Experts::Split`] is iLoRA (Kong et al., arXiv 2408.10159): K adapters of rank r/K, as many values as one of rank r, and one gate
//! for all layers. Its paper scales by `α/r`, its code by `α/(r/K)`, K times as much: [`InstanceConfig::by_expert`]. Difference from the code:
//! what goes wrong there ends in zeros, here in an error.
//!
//! [`Experts::Heads`] is HydraLoRA (Tian et al., NeurIPS 2024): one A, and K B of rank r; its router reads x itself, one for each layer:
//! give [`InstanceGate::forward`] the layer's input as z.
//!
//! Such adapters can't be merged into a base: their weights differ from row to row. While B is zero the gate has no gradient.

use kohort_core::random::stream;
use kohort_core::{Activation, Init, ParamId, Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use super::cohort::place;
use super::mixture::Mixture;
use super::{AdapterError, BaseLayer, LoraConfig};
use crate::{Linear, Mode};

/// How K adapters share the rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Experts {
    /// Each has its own A and B of rank r/K.
    #[default]
    Split,
    /// One A of rank r, and K B of that rank.
    Heads,
}

/// Shape and habits of an [`InstanceLora`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceConfig {
    /// Rank r, α and the rest; sharing is stated by `experts`.
    pub lora: LoraConfig,
    /// K.
    pub count: usize,
    /// How they share the rank.
    pub experts: Experts,
    /// With [`Experts::Split`], whether the scale is made of the rank of one adapter, r/K (iLoRA's code), or of r (its paper).
    pub by_expert: bool,
}

impl Default for InstanceConfig {
    fn default() -> Self {
        let lora = LoraConfig { rank: 8, alpha: 32.0, dropout: 0.1, ..LoraConfig::default() };
        InstanceConfig { lora, count: 4, experts: Experts::Split, by_expert: true }
    }
}

/// `ω = softmax(z·W_g)`: the weights of K adapters for each row.
#[derive(Clone, Copy, Debug)]
pub struct InstanceGate {
    /// `W_g: [d, K]`.
    pub w: ParamId,
    /// Only so many of the largest take part, and their weights add up to 1; all without.
    pub top: Option<usize>,
}

impl InstanceGate {
    /// Adds `name/w [width, count]`, uniform between `±1/√width` as PyTorch's linear layers start. `top` may keep the largest few.
    ///
    /// # Errors
    /// No adapters, more than there are, or a name that is taken.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        (width, count): (usize, usize),
        top: Option<usize>,
        seed: u64,
    ) -> Result<InstanceGate, AdapterError> {
        let bad = |field, value: usize, allowed: String| AdapterError::Setting {
            layer: name.to_owned(),
            field,
            value: value.to_string(),
            allowed,
        };
        if width == 0 || count == 0 {
            let (field, value) = if width == 0 { ("width", width) } else { ("count", count) };
            return Err(bad(field, value, "at least 1".to_owned()));
        }
        if let Some(top) = top.filter(|top| !(1..=count).contains(top)) {
            return Err(bad("top", top, format!("1 to {count}, the number of adapters")));
        }
        let name = format!("{name}/w");
        let init = Init::Uniform(1.0 / (width as f64).sqrt());
        let value = init.draw(width, count, &mut stream(seed, &name, &[]));
        Ok(InstanceGate { w: place(params, name, width, count, value)?, top })
    }

    /// `z [n, d]` to `ω [n, K]`.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, z: Var) -> Var {
        let mut logits = tape.linear(params, z, self.w, None, Activation::Identity);
        let (rows, count) = tape.shape(logits);
        if let Some(top) = self.top.filter(|&top| top < count) {
            let mut masks = vec![F::of(OUT); rows * count];
            let mut order: Vec<usize> = Vec::with_capacity(count);
            for (mask, x) in masks.chunks_exact_mut(count).zip(tape.value(logits).chunks_exact(count)) {
                order.clear();
                order.extend(0..count);
                // Stable: of equal ones the first.
                order.sort_by(|&i, &j| x[j].f64().total_cmp(&x[i].f64()));
                order[..top].iter().for_each(|&k| mask[k] = F::zero());
            }
            let masks = tape.input(rows, count, &masks);
            logits = tape.add(logits, masks);
        }
        tape.softmax(logits)
    }
}

/// Added to a logit, leaves its softmax exactly 0.
const OUT: f64 = -1e30;

/// A dense layer with a mixture of adapters for each row.
#[derive(Clone, Debug)]
pub struct InstanceLora {
    mixture: Mixture,
    dropout: f64,
}

impl InstanceLora {
    /// On a dense layer, under `NAME/instance/a` and `b`.
    ///
    /// # Errors
    /// A setting that is out of range, a rank that K does not divide, or a name that is taken.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        linear: &Linear,
        config: &InstanceConfig,
        seed: u64,
    ) -> Result<InstanceLora, AdapterError> {
        let base = BaseLayer::of(params, linear);
        config.lora.check(&base)?;
        let InstanceConfig { lora, count, experts, by_expert } = *config;
        let bad = |field, value: usize, allowed: String| AdapterError::Setting {
            layer: base.name.clone(),
            field,
            value: value.to_string(),
            allowed,
        };
        if count == 0 {
            return Err(bad("count", count, "at least 1".to_owned()));
        }
        let (cols, repeat, own) = match experts {
            Experts::Split if lora.rank % count != 0 => {
                return Err(bad("rank", lora.rank, format!("a multiple of {count}, the number of adapters")));
            }
            Experts::Split => (lora.rank, 1, lora.rank / count),
            Experts::Heads => (lora.rank, count, lora.rank),
        };
        let name = format!("{}/instance/a", base.name);
        let a = lora.draw_a(base.inputs, cols, &mut stream(seed, &name, &[]));
        let a = place(params, name, base.inputs, cols, a)?;
        let zero = vec![F::zero(); cols * repeat * base.outputs];
        let b = place(params, format!("{}/instance/b", base.name), cols * repeat, base.outputs, zero)?;
        let rank = if by_expert { own } else { lora.rank };
        let scale = LoraConfig { rank, ..lora }.scale();
        Ok(InstanceLora { mixture: Mixture { base, a, b, repeat, scale }, dropout: lora.dropout })
    }

    /// What the adapters are on.
    pub fn base(&self) -> &BaseLayer {
        &self.mixture.base
    }

    /// `[n, in]` to `[n, out]` with the weights `gate [n, K]` of an [`InstanceGate`].
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        gate: Var,
        mode: &mut Mode,
    ) -> Var {
        let h = mode.dropout(tape, x, self.dropout);
        self.mixture.forward(tape, params, x, h, gate)
    }
}
