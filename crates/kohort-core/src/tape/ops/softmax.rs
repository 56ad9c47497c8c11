//! Softmax of each row: `y_c = e^{x_c − max} / Σ e^{x − max}`; `dx = y ⊙ (dy − dy·y)`.

use super::gather::dot;
use super::{Op, Rule};
use crate::kernels::wide;
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
            wide(
                #[inline(always)]
                || {
                    let rows = into.chunks_exact_mut(cols).zip(own.chunks_exact(cols));
                    for ((dx, dy), y) in rows.zip(y.chunks_exact(cols)) {
                        backward_of(y, dy, dx);
                    }
                },
            );
        }
    }
}

/// Softmax over the `k` largest of each row, ties to the lower index, and 0 elsewhere. The derivative is the softmax's own: where
/// `y = 0` it is 0. The choice itself has none.
pub(crate) struct TopKSoftmax {
    x: Var,
}

impl<F: Real> Rule<F> for TopKSoftmax {
    const NAME: &'static str = "top_k_softmax";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        Softmax { x: self.x }.backward(flow);
    }
}

/// Writes the softmax over the `k` largest of `x` into `y`, and 0 elsewhere.
fn top_k_of<F: Real>(x: &[F], k: usize, y: &mut [F]) {
    let (chosen, out) = (F::one(), F::zero());
    y.fill(out);
    let mut top = out;
    for round in 0..k {
        // A NaN is the largest of all: whatever it is, it must not be lost.
        let open = (0..x.len()).filter(|&i| y[i] == out);
        let Some(best) = open.reduce(|a, b| if x[b] > x[a] || is_nan(x[b]) && !is_nan(x[a]) { b } else { a })
        else {
            break;
        };
        y[best] = chosen;
        if round == 0 {
            top = x[best];
        }
    }
    let mut total = F::zero();
    for (y, &x) in y.iter_mut().zip(x).filter(|(y, _)| **y == chosen) {
        *y = (x - top).exp();
        total += *y;
    }
    let inv = F::one() / total;
    y.iter_mut().for_each(|y| *y *= inv);
}

#[allow(clippy::eq_op)] // the one number that differs from itself
fn is_nan<F: Real>(x: F) -> bool {
    x != x
}

/// The largest of a row, in eight lanes; a NaN loses.
#[inline(always)] // into loops that are compiled for wide vectors, as all below
pub(super) fn largest<F: Real>(x: &[F]) -> F {
    let eights = x.chunks_exact(8);
    let top = eights.remainder().iter().fold(x[0], |top, &x| top.max(x));
    let mut lanes = [top; 8];
    for eight in eights {
        for lane in 0..8 {
            lanes[lane] = lanes[lane].max(eight[lane]);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    a.max(b).max(c.max(d)).max(e.max(f).max(g.max(h)))
}

/// The sum of a row, in eight lanes: the order of additions is fixed, and the compiler can use vectors.
#[inline(always)]
pub(super) fn sum<F: Real>(x: &[F]) -> F {
    let eights = x.chunks_exact(8);
    let rest: F = eights.remainder().iter().copied().sum();
    let mut lanes = [F::zero(); 8];
    for eight in eights {
        for lane in 0..8 {
            lanes[lane] += eight[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + rest
}

/// How many rows are taken at a time: about as many entries as the first cache holds beside others.
pub(super) fn rows_of(cols: usize) -> usize {
    (2048 / cols).max(1)
}

/// Writes the softmax of each row of `x [rows, cols]` into `y`. The exponentials of many rows are one loop, for short rows fill no vectors.
pub(super) fn forward_of<F: Real>(x: &[F], y: &mut [F], cols: usize) {
    if cols == 0 {
        return;
    }
    wide(
        #[inline(always)]
        || {
            let piece = cols * rows_of(cols);
            for (y, x) in y.chunks_mut(piece).zip(x.chunks(piece)) {
                for (y, x) in y.chunks_exact_mut(cols).zip(x.chunks_exact(cols)) {
                    let top = largest(x);
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = x - top);
                }
                for y in y.iter_mut() {
                    *y = y.exp();
                }
                for y in y.chunks_exact_mut(cols) {
                    let inv = F::one() / sum(y);
                    y.iter_mut().for_each(|y| *y *= inv);
                }
            }
        },
    );
}

/// Adds the softmax's derivative to `dx`.
#[inline(always)]
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
        forward_of(left.value(x), y, cols);
        out
    }

    /// Softmax over the `k` largest of each row of `x [n, cols]`, zeros elsewhere, same shape. Of equal entries the one of
    /// lower index is larger.
    ///
    /// # Panics
    /// Unless `1 ≤ k ≤ cols`.
    #[track_caller]
    pub fn top_k_softmax(&mut self, x: Var, k: usize) -> Var {
        let (rows, cols) = self.shape(x);
        if k == 0 || k > cols {
            shape::fail("top_k_softmax", &format!("the {k} largest of {cols} columns"));
        }
        let out = self.push(Op::TopKSoftmax(TopKSoftmax { x }), rows, cols, self.live(x));
        let (left, y) = self.fill(out);
        for (y, x) in y.chunks_exact_mut(cols).zip(left.value(x).chunks_exact(cols)) {
            top_k_of(x, k, y);
        }
        out
    }
}
