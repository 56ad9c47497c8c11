//! The rows of a table that are stepped: all of them, as the papers' formulas say, at the price of those that have ever been touched; or
//! those with a gradient alone.
//!
//! A row that never had a gradient has no moment, and to step it by a gradient of zero changes no bit, as long as there is no weight decay.
//! So such rows are left out. Each row's arithmetic is its own: their order, and which of them go together, change no bit either.

use rayon::prelude::*;

use super::{At, Piece, Update, split};
use crate::kernels::fetch;
use crate::{Real, RowList};

/// The rows of a table that a step may change.
#[derive(Clone, Debug, Default)]
pub(super) struct Awake {
    /// By row, whether it is one of them; empty until the first step.
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
/// Rows that are asked for from memory before they are needed: scattered as they are, nobody else guesses them.
const AHEAD: usize = 12;

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
    let span = |row: u32, count: usize| {
        let from = (row as usize - first) * cols;
        from..from + count * cols
    };
    let ask = |ids: &[u32], values: [&[F]; 3]| {
        for &id in ids {
            rows.fetch(id);
            // A rule without a moment keeps an empty buffer, whose rows are the empty slice.
            values.into_iter().filter_map(|values| values.get(span(id, 1))).for_each(fetch);
        }
    };
    ask(&ids[..ids.len().min(AHEAD)], [p, m, v]);
    let mut room = [[F::zero(); ROOM]; 4];
    let mut large = Vec::new();
    let most = (ROOM / cols).max(1);
    for (begun, group) in ids.chunks(most).enumerate() {
        let [g, own_p, own_m, own_v] = &mut room;
        let g = if cols <= ROOM {
            &mut g[..group.len() * cols]
        } else {
            large.resize(cols, F::zero());
            &mut large[..]
        };
        // Neighbours are stepped where they lie, others brought together: a single row is too short to be worth a call.
        let (from, to) = (group[0], group[group.len() - 1]);
        let near = (to - from) as usize + 1 == group.len();
        for (k, (&id, g)) in group.iter().zip(g.chunks_exact_mut(cols)).enumerate() {
            let next = begun * most + k + AHEAD;
            // Where rows lie one after another the machine guesses the next by itself.
            if let Some(&[before, next]) = ids.get(next - 1..next + 1)
                && next - before > 1
            {
                ask(&[next], [p, m, v]);
            }
            match rows.get(id) {
                Some(touched) => g.copy_from_slice(touched),
                // A row that was not touched has a gradient of zero.
                None => g.fill(F::zero()),
            }
            if !near {
                for (own, all) in [(&mut *own_p, &*p), (&mut *own_m, &*m), (&mut *own_v, &*v)] {
                    if let Some(row) = all.get(span(id, 1)) {
                        own[k * cols..(k + 1) * cols].copy_from_slice(row);
                    }
                }
            }
        }
        let whole = span(from, group.len());
        if near {
            let m = m.get_mut(whole.clone()).unwrap_or_default();
            let v = v.get_mut(whole.clone()).unwrap_or_default();
            rule.step(&mut p[whole], g, m, v, at);
            continue;
        }
        let [own_p, own_m, own_v] = [(own_p, &*p), (own_m, &*m), (own_v, &*v)]
            .map(|(own, all)| if all.is_empty() { &mut own[..0] } else { &mut own[..g.len()] });
        rule.step(own_p, g, own_m, own_v, at);
        for (all, own) in [(&mut *p, own_p), (&mut *m, own_m), (&mut *v, own_v)] {
            for (&id, own) in group.iter().zip(own.chunks_exact(cols)) {
                all[span(id, 1)].copy_from_slice(own);
            }
        }
    }
}
