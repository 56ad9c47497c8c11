//! Rows sent to where they are worked on, and back: what sparse routing is made of. An expert that no row asks for is in no
//! list, so it costs nothing and gets no gradient.

use super::gather::dot;
use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

/// `y[j] = x[rows[j]]`; `dx[rows[j]] += dy[j]`.
pub(crate) struct TakeRows {
    x: Var,
    rows: List,
}

impl<F: Real> Rule<F> for TakeRows {
    const NAME: &'static str = "take_rows";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (rows, cols) = (flow.entries(self.rows), flow.output_shape().1);
        if let Some((own, into)) = flow.into_input(self.x) {
            for (&row, dy) in rows.iter().zip(own.chunks_exact(cols)) {
                let at = row as usize * cols;
                into[at..at + cols].iter_mut().zip(dy).for_each(|(d, &g)| *d += g);
            }
        }
    }
}

/// `y[rows[j]] += w[j]·x[j]`; `dx[j] = w[j]·dy[rows[j]]`, `dw[j] = x[j]·dy[rows[j]]`.
pub(crate) struct ScatterRows {
    x: Var,
    weight: Option<Var>,
    rows: List,
}

impl<F: Real> Rule<F> for ScatterRows {
    const NAME: &'static str = "scatter_rows";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
        self.weight.into_iter().for_each(visit);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (rows, cols) = (flow.entries(self.rows), flow.output_shape().1);
        let x = flow.value(self.x);
        let weight = self.weight.map(|w| flow.value(w));
        if let Some((own, into)) = flow.into_input(self.x) {
            for (j, (dx, &row)) in into.chunks_exact_mut(cols).zip(rows).enumerate() {
                let w = weight.map_or(F::one(), |w| w[j]);
                let dy = &own[row as usize * cols..][..cols];
                dx.iter_mut().zip(dy).for_each(|(d, &g)| *d += w * g);
            }
        }
        if let Some((own, into)) = self.weight.and_then(|w| flow.into_input(w)) {
            for ((dw, x), &row) in into.iter_mut().zip(x.chunks_exact(cols)).zip(rows) {
                *dw += dot(x, &own[row as usize * cols..][..cols]);
            }
        }
    }
}

/// `y[j] = x[cells[j]]`, cells counted along the rows; `dx[cells[j]] += dy[j]`.
pub(crate) struct Pick {
    x: Var,
    cells: List,
}

impl<F: Real> Rule<F> for Pick {
    const NAME: &'static str = "pick";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cells = flow.entries(self.cells);
        if let Some((own, into)) = flow.into_input(self.x) {
            cells.iter().zip(own).for_each(|(&cell, &dy)| into[cell as usize] += dy);
        }
    }
}

impl<F: Real> Tape<F> {
    /// Rows of `x [n, cols]`, each as often as it is named, `[rows.len(), cols]`.
    ///
    /// # Panics
    /// If `x` lacks a row or has no columns.
    #[track_caller]
    pub fn take_rows(&mut self, x: Var, rows: &[u32]) -> Var {
        let (n, cols) = self.shape(x);
        check("take_rows", rows, n, cols);
        let rows = self.list(rows);
        let out = self.push(Op::TakeRows(TakeRows { x, rows }), rows.len(), cols, self.live(x));
        let (left, y) = self.fill(out);
        let x = left.value(x);
        for (y, &row) in y.chunks_exact_mut(cols).zip(left.entries(rows)) {
            y.copy_from_slice(&x[row as usize * cols..][..cols]);
        }
        out
    }

    /// Adds row `j` of `x [entries, cols]`, times its weight (`[entries, 1]`, 1 without), to row `rows[j]` of `[n, cols]`,
    /// which begins with zeros.
    ///
    /// # Panics
    /// If a row is not below `n`, there is not one for each entry, or `x` has no columns.
    #[track_caller]
    pub fn scatter_rows(&mut self, x: Var, weight: Option<Var>, rows: &[u32], n: usize) -> Var {
        let (entries, cols) = self.shape(x);
        check("scatter_rows", rows, n, cols);
        shape::same("scatter_rows: rows", (rows.len(), 1), (entries, 1));
        if let Some(w) = weight {
            shape::same("scatter_rows: weights", self.shape(w), (entries, 1));
        }
        let live = self.live(x) || weight.is_some_and(|w| self.live(w));
        let rows = self.list(rows);
        let out = self.push(Op::ScatterRows(ScatterRows { x, weight, rows }), n, cols, live);
        let (left, y) = self.fill(out);
        y.fill(F::zero());
        let weight = weight.map(|w| left.value(w));
        for (j, (x, &row)) in left.value(x).chunks_exact(cols).zip(left.entries(rows)).enumerate() {
            let w = weight.map_or(F::one(), |w| w[j]);
            y[row as usize * cols..][..cols].iter_mut().zip(x).for_each(|(y, &x)| *y += w * x);
        }
        out
    }

    /// Entries of `x [n, cols]`, `[cells.len(), 1]`: cell `row·cols + col` names column `col` of row `row`.
    ///
    /// # Panics
    /// If `x` lacks a cell.
    #[track_caller]
    pub fn pick(&mut self, x: Var, cells: &[u32]) -> Var {
        let (n, cols) = self.shape(x);
        check("pick", cells, n * cols, 1);
        let cells = self.list(cells);
        let out = self.push(Op::Pick(Pick { x, cells }), cells.len(), 1, self.live(x));
        let (left, y) = self.fill(out);
        let x = left.value(x);
        y.iter_mut().zip(left.entries(cells)).for_each(|(y, &cell)| *y = x[cell as usize]);
        out
    }
}

#[track_caller]
fn check(op: &str, entries: &[u32], limit: usize, cols: usize) {
    if cols == 0 {
        shape::fail(op, "no columns");
    }
    if let Some(entry) = entries.iter().find(|&&entry| entry as usize >= limit) {
        shape::fail(op, &format!("entry {entry} of {limit}"));
    }
}
