//! A dense layer: `y = act(x·W + b)`, `W: [in, out]`, `b: [1, out]`.

use kohort_core::random::stream;
use kohort_core::{Activation, Init, ParamId, Params, Real, Tape, Var};

/// A dense layer.
#[derive(Clone, Debug)]
pub struct Linear {
    /// Weights `[in, out]`.
    pub w: ParamId,
    /// Bias `[1, out]`.
    pub b: ParamId,
    /// Applied to each output.
    pub act: Activation,
}

impl Linear {
    /// Adds `name/w` and `name/b` to `params`. Weights start as He's for ReLU and Glorot's otherwise, biases at 0.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        outputs: usize,
        act: Activation,
        seed: u64,
    ) -> Linear {
        let init = if act == Activation::Relu { Init::He } else { Init::Glorot };
        let name_w = format!("{name}/w");
        let w = init.draw(inputs, outputs, &mut stream(seed, &name_w, &[]));
        Linear {
            w: params.add(name_w, inputs, outputs, w),
            b: params.add(format!("{name}/b"), 1, outputs, vec![F::zero(); outputs]),
            act,
        }
    }

    /// `[n, in]` to `[n, out]`.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var) -> Var {
        tape.linear(params, x, self.w, Some(self.b), self.act)
    }
}
