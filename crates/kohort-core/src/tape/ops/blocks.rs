//! Cohort segments: rows are ordered by cohort, and each cohort's rows go through its own weights.
//!
//! `y[n] = act(x[n]·W_c + b_c)` for `n` in the segment of cohort `c`; one product per cohort present. Territory blocks,
//! cohort experts and adapters are this op with different weights. A cohort that is absent costs nothing and moves
//! nothing: its weights get no gradient, so the optimiser leaves them and their moments alone.
//! With `dz = dy ⊙ act'(y)`: `dx[n] = dz[n]·W_cᵀ`, `dW_c = Σ_n x[n]ᵀ·dz[n]`, `db_c = Σ_n dz[n]` over the cohort's rows.

use super::{Activation, Op, Rule};
use crate::kernels::{Transpose, gemm};
use crate::tape::{Flow, List, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

/// Weights of one cohort's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Weights `[in, out]`.
    pub w: ParamId,
    /// Bias `[1, out]`.
    pub b: ParamId,
}

pub(crate) struct Blocks {
    x: Var,
    /// Where each segment begins, and where the last ends.
    offsets: List,
    /// Weights and bias of each segment, by turns.
    ids: List,
    act: Activation,
}

fn id(raw: u32) -> ParamId {
    ParamId(raw)
}

impl<F: Real> Rule<F> for Blocks {
    const NAME: &'static str = "blocks";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let inputs = flow.shape(self.x).1;
        let outputs = flow.output_shape().1;
        let (x, y) = (flow.value(self.x), flow.output());
        let (offsets, ids) = (flow.entries(self.offsets), flow.entries(self.ids));
        let params = flow.params();
        let mut dz = std::mem::take(flow.scratch);
        self.act.pull_back(flow.adjoint(), y, &mut dz);
        for (segment, pair) in offsets.windows(2).zip(ids.chunks_exact(2)) {
            let (from, to) = (segment[0] as usize, segment[1] as usize);
            let (rows, w, b) = (to - from, id(pair[0]), id(pair[1]));
            if rows == 0 {
                continue;
            }
            let (x, dz) = (&x[from * inputs..to * inputs], &dz[from * outputs..to * outputs]);
            if flow.trains(w) {
                let into = flow.grads().1.dense_mut(w, inputs * outputs);
                gemm(
                    (Transpose::Yes, Transpose::No),
                    (inputs, outputs, rows),
                    F::one(),
                    x,
                    dz,
                    F::one(),
                    into,
                );
            }
            if flow.trains(b) {
                let into = flow.grads().1.dense_mut(b, outputs);
                for row in dz.chunks_exact(outputs) {
                    into.iter_mut().zip(row).for_each(|(g, &d)| *g += d);
                }
            }
            if let Some((_, into)) = flow.into_input(self.x) {
                let into = &mut into[from * inputs..to * inputs];
                let w = params.value(w);
                gemm(
                    (Transpose::No, Transpose::Yes),
                    (rows, inputs, outputs),
                    F::one(),
                    dz,
                    w,
                    F::one(),
                    into,
                );
            }
        }
        *flow.scratch = dz;
    }
}

impl<F: Real> Tape<F> {
    /// Sends the rows of each segment of `x [n, in]` through its own block, giving `[n, out]`. Segment `s` holds rows
    /// `offsets[s] .. offsets[s + 1]`; a block may serve several segments.
    ///
    /// # Panics
    /// If the offsets don't cover the rows, there are not as many blocks as segments, or a block has another shape.
    #[track_caller]
    pub fn blocks(
        &mut self,
        params: &Params<F>,
        x: Var,
        offsets: &[u32],
        blocks: &[Block],
        act: Activation,
    ) -> Var {
        let (n, inputs) = self.shape(x);
        super::gather::check_offsets("blocks", offsets, n);
        let Some(first) = blocks.first() else { shape::fail("blocks", "no block") };
        if blocks.len() + 1 != offsets.len() {
            shape::fail("blocks", &format!("{} blocks for {} segments", blocks.len(), offsets.len() - 1));
        }
        let outputs = params.slot(first.w).cols;
        let mut live = self.live(x);
        for block in blocks {
            let (w, b) = (params.slot(block.w), params.slot(block.b));
            shape::same("blocks: weights", (w.rows, w.cols), (inputs, outputs));
            shape::same("blocks: bias", (b.rows, b.cols), (1, outputs));
        }
        for (segment, block) in offsets.windows(2).zip(blocks) {
            live |= segment[0] < segment[1] && (trains(params, block.w) || trains(params, block.b));
        }
        let offsets = self.list(offsets);
        let ids: Vec<u32> = blocks.iter().flat_map(|block| [block.w.0, block.b.0]).collect();
        let ids = self.list(&ids);
        let out = self.push(Op::Blocks(Blocks { x, offsets, ids, act }), n, outputs, live);
        let (left, y) = self.fill(out);
        let x = left.value(x);
        for (segment, block) in left.entries(offsets).windows(2).zip(blocks) {
            let (from, to) = (segment[0] as usize, segment[1] as usize);
            let (x, y) = (&x[from * inputs..to * inputs], &mut y[from * outputs..to * outputs]);
            if from == to {
                continue;
            }
            let shape = (to - from, outputs, inputs);
            let (w, bias) = (params.value(block.w), params.value(block.b));
            gemm((Transpose::No, Transpose::No), shape, F::one(), x, w, F::zero(), y);
            for row in y.chunks_exact_mut(outputs) {
                row.iter_mut().zip(bias).for_each(|(y, &b)| *y = act.apply(*y + b));
            }
        }
        out
    }
}
