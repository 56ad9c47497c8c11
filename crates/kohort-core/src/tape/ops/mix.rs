//! Gate mix: `y[n] = Σ_e g[n, e]·h_e[n]`, the weighted sum of experts' outputs.
//! `dh_e[n] = g[n, e]·dy[n]`, `dg[n, e] = h_e[n]·dy[n]`.
//!
//! Experts may lie side by side in the columns of one wide value, each in values of its own, or both: a gate reads its
//! own task's experts and the shared ones where they are, without a copy.

use std::ops::Range;

use super::gather::dot;
use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, kernels, shape};

pub(crate) struct Mix {
    gate: Var,
    /// Value, first block and number of blocks of each part, by turns.
    parts: List,
}

/// One part of a mix, as it lies in the list.
struct Part {
    x: Var,
    first: usize,
    blocks: usize,
}

fn parts(list: &[u32]) -> impl Iterator<Item = Part> {
    let part = |p: &[u32]| Part { x: Var(p[0]), first: p[1] as usize, blocks: p[2] as usize };
    list.chunks_exact(3).map(part)
}

impl<F: Real> Rule<F> for Mix {
    const NAME: &'static str = "mix";
    fn each_input(&self, lists: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.gate);
        parts(&lists[self.parts.range()]).for_each(|part| visit(part.x));
    }
    fn products(&self, _: &[u32], shape: &dyn Fn(Var) -> (usize, usize), out: (usize, usize)) -> usize {
        out.0 * out.1 * shape(self.gate).1
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.output_shape().1;
        let (gate, count) = (flow.value(self.gate), flow.shape(self.gate).1);
        if cols == 0 || count == 0 {
            return;
        }
        let mut at = 0;
        for Part { x, first, blocks } in parts(flow.entries(self.parts)) {
            let (wide, h) = (flow.shape(x).1, flow.value(x));
            let columns = first * cols..(first + blocks) * cols;
            if let Some((own, into, first)) = flow.first_into(x) {
                // The first to come by overwrites, if it writes all there is.
                let overwrites = first && columns.len() == wide;
                if first && !overwrites {
                    into.fill(F::zero());
                }
                kernels::wide(
                    #[inline(always)]
                    || {
                        let rows = into.chunks_exact_mut(wide).zip(own.chunks_exact(cols));
                        for ((d, dy), g) in rows.zip(gate.chunks_exact(count)) {
                            for (d, &g) in d[columns.clone()].chunks_exact_mut(cols).zip(&g[at..]) {
                                if overwrites {
                                    d.iter_mut().zip(dy).for_each(|(d, &dy)| *d = g * dy);
                                } else {
                                    d.iter_mut().zip(dy).for_each(|(d, &dy)| *d += g * dy);
                                }
                            }
                        }
                    },
                );
            }
            if let Some((own, into)) = flow.into_input(self.gate) {
                kernels::wide(
                    #[inline(always)]
                    || {
                        let rows = into.chunks_exact_mut(count).zip(own.chunks_exact(cols));
                        for ((d, dy), h) in rows.zip(h.chunks_exact(wide)) {
                            for (d, h) in d[at..].iter_mut().zip(h[columns.clone()].chunks_exact(cols)) {
                                *d += dot(h, dy);
                            }
                        }
                    },
                );
            }
            at += blocks;
        }
    }
}

impl<F: Real> Tape<F> {
    /// Weighs `experts` (each `[n, cols]`) row by row with `gate [n, experts]`, giving `[n, cols]`.
    ///
    /// # Panics
    /// If the shapes don't fit.
    #[track_caller]
    pub fn mix(&mut self, gate: Var, experts: &[Var]) -> Var {
        let Some(&first) = experts.first() else { shape::fail("mix", "no expert") };
        let (rows, cols) = self.shape(first);
        for &expert in experts {
            shape::same("mix: expert", self.shape(expert), (rows, cols));
        }
        let start = self.lists.len() as u32;
        self.lists.extend(experts.iter().flat_map(|x| [x.0, 0, 1]));
        self.mix_listed(gate, List { start, len: 3 * experts.len() as u32 }, cols)
    }

    /// Weighs blocks of `cols` columns row by row, giving `[n, cols]`: part `(x, a..b)` stands for the blocks `a` to `b` of
    /// `x [n, blocks·cols]`, and `gate [n, experts]` has a column for each block of each part, in their order.
    ///
    /// # Panics
    /// If the shapes don't fit.
    #[track_caller]
    pub fn mix_blocks(&mut self, gate: Var, parts: &[(Var, Range<usize>)], cols: usize) -> Var {
        let rows = self.shape(gate).0;
        for (x, blocks) in parts {
            let (n, wide) = self.shape(*x);
            if n != rows || cols == 0 || wide % cols != 0 || blocks.end * cols > wide {
                let what = format!("blocks {blocks:?} of {cols} columns of [{n}, {wide}] for {rows} rows");
                shape::fail("mix_blocks", &what);
            }
        }
        let start = self.lists.len() as u32;
        self.lists.extend(parts.iter().flat_map(|(x, r)| [x.0, r.start as u32, r.len() as u32]));
        self.mix_listed(gate, List { start, len: 3 * parts.len() as u32 }, cols)
    }

    #[track_caller]
    fn mix_listed(&mut self, gate: Var, list: List, cols: usize) -> Var {
        let (rows, count) = self.shape(gate);
        let (mut live, mut blocks, mut height) = (self.live(gate), 0, rows);
        for part in parts(&self.lists[list.range()]) {
            live |= self.live(part.x);
            blocks += part.blocks;
            height = self.shape(part.x).0;
        }
        shape::same("mix: gate", (rows, count), (height, blocks));
        let out = self.push(Op::Mix(Mix { gate, parts: list }), rows, cols, live);
        let (left, y) = self.fill(out);
        y.fill(F::zero());
        if cols == 0 || count == 0 {
            return out;
        }
        let gate = left.value(gate);
        let mut at = 0;
        for Part { x, first, blocks } in parts(left.entries(list)) {
            let wide = left.nodes[x.0 as usize].cols;
            let columns = first * cols..(first + blocks) * cols;
            let rows = y.chunks_exact_mut(cols).zip(left.value(x).chunks_exact(wide));
            kernels::wide(
                #[inline(always)]
                || {
                    for ((y, h), g) in rows.zip(gate.chunks_exact(count)) {
                        for (h, &g) in h[columns.clone()].chunks_exact(cols).zip(&g[at..]) {
                            y.iter_mut().zip(h).for_each(|(y, &h)| *y += g * h);
                        }
                    }
                },
            );
            at += blocks;
        }
        out
    }
}
