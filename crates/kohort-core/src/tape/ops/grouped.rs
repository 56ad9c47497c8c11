//! A layer of several networks side by side: `y_g = act(x_g·W_g + b_g)`, a block-diagonal product.
//!
//! Shapes: `x: [n, G·in]`, `W: [G·in, out]` (group `g` owns rows `g·in .. (g + 1)·in`), `b: [1, G·out]`, `y: [n, G·out]`. One
//! product for each group, on columns where they lie. Experts that read the same input begin with one wide
//! [`Tape::linear`] `[in, G·h]`; their further layers are this op.
//! With `dz = dy ⊙ act'(y)`: `dx_g = dz_g·W_gᵀ`, `dW_g = x_gᵀ·dz_g`, `db = Σ_n dz[n]`.

use super::linear::pull_back;
use super::{Activation, Op, Rule};
use crate::kernels::{Transpose, gemm_strided, gemm_then};
use crate::tape::{Flow, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

pub(crate) struct GroupedLinear {
    x: Var,
    w: ParamId,
    b: Option<ParamId>,
    groups: usize,
    act: Activation,
}

impl<F: Real> Rule<F> for GroupedLinear {
    const NAME: &'static str = "grouped_linear";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.w);
        self.b.into_iter().for_each(visit);
    }
    fn products(&self, _: &[u32], shape: &dyn Fn(Var) -> (usize, usize), out: (usize, usize)) -> usize {
        out.0 * shape(self.x).1 * (out.1 / self.groups)
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (n, wide_in) = flow.shape(self.x);
        let wide_out = flow.output_shape().1;
        let (inputs, outputs) = (wide_in / self.groups, wide_out / self.groups);
        let x = flow.value(self.x);
        if n == 0 {
            return;
        }
        let w = flow.params().value(self.w);
        let mut scratch = std::mem::take(flow.scratch);
        let dz = pull_back(flow, self.act, self.b, &mut scratch);
        let beta = |first: bool| if first { F::zero() } else { F::one() };
        if flow.trains(self.w) {
            let (into, first) = flow.grads().1.first_dense(self.w, wide_in * outputs);
            for (g, into) in into.chunks_exact_mut(inputs * outputs).enumerate() {
                gemm_strided(
                    (Transpose::Yes, Transpose::No),
                    (inputs, outputs, n),
                    F::one(),
                    (&x[g * inputs..], wide_in),
                    (&dz[g * outputs..], wide_out),
                    beta(first),
                    (into, outputs),
                );
            }
        }
        if let Some((_, into, first)) = flow.first_into(self.x) {
            for (g, w) in w.chunks_exact(inputs * outputs).enumerate() {
                gemm_strided(
                    (Transpose::No, Transpose::Yes),
                    (n, inputs, outputs),
                    F::one(),
                    (&dz[g * outputs..], wide_out),
                    (w, outputs),
                    beta(first),
                    (&mut into[g * inputs..], wide_in),
                );
            }
        }
        *flow.scratch = scratch;
    }
}

impl<F: Real> Tape<F> {
    /// `act(x_g·W_g + b_g)` for each of `groups` groups of columns: `x [n, groups·in]`, `w [groups·in, out]`,
    /// `b [1, groups·out]` give `[n, groups·out]`.
    ///
    /// # Panics
    /// If the shapes don't fit.
    #[track_caller]
    pub fn grouped_linear(
        &mut self,
        params: &Params<F>,
        x: Var,
        w: ParamId,
        b: Option<ParamId>,
        groups: usize,
        act: Activation,
    ) -> Var {
        let (n, wide_in) = self.shape(x);
        let weight = params.slot(w);
        if groups == 0 || weight.rows != wide_in || wide_in % groups != 0 || wide_in * weight.cols == 0 {
            let (name, rows, cols) = (&weight.name, weight.rows, weight.cols);
            shape::fail(
                "grouped_linear",
                &format!("x [{n}, {wide_in}] times {name} [{rows}, {cols}] in {groups} groups"),
            );
        }
        let (inputs, outputs) = (wide_in / groups, weight.cols);
        let wide_out = groups * outputs;
        if let Some(b) = b {
            shape::same("grouped_linear: bias", (params.slot(b).rows, params.slot(b).cols), (1, wide_out));
        }
        let live = self.live(x) || trains(params, w) || b.is_some_and(|b| trains(params, b));
        let op = GroupedLinear { x, w, b, groups, act };
        let out = self.push(Op::GroupedLinear(op), n, wide_out, live);
        if n == 0 {
            return out;
        }
        let (left, y) = self.fill(out);
        let x = left.value(x);
        let bias = b.map(|b| params.value(b));
        for (g, w) in weight.value.chunks_exact(inputs * outputs).enumerate() {
            let bias = bias.map(|bias| &bias[g * outputs..]);
            gemm_then(
                (Transpose::No, Transpose::No),
                (n, outputs, inputs),
                F::one(),
                (&x[g * inputs..], wide_in),
                (w, outputs),
                F::zero(),
                (&mut y[g * outputs..], wide_out),
                #[inline(always)]
                |_, from, y| act.finish(bias, from, y),
            );
        }
        out
    }
}
