//! A stack of dense layers, with dropout and layer normalisation where wanted.
//!
//! Each layer is `dropout(act(norm(x·W + b)))`; normalisation, where on, comes before the activation.

use kohort_core::{Activation, ParamId, Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use crate::{Linear, Mode};

/// Shape and habits of an [`Mlp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MlpConfig {
    /// Width of each layer's output.
    pub widths: Vec<usize>,
    /// Applied after each layer.
    pub activation: Activation,
    /// Dropout rate after each layer, in [0, 1).
    pub dropout: f64,
    /// Whether each layer's output is normalised before its activation.
    pub layer_norm: bool,
}

impl Default for MlpConfig {
    fn default() -> Self {
        MlpConfig { widths: vec![64], activation: Activation::Relu, dropout: 0.0, layer_norm: false }
    }
}

#[derive(Clone, Debug)]
struct Norm {
    gain: ParamId,
    shift: ParamId,
}

/// A stack of dense layers.
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<(Linear, Option<Norm>)>,
    activation: Activation,
    dropout: f64,
}

impl Mlp {
    /// Adds the stack's parameters under `name/0`, `name/1`, ….
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        config: &MlpConfig,
        seed: u64,
    ) -> Mlp {
        let mut width = inputs;
        let mut layers = Vec::with_capacity(config.widths.len());
        for (i, &outputs) in config.widths.iter().enumerate() {
            let name = format!("{name}/{i}");
            let mut linear = Linear::new(params, &name, width, outputs, config.activation, seed);
            let norm = config.layer_norm.then(|| {
                linear.act = Activation::Identity;
                Norm {
                    gain: params.add(format!("{name}/gain"), 1, outputs, vec![F::one(); outputs]),
                    shift: params.add(format!("{name}/shift"), 1, outputs, vec![F::zero(); outputs]),
                }
            });
            layers.push((linear, norm));
            width = outputs;
        }
        Mlp { layers, activation: config.activation, dropout: config.dropout }
    }

    /// The dense layers, in order.
    pub fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.layers.iter().map(|(linear, _)| linear)
    }

    /// `[n, inputs]` to `[n, last width]`; without layers, `x` itself.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var, mode: &mut Mode) -> Var {
        self.forward_with(tape, params, x, mode, |tape, _, linear, x, _| linear.forward(tape, params, x))
    }

    /// The same, with `dense` in place of each layer's `act(x·W + b)`: it gets the layer's position, the layer and its input.
    #[track_caller]
    pub fn forward_with<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        mut x: Var,
        mode: &mut Mode,
        mut dense: impl FnMut(&mut Tape<F>, usize, &Linear, Var, &mut Mode) -> Var,
    ) -> Var {
        for (i, (linear, norm)) in self.layers.iter().enumerate() {
            x = dense(tape, i, linear, x, mode);
            if let Some(norm) = norm {
                x = tape.layer_norm(params, x, norm.gain, norm.shift, F::of(1e-5));
                x = tape.activate(x, self.activation);
            }
            x = mode.dropout(tape, x, self.dropout);
        }
        x
    }
}
