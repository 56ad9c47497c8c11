//! `y = act(x·W + b)` in one op: fused, the three passes cost one.
//!
//! Shapes: `x: [n, in]`, `W: [in, out]`, `b: [1, out]`, `y: [n, out]`. (PyTorch stores `W` transposed, `[out, in]`.)
//! With `dz = dy ⊙ act'(y)`: `dx = dz·Wᵀ`, `dW = xᵀ·dz`, `db = Σ_n dz[n]`.

use super::{Activation, Op, Rule};
use crate::kernels::{Transpose, gemm, gemm_then, wide};
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
    fn products(&self, _: &[u32], shape: &dyn Fn(Var) -> (usize, usize), out: (usize, usize)) -> usize {
        out.0 * shape(self.x).1 * out.1
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (n, inputs) = flow.shape(self.x);
        let outputs = flow.output_shape().1;
        let mut scratch = std::mem::take(flow.scratch);
        let dz = pull_back(flow, self.act, self.b, &mut scratch);
        weight_gradient(flow, self.w, (n, inputs, outputs), flow.value(self.x), dz);
        let w = flow.params().value(self.w);
        if let Some((_, into, first)) = flow.first_into(self.x) {
            let beta = if first { F::zero() } else { F::one() };
            gemm((Transpose::No, Transpose::Yes), (n, inputs, outputs), F::one(), dz, w, beta, into);
        }
        *flow.scratch = scratch;
    }
}

/// `dz = dy ⊙ act'(y)`, and `db += Σ_n dz[n]` where there is a bias that trains, in one walk.
pub(super) fn pull_back<'a, F: Real>(
    flow: &mut Flow<'_, F>,
    act: Activation,
    bias: Option<ParamId>,
    scratch: &'a mut Vec<F>,
) -> &'a mut [F] {
    let (cols, y) = (flow.output_shape().1, flow.output());
    let dz = act.pull_back(flow.adjoint(), y, scratch);
    let Some(bias) = bias.filter(|&b| flow.trains(b)) else { return dz };
    add_rows(flow.grads().1.dense_mut(bias, cols), dz);
    dz
}

/// `sum += Σ_n rows[n]`, `rows [n, sum]`: what a bias gets.
pub(super) fn add_rows<F: Real>(sum: &mut [F], rows: &[F]) {
    wide(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(sum.len()) {
                sum.iter_mut().zip(row).for_each(|(g, &d)| *g += d);
            }
        },
    );
}

/// `dW += xᵀ·dz`, `x [n, in]`, `dz [n, out]`, where the weights train.
pub(super) fn weight_gradient<F: Real>(
    flow: &mut Flow<'_, F>,
    w: ParamId,
    (n, inputs, outputs): (usize, usize, usize),
    x: &[F],
    dz: &[F],
) {
    if flow.trains(w) {
        let (into, first) = flow.grads().1.first_dense(w, inputs * outputs);
        let beta = if first { F::zero() } else { F::one() };
        gemm((Transpose::Yes, Transpose::No), (inputs, outputs, n), F::one(), x, dz, beta, into);
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
        let bias = b.map(|b| params.value(b));
        gemm_then(
            (Transpose::No, Transpose::No),
            (n, outputs, inputs),
            F::one(),
            (left.value(x), inputs),
            (&weight.value, outputs),
            F::zero(),
            (y, outputs),
            #[inline(always)]
            |_, from, y| act.finish(bias, from, y),
        );
        out
    }
}
