//! Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450).
//!
//! `x̂ = (x − mean)/sqrt(var + ε)` over each row (population variance), `y = γ ⊙ x̂ + β`, `γ, β: [1, cols]`.
//! With `d = dy ⊙ γ`: `dx = (d − mean(d) − x̂·mean(d ⊙ x̂)) / sqrt(var + ε)`; `dγ = Σ dy ⊙ x̂`, `dβ = Σ dy`.

use super::{Op, Rule};
use crate::tape::{Flow, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

pub(crate) struct LayerNorm<F> {
    x: Var,
    gain: ParamId,
    shift: ParamId,
    epsilon: F,
}

/// Mean and `1/sqrt(var + ε)` of a row.
fn moments<F: Real>(x: &[F], epsilon: F) -> (F, F) {
    let n = F::of(x.len() as f64);
    let mean = x.iter().copied().sum::<F>() / n;
    let var = x.iter().map(|&v| (v - mean) * (v - mean)).sum::<F>() / n;
    (mean, F::one() / (var + epsilon).sqrt())
}

impl<F: Real> Rule<F> for LayerNorm<F> {
    const NAME: &'static str = "layer_norm";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.gain);
        visit(self.shift);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (x, cols) = (flow.value(self.x), flow.output_shape().1);
        let gain = flow.params().value(self.gain);
        if flow.trains(self.gain) {
            let (own, grads) = flow.grads();
            let into = grads.dense_mut(self.gain, cols);
            for (x, dy) in x.chunks_exact(cols).zip(own.chunks_exact(cols)) {
                let (mean, inv) = moments(x, self.epsilon);
                for ((g, &x), &dy) in into.iter_mut().zip(x).zip(dy) {
                    *g += dy * (x - mean) * inv;
                }
            }
        }
        if flow.trains(self.shift) {
            let (own, grads) = flow.grads();
            let into = grads.dense_mut(self.shift, cols);
            for dy in own.chunks_exact(cols) {
                into.iter_mut().zip(dy).for_each(|(g, &dy)| *g += dy);
            }
        }
        if let Some((own, into)) = flow.into_input(self.x) {
            let n = F::of(cols as f64);
            for ((dx, dy), x) in
                into.chunks_exact_mut(cols).zip(own.chunks_exact(cols)).zip(x.chunks_exact(cols))
            {
                let (mean, inv) = moments(x, self.epsilon);
                let (mut sum, mut sum_hat) = (F::zero(), F::zero());
                for ((&dy, &g), &x) in dy.iter().zip(gain).zip(x) {
                    sum += dy * g;
                    sum_hat += dy * g * (x - mean) * inv;
                }
                let (sum, sum_hat) = (sum / n, sum_hat / n);
                for (((dx, &dy), &g), &x) in dx.iter_mut().zip(dy).zip(gain).zip(x) {
                    *dx += (dy * g - sum - (x - mean) * inv * sum_hat) * inv;
                }
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// Normalises each row of `x [n, cols]`, then scales by `gain [1, cols]` and adds `shift [1, cols]`.
    #[track_caller]
    pub fn layer_norm(
        &mut self,
        params: &Params<F>,
        x: Var,
        gain: ParamId,
        shift: ParamId,
        epsilon: F,
    ) -> Var {
        let (rows, cols) = self.shape(x);
        if cols == 0 {
            shape::fail("layer_norm", "no columns");
        }
        for id in [gain, shift] {
            shape::same("layer_norm", (params.slot(id).rows, params.slot(id).cols), (1, cols));
        }
        let live = self.live(x) || trains(params, gain) || trains(params, shift);
        let out = self.push(Op::LayerNorm(LayerNorm { x, gain, shift, epsilon }), rows, cols, live);
        let (left, y) = self.fill(out);
        let (gain, shift) = (params.value(gain), params.value(shift));
        for (y, x) in y.chunks_exact_mut(cols).zip(left.value(x).chunks_exact(cols)) {
            let (mean, inv) = moments(x, epsilon);
            for (((y, &x), &g), &s) in y.iter_mut().zip(x).zip(gain).zip(shift) {
                *y = (x - mean) * inv * g + s;
            }
        }
        out
    }
}
