//! Light graph convolution of a whole embedding matrix, read at some rows (He et al., "LightGCN", SIGIR 2020).
//!
//! `E` `[nodes, d]` a dense parameter, `A` symmetric `[nodes, nodes]`, K layers:
//!
//! `y[n] = (P·E)[rows[n]]`, `P = (1/(K + 1)) Σ_{k=0..K} Aᵏ`, `[rows, d]`; `dE += P·G` with `G[rows[n]] += dy[n]`, `P` being symmetric.
//!
//! Every row of `E` reaches every wanted one in a few steps, so the whole matrix is propagated, forward and backward, by
//! each recording: record **once a batch**, on one shard. Products are parallel inside. K = 0 reads rows and moves no other.

use std::sync::Arc;

use super::{Op, Rule};
use crate::sparse::{Symmetric, spare};
use crate::tape::{Flow, List, Tape, Var, trains};
use crate::{Layout, ParamId, Params, Real, shape};

pub(crate) struct Propagate<F: Real> {
    e: ParamId,
    graph: Arc<Symmetric<F>>,
    layers: usize,
    rows: List,
}

impl<F: Real> Rule<F> for Propagate<F> {
    const NAME: &'static str = "propagate";
    fn each_input(&self, _: &[u32], _: &mut dyn FnMut(Var)) {}
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.e);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.output_shape().1;
        let rows = flow.entries(self.rows);
        let len = self.graph.nodes() * cols;
        let mut scratch = std::mem::take(flow.scratch);
        let (own, grads) = flow.grads();
        let into = grads.dense_mut(self.e, len);
        let scatter = |into: &mut [F]| {
            for (&row, dy) in rows.iter().zip(own.chunks_exact(cols)) {
                let into = &mut into[row as usize * cols..(row as usize + 1) * cols];
                into.iter_mut().zip(dy).for_each(|(into, &dy)| *into += dy);
            }
        };
        if self.layers == 0 {
            scatter(into);
        } else {
            scratch.resize(len + spare(self.layers, len), F::zero());
            let (wide, spare) = scratch.split_at_mut(len);
            wide.fill(F::zero());
            scatter(wide);
            self.graph.propagate_rows(self.layers, wide, cols, spare, |row| row, into);
        }
        *flow.scratch = scratch;
    }
}

impl<F: Real> Tape<F> {
    /// Rows `rows` of `(1/(layers + 1)) Σ_k Aᵏ·E`, `[rows.len(), d]`, with `E` the dense parameter `e` `[nodes, d]`.
    ///
    /// # Panics
    /// If `e` is a table or has not a row for each node, or a row is not there.
    #[track_caller]
    pub fn propagate(
        &mut self,
        params: &Params<F>,
        e: ParamId,
        graph: &Arc<Symmetric<F>>,
        layers: usize,
        rows: &[u32],
    ) -> Var {
        let slot = params.slot(e);
        if slot.layout == Layout::Table {
            shape::fail("propagate", &format!("{}: every row gets a gradient, so it is no table", slot.name));
        }
        shape::same("propagate: nodes", (slot.rows, slot.cols), (graph.nodes(), slot.cols));
        if let Some(row) = rows.iter().find(|&&row| row as usize >= slot.rows) {
            shape::fail("propagate", &format!("row {row} of {}, which has {}", slot.name, slot.rows));
        }
        let rows = self.list(rows);
        let op = Propagate { e, graph: Arc::clone(graph), layers, rows };
        let out = self.push(Op::Propagate(op), rows.len(), slot.cols, trains(params, e));
        let mut scratch = std::mem::take(&mut self.scratch);
        let room = spare(layers, slot.value.len());
        scratch.resize(scratch.len().max(room), F::zero());
        let (left, y) = self.fill(out);
        let rows = left.entries(rows);
        y.fill(F::zero());
        let (e, d) = (&slot.value, slot.cols);
        graph.propagate_rows(layers, e, d, &mut scratch[..room], |n| rows[n] as usize, y);
        self.scratch = scratch;
        out
    }
}
