//! What all mixtures of adapters compute: `y[n] = act(x[n]·W + b + s·Σ_k g[n, k]·(h[n]·A_k)·B_k)`.
//!
//! The A stand side by side and the B one below the other, so K adapters are two products, whatever K
//! ([`Tape::scale_blocks`]).

use kohort_core::{Activation, ParamId, Params, Real, Tape, Var};

use super::BaseLayer;

/// Adapters that are mixed row by row.
#[derive(Clone, Debug)]
pub(super) struct Mixture {
    pub(super) base: BaseLayer,
    /// `[in, K·r]`, or `[in, r]` if all share it.
    pub(super) a: ParamId,
    /// `[K·r, out]`.
    pub(super) b: ParamId,
    /// How often A's columns are repeated: K if all share it, otherwise 1.
    pub(super) repeat: usize,
    pub(super) scale: f64,
}

impl Mixture {
    /// `x` is the base's input, `h` the adapters', `gate: [n, K]`.
    #[track_caller]
    pub(super) fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        h: Var,
        gate: Var,
    ) -> Var {
        let plain = Activation::Identity;
        let base = tape.linear(params, x, self.base.block.w, self.base.block.b, plain);
        let mut t = tape.linear(params, h, self.a, None, plain);
        if self.repeat > 1 {
            t = tape.concat(&vec![t; self.repeat]);
        }
        let gate = tape.scale(gate, F::of(self.scale), F::zero());
        let t = tape.scale_blocks(t, gate);
        let low = tape.linear(params, t, self.b, None, plain);
        let sum = tape.add(base, low);
        if self.base.act == plain { sum } else { tape.activate(sum, self.base.act) }
    }
}
