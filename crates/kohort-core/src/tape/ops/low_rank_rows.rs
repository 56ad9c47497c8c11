//! Rows of a table with low-rank adapters: LoRA on an embedding.
//!
//! `y[n] = E[i_n] + s·A[i_n]·B` for the adapter `(A, B, s)` of row n's segment, `E[i_n]` alone without one. Shapes: `E: [ids, d]`,
//! `A: [ids, r]`, a table as `E` is, `B: [r, d]`, `y: [n, d]`.
//! `dE[i_n] += dy[n]`, `dA[i_n] += s·dy[n]·Bᵀ`, `dB += s·A[i_n]ᵀ·dy[n]`.
//!
//! Source: the embedding of Hu et al., "LoRA", as in microsoft/LoRA (`A` zero, `B` normal). Difference: an adapter for each segment.

use super::gather::{check_rows, dot};
use super::low_rank::{Adapted, LowRank};
use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var, trains};
use crate::{Layout, ParamId, Params, Real, shape};

pub(crate) struct LowRankRows {
    table: ParamId,
    rows: List,
    runs: Box<[(usize, usize, LowRank)]>,
}

impl<F: Real> Rule<F> for LowRankRows {
    const NAME: &'static str = "low_rank_rows";
    fn each_input(&self, _: &[u32], _: &mut dyn FnMut(Var)) {}
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.table);
        self.runs.iter().for_each(|(_, _, run)| [run.a, run.b].into_iter().for_each(&mut *visit));
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.output_shape().1;
        let (rows, params) = (flow.entries(self.rows), flow.params());
        if flow.trains(self.table) {
            let (own, grads) = flow.grads();
            let into = grads.rows_mut(self.table);
            for (&row, dy) in rows.iter().zip(own.chunks_exact(cols)) {
                into.add(row, F::one(), dy);
            }
        }
        for &(from, to, LowRank { a, b, scale }) in &self.runs {
            let (scale, rank) = (F::of(scale), params.slot(a).cols);
            let (trains_a, trains_b) = (flow.trains(a), flow.trains(b));
            let (own, grads) = flow.grads();
            let adjoints = || rows[from..to].iter().zip(own[from * cols..to * cols].chunks_exact(cols));
            if trains_a {
                let into = grads.rows_mut(a);
                for (&row, dy) in adjoints() {
                    for (d, b) in into.row_mut(row).iter_mut().zip(params.value(b).chunks_exact(cols)) {
                        *d += scale * dot(dy, b);
                    }
                }
            }
            if trains_b {
                let into = grads.dense_mut(b, rank * cols);
                for (&row, dy) in adjoints() {
                    for (into, &t) in into.chunks_exact_mut(cols).zip(params.row(a, row as usize)) {
                        into.iter_mut().zip(dy).for_each(|(d, &dy)| *d += scale * t * dy);
                    }
                }
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// Rows of a table, each plus its row of the segment's adapter, `[rows.len(), d]`. The adapter's `A` is a table too.
    ///
    /// # Panics
    /// If a row is not in the table, offsets don't cover the rows, or shapes don't fit.
    #[track_caller]
    pub fn low_rank_rows(
        &mut self,
        params: &Params<F>,
        table: ParamId,
        rows: &[u32],
        adapted: Adapted<'_>,
    ) -> Var {
        let slot = params.slot(table);
        check_rows("low_rank_rows", &slot.name, slot.rows, rows);
        adapted.check("low_rank_rows", rows.len());
        for (_, _, adapter) in adapted.runs() {
            adapter.rank("low_rank_rows: adapter", params, (slot.rows, slot.cols));
            let a = params.slot(adapter.a);
            if a.layout != Layout::Table {
                shape::fail("low_rank_rows", &format!("{} is dense: add it with add_table", a.name));
            }
        }
        let runs: Box<[_]> = adapted.runs().collect();
        let live = trains(params, table) || runs.iter().any(|run| run.2.trains(params));
        let rows = self.list(rows);
        let out = self.push(Op::LowRankRows(LowRankRows { table, rows, runs }), rows.len(), slot.cols, live);
        let (left, y) = self.fill(out);
        let (rows, cols) = (left.entries(rows), slot.cols);
        for (y, &row) in y.chunks_exact_mut(cols).zip(rows) {
            y.copy_from_slice(params.row(table, row as usize));
        }
        for (from, to, LowRank { a, b, scale }) in adapted.runs() {
            let scale = F::of(scale);
            for (y, &row) in y[from * cols..to * cols].chunks_exact_mut(cols).zip(&rows[from..to]) {
                for (&t, b) in params.row(a, row as usize).iter().zip(params.value(b).chunks_exact(cols)) {
                    y.iter_mut().zip(b).for_each(|(y, &b)| *y += scale * t * b);
                }
            }
        }
        out
    }
}
