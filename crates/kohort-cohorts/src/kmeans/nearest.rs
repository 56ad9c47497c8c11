//! The nearest centre of each row: one matrix product per tile of rows, then an argmin that runs across rows.
//!
//! ```text
//! argmin_j |x − c_j|²  =  argmin_j ( |c_j|² − 2 c_j·x )
//! scores [k, tile]     =  −2 · C [k, dim] · Xᵀ [dim, tile]
//! ```
//!
//! The scores lie transposed, so that neighbouring rows are neighbours in memory and the argmin needs no
//! shuffles: sixteen rows go through all centres at once. Both sides are shifted by the same point (the
//! data's mean) first, because the expanded square loses as many digits as the points are away from the
//! origin.

use kohort_core::Real;
use kohort_core::kernels::{Transpose, gemm, wide};

const LANES: usize = 16;

/// Centres made ready for scoring.
pub(crate) struct Nearest<'a, F> {
    dim: usize,
    shift: &'a [F],
    /// `[k, dim]`, shifted.
    centres: Vec<F>,
    /// `|c|²` of the shifted centres, `[k]`.
    norms: Vec<F>,
}

/// Room for one tile, reused from tile to tile.
#[derive(Default)]
pub(crate) struct Scratch<F> {
    rows: Vec<F>,
    scores: Vec<F>,
}

impl<'a, F: Real> Nearest<'a, F> {
    /// `centres: [k, dim]`, `shift: [dim]`.
    pub(crate) fn new(centres: &[F], shift: &'a [F]) -> Self {
        let dim = shift.len();
        let mut shifted = vec![F::default(); centres.len()];
        shift_rows(centres, shift, &mut shifted);
        let norms = shifted.chunks_exact(dim).map(|c| F::of(norm(c))).collect();
        Self { dim, shift, centres: shifted, norms }
    }

    fn clusters(&self) -> usize {
        self.norms.len()
    }

    /// Rows scored at once: few enough for scores and rows to stay in the cache. Depends on the shape alone.
    pub(crate) fn tile(&self) -> usize {
        let widest = self.clusters().max(self.dim);
        (16384 / widest).clamp(2 * LANES, 512) / LANES * LANES
    }

    /// Writes the nearest centre of each of `rows: [n, dim]` to `labels: [n]`, `n ≤ tile`. Ties go to the lower
    /// index.
    pub(crate) fn label(&self, rows: &[F], labels: &mut [u32], scratch: &mut Scratch<F>) {
        let scores = self.scores(rows, scratch);
        wide(
            #[inline(always)]
            || self.pick(scores, labels),
        );
    }

    /// The argmin of each column of `scores [k, n]` with the norms added.
    #[inline(always)]
    fn pick(&self, scores: &[F], labels: &mut [u32]) {
        let n = labels.len();
        let (strips, rest) = labels.as_chunks_mut::<LANES>();
        for (strip, labels) in strips.iter_mut().enumerate() {
            let mut best = [F::of(f64::INFINITY); LANES];
            let mut at = [0u32; LANES];
            for (j, (line, &norm)) in scores.chunks_exact(n).zip(&self.norms).enumerate() {
                let line: &[F; LANES] = line[strip * LANES..]
                    .first_chunk()
                    .expect("as_chunks_mut counted whole strips of the n rows");
                for lane in 0..LANES {
                    let score = line[lane] + norm;
                    let closer = score < best[lane];
                    best[lane] = if closer { score } else { best[lane] };
                    at[lane] = if closer { j as u32 } else { at[lane] };
                }
            }
            *labels = at;
        }
        let done = n - rest.len();
        for (i, label) in rest.iter_mut().enumerate() {
            let mut best = F::of(f64::INFINITY);
            for (j, (line, &norm)) in scores.chunks_exact(n).zip(&self.norms).enumerate() {
                let score = line[done + i] + norm;
                if score < best {
                    (best, *label) = (score, j as u32);
                }
            }
        }
    }

    /// Calls `each(row, squared distances [k])` for `rows: [n, dim]`, `n ≤ tile`, whose shifted norms are
    /// given. Distances within the product's rounding error count as 0, so that copies of a centre do.
    pub(crate) fn squared_distances(
        &self,
        rows: &[F],
        norms: &[F],
        scratch: &mut Scratch<F>,
        mut each: impl FnMut(usize, usize, F),
    ) {
        let noise = F::of(if size_of::<F>() == 4 { 1e-6 } else { 2e-15 });
        let zero = F::default();
        let scores = self.scores(rows, scratch);
        for (j, (line, &own)) in scores.chunks_exact(norms.len()).zip(&self.norms).enumerate() {
            for (i, (&score, &norm)) in line.iter().zip(norms).enumerate() {
                let size = norm + own;
                let distance = size + score;
                each(j, i, if distance > noise * size { distance } else { zero });
            }
        }
    }

    /// `−2 · C · Xᵀ`, `[k, n]`.
    fn scores<'s>(&self, rows: &[F], scratch: &'s mut Scratch<F>) -> &'s [F] {
        let (n, k) = (rows.len() / self.dim, self.clusters());
        scratch.rows.resize(self.tile() * self.dim, F::default());
        scratch.scores.resize(self.tile() * k, F::default());
        let shifted = &mut scratch.rows[..rows.len()];
        wide(
            #[inline(always)]
            || shift_rows(rows, self.shift, shifted),
        );
        let scores = &mut scratch.scores[..n * k];
        let shape = (k, n, self.dim);
        gemm(
            (Transpose::No, Transpose::Yes),
            shape,
            F::of(-2.0),
            &self.centres,
            shifted,
            F::default(),
            scores,
        );
        scores
    }
}

#[inline(always)]
pub(crate) fn shift_rows<F: Real>(rows: &[F], shift: &[F], into: &mut [F]) {
    for (row, into) in rows.chunks_exact(shift.len()).zip(into.chunks_exact_mut(shift.len())) {
        for ((x, &s), into) in row.iter().zip(shift).zip(into) {
            *into = *x - s;
        }
    }
}

fn norm<F: Real>(row: &[F]) -> f64 {
    row.iter().map(|x| x.f64() * x.f64()).sum()
}

/// `|x − shift|²` of each row, as rounded as the product that it will be added to.
pub(crate) fn shifted_norm<F: Real>(row: &[F], shift: &[F]) -> F {
    F::of(row.iter().zip(shift).map(|(&x, &s)| (x - s).f64().powi(2)).sum())
}
