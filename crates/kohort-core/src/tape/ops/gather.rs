//! Looking rows up in a table: one by one, summed by segment, or dotted with a query without being copied out.
//!
//! Segments are given by offsets: segment `b` holds the entries `offsets[b] .. offsets[b + 1]`, so a list of `B`
//! segments has `B + 1` offsets.

use super::{Op, Rule};
pub(super) use crate::kernels::dot;
use crate::kernels::{AHEAD, fetch, wide};
use crate::tape::{Flow, List, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

/// `y[n] = T[rows[n]]`; the gradient adds `dy[n]` to row `rows[n]`.
pub(crate) struct Gather {
    table: ParamId,
    rows: List,
}

impl<F: Real> Rule<F> for Gather {
    const NAME: &'static str = "gather";
    fn each_input(&self, _: &[u32], _: &mut dyn FnMut(Var)) {}
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.table);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.output_shape().1;
        let rows = flow.entries(self.rows);
        let (own, grads) = flow.grads();
        let into = grads.rows_mut(self.table);
        wide(
            #[inline(always)]
            || {
                for (n, (&row, dy)) in rows.iter().zip(own.chunks_exact(cols)).enumerate() {
                    rows.get(n + AHEAD).into_iter().for_each(|&next| into.fetch(next));
                    into.add(row, F::one(), dy);
                }
            },
        );
    }
}

/// `y[b] = Σ_{j in segment b} w[j] · T[rows[j]]`, `w = 1` without weights.
/// `dT[rows[j]] += w[j]·dy[b]`, `dw[j] = T[rows[j]] · dy[b]`.
pub(crate) struct Bag {
    table: ParamId,
    rows: List,
    offsets: List,
    weight: Option<Var>,
}

impl<F: Real> Rule<F> for Bag {
    const NAME: &'static str = "bag";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        self.weight.into_iter().for_each(visit);
    }
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.table);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.output_shape().1;
        let (rows, offsets) = (flow.entries(self.rows), flow.entries(self.offsets));
        let params = flow.params();
        if flow.trains(self.table) {
            let weight = self.weight.map(|w| flow.value(w));
            let (own, grads) = flow.grads();
            let into = grads.rows_mut(self.table);
            for (b, dy) in own.chunks_exact(cols).enumerate() {
                for j in offsets[b] as usize..offsets[b + 1] as usize {
                    into.add(rows[j], weight.map_or(F::one(), |w| w[j]), dy);
                }
            }
        }
        if let Some((own, into)) = self.weight.and_then(|w| flow.into_input(w)) {
            for (b, dy) in own.chunks_exact(cols).enumerate() {
                for j in offsets[b] as usize..offsets[b + 1] as usize {
                    into[j] += dot(params.row(self.table, rows[j] as usize), dy);
                }
            }
        }
    }
}

/// `s[j] = q[b] · T[rows[j]]` for `j` in segment `b`: attention scores of looked-up keys, `[entries, 1]`.
/// `dq[b] += ds[j]·T[rows[j]]`, `dT[rows[j]] += ds[j]·q[b]`.
pub(crate) struct LookupDot {
    query: Var,
    table: ParamId,
    rows: List,
    offsets: List,
}

