//! Gradients: a dense buffer per weight, a list of rows per table.

mod combine;
mod rows;

pub use rows::RowList;

use crate::kernels::wide;
use crate::{Layout, ParamId, Params, Real};

/// Gradient of one parameter.
#[derive(Clone, Debug)]
pub enum Grad<F> {
    /// Same shape as the parameter; meaningful only when `touched`.
    Dense {
        /// Values, row-major.
        value: Vec<F>,
        /// Whether anything was added since the last [`Grads::clear`]. An untouched weight is not stepped.
        touched: bool,
    },
    /// The rows that were looked up, each once.
    Rows(RowList<F>),
}

impl<F> Grad<F> {
    fn is_touched(&self) -> bool {
        match self {
            Grad::Dense { touched, .. } => *touched,
            Grad::Rows(rows) => !rows.ids.is_empty(),
        }
    }

    fn dense(&self) -> Option<&[F]> {
        match self {
            Grad::Dense { value, .. } => Some(value),
            Grad::Rows(_) => None,
        }
    }

    fn rows(&self) -> Option<&RowList<F>> {
        match self {
            Grad::Dense { .. } => None,
            Grad::Rows(rows) => Some(rows),
        }
    }
}

/// Gradients for every parameter of a [`Params`].
#[derive(Clone, Debug)]
pub struct Grads<F = f32> {
    slots: Vec<Grad<F>>,
}

impl<F: Real> Grads<F> {
    /// Empty gradients with the shapes of `params`. Dense buffers are made at their first touch.
    pub fn new(params: &Params<F>) -> Grads<F> {
        let slots = params.slots().iter().map(|s| match s.layout {
            Layout::Dense => Grad::Dense { value: Vec::new(), touched: false },
            Layout::Table => Grad::Rows(RowList::new(s.rows, s.cols)),
        });
        Grads { slots: slots.collect() }
    }

    /// Forgets all gradients and keeps the memory.
    pub fn clear(&mut self) {
        for slot in &mut self.slots {
            match slot {
                Grad::Dense { touched, .. } => *touched = false,
                Grad::Rows(rows) => rows.clear(),
            }
        }
    }

    /// The gradient of one parameter.
    pub fn slot(&self, id: ParamId) -> &Grad<F> {
        &self.slots[id.index()]
    }

    /// The dense gradient of a weight, to add to; zero at its first touch. `len` is the parameter's size.
    ///
    /// # Panics
    /// If the parameter is a table.
    #[track_caller]
    pub fn dense_mut(&mut self, id: ParamId, len: usize) -> &mut [F] {
        let (value, first) = self.first_dense(id, len);
        if first {
            value.fill(F::zero());
        }
        value
    }

    /// Like [`Grads::dense_mut`], but at its first touch, which the flag says, the entries are whatever was there: the caller has to
    /// write all of them.
    ///
    /// # Panics
    /// If the parameter is a table.
    #[track_caller]
    pub(crate) fn first_dense(&mut self, id: ParamId, len: usize) -> (&mut [F], bool) {
        match &mut self.slots[id.index()] {
            Grad::Dense { value, touched } => {
                value.resize(len, F::zero());
                (value, !std::mem::replace(touched, true))
            }
            Grad::Rows(_) => crate::shape::fail("grads", "a table's gradient is a list of rows, not dense"),
        }
    }

    /// The row list of a table, to add to.
    ///
    /// # Panics
    /// If the parameter is not a table.
    #[track_caller]
    pub fn rows_mut(&mut self, id: ParamId) -> &mut RowList<F> {
        match &mut self.slots[id.index()] {
            Grad::Rows(rows) => rows,
            Grad::Dense { .. } => {
                crate::shape::fail("grads", "a dense weight has no row list: add it with add_table")
            }
        }
    }

    /// A dense copy `[rows, cols]` of one parameter's gradient, for tests and inspection.
    pub fn to_dense(&self, id: ParamId, params: &Params<F>) -> Vec<F> {
        let slot = params.slot(id);
        let mut out = vec![F::zero(); slot.value.len()];
        match &self.slots[id.index()] {
            Grad::Dense { value, touched } if *touched => out.copy_from_slice(value),
            Grad::Dense { .. } => {}
            Grad::Rows(rows) => {
                for (i, &id) in rows.ids.iter().enumerate() {
                    let at = id as usize * slot.cols;
                    out[at..at + slot.cols].copy_from_slice(&rows.value[i * slot.cols..(i + 1) * slot.cols]);
                }
            }
        }
        out
    }

    /// The first parameter with a non-finite gradient.
    pub fn first_non_finite(&self, params: &Params<F>) -> Option<ParamId> {
        use rayon::prelude::*;
        let ids = 0..params.slots().len() as u32;
        // A number times zero is zero, anything else is not a number: a sum that has no branch to wait for.
        let finite = |values: &[F]| {
            let zero = wide(
                #[inline(always)]
                || {
                    let mut lanes = [F::zero(); 16];
                    for sixteen in values.chunks(16) {
                        lanes.iter_mut().zip(sixteen).for_each(|(lane, &x)| *lane += x * F::zero());
                    }
                    lanes.iter().copied().sum::<F>()
                },
            );
            zero == F::zero()
        };
        ids.into_par_iter().map(ParamId).find_first(|id| match &self.slots[id.index()] {
            Grad::Dense { value, touched } => *touched && !value.par_chunks(1 << 14).all(finite),
            Grad::Rows(rows) => !rows.value.par_chunks(1 << 14).all(finite),
        })
    }
}
