//! Tables of factors and the two inner loops of matrix factorisation.
//!
//! Rows are padded with zeros to a multiple of eight, which a step of gradient descent keeps at zero, so that the loops
//! have no remainder and the compiler turns them into vector code. Sums run in a fixed order of lanes.

use kohort_random::Stream;
use ndarray_rand::rand_distr::Distribution;

use super::observed::Lists;

const LANES: usize = 8;
/// Lanes that are summed side by side: enough to hide the latency of an addition.
const WIDE: usize = 16;

/// A `[rows, width]` table, row-major.
#[derive(Clone, Debug)]
pub(super) struct Table {
    padded: usize,
    data: Vec<f32>,
}

impl Table {
    /// Draws every number from `distribution`, row by row; rows of keys that `seen` never met are zero, which makes a
    /// newcomer's part of a prediction vanish.
    pub(super) fn draw(
        width: usize,
        seen: &Lists,
        distribution: impl Distribution<f32>,
        stream: &mut Stream,
    ) -> Table {
        let mut table = Table::zeros(seen.keys(), width);
        for row in 0..seen.keys() {
            let known = seen.count(row as u32) > 0;
            for cell in &mut table.row_mut(row)[..width] {
                // Drawn for newcomers too: a user's start does not depend on who else is in the training part.
                let drawn = distribution.sample(stream);
                *cell = if known { drawn } else { 0.0 };
            }
        }
        table
    }

    pub(super) fn zeros(rows: usize, width: usize) -> Table {
        let padded = width.max(1).next_multiple_of(LANES);
        Table { padded, data: vec![0.0; rows * padded] }
    }

    /// Sets every number to zero.
    pub(super) fn clear(&mut self) {
        self.data.fill(0.0);
    }

    /// A table of given rows, all of `width` numbers.
    #[cfg(test)]
    pub(super) fn from_rows(width: usize, rows: &[Vec<f32>]) -> Table {
        let mut table = Table::zeros(rows.len(), width);
        for (at, row) in rows.iter().enumerate() {
            table.row_mut(at)[..width].copy_from_slice(row);
        }
        table
    }

    pub(super) fn rows(&self) -> usize {
        self.data.len() / self.padded
    }

    /// A row with its padding.
    pub(super) fn row(&self, at: usize) -> &[f32] {
        &self.data[at * self.padded..(at + 1) * self.padded]
    }

    /// A row with its padding.
    pub(super) fn row_mut(&mut self, at: usize) -> &mut [f32] {
        &mut self.data[at * self.padded..(at + 1) * self.padded]
    }

    /// Inner product of a row here and a row of `other`; 0 where either has no such row.
    pub(super) fn dot(&self, at: u32, other: &Table, there: u32) -> f32 {
        let (at, there) = (at as usize, there as usize);
        if at < self.rows() && there < other.rows() { dot(self.row(at), other.row(there)) } else { 0.0 }
    }
}

/// Inner product of two padded rows.
#[inline]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (wide_a, rest_a) = a.as_chunks::<WIDE>();
    let (wide_b, rest_b) = b.as_chunks::<WIDE>();
    let mut sums = [0.0f32; WIDE];
    for (a, b) in wide_a.iter().zip(wide_b) {
        for lane in 0..WIDE {
            sums[lane] += a[lane] * b[lane];
        }
    }
    if let Some((a, b)) = rest_a.first_chunk::<LANES>().zip(rest_b.first_chunk::<LANES>()) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut half = WIDE / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// One step on both sides of an inner product: `p ← keep·p + gain_p·q`, `q ← keep·q + gain_q·p`, from the old values.
#[inline]
pub(super) fn step(p: &mut [f32], gain_p: f32, q: &mut [f32], gain_q: f32, keep: f32) {
    // A flat loop: cut into chunks, it is turned into shuffles between lanes that take three times as long.
    for (p, q) in p.iter_mut().zip(q) {
        let (old_p, old_q) = (*p, *q);
        *p = keep * old_p + gain_p * old_q;
        *q = keep * old_q + gain_q * old_p;
    }
}
