//! Cohort segments: rows are ordered by cohort, and each cohort's rows go through its own weights.
//!
//! `y[n] = act(x[n]·W_c + b_c)` for `n` in the segment of cohort `c`; one product per cohort present. Territory blocks,
//! cohort experts and adapters are this op with different weights. A cohort that is absent costs nothing and moves
//! nothing: its weights get no gradient, so the optimiser leaves them and their moments alone. Rows of a segment without a
//! block give zeros, whatever the activation.
//! With `dz = dy ⊙ act'(y)`: `dx[n] = dz[n]·W_cᵀ`, `dW_c = Σ_n x[n]ᵀ·dz[n]`, `db_c = Σ_n dz[n]` over the cohort's rows.

use super::linear::{add_rows, weight_gradient};
use super::{Activation, Op, Rule};
use crate::kernels::{Transpose, gemm};
use crate::tape::{Flow, List, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

/// Weights of one cohort's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Weights `[in, out]`.
    pub w: ParamId,
    /// Bias `[1, out]`, where there is one.
    pub b: Option<ParamId>,
}

impl Block {
    /// `y ← act(y + b)`.
    pub(super) fn finish<F: Real>(self, params: &Params<F>, act: Activation, y: &mut [F]) {
        if let Some(bias) = self.b.map(|b| params.value(b)) {
            for row in y.chunks_exact_mut(bias.len()) {
                row.iter_mut().zip(bias).for_each(|(y, &b)| *y += b);
            }
        }
        act.apply_all(y);
    }
}

pub(crate) struct Blocks {
    x: Var,
    /// Where each segment begins, and where the last ends.
    offsets: List,
    /// Weights and bias of each segment, by turns; [`NONE`] for what it has not.
    ids: List,
    act: Activation,
}

/// Stands for a weight or a bias that is not there.
const NONE: u32 = u32::MAX;

pub(super) fn id(raw: u32) -> Option<ParamId> {
    (raw != NONE).then_some(ParamId(raw))
}

pub(super) fn raw(id: Option<ParamId>) -> u32 {
    id.map_or(NONE, |id| id.0)
}

impl<F: Real> Rule<F> for Blocks {
    const NAME: &'static str = "blocks";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn each_param(&self, lists: &[u32], visit: &mut dyn FnMut(ParamId)) {
        lists[self.ids.range()].iter().copied().filter_map(id).for_each(visit);
    }
    fn products(&self, _: &[u32], shape: &dyn Fn(Var) -> (usize, usize), out: (usize, usize)) -> usize {
        out.0 * shape(self.x).1 * out.1
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let inputs = flow.shape(self.x).1;
        let outputs = flow.output_shape().1;
        let (x, y) = (flow.value(self.x), flow.output());
        let (offsets, ids) = (flow.entries(self.offsets), flow.entries(self.ids));
        let params = flow.params();
        let mut scratch = std::mem::take(flow.scratch);
        let dz = self.act.pull_back(flow.adjoint(), y, &mut scratch);
        for (segment, pair) in offsets.windows(2).zip(ids.chunks_exact(2)) {
            let (from, to) = (segment[0] as usize, segment[1] as usize);
            let (rows, b) = (to - from, id(pair[1]));
            let Some(w) = id(pair[0]).filter(|_| rows > 0) else { continue };
            let (x, dz) = (&x[from * inputs..to * inputs], &dz[from * outputs..to * outputs]);
            weight_gradient(flow, w, (rows, inputs, outputs), x, dz);
            if let Some(b) = b.filter(|&b| flow.trains(b)) {
                add_rows(flow.grads().1.dense_mut(b, outputs), dz);
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
        *flow.scratch = scratch;
    }
}

impl<F: Real> Tape<F> {
    /// Sends the rows of each segment of `x [n, in]` through its own block, giving `[n, out]`. Segment `s` holds rows
    /// `offsets[s] .. offsets[s + 1]`; a block may serve several segments, and rows of a segment without one give zeros.
    ///
    /// # Panics
    /// If the offsets don't cover the rows, there are not as many entries of `blocks` as segments, none of them is a block,
    /// or a block has another shape.
    #[track_caller]
    pub fn blocks(
        &mut self,
        params: &Params<F>,
        x: Var,
        offsets: &[u32],
        blocks: &[Option<Block>],
        act: Activation,
    ) -> Var {
        let (n, inputs) = self.shape(x);
        super::gather::check_offsets("blocks", offsets, n);
        let Some(first) = blocks.iter().flatten().next() else { shape::fail("blocks", "no block") };
        if blocks.len() + 1 != offsets.len() {
            shape::fail("blocks", &format!("{} blocks for {} segments", blocks.len(), offsets.len() - 1));
        }
        let outputs = params.slot(first.w).cols;
        let mut live = self.live(x);
        for block in blocks.iter().flatten() {
            let w = params.slot(block.w);
            shape::same("blocks: weights", (w.rows, w.cols), (inputs, outputs));
            if let Some(b) = block.b.map(|b| params.slot(b)) {
                shape::same("blocks: bias", (b.rows, b.cols), (1, outputs));
            }
        }
        for (segment, block) in offsets.windows(2).zip(blocks) {
            let moves = |block: &Block| trains(params, block.w) || block.b.is_some_and(|b| trains(params, b));
            live |= segment[0] < segment[1] && block.as_ref().is_some_and(moves);
        }
        let offsets = self.list(offsets);
        let ids: Vec<u32> = blocks
            .iter()
            .flat_map(|block| [raw(block.map(|block| block.w)), raw(block.and_then(|block| block.b))])
            .collect();
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
            let Some(block) = block else {
                y.fill(F::zero());
                continue;
            };
            let shape = (to - from, outputs, inputs);
            gemm((Transpose::No, Transpose::No), shape, F::one(), x, params.value(block.w), F::zero(), y);
            block.finish(params, act, y);
        }
        out
    }
}
