//! Blocks of columns weighed row by row: the middle of a mixture of low-rank adapters.
//!
//! `y[n, k] = g[n, k]·t[n, k]` with `t[n, k]` the k-th of K blocks of r columns: `t, y: [n, K·r]`, `g: [n, K]`.
//! `dt[n, k] = g[n, k]·dy[n, k]`, `dg[n, k] = t[n, k]·dy[n, k]`.
//!
//! With `t = x·[A_1 … A_K]`, `y·[B_1; …; B_K] = Σ_k g_k·(x·A_k)·B_k`: K adapters cost two products.

use super::gather::dot;
use super::{Op, Rule};
use crate::tape::{Flow, Tape, Var};
use crate::{Real, shape};

pub(crate) struct ScaleBlocks {
    t: Var,
    gate: Var,
}

impl<F: Real> Rule<F> for ScaleBlocks {
    const NAME: &'static str = "scale_blocks";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.t);
        visit(self.gate);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (t, gate) = (flow.value(self.t), flow.value(self.gate));
        let width = flow.output_shape().1 / flow.shape(self.gate).1;
        if let Some((own, into)) = flow.into_input(self.t) {
            for ((into, dy), &g) in into.chunks_exact_mut(width).zip(own.chunks_exact(width)).zip(gate) {
                into.iter_mut().zip(dy).for_each(|(d, &dy)| *d += g * dy);
            }
        }
        if let Some((own, into)) = flow.into_input(self.gate) {
            for ((dg, dy), t) in into.iter_mut().zip(own.chunks_exact(width)).zip(t.chunks_exact(width)) {
                *dg += dot(t, dy);
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// Multiplies the k-th of K equal blocks of columns of `t [n, K·r]` by `gate [n, K]`, row by row.
    ///
    /// # Panics
    /// If the columns of `t` are no multiple of those of `gate`, or rows differ.
    #[track_caller]
    pub fn scale_blocks(&mut self, t: Var, gate: Var) -> Var {
        let ((n, cols), (rows, blocks)) = (self.shape(t), self.shape(gate));
        if n != rows || blocks == 0 || cols == 0 || cols % blocks != 0 {
            shape::fail("scale_blocks", &format!("blocks of [{n}, {cols}] by a gate [{rows}, {blocks}]"));
        }
        let (width, live) = (cols / blocks, self.live(t) || self.live(gate));
        let out = self.push(Op::ScaleBlocks(ScaleBlocks { t, gate }), n, cols, live);
        let (left, y) = self.fill(out);
        let blocks = y.chunks_exact_mut(width).zip(left.value(t).chunks_exact(width));
        for ((y, t), &g) in blocks.zip(left.value(gate)) {
            y.iter_mut().zip(t).for_each(|(y, &t)| *y = g * t);
        }
        out
    }
}
