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

use super::activation::sigmoid;
use super::softmax::{forward_of, largest, rows_of, sum};
use super::{Op, Rule};
use crate::kernels::wide;
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
    #[inline(always)] // into loops that are compiled for wide vectors
    pub fn value<F: Real>(self, p: F, t: F) -> F {
        match self {
            LossKind::Squared => (p - t) * (p - t),
            LossKind::Absolute => (p - t).abs(),
            LossKind::Logistic => p.max(F::zero()) - p * t + (-p.abs()).exp().ln_1p_unit(),
        }
    }

    /// `dℓ/dp`.
    #[inline(always)]
    pub fn slope<F: Real>(self, p: F, t: F) -> F {
        match self {
            LossKind::Squared => (p - t) + (p - t),
            LossKind::Absolute if p > t => F::one(),
            LossKind::Absolute if p < t => -F::one(),
            LossKind::Absolute => F::zero(),
            LossKind::Logistic => sigmoid(p) - t,
        }
    }

    /// [`each`] with one loop for each kind: a choice within would keep it from vectors.
    fn each<F: Real>(
        self,
        entries: Entries<'_, F>,
        of: impl Fn(LossKind, F, F) -> F,
        visit: impl FnMut(usize, F, F),
    ) {
        match self {
            LossKind::Squared => each(
                entries,
                #[inline(always)]
                |p, t| of(LossKind::Squared, p, t),
                visit,
            ),
            LossKind::Absolute => each(
                entries,
                #[inline(always)]
                |p, t| of(LossKind::Absolute, p, t),
                visit,
            ),
            LossKind::Logistic => each(
                entries,
                #[inline(always)]
                |p, t| of(LossKind::Logistic, p, t),
                visit,
            ),
        }
    }
}

/// Predictions, targets, weights of rows, and the columns of a row.
pub(super) type Entries<'a, F> = (&'a [F], &'a [F], Option<&'a [F]>, usize);

/// Calls `visit(n, w, f(p, t))` for each entry `n` whose weight `w`, of its row or 1, is not 0. `f` is computed for many entries at a time, those of
/// weight 0 among them, so that it becomes vectors.
pub(super) fn each<F: Real>(
    (p, t, weight, cols): Entries<'_, F>,
    f: impl Fn(F, F) -> F,
    mut visit: impl FnMut(usize, F, F),
) {
    const MANY: usize = 256;
    let mut values = [F::zero(); MANY];
    for (at, (p, t)) in p.chunks(MANY).zip(t.chunks(MANY)).enumerate() {
        wide(
            #[inline(always)]
            || {
                for (value, (&p, &t)) in values.iter_mut().zip(p.iter().zip(t)) {
                    *value = f(p, t);
                }
            },
        );
        let values = values[..p.len()].iter().zip(MANY * at..);
        match weight {
            None => values.for_each(|(&value, n)| visit(n, F::one(), value)),
            Some(weight) => {
                let weighed =
                    values.map(|(&value, n)| (n, weight[if cols == 1 { n } else { n / cols }], value));
                weighed.filter(|(_, w, _)| *w != F::zero()).for_each(|(n, w, value)| visit(n, w, value));
            }
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
            self.kind.each(
                (p, t, weight, cols),
                #[inline(always)]
                |kind, p, t| kind.slope(p, t),
                |n, w, slope| into[n] += factor * w * slope,
            );
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
#[inline(always)] // into loops that are compiled for wide vectors
fn log_sum_exp<F: Real>(x: &[F]) -> F {
    const MANY: usize = 64;
    let (top, mut total) = (largest(x), F::zero());
    for piece in x.chunks(MANY) {
        let mut values = [top; MANY];
        values[..piece.len()].copy_from_slice(piece);
        // Whole vectors: what is beyond the piece costs less than a rest one by one.
        for value in &mut values[..piece.len().next_multiple_of(16)] {
            *value = (*value - top).exp();
        }
        total += sum(&values[..piece.len()]);
    }
    top + total.ln()
}

/// [`log_sum_exp`], compiled for wide vectors.
pub(super) fn norm_of<F: Real>(x: &[F]) -> F {
    wide(
        #[inline(always)]
        || log_sum_exp(x),
    )
}

/// Calls `visit` with each row of `x [rows, cols]` and its `ln Σ e^x`. The exponentials of many short rows are one loop, as they fill no vectors.
fn each_norm<F: Real>(x: &[F], cols: usize, mut visit: impl FnMut(usize, F)) {
    const MANY: usize = 512;
    if 4 * cols > MANY {
        return x.chunks_exact(cols).enumerate().for_each(|(row, x)| visit(row, norm_of(x)));
    }
    let (mut values, mut tops) = ([F::zero(); MANY], [F::zero(); MANY]);
    let rows = MANY / cols;
    for (at, x) in x.chunks(rows * cols).enumerate() {
        let values = &mut values[..x.len()];
        wide(
            #[inline(always)]
            || {
                for ((y, x), top) in values.chunks_exact_mut(cols).zip(x.chunks_exact(cols)).zip(&mut tops) {
                    *top = largest(x);
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = x - *top);
                }
                for y in values.iter_mut() {
                    *y = y.exp();
                }
                for (y, top) in values.chunks_exact(cols).zip(&mut tops) {
                    *top += sum(y).ln();
                }
            },
        );
        tops.iter().zip(at * rows..).take(x.len() / cols).for_each(|(&norm, row)| visit(row, norm));
    }
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
        let mut scratch = std::mem::take(flow.scratch);
        if let Some((own, into)) = flow.into_input(self.logits) {
            let piece = cols * rows_of(cols);
            scratch.resize(scratch.len().max(piece.min(x.len())), F::zero());
            for (at, (d, x)) in into.chunks_mut(piece).zip(x.chunks(piece)).enumerate() {
                let p = &mut scratch[..x.len()];
                forward_of(x, p, cols);
                for (n, (d, p)) in
                    (at * rows_of(cols)..).zip(d.chunks_exact_mut(cols).zip(p.chunks_exact(cols)))
                {
                    let w = weight.map_or(F::one(), |w| w[n]);
                    if w != F::zero() {
                        let factor = own[0] * self.scale * w;
                        d.iter_mut().zip(p).for_each(|(d, &p)| *d += factor * p);
                        d[classes[n] as usize] -= factor;
                    }
                }
            }
        }
        *flow.scratch = scratch;
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
        kind.each(
            (left.value(prediction), left.value(target), weight, cols),
            #[inline(always)]
            |kind, p, t| kind.value(p, t),
            |_, w, value| total += w * value,
        );
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
        let x = left.value(logits);
        each_norm(x, cols, |n, norm| {
            let w = weight.map_or(F::one(), |w| w[n]);
            if w != F::zero() {
                total += w * (norm - x[n * cols + classes[n] as usize]);
            }
        });
        y[0] = scale * total;
        out
    }
}
