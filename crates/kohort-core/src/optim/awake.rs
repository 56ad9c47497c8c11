//! The rows of a table that are stepped: all of them, as the papers' formulas say, at the price of those that have ever been touched; or
//! those with a gradient alone.
//!
//! A row that never had a gradient has no moment, and to step it by a gradient of zero changes no bit, as long as there is no weight decay.
//! So such rows are left out. Each row's arithmetic is its own: their order, and which of them go together, change no bit either.

use rayon::prelude::*;

use super::{At, Piece, Update, split};
use crate::kernels::{AHEAD, fetch};
use crate::{Real, RowList};

/// The rows of a table that a step may change.
#[derive(Clone, Debug, Default)]
pub(super) struct Awake {
    /// By row, whether it is one of them; empty until it is known, and where only rows with a gradient are stepped.
    flags: Vec<bool>,
    /// All of them, ascending.
    ids: Vec<u32>,
}

impl Awake {
    /// Takes in the rows with a gradient, and all of them if none `rests`. Where it is not known which rows have a moment, as after a
    /// checkpoint, it is found from the moments.
    pub(super) fn wake<F: Real>(
        &mut self,
        (count, cols): (usize, usize),
        rows: &RowList<F>,
        moments: [&[F]; 2],
        rests: bool,
    ) -> &[u32] {
        if self.flags.len() != count {
            let some = |m: &[F]| m.iter().any(|&m| m != F::zero());
            let moves =
                |row: usize| moments.iter().any(|m| m.get(row * cols..(row + 1) * cols).is_some_and(some));
            self.flags = (0..count).map(moves).collect();
            self.list();
        }
        if !rests {
            if self.ids.len() < count {
                self.flags.fill(true);
                self.list();
            }
            return &self.ids;
        }
        let known = self.ids.len();
        for &id in rows.ids() {
            if !std::mem::replace(&mut self.flags[id as usize], true) {
                self.ids.push(id);
            }
        }
        // As the steps go on, few are new.
        if self.ids.len() > known {
            self.ids.sort();
        }
        &self.ids
    }

    /// The rows with a gradient alone.
    pub(super) fn touched<F: Real>(&mut self, rows: &RowList<F>) -> &[u32] {
        self.ids.clear();
        self.ids.extend_from_slice(rows.ids());
        self.ids.par_sort_unstable();
        &self.ids
    }

    fn list(&mut self) {
        self.ids.clear();
        self.ids.extend((0..self.flags.len() as u32).filter(|&row| self.flags[row as usize]));
    }
}

/// Values that are stepped at a time.
const ROOM: usize = 1 << 10;
/// Rows that one thread steps.
const SHARE: usize = 1 << 9;

/// Steps the rows `ids` (ascending) of a table of `cols` columns, of which the piece holds those from `first` on.
pub(super) fn step<F: Real>(
    rule: &dyn Update<F>,
    piece: Piece<'_, F>,
    (rows, cols, first): (&RowList<F>, usize, usize),
    ids: &[u32],
    at: &At<F>,
) {
    if ids.len() <= SHARE {
        return step_each(rule, piece, (rows, cols, first), ids, at);
    }
    let (low, high) = ids.split_at(ids.len() / 2);
    let middle = high[0] as usize;
    let (left, right) = split(piece, (middle - first) * cols);
    rayon::join(
        || step(rule, left, (rows, cols, first), low, at),
        || step(rule, right, (rows, cols, middle), high, at),
    );
}

fn step_each<F: Real>(
    rule: &dyn Update<F>,
    (p, m, v): Piece<'_, F>,
    (rows, cols, first): (&RowList<F>, usize, usize),
    ids: &[u32],
    at: &At<F>,
) {
    let mut room = [F::zero(); ROOM];
    let mut large = Vec::new();
    let most = (ROOM / cols).max(1);
    let spans = |from: usize, to: usize| (from - first) * cols..(to - first) * cols;
    let mut begun = 0;
    while let Some(&from) = ids.get(begun) {
        // Neighbours are stepped together.
        let near = ids[begun..].iter().take(most).zip(from..);
        let count = near.take_while(|&(&id, next)| id == next).count();
        for &id in ids[begun + count..].iter().take(AHEAD).skip(AHEAD.saturating_sub(count)) {
            let span = spans(id as usize, id as usize + 1);
            rows.fetch(id);
            [&*p, &*m, &*v].into_iter().filter_map(|values| values.get(span.clone())).for_each(fetch);
        }
        begun += count;
        let alone = rows.get(from).filter(|_| count == 1);
        let g = match alone {
            Some(touched) => touched,
            None => {
                let g = if cols <= ROOM {
                    &mut room[..count * cols]
                } else {
                    large.resize(cols, F::zero());
                    &mut large[..]
                };
                for (g, id) in g.chunks_exact_mut(cols).zip(from..) {
                    // Rows that were not touched have a gradient of zero.
                    match rows.get(id) {
                        Some(touched) => g.copy_from_slice(touched),
                        None => g.fill(F::zero()),
                    }
                }
                g
            }
        };
        let span = spans(from as usize, from as usize + count);
        // A rule without a moment keeps an empty buffer, whose rows are the empty slice.
        let m = m.get_mut(span.clone()).unwrap_or_default();
        let v = v.get_mut(span.clone()).unwrap_or_default();
        rule.step(&mut p[span], g, m, v, at);
    }
}
