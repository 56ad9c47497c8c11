//! Ranking losses within lists: `[1, 1]` sums over lists, each times its weight, times one stated factor.
//!
//! A list is any rows that belong together (a user's, a session's, a group's), with scores `s` and targets `t ≥ 0`; rows may be in several
//! lists or in none, in any order. A list whose targets are all alike says nothing about order: its loss and gradient are 0, and
//! [`ListLoss::says`] tells so, for denominators are the caller's as in `loss.rs`.
//!
//! With `ỹ = t / Σ t`, `P` the pairs `(i, j)` with `t_i > t_j`, and `L(z) = ln(1 + e^z)`:
//!
//! | kind | ℓ(s, t) | dℓ/ds_k |
//! |---|---|---|
//! | softmax | −Σ ỹ_i ln p_i, `p = softmax(s)` | p_k − ỹ_k |
//! | sigmoid | −Σ ỹ_i ln p_i, `p_i = σ(s_i) / Σ_j σ(s_j)` | (1 − σ(s_k))·(p_k − ỹ_k) |
//! | list-mle | Σ_i ln(e^{s_i} + Σ_{j: t_j < t_i} e^{s_j}) − s_i | Σ_i softmax of i's sum at k, less 1 for each own one |
//! | bpr | (1/\|P\|) Σ_P L(s_j − s_i) | ∓ σ(s_j − s_i) / \|P\| of each pair |
//! | hinge | (1/\|P\|) Σ_P max(0, 1 − s_i + s_j) | ∓ 1 / \|P\| of each pair within the margin |
//! | lambda | Σ_P Δ_ij·L(s_j − s_i) | ∓ Δ_ij·σ(s_j − s_i) of each pair |
//!
//! **Sources.** Softmax: Cao et al., "Learning to rank: from pairwise approach to listwise approach", ICML 2007, with binary or graded gains.
//! Sigmoid: the list loss of Yan et al., "Hierarchical group-wise ranking framework" (arXiv 2506.12756), and of its base, regression-compatible listwise
//! objectives (Bai et al., CIKM 2023): probabilities stay calibrated, as only their ratios count. ListMLE: Xia et al., ICML 2008. BPR: Rendle et al., UAI
//! 2009. Lambda: LambdaRank (Burges 2010), in which `Δ_ij = |2^{t_i} − 2^{t_j}|·|1/D(r_i) − 1/D(r_j)| / IDCG`, `D(r) = log₂(1 + r)`, is what a swap
//! of the two would change of the list's nDCG and is held constant.
//!
//! **Differences.** ListMLE draws an order among equal targets at random; here equals are not ordered, which is the same where no two are
//! equal. Pairs cost a list's length squared.

use serde::{Deserialize, Serialize};

use super::activation::{relu, sigmoid, softplus};
use super::loss::norm_of;
use super::{Op, Rule};
use crate::kernels::wide;
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

/// A loss of the order within a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListLoss {
    /// Cross-entropy of the targets' shares with the softmax of the scores.
    Softmax,
    /// The same with shares of probabilities instead of a softmax.
    Sigmoid,
    /// Likelihood of the order by targets under Plackett and Luce.
    ListMle,
    /// Logistic loss of each pair's difference.
    Bpr,
    /// Hinge loss of each pair's difference, with margin 1.
    Hinge,
    /// Logistic loss of each pair's difference, weighed by what a swap would change of nDCG.
    Lambda,
}

impl ListLoss {
    /// Whether a list of these targets says anything about order: whether two of them differ.
    pub fn says<F: Real>(target: &[F]) -> bool {
        target.iter().any(|&t| t != target[0])
    }

    /// `ℓ(s, t)` of one list.
    pub fn value<F: Real>(self, s: &[F], t: &[F]) -> F {
        if !ListLoss::says(t) {
            return F::zero();
        }
        let total: F = t.iter().copied().sum();
        let mut loss = F::zero();
        match self {
            ListLoss::Softmax => {
                let norm = norm_of(s);
                s.iter().zip(t).for_each(|(&s, &t)| loss += t / total * (norm - s));
            }
            ListLoss::Sigmoid => {
                let norm = log_sum_sigmoid(s);
                s.iter().zip(t).for_each(|(&s, &t)| loss += t / total * (norm + softplus(-s)));
            }
            ListLoss::ListMle => {
                let mut below = Vec::with_capacity(s.len());
                for i in 0..s.len() {
                    gather_below(s, t, i, &mut below);
                    loss += norm_of(&below) - s[i];
                }
            }
            ListLoss::Bpr | ListLoss::Hinge | ListLoss::Lambda => self.each_pair(
                s,
                t,
                #[inline(always)]
                |hinge, z| ListLoss::of_difference(hinge, z),
                |_, _, weight, value| loss += weight * value,
            ),
        }
        loss
    }

