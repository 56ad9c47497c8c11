//! The gradient of a table: a list of rows.

use crate::Real;
use crate::kernels::{AHEAD, fetch};

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
    pub(super) ids: Vec<u32>,
    pub(super) value: Vec<F>,
    pub(super) cols: usize,
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

    /// Asks for a row's place in the map from memory: in a large table nobody guesses it.
    #[inline]
    pub(crate) fn fetch(&self, id: u32) {
        if let Some(entry) = self.entry.get(id as usize) {
            fetch(std::slice::from_ref(entry));
        }
    }

    /// The sum of a row, to add to; zero at its first touch.
    #[inline(always)] // into loops that are compiled for wide vectors, as the next
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
    #[inline(always)]
    pub fn add(&mut self, id: u32, scale: F, row: &[F]) {
        for (sum, &g) in self.row_mut(id).iter_mut().zip(row) {
            *sum += scale * g;
        }
    }

    pub(super) fn clear(&mut self) {
        for (n, &id) in self.ids.iter().enumerate() {
            self.ids.get(n + AHEAD).into_iter().for_each(|&next| self.fetch(next));
            self.entry[id as usize] = ABSENT;
        }
        self.ids.clear();
        self.value.clear();
    }

    /// Forgets what it holds and takes the rows `ids`, which differ, with values `[ids, cols]` that `fill` writes.
    pub(super) fn replace(&mut self, ids: &[u32], fill: impl FnOnce(&mut [F])) {
        self.clear();
        if self.entry.is_empty() {
            self.entry.resize(self.rows, ABSENT);
        }
        for (at, &id) in ids.iter().enumerate() {
            ids.get(at + AHEAD).into_iter().for_each(|&next| self.fetch(next));
            self.entry[id as usize] = at as u32;
        }
        self.ids.extend_from_slice(ids);
        self.value.resize(ids.len() * self.cols, F::zero());
        fill(&mut self.value);
    }
}
