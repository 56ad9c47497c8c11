//! Focal loss of a logit (Lin, Goyal, Girshick, He and Dollár, "Focal loss for dense object detection", ICCV 2017): rows that are
//! told well already weigh little.
//!
//! With `s = 1` for a target of 1 and `s = −1` for one of 0, `p = σ(s·x)` (the probability given to what happened), and `α_t = α` or `1 − α`:
//!
//! `ℓ(x, t) = −α_t·(1 − p)^γ·ln p`, `dℓ/dx = s·α_t·(1 − p)^γ·(γ·p·ln p + p − 1)`
//!
//! `γ = 0` and `α = ½` give half of binary cross-entropy. Both factors are computed from the logit, never from `p`, so that no
//! logit is too large.

use serde::{Deserialize, Serialize};

use super::activation::{sigmoid, softplus};
use super::loss::each;
use super::{Op, Rule};
use crate::tape::{Flow, Tape, Var};
use crate::{Real, shape};

/// The two settings of a focal loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Focal {
    /// How fast a row that is told well loses weight; 0 or more.
    pub gamma: f64,
    /// Weight of rows whose target is 1, in [0, 1]; the others have the rest.
    pub alpha: f64,
}

impl Default for Focal {
    /// The paper's best: γ = 2, α = ¼.
    fn default() -> Focal {
        Focal { gamma: 2.0, alpha: 0.25 }
    }
}

impl Focal {
    /// `ℓ(x, t)`, with a target above ½ as 1 and others as 0.
    #[inline(always)] // into loops that are compiled for wide vectors
    pub fn value<F: Real>(self, x: F, t: F) -> F {
        let (side, weight) = self.side(t);
        let z = side * x;
        weight * self.damping(z) * softplus(-z)
    }

    /// `dℓ/dx`.
    #[inline(always)]
    pub fn slope<F: Real>(self, x: F, t: F) -> F {
        let (side, weight) = self.side(t);
        let z = side * x;
        let p = sigmoid(z);
        side * weight * self.damping(z) * (-F::of(self.gamma) * p * softplus(-z) - sigmoid(-z))
    }

    #[inline(always)]
    fn side<F: Real>(self, t: F) -> (F, F) {
        if t > F::of(0.5) { (F::one(), F::of(self.alpha)) } else { (-F::one(), F::of(1.0 - self.alpha)) }
    }

    /// `(1 − p)^γ`.
    #[inline(always)]
    fn damping<F: Real>(self, z: F) -> F {
        (-F::of(self.gamma) * softplus(z)).exp()
    }
}

pub(crate) struct FocalLoss<F> {
    focal: Focal,
    logits: Var,
    target: Var,
    weight: Option<Var>,
    scale: F,
}

impl<F: Real> Rule<F> for FocalLoss<F> {
    const NAME: &'static str = "focal";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.logits);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (x, t) = (flow.value(self.logits), flow.value(self.target));
        let weight = self.weight.map(|w| flow.value(w));
        if let Some((own, into)) = flow.into_input(self.logits) {
            let factor = own[0] * self.scale;
            let focal = self.focal;
            each(
                (x, t, weight, 1),
                #[inline(always)]
                |x, t| focal.slope(x, t),
                |n, w, slope| into[n] += factor * w * slope,
            );
        }
    }
}

impl<F: Real> Tape<F> {
    /// `scale · Σ weight·ℓ(logit, target)`, `[1, 1]`: logits `[n, 1]`, targets and weights `[n]`. A weight of 0 takes a row out.
    ///
    /// # Panics
    /// If the logits are no column, or targets or weights don't fit them.
    #[track_caller]
    pub fn focal(&mut self, focal: Focal, logits: Var, target: &[F], weight: Option<&[F]>, scale: F) -> Var {
        let rows = self.shape(logits).0;
        shape::same("focal: logits", self.shape(logits), (rows, 1));
        shape::same("focal: targets", (target.len(), 1), (rows, 1));
        if let Some(w) = weight {
            shape::same("focal: weights", (w.len(), 1), (rows, 1));
        }
        let target = self.data(rows, 1, target, true);
        let weight = weight.map(|w| self.data(rows, 1, w, true));
        let op = FocalLoss { focal, logits, target, weight, scale };
        let out = self.push(Op::FocalLoss(op), 1, 1, self.live(logits));
        let (left, y) = self.fill(out);
        let weight = weight.map(|w| left.value(w));
        let mut total = F::zero();
        each(
            (left.value(logits), left.value(target), weight, 1),
            #[inline(always)]
            |x, t| focal.value(x, t),
            |_, w, value| total += w * value,
        );
        y[0] = scale * total;
        out
    }
}
