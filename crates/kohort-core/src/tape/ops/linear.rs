//! `y = act(x·W + b)` in one op: fused, the three passes cost one.
//!
//! Shapes: `x: [n, in]`, `W: [in, out]`, `b: [1, out]`, `y: [n, out]`. (PyTorch stores `W` transposed, `[out, in]`.)
//! With `dz = dy ⊙ act'(y)`: `dx = dz·Wᵀ`, `dW = xᵀ·dz`, `db = Σ_n dz[n]`.

use super::{Activation, Op, Rule};
use crate::kernels::{Transpose, gemm};
use crate::tape::{Flow, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

pub(crate) struct Linear {
    x: Var,
    w: ParamId,
    b: Option<ParamId>,
    act: Activation,
}

impl<F: Real> Rule<F> for Linear {
    const NAME: &'static str = "linear";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.w);
        self.b.into_iter().for_each(visit);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (n, inputs) = flow.shape(self.x);
        let outputs = flow.output_shape().1;
        let (x, y) = (flow.value(self.x), flow.output());
        let params = flow.params();
        let mut dz = std::mem::take(flow.scratch);
        self.act.pull_back(flow.adjoint(), y, &mut dz);
        if flow.trains(self.w) {
            let into = flow.grads().1.dense_mut(self.w, inputs * outputs);
            gemm((Transpose::Yes, Transpose::No), (inputs, outputs, n), F::one(), x, &dz, F::one(), into);
        }
        if let Some(b) = self.b.filter(|&b| flow.trains(b)) {
            let into = flow.grads().1.dense_mut(b, outputs);
            for row in dz.chunks_exact(outputs) {
                into.iter_mut().zip(row).for_each(|(g, &d)| *g += d);
            }
        }
        if let Some((_, into)) = flow.into_input(self.x) {
            let w = params.value(self.w);
            gemm((Transpose::No, Transpose::Yes), (n, inputs, outputs), F::one(), &dz, w, F::one(), into);
        }
        *flow.scratch = dz;
    }
}

impl<F: Real> Tape<F> {
    /// `act(x·W + b)`: `x [n, in]`, `w [in, out]`, `b [1, out]` give `[n, out]`.
    ///
    /// # Panics
    /// If the shapes don't fit.
    #[track_caller]
    pub fn linear(
        &mut self,
        params: &Params<F>,
        x: Var,
        w: ParamId,
        b: Option<ParamId>,
        act: Activation,
    ) -> Var {
        let (n, inputs) = self.shape(x);
        let weight = params.slot(w);
        if weight.rows != inputs {
            shape::fail(
                "linear",
                &format!("x [{n}, {inputs}] times {} [{}, {}]", weight.name, weight.rows, weight.cols),
            );
        }
        let outputs = weight.cols;
        if let Some(b) = b {
            shape::same("linear: bias", (params.slot(b).rows, params.slot(b).cols), (1, outputs));
        }
        let live = self.live(x) || trains(params, w) || b.is_some_and(|b| trains(params, b));
        let out = self.push(Op::Linear(Linear { x, w, b, act }), n, outputs, live);
        let (left, y) = self.fill(out);
        let product = (n, outputs, inputs);
        gemm((Transpose::No, Transpose::No), product, F::one(), left.value(x), &weight.value, F::zero(), y);
        match b {
            Some(b) => {
                let bias = params.value(b);
                for row in y.chunks_exact_mut(outputs) {
                    row.iter_mut().zip(bias).for_each(|(y, &b)| *y = act.apply(*y + b));
                }
            }
            None => y.iter_mut().for_each(|y| *y = act.apply(*y)),
        }
        out
    }
}