impl<F: Real> Rule<F> for LookupDot {
    const NAME: &'static str = "lookup_dot";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.query);
    }
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.table);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (rows, offsets) = (flow.entries(self.rows), flow.entries(self.offsets));
        let query = flow.value(self.query);
        let cols = flow.shape(self.query).1;
        let params = flow.params();
        if flow.trains(self.table) {
            let (own, grads) = flow.grads();
            let into = grads.rows_mut(self.table);
            for (b, q) in query.chunks_exact(cols).enumerate() {
                for j in offsets[b] as usize..offsets[b + 1] as usize {
                    into.add(rows[j], own[j], q);
                }
            }
        }
        if let Some((own, into)) = flow.into_input(self.query) {
            for (b, dq) in into.chunks_exact_mut(cols).enumerate() {
                for j in offsets[b] as usize..offsets[b + 1] as usize {
                    let key = params.row(self.table, rows[j] as usize);
                    dq.iter_mut().zip(key).for_each(|(d, &k)| *d += own[j] * k);
                }
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// Rows of a table, `[rows.len(), cols]`.
    ///
    /// # Panics
    /// If a row is not in the table.
    #[track_caller]
    pub fn gather(&mut self, params: &Params<F>, table: ParamId, rows: &[u32]) -> Var {
        let slot = params.slot(table);
        check_rows("gather", &slot.name, slot.rows, rows);
        let rows = self.list(rows);
        let out = self.push(Op::Gather(Gather { table, rows }), rows.len(), slot.cols, trains(params, table));
        let (left, value) = self.fill(out);
        let rows = left.entries(rows);
        for (n, (y, &row)) in value.chunks_exact_mut(slot.cols).zip(rows).enumerate() {
            rows.get(n + AHEAD).into_iter().for_each(|&next| fetch(params.row(table, next as usize)));
            y.copy_from_slice(params.row(table, row as usize));
        }
        out
    }

    /// Sums of table rows by segment, each row times its weight (`[entries, 1]`, 1 without), `[segments, cols]`.
    /// An empty segment gives zeros.
    ///
    /// # Panics
    /// If a row is not in the table, or offsets or weights don't fit the entries.
    #[track_caller]
    pub fn bag(
        &mut self,
        params: &Params<F>,
        table: ParamId,
        rows: List,
        offsets: List,
        weight: Option<Var>,
    ) -> Var {
        let slot = params.slot(table);
        check_rows("bag", &slot.name, slot.rows, self.entries(rows));
        check_offsets("bag", self.entries(offsets), rows.len());
        if let Some(w) = weight {
            shape::same("bag: weights", self.shape(w), (rows.len(), 1));
        }
        let live = trains(params, table) || weight.is_some_and(|w| self.live(w));
        let op = Bag { table, rows, offsets, weight };
        let out = self.push(Op::Bag(op), offsets.len() - 1, slot.cols, live);
        let (left, value) = self.fill(out);
        let (rows, offsets) = (left.entries(rows), left.entries(offsets));
        let weight = weight.map(|w| left.value(w));
        for (b, y) in value.chunks_exact_mut(slot.cols).enumerate() {
            y.fill(F::zero());
            for j in offsets[b] as usize..offsets[b + 1] as usize {
                let w = weight.map_or(F::one(), |w| w[j]);
                y.iter_mut().zip(params.row(table, rows[j] as usize)).for_each(|(y, &t)| *y += w * t);
            }
        }
        out
    }

    /// Inner products of each segment's query with its looked-up rows, `[entries, 1]`.
    ///
    /// # Panics
    /// If widths differ, a row is not in the table, or offsets don't fit.
    #[track_caller]
    pub fn lookup_dot(
        &mut self,
        params: &Params<F>,
        query: Var,
        table: ParamId,
        rows: List,
        offsets: List,
    ) -> Var {
        let slot = params.slot(table);
        check_rows("lookup_dot", &slot.name, slot.rows, self.entries(rows));
        check_offsets("lookup_dot", self.entries(offsets), rows.len());
        shape::same("lookup_dot: query", self.shape(query), (offsets.len() - 1, slot.cols));
        let live = trains(params, table) || self.live(query);
        let op = LookupDot { query, table, rows, offsets };
        let out = self.push(Op::LookupDot(op), rows.len(), 1, live);
        let (left, value) = self.fill(out);
        let (rows, offsets) = (left.entries(rows), left.entries(offsets));
        for (b, q) in left.value(query).chunks_exact(slot.cols).enumerate() {
            for j in offsets[b] as usize..offsets[b + 1] as usize {
                value[j] = dot(params.row(table, rows[j] as usize), q);
            }
        }
        out
    }
}

#[track_caller]
pub(super) fn check_rows(op: &str, name: &str, limit: usize, rows: &[u32]) {
    if let Some(row) = rows.iter().find(|&&row| row as usize >= limit) {
        shape::fail(op, &format!("row {row} of {name}, which has {limit}"));
    }
}

#[track_caller]
pub(super) fn check_offsets(op: &str, offsets: &[u32], entries: usize) {
    let ordered = offsets.windows(2).all(|w| w[0] <= w[1]);
    if offsets.first() != Some(&0) || offsets.last() != Some(&(entries as u32)) || !ordered {
        shape::fail(op, &format!("offsets must rise from 0 to the number of entries, {entries}"));
    }
}
