//! Entry by entry: sums, products, scaling.

use super::{Op, Rule};
use crate::kernels::wide;
use crate::tape::{Flow, Tape, Var};
use crate::{Real, shape};

/// Adds `values` to an adjoint, or writes them if they are the first to come by: one walk that reads no zeros.
#[inline(always)] // into loops that are compiled for wide vectors
fn put<F: Real>(into: &mut [F], first: bool, values: impl Iterator<Item = F>) {
    let pairs = into.iter_mut().zip(values);
    match first {
        true => pairs.for_each(|(d, value)| *d = value),
        false => pairs.for_each(|(d, value)| *d += value),
    }
}

/// Likewise for a whole adjoint.
#[inline]
fn contribute<F: Real>(into: &mut [F], first: bool, values: impl Iterator<Item = F>) {
    wide(
        #[inline(always)]
        || put(into, first, values),
    );
}

/// Writes `values` into `y`.
#[inline]
fn write<F: Real>(y: &mut [F], values: impl Iterator<Item = F>) {
    contribute(y, true, values);
}

/// `y = a + s·b` with `s = ±1`; `b` may be one row `[1, cols]` that is added to every row of `a`.
pub(crate) struct Add {
    a: Var,
    b: Var,
    minus: bool,
}

impl<F: Real> Rule<F> for Add {
    const NAME: &'static str = "add";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.a);
        visit(self.b);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        if let Some((own, into, first)) = flow.first_into(self.a) {
            contribute(into, first, own.iter().copied());
        }
        let sign = if self.minus { -F::one() } else { F::one() };
        if let Some((own, into, first)) = flow.first_into(self.b) {
            let rows = own.chunks_exact(into.len().max(1));
            if rows.len() == 0 && first {
                into.fill(F::zero());
            }
            wide(
                #[inline(always)]
                || {
                    for (n, row) in rows.enumerate() {
                        put(into, first && n == 0, row.iter().map(|&g| sign * g));
                    }
                },
            );
        }
    }
}

/// `y = a ⊙ b`, where `b` is `[n, cols]`, or a column `[n, 1]` that scales whole rows.
/// `da = dy ⊙ b`, `db = dy ⊙ a` (summed over the row for a column).
pub(crate) struct Mul {
    a: Var,
    b: Var,
}

impl<F: Real> Rule<F> for Mul {
    const NAME: &'static str = "mul";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.a);
        visit(self.b);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (a, b) = (flow.value(self.a), flow.value(self.b));
        let cols = flow.output_shape().1;
        let column = flow.shape(self.b).1 == 1 && cols != 1;
        if let Some((own, into, first)) = flow.first_into(self.a) {
            if column {
                wide(
                    #[inline(always)]
                    || {
                        for ((dx, dy), &b) in into.chunks_exact_mut(cols).zip(own.chunks_exact(cols)).zip(b) {
                            put(dx, first, dy.iter().map(|&g| g * b));
                        }
                    },
                );
            } else {
                contribute(into, first, own.iter().zip(b).map(|(&g, &b)| g * b));
            }
        }
        if let Some((own, into, first)) = flow.first_into(self.b) {
            if column {
                let rows = own.chunks_exact(cols).zip(a.chunks_exact(cols));
                contribute(into, first, rows.map(|(dy, a)| super::gather::dot(dy, a)));
            } else {
                contribute(into, first, own.iter().zip(a).map(|(&g, &a)| g * a));
            }
        }
    }
}

/// `y = factor · x + shift`, `dx = factor · dy`.
pub(crate) struct Scale<F> {
    x: Var,
    factor: F,
}

impl<F: Real> Rule<F> for Scale<F> {
    const NAME: &'static str = "scale";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        if let Some((own, into, first)) = flow.first_into(self.x) {
            contribute(into, first, own.iter().map(|&g| self.factor * g));
        }
    }
}

/// `y = s·x` with a scalar `s [1, 1]` that may be learned; `dx = s·dy`, `ds = Σ dy ⊙ x`.
pub(crate) struct ScaleBy {
    x: Var,
    s: Var,
}

impl<F: Real> Rule<F> for ScaleBy {
    const NAME: &'static str = "scale_by";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
        visit(self.s);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (x, s) = (flow.value(self.x), flow.value(self.s)[0]);
        if let Some((own, into, first)) = flow.first_into(self.x) {
            contribute(into, first, own.iter().map(|&g| s * g));
        }
        if let Some((own, into)) = flow.into_input(self.s) {
            into[0] += super::gather::dot(own, x);
        }
    }
}

