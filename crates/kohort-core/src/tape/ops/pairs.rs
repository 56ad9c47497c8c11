//! Inner products of rows of two matrices: of stated pairs, or of all pairs. What two towers end in.
//!
//! Shapes: `a [n, d]`, `b [m, d]`. The rows of either may serve any number of pairs, so a title that several examples name
//! goes through its tower once.

use super::gather::dot;
use super::{Op, Rule};
use crate::kernels::{Transpose, gemm};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

/// `y[e] = a[i_e] · b[j_e]`, `[entries, 1]`; `da[i_e] += dy[e]·b[j_e]`, `db[j_e] += dy[e]·a[i_e]`, in the order of entries.
pub(crate) struct PairDot {
    a: Var,
    b: Var,
    left: List,
    right: List,
}

impl<F: Real> Rule<F> for PairDot {
    const NAME: &'static str = "pair_dot";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.a);
        visit(self.b);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.shape(self.a).1;
        let (left, right) = (flow.entries(self.left), flow.entries(self.right));
        for (one, other, own, others) in [(self.a, self.b, left, right), (self.b, self.a, right, left)] {
            let factor = flow.value(other);
            if let Some((dy, into)) = flow.into_input(one) {
                for ((&i, &j), &dy) in own.iter().zip(others).zip(dy) {
                    let into = &mut into[i as usize * cols..(i as usize + 1) * cols];
                    let factor = &factor[j as usize * cols..(j as usize + 1) * cols];
                    into.iter_mut().zip(factor).for_each(|(d, &f)| *d += dy * f);
                }
            }
        }
    }
}

/// `y = a·bᵀ`, `[n, m]`; `da = dy·b`, `db = dyᵀ·a`.
pub(crate) struct Cross {
    a: Var,
    b: Var,
}

impl<F: Real> Rule<F> for Cross {
    const NAME: &'static str = "cross";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.a);
        visit(self.b);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let ((n, d), m) = (flow.shape(self.a), flow.shape(self.b).0);
        let (a, b) = (flow.value(self.a), flow.value(self.b));
        if let Some((own, into)) = flow.into_input(self.a) {
            gemm((Transpose::No, Transpose::No), (n, d, m), F::one(), own, b, F::one(), into);
        }
        if let Some((own, into)) = flow.into_input(self.b) {
            gemm((Transpose::Yes, Transpose::No), (m, d, n), F::one(), own, a, F::one(), into);
        }
    }
}

impl<F: Real> Tape<F> {
    /// Inner product of row `left[e]` of `a [n, d]` with row `right[e]` of `b [m, d]`, `[entries, 1]`.
    ///
    /// # Panics
    /// If widths or lengths differ, or a row is not there.
    #[track_caller]
    pub fn pair_dot(&mut self, a: Var, b: Var, left: &[u32], right: &[u32]) -> Var {
        let ((n, cols), (m, others)) = (self.shape(a), self.shape(b));
        if cols != others || cols == 0 {
            shape::fail("pair_dot", &format!("rows of {cols} and of {others} columns"));
        }
        shape::same("pair_dot: pairs", (left.len(), 1), (right.len(), 1));
        for (rows, list) in [(n, left), (m, right)] {
            if let Some(row) = list.iter().find(|&&row| row as usize >= rows) {
                shape::fail("pair_dot", &format!("row {row} of {rows}"));
            }
        }
        let (left, right) = (self.list(left), self.list(right));
        let live = self.live(a) || self.live(b);
        let out = self.push(Op::PairDot(PairDot { a, b, left, right }), left.len(), 1, live);
        let (tape, y) = self.fill(out);
        let (a, b) = (tape.value(a), tape.value(b));
        let pairs = tape.entries(left).iter().zip(tape.entries(right));
        for (y, (&i, &j)) in y.iter_mut().zip(pairs) {
            let (i, j) = (i as usize * cols, j as usize * cols);
            *y = dot(&a[i..i + cols], &b[j..j + cols]);
        }
        out
    }

    /// Inner products of every row of `a [n, d]` with every row of `b [m, d]`, `[n, m]`.
    ///
    /// # Panics
    /// If widths differ.
    #[track_caller]
    pub fn cross(&mut self, a: Var, b: Var) -> Var {
        let ((n, d), (m, others)) = (self.shape(a), self.shape(b));
        if d != others {
            shape::fail("cross", &format!("rows of {d} and of {others} columns"));
        }
        let live = self.live(a) || self.live(b);
        let out = self.push(Op::Cross(Cross { a, b }), n, m, live);
        let (left, y) = self.fill(out);
        let (a, b) = (left.value(a), left.value(b));
        gemm((Transpose::No, Transpose::Yes), (n, m, d), F::one(), a, b, F::zero(), y);
        out
    }
}
