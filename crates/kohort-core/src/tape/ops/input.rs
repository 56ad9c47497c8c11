//! Leaves: data, and a dense parameter brought in as a value.

use rayon::prelude::*;

use super::{Op, Rule};
use crate::tape::{Flow, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

pub(crate) struct Input {
    /// A loss's target or weight, whose value may be anything where the weight is 0.
    pub(crate) target: bool,
}

impl<F: Real> Rule<F> for Input {
    const NAME: &'static str = "input";
    fn each_input(&self, _: &[u32], _: &mut dyn FnMut(Var)) {}
    fn backward(&self, _: &mut Flow<'_, F>) {}
}

pub(crate) struct Param {
    id: ParamId,
}

impl<F: Real> Rule<F> for Param {
    const NAME: &'static str = "param";
    fn each_input(&self, _: &[u32], _: &mut dyn FnMut(Var)) {}
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.id);
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        if flow.trains(self.id) {
            let (own, grads) = flow.grads();
            let into = grads.dense_mut(self.id, own.len());
            into.iter_mut().zip(own).for_each(|(g, &d)| *g += d);
        }
    }
}

impl<F: Real> Tape<F> {
    /// Data `[rows, cols]`, row-major; no gradient flows into it.
    ///
    /// # Panics
    /// If `value` does not fill the shape.
    #[track_caller]
    pub fn input(&mut self, rows: usize, cols: usize, value: &[F]) -> Var {
        if value.len() != rows * cols {
            shape::fail("input", &format!("{} values for [{rows}, {cols}]", value.len()));
        }
        self.data(rows, cols, value, false)
    }

    /// A loss's target or weight.
    pub(crate) fn data(&mut self, rows: usize, cols: usize, value: &[F], target: bool) -> Var {
        let out = self.push(Op::Input(Input { target }), rows, cols, false);
        self.fill(out).1.copy_from_slice(value);
        out
    }

    /// Data `[rows, cols]` that `write` fills; the slice it gets is zeroed.
    pub fn input_with(&mut self, rows: usize, cols: usize, write: impl FnOnce(&mut [F])) -> Var {
        let out = self.push(Op::Input(Input { target: false }), rows, cols, false);
        let value = self.fill(out).1;
        value.fill(F::zero());
        write(value);
        out
    }

    /// Data `[rows.len(), cols]`: those rows of a row-major matrix `table [any, cols]`.
    ///
    /// # Panics
    /// If a row is not there.
    #[track_caller]
    pub fn input_rows(&mut self, table: &[F], cols: usize, rows: &[u32]) -> Var {
        if let Some(row) = rows.iter().find(|&&row| (row as usize + 1) * cols > table.len()) {
            shape::fail("input_rows", &format!("row {row} of {}", table.len() / cols.max(1)));
        }
        let out = self.push(Op::Input(Input { target: false }), rows.len(), cols, false);
        let value = self.fill(out).1;
        // Copies wait for memory: more than one thread can wait at a time.
        let copy = |(into, &row): (&mut [F], &u32)| {
            into.copy_from_slice(&table[row as usize * cols..(row as usize + 1) * cols]);
        };
        value.par_chunks_mut(cols.max(1)).with_min_len(256).zip(rows).for_each(copy);
        out
    }

    /// A dense parameter as a value `[rows, cols]`: for attention vectors, scalars, and gradient checks.
    #[track_caller]
    pub fn param(&mut self, params: &Params<F>, id: ParamId) -> Var {
        let slot = params.slot(id);
        let out = self.push(Op::Param(Param { id }), slot.rows, slot.cols, trains(params, id));
        self.fill(out).1.copy_from_slice(&slot.value);
        out
    }
}