    /// Adds `factor · dℓ/ds` of one list to `d`.
    fn add_slope<F: Real>(self, s: &[F], t: &[F], factor: F, d: &mut [F]) {
        if !ListLoss::says(t) {
            return;
        }
        let total: F = t.iter().copied().sum();
        match self {
            ListLoss::Softmax => {
                let norm = norm_of(s);
                wide(
                    #[inline(always)]
                    || {
                        for (d, (&s, &t)) in d.iter_mut().zip(s.iter().zip(t)) {
                            *d += factor * ((s - norm).exp() - t / total);
                        }
                    },
                );
            }
            ListLoss::Sigmoid => {
                let norm = log_sum_sigmoid(s);
                wide(
                    #[inline(always)]
                    || {
                        for (d, (&s, &t)) in d.iter_mut().zip(s.iter().zip(t)) {
                            let share = (-softplus(-s) - norm).exp();
                            *d += factor * sigmoid(-s) * (share - t / total);
                        }
                    },
                );
            }
            ListLoss::ListMle => {
                let mut below = Vec::with_capacity(s.len());
                for i in 0..s.len() {
                    gather_below(s, t, i, &mut below);
                    let norm = norm_of(&below);
                    for j in (0..s.len()).filter(|&j| j == i || t[j] < t[i]) {
                        d[j] += factor * (s[j] - norm).exp();
                    }
                    d[i] -= factor;
                }
            }
            ListLoss::Bpr | ListLoss::Hinge | ListLoss::Lambda => self.each_pair(
                s,
                t,
                #[inline(always)]
                |hinge, z| ListLoss::slope_of_difference(hinge, z),
                |i, j, weight, slope| {
                    let step = factor * weight * slope;
                    d[j] += step;
                    d[i] -= step;
                },
            ),
        }
    }

    /// Loss of a pair whose lower one scores `z` more than the higher one.
    #[inline(always)] // into loops that are compiled for wide vectors
    fn of_difference<F: Real>(hinge: bool, z: F) -> F {
        if hinge { relu(F::one() + z) } else { softplus(z) }
    }

    #[inline(always)]
    fn slope_of_difference<F: Real>(hinge: bool, z: F) -> F {
        match hinge {
            true if F::one() + z > F::zero() => F::one(),
            true => F::zero(),
            false => sigmoid(z),
        }
    }

    /// Calls `visit` with each pair `t_i > t_j`, its weight and `of(hinge, s_j − s_i)`, which is computed for all pairs of an `i` at a time, so that
    /// it becomes vectors.
    fn each_pair<F: Real>(
        self,
        s: &[F],
        t: &[F],
        of: impl Fn(bool, F) -> F,
        mut visit: impl FnMut(usize, usize, F, F),
    ) {
        let below = |i: usize| (0..s.len()).filter(move |&j| t[i] > t[j]);
        let gains = (self == ListLoss::Lambda).then(|| Gains::new(s, t));
        let even = F::one() / F::of((0..s.len()).map(|i| below(i).count()).sum::<usize>().max(1) as f64);
        let mut values = Vec::with_capacity(s.len());
        for i in 0..s.len() {
            values.clear();
            values.extend(below(i).map(|j| s[j] - s[i]));
            wide(
                #[inline(always)]
                || match self {
                    ListLoss::Hinge => {
                        for z in &mut values {
                            *z = of(true, *z);
                        }
                    }
                    _ => {
                        for z in &mut values {
                            *z = of(false, *z);
                        }
                    }
                },
            );
            for (j, &value) in below(i).zip(&values) {
                let weight = gains.as_ref().map_or(even, |gains| F::of(gains.of_swap(i, j)));
                visit(i, j, weight, value);
            }
        }
    }
}

/// Scores of `i` and of all whose target is lower.
fn gather_below<F: Real>(s: &[F], t: &[F], i: usize, below: &mut Vec<F>) {
    below.clear();
    below.push(s[i]);
    below.extend(s.iter().zip(t).filter(|(_, t_j)| **t_j < t[i]).map(|(&s_j, _)| s_j));
}

/// `ln Σ σ(s)`: of logarithms, so that a list of very low scores does not divide zero by zero.
fn log_sum_sigmoid<F: Real>(s: &[F]) -> F {
    let mut logs = s.to_vec();
    wide(
        #[inline(always)]
        || {
            for s in &mut logs {
                *s = -softplus(-*s);
            }
        },
    );
    norm_of(&logs)
}

/// What each place and each target is worth of a list's nDCG.
struct Gains {
    gain: Vec<f64>,
    /// One over the discount of the place that a row's score gives it; ties by row.
    worth: Vec<f64>,
    ideal: f64,
}

