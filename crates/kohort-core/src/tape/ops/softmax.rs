//! Softmax of each row: `y_c = e^{x_c − max} / Σ e^{x − max}`; `dx = y ⊙ (dy − dy·y)`.

use super::gather::dot;
use super::{Op, Rule};
use crate::tape::{Flow, Tape, Var};
use crate::{Real, shape};

pub(crate) struct Softmax {
    x: Var,
}

impl<F: Real> Rule<F> for Softmax {
    const NAME: &'static str = "softmax";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (y, cols) = (flow.output(), flow.output_shape().1);
        if let Some((own, into)) = flow.into_input(self.x) {
            for ((dx, dy), y) in
                into.chunks_exact_mut(cols).zip(own.chunks_exact(cols)).zip(y.chunks_exact(cols))
            {
                backward_of(y, dy, dx);
            }
        }
    }
}

/// Writes the softmax of `x` into `y`. An empty slice stays empty.
#[inline]
pub(super) fn forward_of<F: Real>(x: &[F], y: &mut [F]) {
    let Some(&first) = x.first() else { return };
    let top = x.iter().fold(first, |m, &v| m.max(v));
    let mut total = F::zero();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (x - top).exp();
        total += *y;
    }
    let inv = F::one() / total;
    y.iter_mut().for_each(|y| *y *= inv);
}

/// Adds the softmax's derivative to `dx`.
#[inline]
pub(super) fn backward_of<F: Real>(y: &[F], dy: &[F], dx: &mut [F]) {
    let mean = dot(y, dy);
    for ((dx, &dy), &y) in dx.iter_mut().zip(dy).zip(y) {
        *dx += y * (dy - mean);
    }
}

impl<F: Real> Tape<F> {
    /// Softmax of each row of `x [n, cols]`, same shape.
    #[track_caller]
    pub fn softmax(&mut self, x: Var) -> Var {
        let (rows, cols) = self.shape(x);
        if cols == 0 {
            shape::fail("softmax", "no columns");
        }
        let out = self.push(Op::Softmax(Softmax { x }), rows, cols, self.live(x));
        let (left, y) = self.fill(out);
        for (y, x) in y.chunks_exact_mut(cols).zip(left.value(x).chunks_exact(cols)) {
            forward_of(x, y);
        }
        out
    }
}
