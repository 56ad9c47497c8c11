//! Gate mix: `y[n] = Σ_e g[n, e]·h_e[n]`, the weighted sum of experts' outputs.
//! `dh_e[n] = g[n, e]·dy[n]`, `dg[n, e] = h_e[n]·dy[n]`.

use super::gather::dot;
use super::{Op, Rule};
use crate::tape::{Flow, List, Tape, Var};
use crate::{Real, shape};

pub(crate) struct Mix {
    gate: Var,
    experts: List,
}

impl<F: Real> Rule<F> for Mix {
    const NAME: &'static str = "mix";
    fn each_input(&self, lists: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.gate);
        lists[self.experts.range()].iter().for_each(|&x| visit(Var(x)));
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let cols = flow.output_shape().1;
        let gate = flow.value(self.gate);
        let experts = flow.entries(self.experts);
        let count = experts.len();
        for (e, &expert) in experts.iter().enumerate() {
            let h = flow.value(Var(expert));
            if let Some((own, into)) = flow.into_input(Var(expert)) {
                for (n, (d, dy)) in into.chunks_exact_mut(cols).zip(own.chunks_exact(cols)).enumerate() {
                    let g = gate[n * count + e];
                    d.iter_mut().zip(dy).for_each(|(d, &dy)| *d += g * dy);
                }
            }
            if let Some((own, into)) = flow.into_input(self.gate) {
                for (n, (h, dy)) in h.chunks_exact(cols).zip(own.chunks_exact(cols)).enumerate() {
                    into[n * count + e] += dot(h, dy);
                }
            }
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
        shape::same("mix: gate", self.shape(gate), (rows, experts.len()));
        for &expert in experts {
            shape::same("mix: expert", self.shape(expert), (rows, cols));
        }
        let live = self.live(gate) || experts.iter().any(|&x| self.live(x));
        let start = self.lists.len() as u32;
        self.lists.extend(experts.iter().map(|x| x.0));
        let list = List { start, len: experts.len() as u32 };
        let out = self.push(Op::Mix(Mix { gate, experts: list }), rows, cols, live);
        let (left, y) = self.fill(out);
        y.fill(F::zero());
        if cols == 0 {
            return out;
        }
        let gate = left.value(gate);
        for (e, &expert) in experts.iter().enumerate() {
            let h = left.value(expert).chunks_exact(cols);
            for (n, (y, h)) in y.chunks_exact_mut(cols).zip(h).enumerate() {
                let g = gate[n * experts.len() + e];
                y.iter_mut().zip(h).for_each(|(y, &h)| *y += g * h);
            }
        }
        out
    }
}
