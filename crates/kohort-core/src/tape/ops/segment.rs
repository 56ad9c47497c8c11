//! Lists of different lengths, two-dimensional: the entries of all lists are the rows of one matrix, and offsets say
//! where each list (segment) begins. What attention over a group's members or a user's history is made of.

use super::gather::{check_offsets, dot};
use super::softmax::{backward_of, forward_of};
use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

/// `y[j] = x[b]` for `j` in segment `b`; `dx[b] = Σ_j dy[j]`.
pub(crate) struct RepeatRows {
    x: Var,
    offsets: List,
}

impl<F: Real> Rule<F> for RepeatRows {
    const NAME: &'static str = "repeat_rows";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (offsets, cols) = (flow.entries(self.offsets), flow.output_shape().1);
        if let Some((own, into)) = flow.into_input(self.x) {
            for (b, dx) in into.chunks_exact_mut(cols).enumerate() {
                let segment = &own[offsets[b] as usize * cols..offsets[b + 1] as usize * cols];
                for dy in segment.chunks_exact(cols) {
                    dx.iter_mut().zip(dy).for_each(|(d, &g)| *d += g);
                }
            }
        }
    }
}

/// Softmax within each segment of `x [entries, 1]`.
pub(crate) struct SegmentSoftmax {
    x: Var,
    offsets: List,
}

impl<F: Real> Rule<F> for SegmentSoftmax {
    const NAME: &'static str = "segment_softmax";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (y, offsets) = (flow.output(), flow.entries(self.offsets));
        if let Some((own, into)) = flow.into_input(self.x) {
            for pair in offsets.windows(2) {
                let segment = pair[0] as usize..pair[1] as usize;
                backward_of(&y[segment.clone()], &own[segment.clone()], &mut into[segment]);
            }
        }
    }
}

/// `y[b] = Σ_{j in segment b} w[j]·x[j]`; `dx[j] = w[j]·dy[b]`, `dw[j] = x[j]·dy[b]`.
pub(crate) struct SegmentSum {
    x: Var,
    weight: Option<Var>,
    offsets: List,
}

impl<F: Real> Rule<F> for SegmentSum {
    const NAME: &'static str = "segment_sum";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
        self.weight.into_iter().for_each(visit);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (offsets, cols) = (flow.entries(self.offsets), flow.output_shape().1);
        let x = flow.value(self.x);
        let weight = self.weight.map(|w| flow.value(w));
        if let Some((own, into)) = flow.into_input(self.x) {
            for (b, dy) in own.chunks_exact(cols).enumerate() {
                for j in offsets[b] as usize..offsets[b + 1] as usize {
                    let w = weight.map_or(F::one(), |w| w[j]);
                    into[j * cols..(j + 1) * cols].iter_mut().zip(dy).for_each(|(d, &g)| *d += w * g);
                }
            }
        }
        if let Some((own, into)) = self.weight.and_then(|w| flow.into_input(w)) {
            for (b, dy) in own.chunks_exact(cols).enumerate() {
                for j in offsets[b] as usize..offsets[b + 1] as usize {
                    into[j] += dot(&x[j * cols..(j + 1) * cols], dy);
                }
            }
        }
    }
}

impl<F: Real> Tape<F> {
    /// Row `b` of `x [segments, cols]` once for each entry of segment `b`, `[entries, cols]`.
    #[track_caller]
    pub fn repeat_rows(&mut self, x: Var, offsets: List) -> Var {
        let (segments, cols) = self.shape(x);
        shape::same("repeat_rows: segments", (offsets.len(), 1), (segments + 1, 1));
        let entries = self.entries(offsets).last().map_or(0, |&e| e as usize);
        check_offsets("repeat_rows", self.entries(offsets), entries);
        let out = self.push(Op::RepeatRows(RepeatRows { x, offsets }), entries, cols, self.live(x));
        let (left, y) = self.fill(out);
        let (x, offsets) = (left.value(x), left.entries(offsets));
        for (b, x) in x.chunks_exact(cols.max(1)).enumerate() {
            for j in offsets[b] as usize..offsets[b + 1] as usize {
                y[j * cols..(j + 1) * cols].copy_from_slice(x);
            }
        }
        out
    }

    /// Softmax of the scores `x [entries, 1]` within each segment; an empty segment stays empty.
    #[track_caller]
    pub fn segment_softmax(&mut self, x: Var, offsets: List) -> Var {
        let (entries, cols) = self.shape(x);
        shape::same("segment_softmax", (entries, cols), (entries, 1));
        check_offsets("segment_softmax", self.entries(offsets), entries);
        let op = SegmentSoftmax { x, offsets };
        let out = self.push(Op::SegmentSoftmax(op), entries, 1, self.live(x));
        let (left, y) = self.fill(out);
        let x = left.value(x);
        for pair in left.entries(offsets).windows(2) {
            let segment = pair[0] as usize..pair[1] as usize;
            let cols = segment.len();
            forward_of(&x[segment.clone()], &mut y[segment], cols);
        }
        out
    }

    /// Sum of `x [entries, cols]` by segment, each row times its weight (`[entries, 1]`, 1 without),
    /// `[segments, cols]`. An empty segment gives zeros.
    #[track_caller]
    pub fn segment_sum(&mut self, x: Var, weight: Option<Var>, offsets: List) -> Var {
        let (entries, cols) = self.shape(x);
        check_offsets("segment_sum", self.entries(offsets), entries);
        if cols == 0 {
            shape::fail("segment_sum", "no columns");
        }
        if let Some(w) = weight {
            shape::same("segment_sum: weights", self.shape(w), (entries, 1));
        }
        let live = self.live(x) || weight.is_some_and(|w| self.live(w));
        let segments = offsets.len() - 1;
        let out = self.push(Op::SegmentSum(SegmentSum { x, weight, offsets }), segments, cols, live);
        let (left, y) = self.fill(out);
        let (x, offsets) = (left.value(x), left.entries(offsets));
        let weight = weight.map(|w| left.value(w));
        for (b, y) in y.chunks_exact_mut(cols).enumerate() {
            y.fill(F::zero());
            for j in offsets[b] as usize..offsets[b + 1] as usize {
                let w = weight.map_or(F::one(), |w| w[j]);
                y.iter_mut().zip(&x[j * cols..(j + 1) * cols]).for_each(|(y, &x)| *y += w * x);
            }
        }
        out
    }
}
