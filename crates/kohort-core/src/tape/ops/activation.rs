//! Entry by entry: functions with a slope that is computed from the output.

use super::{Op, Rule};
use crate::Real;
use crate::kernels::wide;
use crate::tape::{Flow, Tape, Var};

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
    #[inline(always)] // into loops that are compiled for wide vectors
    pub(crate) fn apply<F: Real>(self, x: F) -> F {
        match self {
            Activation::Identity => x,
            Activation::Relu => relu(x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Tanh => x.tanh(),
            Activation::Softplus => softplus(x),
        }
    }

    /// Derivative at the point whose output is `y`.
    #[inline(always)]
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
            (Activation::Relu, None) => y.iter_mut().for_each(|y| *y = Activation::Relu.apply(*y)),
            (_, Some(bias)) => {
                y.iter_mut().zip(&bias[from..]).for_each(|(y, &b)| *y += b);
                self.apply_all(y);
            }
            (_, None) => self.apply_all(y),
        }
    }

    /// `y ← act(y)`. Not inlined into the loops of products: it would be most of them.
    #[inline(never)]
    pub(super) fn apply_all<F: Real>(self, y: &mut [F]) {
        #[inline(always)]
        fn each<F: Real>(y: &mut [F], apply: impl Fn(F) -> F) {
            wide(
                #[inline(always)]
                || {
                    for y in y {
                        *y = apply(*y);
                    }
                },
            );
        }
        // One loop for each function: a choice within would keep it from vectors, as would a closure that is not inlined.
        match self {
            Activation::Identity => {}
            Activation::Relu => each(
                y,
                #[inline(always)]
                |y| Activation::Relu.apply(y),
            ),
            Activation::Sigmoid => each(
                y,
                #[inline(always)]
                |y| Activation::Sigmoid.apply(y),
            ),
            Activation::Tanh => each(
                y,
                #[inline(always)]
                |y| Activation::Tanh.apply(y),
            ),
            Activation::Softplus => each(
                y,
                #[inline(always)]
                |y| Activation::Softplus.apply(y),
            ),
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
            Activation::Sigmoid => {
                for (d, &y) in each {
                    *d *= Activation::Sigmoid.slope(y);
                }
            }
            Activation::Tanh => {
                for (d, &y) in each {
                    *d *= Activation::Tanh.slope(y);
                }
            }
            Activation::Softplus => {
                for (d, &y) in each {
                    *d *= Activation::Softplus.slope(y);
                }
            }
        }
    }

    /// `dz = dy ⊙ act'(y)`, at the front of `scratch`. One loop for each function, free of branches on values: half of a
    /// ReLU's signs are a coin toss, which costs more to guess than to compute.
    pub(super) fn pull_back<'a, F: Real>(self, dy: &[F], y: &[F], scratch: &'a mut Vec<F>) -> &'a mut [F] {
        let zero = F::zero();
        // Never shortened: to grow again is to write zeros that nobody reads.
        scratch.resize(scratch.len().max(dy.len()), zero);
        let dz = &mut scratch[..dy.len()];
        match self {
            Activation::Identity => dz.copy_from_slice(dy),
            Activation::Relu => wide(
                #[inline(always)]
                || {
                    let each = dz.iter_mut().zip(dy).zip(y);
                    each.for_each(|((dz, &d), &y)| *dz = if y > zero { d } else { zero });
                },
            ),
            Activation::Sigmoid | Activation::Tanh | Activation::Softplus => {
                dz.copy_from_slice(dy);
                wide(
                    #[inline(always)]
                    || self.pull_back_here(y, dz),
                );
            }
        }
        dz
    }
}

/// The logistic function; never overflows, because the exponent is never positive.
#[inline(always)]
pub(super) fn sigmoid<F: Real>(x: F) -> F {
    let e = (-x.abs()).exp();
    let s = F::one() / (F::one() + e);
    if x < F::zero() { e * s } else { s }
}

/// `ln(1 + e^x)`; never overflows, likewise.
#[inline(always)]
pub(super) fn softplus<F: Real>(x: F) -> F {
    (-x.abs()).exp().ln_1p_unit() + relu(x)
}

/// Not `max`, which would turn a NaN into 0 and hide it from the loss.
#[inline(always)]
pub(super) fn relu<F: Real>(x: F) -> F {
    if x < F::zero() { F::zero() } else { x }
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
        let mut scratch = std::mem::take(flow.scratch);
        if let Some((own, into)) = flow.into_input(self.x) {
            let dz = self.act.pull_back(own, y, &mut scratch);
            into.iter_mut().zip(dz).for_each(|(dx, dz)| *dx += *dz);
        }
        *flow.scratch = scratch;
    }
}

impl<F: Real> Tape<F> {
    /// `act(x)`, same shape.
    pub fn activate(&mut self, x: Var, act: Activation) -> Var {
        let (rows, cols) = self.shape(x);
        let out = self.push(Op::Activate(Activate { x, act }), rows, cols, self.live(x));
        let (left, y) = self.fill(out);
        y.copy_from_slice(left.value(x));
        act.apply_all(y);
        out
    }
}
