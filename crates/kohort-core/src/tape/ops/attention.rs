//! Multi-head scaled dot-product attention over lists of different lengths (Vaswani et al., NeurIPS 2017).
//!
//! Shapes: `q, k, v, y: [entries, d]`. Sequence `s` has the rows `offsets[s] .. offsets[s + 1]`, so nothing is padded. Head `h` of
//! `H` has the columns `h·w .. (h + 1)·w`, `w = d/H`; what follows is for one head, and heads stand side by side in `y`.
//!
//! `a_ji = softmax_i(q_j·k_i / √w)` over the rows `i` of the sequence that row `j` sees, `y_j = Σ_i a_ji v_i`.
//!
//! With `g_ji = dy_j·v_i` and `e_ji = a_ji (g_ji − Σ_l a_jl g_jl) / √w`:
//! `dq_j = Σ_i e_ji k_i`, `dk_i = Σ_j e_ji q_j`, `dv_i = Σ_j a_ji dy_j`.
//!
//! The weights `a` are not kept: a backward sweep computes them again row by row, so that memory grows with the entries and not
//! with their square.

use std::ops::Range;

use super::gather::{check_offsets, dot};
use super::softmax::{backward_of, forward_of};
use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

/// Which rows of its sequence a row of attention sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionMask {
    /// Itself and those before it.
    Causal,
    /// All of them.
    Full,
}

#[derive(Clone, Copy)]
pub(crate) struct Attention {
    q: Var,
    k: Var,
    v: Var,
    offsets: List,
    heads: usize,
    mask: AttentionMask,
}

impl Attention {
    /// Calls `visit(j, rows that j sees, columns of the head)` for each row and head, sequence by sequence.
    fn each_row(
        &self,
        offsets: &[u32],
        width: usize,
        mut visit: impl FnMut(usize, Range<usize>, Range<usize>),
    ) {
        for ends in offsets.windows(2) {
            let (from, to) = (ends[0] as usize, ends[1] as usize);
            for head in 0..self.heads {
                for j in from..to {
                    let end = if self.mask == AttentionMask::Causal { j + 1 } else { to };
                    visit(j, from..end, head * width..(head + 1) * width);
                }
            }
        }
    }
}

/// A matrix of `cols` columns, read by rows and a head's columns.
struct Rows<'a, F> {
    values: &'a [F],
    cols: usize,
}

impl<'a, F: Real> Rows<'a, F> {
    fn part(&self, row: usize, head: &Range<usize>) -> &'a [F] {
        &self.values[row * self.cols + head.start..row * self.cols + head.end]
    }

    /// `scale · x · row_i` for each row `i` of `seen`, replacing what is in `into`.
    fn dots(&self, x: &[F], scale: F, seen: &Range<usize>, head: &Range<usize>, into: &mut Vec<F>) {
        into.clear();
        into.extend(seen.clone().map(|i| scale * dot(x, self.part(i, head))));
    }
}

/// A row of weights and what it is made with.
struct Desk<F> {
    scores: Vec<F>,
    weights: Vec<F>,
}

impl<F: Real> Desk<F> {
    fn new() -> Desk<F> {
        Desk { scores: Vec::new(), weights: Vec::new() }
    }

    /// `a_j`, `[seen]`.
    fn weigh(&mut self, q: &[F], k: &Rows<'_, F>, seen: &Range<usize>, head: &Range<usize>) {
        k.dots(q, scale_of(head), seen, head, &mut self.scores);
        self.weights.resize(seen.len(), F::zero());
        forward_of(&self.scores, &mut self.weights, seen.len());
    }
}

/// `1/√w`.
fn scale_of<F: Real>(head: &Range<usize>) -> F {
    F::of(1.0 / (head.len() as f64).sqrt())
}

fn add_scaled<F: Real>(into: &mut [F], factor: F, x: &[F]) {
    into.iter_mut().zip(x).for_each(|(y, &x)| *y += factor * x);
}

impl<F: Real> Rule<F> for Attention {
    const NAME: &'static str = "attention";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        [self.q, self.k, self.v].into_iter().for_each(visit);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (entries, cols) = flow.output_shape();
        let offsets = flow.entries(self.offsets);
        let [q, k, v] = [self.q, self.k, self.v].map(|x| Rows { values: flow.value(x), cols });
        let mut scratch = std::mem::take(flow.scratch);
        scratch.clear();
        scratch.resize(3 * entries * cols, F::zero());
        let (dq, rest) = scratch.split_at_mut(entries * cols);
        let (dk, dv) = rest.split_at_mut(entries * cols);
        let dy = Rows { values: flow.adjoint(), cols };
        let (mut desk, mut g, mut e) = (Desk::new(), Vec::new(), Vec::new());
        self.each_row(offsets, cols / self.heads, |j, seen, head| {
            desk.weigh(q.part(j, &head), &k, &seen, &head);
            v.dots(dy.part(j, &head), F::one(), &seen, &head, &mut g);
            e.clear();
            e.resize(seen.len(), F::zero());
            backward_of(&desk.weights, &g, &mut e);
            let scale: F = scale_of(&head);
            let of = |row: usize| row * cols + head.start..row * cols + head.end;
            for ((i, &a), &e) in seen.zip(&desk.weights).zip(&e) {
                let e = scale * e;
                add_scaled(&mut dq[of(j)], e, k.part(i, &head));
                add_scaled(&mut dk[of(i)], e, q.part(j, &head));
                add_scaled(&mut dv[of(i)], a, dy.part(j, &head));
            }
        });
        for (x, d) in [(self.q, dq), (self.k, dk), (self.v, dv)] {
            if let Some((_, into)) = flow.into_input(x) {
                into.iter_mut().zip(d).for_each(|(into, d)| *into += *d);
            }
        }
        *flow.scratch = scratch;
    }
}

impl<F: Real> Tape<F> {
    /// Attention of each row of `q` over the rows of its own sequence, `[entries, d]`: `q`, `k` and `v` are `[entries, d]`, offsets
    /// say where each sequence begins, and `heads` divides `d`. An empty sequence has no rows.
    ///
    /// # Panics
    /// If shapes differ, offsets don't fit the entries, or `heads` does not divide `d`.
    #[track_caller]
    pub fn attention(
        &mut self,
        (q, k, v): (Var, Var, Var),
        offsets: List,
        heads: usize,
        mask: AttentionMask,
    ) -> Var {
        let (entries, cols) = self.shape(q);
        shape::same("attention: keys", self.shape(k), (entries, cols));
        shape::same("attention: values", self.shape(v), (entries, cols));
        check_offsets("attention", self.entries(offsets), entries);
        if heads == 0 || cols == 0 || !cols.is_multiple_of(heads) {
            shape::fail("attention", &format!("{heads} heads of {cols} columns"));
        }
        let live = self.live(q) || self.live(k) || self.live(v);
        let op = Attention { q, k, v, offsets, heads, mask };
        let out = self.push(Op::Attention(op), entries, cols, live);
        let (left, y) = self.fill(out);
        let [q, k, v] = [q, k, v].map(|x| Rows { values: left.value(x), cols });
        let mut desk = Desk::new();
        op.each_row(left.entries(offsets), cols / heads, |j, seen, head| {
            desk.weigh(q.part(j, &head), &k, &seen, &head);
            let y = &mut y[j * cols + head.start..j * cols + head.end];
            y.fill(F::zero());
            for (i, &a) in seen.zip(&desk.weights) {
                add_scaled(y, a, v.part(i, &head));
            }
        });
        out
    }
}
