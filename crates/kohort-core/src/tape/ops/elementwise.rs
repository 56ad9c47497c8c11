//! Entry by entry: activations, sums, products, scaling.

use super::{Op, Rule};
use crate::kernels::wide;
use crate::tape::{Flow, Tape, Var};
use crate::{Real, shape};

/// A function applied to each entry. Slopes are computed from the output, so nothing else is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `y = x`.
    Identity,
    /// `y = max(x, 0)`; slope 0 at exactly 0 and NaN stays NaN, as in PyTorch.
    Relu,
    /// `y = 1 / (1 + e^-x)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `y = ln(1 + e^x)`, with slope `1 − e^-y`: what keeps a deviation above zero.
    Softplus,
}

impl Activation {
    #[inline]
    pub(crate) fn apply<F: Real>(self, x: F) -> F {
        match self {
            Activation::Identity => x,
            // Not `max`, which would turn a NaN into 0 and hide it from the loss.
            Activation::Relu if x < F::zero() => F::zero(),
            Activation::Relu => x,
            Activation::Sigmoid => sigmoid(x),
            Activation::Tanh => x.tanh(),
            // Not `max`, which would lose a NaN.
            Activation::Softplus => (-x.abs()).exp().ln_1p() + Activation::Relu.apply(x),
        }
    }

    /// Derivative at the point whose output is `y`.
    #[inline]
    pub(crate) fn slope<F: Real>(self, y: F) -> F {
        match self {
            Activation::Identity => F::one(),
            Activation::Relu if y > F::zero() => F::one(),
            Activation::Relu => F::zero(),
            Activation::Sigmoid => y * (F::one() - y),
            Activation::Tanh => F::one() - y * y,
            Activation::Softplus => F::one() - (-y).exp(),
        }
    }
}

impl Activation {
    /// `y ← act(y + b)` for a piece of a row that begins at column `from`; `bias` is the whole row's.
    #[inline(always)] // into loops that are compiled for wide vectors
    pub(super) fn finish<F: Real>(self, bias: Option<&[F]>, from: usize, y: &mut [F]) {
        match (self, bias) {
            (Activation::Identity, None) => {}
            (Activation::Identity, Some(bias)) => y.iter_mut().zip(&bias[from..]).for_each(|(y, &b)| *y += b),
            (Activation::Relu, Some(bias)) => {
                y.iter_mut().zip(&bias[from..]).for_each(|(y, &b)| *y = Activation::Relu.apply(*y + b));
            }
            (_, Some(bias)) => y.iter_mut().zip(&bias[from..]).for_each(|(y, &b)| *y = self.apply(*y + b)),
            (_, None) => y.iter_mut().for_each(|y| *y = self.apply(*y)),
        }
    }

    /// `d ← d ⊙ act'(y)`.
    #[inline(always)]
    pub(super) fn pull_back_here<F: Real>(self, y: &[F], d: &mut [F]) {
        let zero = F::zero();
        let each = d.iter_mut().zip(y);
        match self {
            Activation::Identity => {}
            Activation::Relu => each.for_each(|(d, &y)| *d = if y > zero { *d } else { zero }),
            _ => each.for_each(|(d, &y)| *d *= self.slope(y)),
        }
    }

    /// `dz = dy ⊙ act'(y)`, at the front of `scratch`. One loop for each function, free of branches on values: half of a
    /// ReLU's signs are a coin toss, which costs more to guess than to compute.
    pub(super) fn pull_back<'a, F: Real>(self, dy: &[F], y: &[F], scratch: &'a mut Vec<F>) -> &'a mut [F] {
        let zero = F::zero();
        // Never shortened: to grow again is to write zeros that nobody reads.
        scratch.resize(scratch.len().max(dy.len()), zero);
        let dz = &mut scratch[..dy.len()];
        let each = dz.iter_mut().zip(dy).zip(y);
        match self {
            Activation::Identity => each.for_each(|((dz, &d), _)| *dz = d),
            Activation::Relu => wide(
                #[inline(always)]
                || {
                    each.for_each(|((dz, &d), &y)| *dz = if y > zero { d } else { zero });
                },
            ),
            Activation::Sigmoid | Activation::Tanh | Activation::Softplus => {
                each.for_each(|((dz, &d), &y)| *dz = d * self.slope(y));
            }
        }
        dz
    }
}