impl<F: Real> Tape<F> {
    /// `a + b`, same shapes, or `b [1, cols]` added to every row.
    #[track_caller]
    pub fn add(&mut self, a: Var, b: Var) -> Var {
        self.add_signed(a, b, false)
    }

    /// `a − b`, same shapes, or `b [1, cols]` taken from every row.
    #[track_caller]
    pub fn sub(&mut self, a: Var, b: Var) -> Var {
        self.add_signed(a, b, true)
    }

    #[track_caller]
    fn add_signed(&mut self, a: Var, b: Var, minus: bool) -> Var {
        let (rows, cols) = self.shape(a);
        if self.shape(b) != (1, cols) {
            shape::same("add", self.shape(b), (rows, cols));
        }
        let live = self.live(a) || self.live(b);
        let out = self.push(Op::Add(Add { a, b, minus }), rows, cols, live);
        let (left, y) = self.fill(out);
        let (a, b) = (left.value(a), left.value(b));
        let sign = if minus { -F::one() } else { F::one() };
        wide(
            #[inline(always)]
            || {
                for (y, a) in y.chunks_exact_mut(b.len().max(1)).zip(a.chunks_exact(b.len().max(1))) {
                    put(y, true, a.iter().zip(b).map(|(&a, &b)| a + sign * b));
                }
            },
        );
        out
    }

    /// `a ⊙ b`, same shapes, or a column `b [rows, 1]` that scales the rows of `a`.
    #[track_caller]
    pub fn mul(&mut self, a: Var, b: Var) -> Var {
        let (rows, cols) = self.shape(a);
        if self.shape(b) != (rows, 1) {
            shape::same("mul", self.shape(b), (rows, cols));
        }
        let column = self.shape(b).1 == 1 && cols != 1;
        let live = self.live(a) || self.live(b);
        let out = self.push(Op::Mul(Mul { a, b }), rows, cols, live);
        let (left, y) = self.fill(out);
        let (a, b) = (left.value(a), left.value(b));
        if column {
            wide(
                #[inline(always)]
                || {
                    for ((y, a), &b) in y.chunks_exact_mut(cols).zip(a.chunks_exact(cols)).zip(b) {
                        put(y, true, a.iter().map(|&a| a * b));
                    }
                },
            );
        } else {
            write(y, a.iter().zip(b).map(|(&a, &b)| a * b));
        }
        out
    }

    /// `factor · x + shift`, same shape.
    pub fn scale(&mut self, x: Var, factor: F, shift: F) -> Var {
        let (rows, cols) = self.shape(x);
        let out = self.push(Op::Scale(Scale { x, factor }), rows, cols, self.live(x));
        let (left, y) = self.fill(out);
        write(y, left.value(x).iter().map(|&x| factor * x + shift));
        out
    }

    /// `s·x`, same shape, with a scalar `s [1, 1]`: a temperature that is learned.
    #[track_caller]
    pub fn scale_by(&mut self, x: Var, s: Var) -> Var {
        shape::same("scale_by: scalar", self.shape(s), (1, 1));
        let (rows, cols) = self.shape(x);
        let live = self.live(x) || self.live(s);
        let out = self.push(Op::ScaleBy(ScaleBy { x, s }), rows, cols, live);
        let (left, y) = self.fill(out);
        let s = left.value(s)[0];
        write(y, left.value(x).iter().map(|&x| s * x));
        out
    }

    /// Dropout (Srivastava et al., JMLR 2014), inverted: each entry is zeroed with probability `rate` and the rest is
    /// divided by `1 − rate`, so that scoring needs no change. The mask is data: the op is a product with it.
    ///
    /// # Panics
    /// Unless `0 ≤ rate < 1`.
    #[track_caller]
    pub fn dropout(&mut self, x: Var, rate: f64, stream: &mut crate::random::Stream) -> Var {
        use crate::random::rand::RngCore;
        if !(0.0..1.0).contains(&rate) {
            shape::fail("dropout", &format!("rate {rate} is not in [0, 1)"));
        }
        if rate == 0.0 {
            return x;
        }
        let (rows, cols) = self.shape(x);
        let keep = F::of(1.0 / (1.0 - rate));
        let limit = (rate * f64::from(1u32 << 16)).round() as u32;
        let mask = self.input_with(rows, cols, |mask| {
            // 16 bits decide an entry: the rate is met to 1e-5, with a quarter of the random bits.
            for four in mask.chunks_mut(4) {
                let mut bits = stream.next_u64();
                for m in four {
                    *m = if (bits & 0xffff) as u32 >= limit { keep } else { F::zero() };
                    bits >>= 16;
                }
            }
        });
        self.mul(x, mask)
    }
}
