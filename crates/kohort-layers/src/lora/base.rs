//! The layer that adapters are added to.

use kohort_core::{Activation, Block, Params, Real, Tape, Var};

use crate::Linear;

/// A dense layer `act(x·W + b)` as adapters see it.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseLayer {
    /// Begins the names of the adapters' parameters.
    pub name: String,
    /// Weights and bias.
    pub block: Block,
    /// Applied after the adapters.
    pub act: Activation,
    /// Rows of the weights.
    pub inputs: usize,
    /// Columns of the weights.
    pub outputs: usize,
}

/// What of a base does not train.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freeze {
    /// Weights and biases: only adapters train.
    #[default]
    All,
    /// Weights; biases train, as with PEFT's `bias = "all"`.
    Weights,
    /// Nothing.
    Nothing,
}

impl Freeze {
    /// Freezes or frees a layer's parameters.
    pub fn apply<F: Real>(self, params: &mut Params<F>, block: Block) {
        params.slot_mut(block.w).trainable = self == Freeze::Nothing;
        if let Some(b) = block.b {
            params.slot_mut(b).trainable = self != Freeze::All;
        }
    }
}

impl BaseLayer {
    /// Of weights `w [in, out]` and an optional bias, under a name of its own.
    pub fn new<F: Real>(params: &Params<F>, name: &str, block: Block, act: Activation) -> BaseLayer {
        let w = params.slot(block.w);
        BaseLayer { name: name.to_owned(), block, act, inputs: w.rows, outputs: w.cols }
    }

    /// Of a [`Linear`], under the name of its weights without `/w`.
    pub fn of<F: Real>(params: &Params<F>, linear: &Linear) -> BaseLayer {
        let name = &params.slot(linear.w).name;
        let name = name.strip_suffix("/w").unwrap_or(name);
        BaseLayer::new(params, name, Block { w: linear.w, b: Some(linear.b) }, linear.act)
    }

    /// The layer without adapters.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var) -> Var {
        tape.linear(params, x, self.block.w, self.block.b, self.act)
    }
}
