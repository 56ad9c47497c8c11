//! Columns side by side, and a range of columns taken out.

use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

/// `y = [x_1, x_2, …]`; each part gets its columns of `dy`.
pub(crate) struct Concat {
    parts: List,
}

impl<F: Real> Rule<F> for Concat {
    const NAME: &'static str = "concat";
    fn each_input(&self, lists: &[u32], visit: &mut dyn FnMut(Var)) {
        lists[self.parts.range()].iter().for_each(|&x| visit(Var(x)));
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let total = flow.output_shape().1;
        let mut at = 0;
        for &part in flow.entries(self.parts) {
            let cols = flow.shape(Var(part)).1;
            if let Some((own, into, first)) = flow.first_into(Var(part)) {
                for (d, dy) in into.chunks_exact_mut(cols.max(1)).zip(own.chunks_exact(total.max(1))) {
                    let dy = &dy[at..at + cols];
                    if first {
                        d.copy_from_slice(dy);
                    } else {
                        d.iter_mut().zip(dy).for_each(|(d, &g)| *d += g);
                    }
                }
            }
            at += cols;
        }
    }
}

/// `y = x[:, from .. from + cols]`; `dy` goes back to those columns.
pub(crate) struct Columns {
    x: Var,
    from: usize,
}

impl<F: Real> Rule<F> for Columns {
    const NAME: &'static str = "columns";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (cols, total) = (flow.output_shape().1, flow.shape(self.x).1);
        if let Some((own, into)) = flow.into_input(self.x) {
            for (d, dy) in into.chunks_exact_mut(total).zip(own.chunks_exact(cols)) {
                d[self.from..self.from + cols].iter_mut().zip(dy).for_each(|(d, &g)| *d += g);
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// The parts' columns side by side: `[n, c_1]`, `[n, c_2]`, … give `[n, Σ c]`.
    ///
    /// # Panics
    /// Without parts, or if their numbers of rows differ.
    #[track_caller]
    pub fn concat(&mut self, parts: &[Var]) -> Var {
        let Some(&first) = parts.first() else { shape::fail("concat", "no part") };
        let rows = self.shape(first).0;
        let mut total = 0;
        for &part in parts {
            let (n, cols) = self.shape(part);
            shape::same("concat: rows", (n, 1), (rows, 1));
            total += cols;
        }
        let live = parts.iter().any(|&x| self.live(x));
        let start = self.lists.len() as u32;
        self.lists.extend(parts.iter().map(|x| x.0));
        let list = List { start, len: parts.len() as u32 };
        let out = self.push(Op::Concat(Concat { parts: list }), rows, total, live);
        let (left, y) = self.fill(out);
        let mut at = 0;
        for &part in parts {
            let cols = left.nodes[part.0 as usize].cols;
            if cols == 0 {
                continue;
            }
            for (y, x) in y.chunks_exact_mut(total).zip(left.value(part).chunks_exact(cols)) {
                y[at..at + cols].copy_from_slice(x);
            }
            at += cols;
        }
        out
    }

    /// Columns `from .. from + cols` of `x [n, total]`, as `[n, cols]`.
    ///
    /// # Panics
    /// If `x` has no such columns.
    #[track_caller]
    pub fn columns(&mut self, x: Var, from: usize, cols: usize) -> Var {
        let (rows, total) = self.shape(x);
        if cols == 0 || from + cols > total {
            shape::fail("columns", &format!("{from}..{} of {total}", from + cols));
        }
        let out = self.push(Op::Columns(Columns { x, from }), rows, cols, self.live(x));
        let (left, y) = self.fill(out);
        for (y, x) in y.chunks_exact_mut(cols).zip(left.value(x).chunks_exact(total)) {
            y.copy_from_slice(&x[from..from + cols]);
        }
        out
    }
}
