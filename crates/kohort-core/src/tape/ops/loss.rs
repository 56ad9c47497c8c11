//! Losses: `[1, 1]` sums over entries or rows, each times its weight, times one stated factor.
//!
//! `L = scale · Σ_n w[n]·ℓ(p[n], t[n])`. Denominators are the caller's (a batch is cut into shards, so a shard can't
//! know them): `scale` is one over the batch's row count, mask sum, or whatever the objective says.
//! A weight of 0 takes a row out altogether, NaN targets included.
//!
//! | kind | ℓ(p, t) | dℓ/dp |
//! |---|---|---|
//! | squared | (p − t)² | 2(p − t) |
//! | absolute | \|p − t\| | sign(p − t), 0 at 0 |
//! | logistic (BCE with logits) | max(p, 0) − p·t + ln(1 + e^−\|p\|) | σ(p) − t |
//! | cross-entropy, class c | ln Σ e^p − p_c | softmax(p) − 1[c] |

use super::elementwise::sigmoid;
use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

/// A loss of a prediction and a target, entry by entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// `(p − t)²`: mean squared error, once divided.
    Squared,
    /// `|p − t|`: mean absolute error, once divided.
    Absolute,
    /// Binary cross-entropy of a logit; stable for any logit.
    Logistic,
}

impl LossKind {
    /// `ℓ(p, t)`.
    #[inline]
    pub fn value<F: Real>(self, p: F, t: F) -> F {
        match self {
            LossKind::Squared => (p - t) * (p - t),
            LossKind::Absolute => (p - t).abs(),
            LossKind::Logistic => p.max(F::zero()) - p * t + (-p.abs()).exp().ln_1p(),
        }
    }

    /// `dℓ/dp`.
    #[inline]
    pub fn slope<F: Real>(self, p: F, t: F) -> F {
        match self {
            LossKind::Squared => (p - t) + (p - t),
            LossKind::Absolute if p > t => F::one(),
            LossKind::Absolute if p < t => -F::one(),
            LossKind::Absolute => F::zero(),
            LossKind::Logistic => sigmoid(p) - t,
        }
    }
}

pub(crate) struct Loss<F> {
    kind: LossKind,
    prediction: Var,
    target: Var,
    weight: Option<Var>,
    scale: F,
}

impl<F: Real> Rule<F> for Loss<F> {
    const NAME: &'static str = "loss";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.prediction);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (p, t) = (flow.value(self.prediction), flow.value(self.target));
        let cols = flow.shape(self.prediction).1;
        let weight = self.weight.map(|w| flow.value(w));
        if let Some((own, into)) = flow.into_input(self.prediction) {
            let factor = own[0] * self.scale;
            for (n, (d, (&p, &t))) in into.iter_mut().zip(p.iter().zip(t)).enumerate() {
                let w = weight.map_or(F::one(), |w| w[n / cols]);
                if w != F::zero() {
                    *d += factor * w * self.kind.slope(p, t);
                }
            }
        }
    }
}

pub(crate) struct CrossEntropy<F> {
    logits: Var,
    classes: List,
    weight: Option<Var>,
    scale: F,
}

/// `ln Σ e^x`, without overflow.
pub(super) fn log_sum_exp<F: Real>(x: &[F]) -> F {
    let top = x.iter().fold(x[0], |m, &v| m.max(v));
    top + x.iter().map(|&v| (v - top).exp()).sum::<F>().ln()
}

impl<F: Real> Rule<F> for CrossEntropy<F> {
    const NAME: &'static str = "cross_entropy";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.logits);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (x, cols) = (flow.value(self.logits), flow.shape(self.logits).1);
        let classes = flow.entries(self.classes);
        let weight = self.weight.map(|w| flow.value(w));
        if let Some((own, into)) = flow.into_input(self.logits) {
            for (n, (d, x)) in into.chunks_exact_mut(cols).zip(x.chunks_exact(cols)).enumerate() {
                let w = weight.map_or(F::one(), |w| w[n]);
                if w == F::zero() {
                    continue;
                }
                let factor = own[0] * self.scale * w;
                let total = log_sum_exp(x);
                d.iter_mut().zip(x).for_each(|(d, &x)| *d += factor * (x - total).exp());
                d[classes[n] as usize] -= factor;
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// `scale · Σ weight·ℓ(prediction, target)`, `[1, 1]`: predictions and targets `[n, cols]`, weights `[n]`.
    ///
    /// # Panics
    /// If targets or weights don't fit the predictions.
    #[track_caller]
    pub fn loss(
        &mut self,
        kind: LossKind,
        prediction: Var,
        target: &[F],
        weight: Option<&[F]>,
        scale: F,
    ) -> Var {
        let (rows, cols) = self.shape(prediction);
        shape::same("loss: targets", (target.len(), 1), (rows * cols, 1));
        if let Some(w) = weight {
            shape::same("loss: weights", (w.len(), 1), (rows, 1));
        }
        let target = self.data(rows, cols, target, true);
        let weight = weight.map(|w| self.data(rows, 1, w, true));
        let op = Loss { kind, prediction, target, weight, scale };
        let out = self.push(Op::Loss(op), 1, 1, self.live(prediction));
        let (left, y) = self.fill(out);
        let weight = weight.map(|w| left.value(w));
        let mut total = F::zero();
        for (n, (&p, &t)) in left.value(prediction).iter().zip(left.value(target)).enumerate() {
            let w = weight.map_or(F::one(), |w| w[n / cols]);
            if w != F::zero() {
                total += w * kind.value(p, t);
            }
        }
        y[0] = scale * total;
        out
    }

    /// `scale · Σ weight·(−ln softmax(logits)[class])`, `[1, 1]`: logits `[n, classes]`, class and weight per row.
    ///
    /// # Panics
    /// If a class is out of range, or classes or weights don't fit the logits.
    #[track_caller]
    pub fn cross_entropy(&mut self, logits: Var, classes: &[u32], weight: Option<&[F]>, scale: F) -> Var {
        let (rows, cols) = self.shape(logits);
        shape::same("cross_entropy: classes", (classes.len(), 1), (rows, 1));
        if let Some(class) = classes.iter().find(|&&c| c as usize >= cols) {
            shape::fail("cross_entropy", &format!("class {class} of {cols}"));
        }
        if let Some(w) = weight {
            shape::same("cross_entropy: weights", (w.len(), 1), (rows, 1));
        }
        let classes = self.list(classes);
        let weight = weight.map(|w| self.data(rows, 1, w, true));
        let op = CrossEntropy { logits, classes, weight, scale };
        let out = self.push(Op::CrossEntropy(op), 1, 1, self.live(logits));
        let (left, y) = self.fill(out);
        let (classes, weight) = (left.entries(classes), weight.map(|w| left.value(w)));
        let mut total = F::zero();
        for (n, x) in left.value(logits).chunks_exact(cols).enumerate() {
            let w = weight.map_or(F::one(), |w| w[n]);
            if w != F::zero() {
                total += w * (log_sum_exp(x) - x[classes[n] as usize]);
            }
        }
        y[0] = scale * total;
        out
    }
}
