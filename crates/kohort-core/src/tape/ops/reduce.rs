//! Sums: of everything, and of a product along each row.

use super::gather::dot;
use super::{Op, Rule};
use crate::tape::{Flow, Tape, Var};
use crate::{Real, shape};

/// `y = Σ x`, `[1, 1]`; `dx = dy` everywhere.
pub(crate) struct Sum {
    x: Var,
}

impl<F: Real> Rule<F> for Sum {
    const NAME: &'static str = "sum";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        if let Some((own, into)) = flow.into_input(self.x) {
            let dy = own[0];
            into.iter_mut().for_each(|d| *d += dy);
        }
    }
}

/// `y[n] = a[n] · b[n]`, `[n, 1]`; `da[n] = dy[n]·b[n]`, `db[n] = dy[n]·a[n]`.
pub(crate) struct RowDot {
    a: Var,
    b: Var,
}

impl<F: Real> Rule<F> for RowDot {
    const NAME: &'static str = "row_dot";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.a);
        visit(self.b);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.shape(self.a).1;
        for (one, other) in [(self.a, self.b), (self.b, self.a)] {
            let factor = flow.value(other);
            if let Some((own, into)) = flow.into_input(one) {
                for ((d, f), &dy) in into.chunks_exact_mut(cols).zip(factor.chunks_exact(cols)).zip(own) {
                    d.iter_mut().zip(f).for_each(|(d, &f)| *d += dy * f);
                }
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// Sum of all entries, `[1, 1]`.
    pub fn sum(&mut self, x: Var) -> Var {
        let out = self.push(Op::Sum(Sum { x }), 1, 1, self.live(x));
        let (left, y) = self.fill(out);
        y[0] = left.value(x).iter().copied().sum();
        out
    }

    /// Inner product of matching rows: `[n, cols]` and `[n, cols]` give `[n, 1]`.
    #[track_caller]
    pub fn row_dot(&mut self, a: Var, b: Var) -> Var {
        shape::same("row_dot", self.shape(a), self.shape(b));
        let (rows, cols) = self.shape(a);
        if cols == 0 {
            shape::fail("row_dot", "no columns");
        }
        let live = self.live(a) || self.live(b);
        let out = self.push(Op::RowDot(RowDot { a, b }), rows, 1, live);
        let (left, y) = self.fill(out);
        let (a, b) = (left.value(a).chunks_exact(cols), left.value(b).chunks_exact(cols));
        y.iter_mut().zip(a.zip(b)).for_each(|(y, (a, b))| *y = dot(a, b));
        out
    }
}