/// The logistic function; never overflows, because the exponent is never positive.
#[inline]
pub(super) fn sigmoid<F: Real>(x: F) -> F {
    let e = (-x.abs()).exp();
    let s = F::one() / (F::one() + e);
    if x < F::zero() { e * s } else { s }
}

/// `ln(1 + e^x)`.
pub(super) fn softplus<F: Real>(x: F) -> F {
    Activation::Softplus.apply(x)
}

/// `y = act(x)`, `dx = dy ⊙ act'(y)`.
pub(crate) struct Activate {
    x: Var,
    act: Activation,
}

impl<F: Real> Rule<F> for Activate {
    const NAME: &'static str = "activate";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let y = flow.output();
        if let Some((own, into)) = flow.into_input(self.x) {
            for ((dx, &dy), &y) in into.iter_mut().zip(own).zip(y) {
                *dx += dy * self.act.slope(y);
            }
        }
    }
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
        if let Some((own, into)) = flow.into_input(self.a) {
            into.iter_mut().zip(own).for_each(|(d, &g)| *d += g);
        }
        let sign = if self.minus { -F::one() } else { F::one() };
        if let Some((own, into)) = flow.into_input(self.b) {
            for row in own.chunks_exact(into.len().max(1)) {
                into.iter_mut().zip(row).for_each(|(d, &g)| *d += sign * g);
            }
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
        if let Some((own, into)) = flow.into_input(self.a) {
            if column {
                for ((dx, dy), &b) in into.chunks_exact_mut(cols).zip(own.chunks_exact(cols)).zip(b) {
                    dx.iter_mut().zip(dy).for_each(|(d, &g)| *d += g * b);
                }
            } else {
                into.iter_mut().zip(own).zip(b).for_each(|((d, &g), &b)| *d += g * b);
            }
        }
        if let Some((own, into)) = flow.into_input(self.b) {
            if column {
                for ((db, dy), a) in into.iter_mut().zip(own.chunks_exact(cols)).zip(a.chunks_exact(cols)) {
                    *db += super::gather::dot(dy, a);
                }
            } else {
                into.iter_mut().zip(own).zip(a).for_each(|((d, &g), &a)| *d += g * a);
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
        if let Some((own, into)) = flow.into_input(self.x) {
            into.iter_mut().zip(own).for_each(|(d, &g)| *d += self.factor * g);
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
        if let Some((own, into)) = flow.into_input(self.x) {
            into.iter_mut().zip(own).for_each(|(d, &g)| *d += s * g);
        }
        if let Some((own, into)) = flow.into_input(self.s) {
            into[0] += super::gather::dot(own, x);
        }
    }
}

impl<F: Real> Tape<F> {
    /// `act(x)`, same shape.
    pub fn activate(&mut self, x: Var, act: Activation) -> Var {
        let (rows, cols) = self.shape(x);
        let out = self.push(Op::Activate(Activate { x, act }), rows, cols, self.live(x));
        let (left, y) = self.fill(out);
        y.iter_mut().zip(left.value(x)).for_each(|(y, &x)| *y = act.apply(x));
        out
    }

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
        for (y, a) in y.chunks_exact_mut(b.len().max(1)).zip(a.chunks_exact(b.len().max(1))) {
            y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = a + sign * b);
        }
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
            for ((y, a), &b) in y.chunks_exact_mut(cols).zip(a.chunks_exact(cols)).zip(b) {
                y.iter_mut().zip(a).for_each(|(y, &a)| *y = a * b);
            }
        } else {
            y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = a * b);
        }
        out
    }

    /// `factor · x + shift`, same shape.
    pub fn scale(&mut self, x: Var, factor: F, shift: F) -> Var {
        let (rows, cols) = self.shape(x);
        let out = self.push(Op::Scale(Scale { x, factor }), rows, cols, self.live(x));
        let (left, y) = self.fill(out);
        y.iter_mut().zip(left.value(x)).for_each(|(y, &x)| *y = factor * x + shift);
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
        y.iter_mut().zip(left.value(x)).for_each(|(y, &x)| *y = s * x);
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
