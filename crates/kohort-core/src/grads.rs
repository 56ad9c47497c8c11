//! Gradients: a dense buffer per weight, a list of rows per table.

use crate::kernels::{dot_f64, wide};
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
}

/// Sums of gradient rows, one entry per table row that was touched.
///
/// Rows are merged as they arrive through a row → entry map, so a sum's order of additions is the order of arrival,
/// nothing is sorted or hashed, and clearing costs as much as was touched. The map takes four bytes per table row, from its first
/// touch on.
#[derive(Clone, Debug)]
pub struct RowList<F> {
    /// Empty until the first touch.
    entry: Vec<u32>,
    rows: usize,
    ids: Vec<u32>,
    value: Vec<F>,
    cols: usize,
}

const ABSENT: u32 = u32::MAX;

impl<F: Real> RowList<F> {
    /// An empty list for a table `[rows, cols]`.
    pub fn new(rows: usize, cols: usize) -> RowList<F> {
        RowList { entry: Vec::new(), rows, ids: Vec::new(), value: Vec::new(), cols }
    }

    /// The touched rows, in order of first touch.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The summed gradients `[touched, cols]`, in the order of [`RowList::ids`].
    pub fn value(&self) -> &[F] {
        &self.value
    }

    /// The sum of a row; `None` if it was not touched.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&[F]> {
        let at = self.entry.get(id as usize).copied().unwrap_or(ABSENT);
        (at != ABSENT).then(|| &self.value[at as usize * self.cols..(at as usize + 1) * self.cols])
    }

    /// The sum of a row, to add to; zero at its first touch.
    #[inline]
    pub fn row_mut(&mut self, id: u32) -> &mut [F] {
        if self.entry.is_empty() {
            self.entry.resize(self.rows, ABSENT);
        }
        let mut at = self.entry[id as usize];
        if at == ABSENT {
            at = self.ids.len() as u32;
            self.entry[id as usize] = at;
            self.ids.push(id);
            self.value.resize(self.value.len() + self.cols, F::zero());
        }
        let start = at as usize * self.cols;
        &mut self.value[start..start + self.cols]
    }

    /// Adds `scale · row` to the row's sum.
    #[inline]
    pub fn add(&mut self, id: u32, scale: F, row: &[F]) {
        for (sum, &g) in self.row_mut(id).iter_mut().zip(row) {
            *sum += scale * g;
        }
    }

    fn clear(&mut self) {
        for &id in &self.ids {
            self.entry[id as usize] = ABSENT;
        }
        self.ids.clear();
        self.value.clear();
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

    /// Adds `scale ·` another gradient, parameter by parameter.
    pub fn add(&mut self, other: &Grads<F>, scale: F) {
        for (mine, theirs) in self.slots.iter_mut().zip(&other.slots) {
            add_slot(mine, theirs, scale);
        }
    }

    /// Replaces this gradient by the sum of `parts` in their order, whatever thread made each of them.
    ///
    /// Parameters are summed in parallel; the order of additions within one parameter is fixed.
    pub fn sum_of(&mut self, parts: &[&Grads<F>]) {
        use rayon::prelude::*;
        self.clear();
        self.slots.par_iter_mut().enumerate().for_each(|(i, mine)| {
            let mut slots =
                parts.iter().map(|part| &part.slots[i]).filter(|slot| slot.is_touched()).peekable();
            // The first two in one walk, which is all there are in a batch of two shards.
            if let (Grad::Dense { value, touched }, Some(Grad::Dense { value: a, .. })) =
                (&mut *mine, slots.peek().copied())
            {
                slots.next();
                let b = slots.next().and_then(Grad::dense);
                *touched = true;
                value.resize(a.len(), F::zero());
                match b {
                    Some(b) => wide(
                        #[inline(always)]
                        || {
                            for ((sum, &a), &b) in value.iter_mut().zip(a).zip(b) {
                                *sum = a + b;
                            }
                        },
                    ),
                    None => value.copy_from_slice(a),
                }
            }
            slots.for_each(|slot| add_slot(mine, slot, F::one()));
        });
    }

    /// Replaces this gradient by `Σ_k weight(parameter, k)·parts[k]`, summed in the order of `parts`; a weight of 0 adds nothing, so that
    /// a parameter with no other stays untouched.
    pub fn weighted(&mut self, parts: &[Grads<F>], weight: impl Fn(ParamId, usize) -> F + Sync) {
        use rayon::prelude::*;
        self.clear();
        self.slots.par_iter_mut().enumerate().for_each(|(i, mine)| {
            for (k, part) in parts.iter().enumerate() {
                let weight = weight(ParamId(i as u32), k);
                if weight != F::zero() {
                    add_slot(mine, &part.slots[i], weight);
                }
            }
        });
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

    /// Inner product with another gradient over the parameters that `include` accepts, in f64.
    pub fn dot(&self, other: &Grads<F>, params: &Params<F>, include: impl Fn(ParamId) -> bool) -> f64 {
        let mut sum = 0.0;
        for id in params.ids().filter(|&id| include(id)) {
            match (&self.slots[id.index()], &other.slots[id.index()]) {
                (Grad::Dense { value: a, touched: true }, Grad::Dense { value: b, touched: true }) => {
                    sum += dot_f64(a, b);
                }
                (Grad::Rows(a), Grad::Rows(b)) => {
                    for (i, &row) in a.ids.iter().enumerate() {
                        if let Some(y) = b.get(row) {
                            let x = &a.value[i * a.cols..(i + 1) * a.cols];
                            sum += dot_f64(x, y);
                        }
                    }
                }
                _ => {}
            }
        }
        sum
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

fn add_slot<F: Real>(mine: &mut Grad<F>, theirs: &Grad<F>, scale: F) {
    match (mine, theirs) {
        (Grad::Dense { value, touched }, Grad::Dense { value: other, touched: true }) => {
            if *touched {
                wide(
                    #[inline(always)]
                    || {
                        for (a, &b) in value.iter_mut().zip(other) {
                            *a += scale * b;
                        }
                    },
                );
            } else {
                *touched = true;
                value.clear();
                value.extend(other.iter().map(|&b| scale * b));
            }
        }
        (Grad::Rows(rows), Grad::Rows(other)) => {
            for (i, &id) in other.ids.iter().enumerate() {
                rows.add(id, scale, &other.value[i * other.cols..(i + 1) * other.cols]);
            }
        }
        _ => {}
    }
}