impl Gains {
    fn new<F: Real>(s: &[F], t: &[F]) -> Gains {
        let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let gain: Vec<f64> = t.iter().map(|t| t.f64().exp2() - 1.0).collect();
        let mut order: Vec<usize> = (0..s.len()).collect();
        order.sort_by(|&a, &b| s[b].f64().total_cmp(&s[a].f64()).then(a.cmp(&b)));
        let mut worth = vec![0.0; s.len()];
        order.into_iter().enumerate().for_each(|(place, row)| worth[row] = discount(place));
        let mut best = gain.clone();
        best.sort_by(|a, b| b.total_cmp(a));
        let ideal = best.iter().enumerate().map(|(place, gain)| gain * discount(place)).sum();
        Gains { gain, worth, ideal }
    }

    fn of_swap(&self, i: usize, j: usize) -> f64 {
        (self.gain[i] - self.gain[j]).abs() * (self.worth[i] - self.worth[j]).abs() / self.ideal
    }
}

pub(crate) struct Lists<F> {
    kind: ListLoss,
    scores: Var,
    target: Var,
    rows: List,
    offsets: List,
    weight: Option<Var>,
    scale: F,
}

impl<F: Real> Rule<F> for Lists<F> {
    const NAME: &'static str = "list_loss";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.scores);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (scores, target) = (flow.value(self.scores), flow.value(self.target));
        let (rows, offsets) = (flow.entries(self.rows), flow.entries(self.offsets));
        let weight = self.weight.map(|w| flow.value(w));
        if let Some((own, into)) = flow.into_input(self.scores) {
            let (mut s, mut t, mut d) = (Vec::new(), Vec::new(), Vec::new());
            for (list, ends) in offsets.windows(2).enumerate() {
                let w = weight.map_or(F::one(), |w| w[list]);
                if w == F::zero() {
                    continue;
                }
                let rows = &rows[ends[0] as usize..ends[1] as usize];
                cut(scores, target, rows, &mut s, &mut t);
                d.clear();
                d.resize(rows.len(), F::zero());
                self.kind.add_slope(&s, &t, own[0] * self.scale * w, &mut d);
                rows.iter().zip(&d).for_each(|(&row, &d)| into[row as usize] += d);
            }
        }
    }
}

fn cut<F: Real>(scores: &[F], target: &[F], rows: &[u32], s: &mut Vec<F>, t: &mut Vec<F>) {
    s.clear();
    t.clear();
    s.extend(rows.iter().map(|&row| scores[row as usize]));
    t.extend(rows.iter().map(|&row| target[row as usize]));
}

impl<F: Real> Tape<F> {
    /// `scale · Σ_lists weight·ℓ(scores, targets)`, `[1, 1]`: scores `[n, 1]` and targets `[n]`, of which list `l` has the rows
    /// `rows[offsets[l] .. offsets[l + 1]]`; weights `[lists]`, 1 without, and 0 takes a list out.
    ///
    /// # Panics
    /// If the scores are no column, a row is not there, or lengths or offsets don't fit.
    #[track_caller]
    #[allow(clippy::too_many_arguments)] // lists are rows and offsets, a loss is scores, targets, weights and a factor
    pub fn list_loss(
        &mut self,
        kind: ListLoss,
        scores: Var,
        target: &[F],
        rows: &[u32],
        offsets: &[u32],
        weight: Option<&[F]>,
        scale: F,
    ) -> Var {
        let n = self.shape(scores).0;
        shape::same("list_loss: scores", self.shape(scores), (n, 1));
        shape::same("list_loss: targets", (target.len(), 1), (n, 1));
        if let Some(row) = rows.iter().find(|&&row| row as usize >= n) {
            shape::fail("list_loss", &format!("row {row} of {n}"));
        }
        super::gather::check_offsets("list_loss", offsets, rows.len());
        let lists = offsets.len() - 1;
        if let Some(w) = weight {
            shape::same("list_loss: weights", (w.len(), 1), (lists, 1));
        }
        let target = self.data(n, 1, target, true);
        let weight = weight.map(|w| self.data(lists, 1, w, true));
        let (rows, offsets) = (self.list(rows), self.list(offsets));
        let op = Lists { kind, scores, target, rows, offsets, weight, scale };
        let out = self.push(Op::Lists(op), 1, 1, self.live(scores));
        let (left, y) = self.fill(out);
        let (scores, target, rows) = (left.value(scores), left.value(target), left.entries(rows));
        let weight = weight.map(|w| left.value(w));
        let (mut s, mut t, mut total) = (Vec::new(), Vec::new(), F::zero());
        for (list, ends) in left.entries(offsets).windows(2).enumerate() {
            let w = weight.map_or(F::one(), |w| w[list]);
            if w != F::zero() {
                cut(scores, target, &rows[ends[0] as usize..ends[1] as usize], &mut s, &mut t);
                total += w * kind.value(&s, &t);
            }
        }
        y[0] = scale * total;
        out
    }
}
