//! Symmetric sparse matrices, and the mean of their powers that light graph convolution is.
//!
//! With `A` symmetric `[n, n]` and `E` `[n, d]`, K layers give
//!
//! `P·E = (1/(K + 1)) Σ_{k=0..K} Aᵏ·E`, by Horner's rule `H₀ = E`, `H_{k+1} = E + A·H_k`, `P·E = H_K/(K + 1)`:
//!
//! K products and no sum to keep beside them. The last product is needed at the wanted rows only. `P` is symmetric as
//! `A` is, so the adjoint of `E` is `P` times the adjoint of the result: **backward is the same propagation**.
//!
//! Each row of a product is summed by one thread in the order of its columns: the same bits for any number of threads.

use rayon::prelude::*;

use super::{CHUNK, Csr, SparseError};
use crate::Real;

/// A sparse matrix that equals its transpose, to the bit.
///
/// ```
/// use kohort_core::sparse::Symmetric;
///
/// // User 0 took both items, user 1 the second: nodes are the users, then the items.
/// let graph = Symmetric::<f64>::bipartite((2, 2), &[0, 0, 1], &[0, 1, 1])?;
/// let at = |row: usize, col: u32| graph.matrix().row(row).find(|entry| entry.0 == col).map(|entry| entry.1);
/// assert_eq!(at(0, 2), Some(1.0 / 2.0f64.sqrt())); // degrees 2 and 1
/// assert_eq!(at(0, 3), Some(0.5)); // degrees 2 and 2
/// assert_eq!(at(0, 1), None);
/// assert_eq!(graph.propagated(0, &[1.0, 2.0, 3.0, 4.0], 1), [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), kohort_core::sparse::SparseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Symmetric<F: Real>(Csr<F>);

impl<F: Real> Symmetric<F> {
    /// Takes a matrix that is symmetric.
    ///
    /// # Errors
    /// [`SparseError::Asymmetric`] for one that is not.
    pub fn new(matrix: Csr<F>) -> Result<Self, SparseError> {
        let other = matrix.transposed();
        let differs = (0..matrix.rows().max(other.rows()))
            .find(|&row| row >= matrix.rows() || row >= other.rows() || !matrix.row(row).eq(other.row(row)));
        match differs {
            Some(row) => Err(SparseError::Asymmetric { rows: matrix.rows(), cols: matrix.cols(), row }),
            None => Ok(Symmetric(matrix)),
        }
    }

    /// `Ã = D^{−½} A D^{−½}` of the bipartite graph of users and items: `ã_ui = 1/√(d_u·d_i)`, d the numbers of distinct
    /// neighbours, no loops. Nodes are the users and after them the items; a pair that is told twice is one edge, and a
    /// node without an edge has an empty row.
    ///
    /// # Errors
    /// [`SparseError::Lists`] for lists of different lengths, [`SparseError::Place`] for an id out of range.
    pub fn bipartite(
        (users, items): (usize, usize),
        user: &[u32],
        item: &[u32],
    ) -> Result<Self, SparseError> {
        if user.len() != item.len() {
            return Err(SparseError::Lists(format!(
                "{} users and {} items of edges",
                user.len(),
                item.len()
            )));
        }
        let mut edges: Vec<(u32, u32, F)> =
            user.iter().zip(item).map(|(&user, &item)| (user, item, F::one())).collect();
        edges.sort_unstable_by_key(|&(user, item, _)| (user, item));
        edges.dedup_by_key(|&mut (user, item, _)| (user, item));
        let own = Csr::from_entries(users, items, &edges)?; // checks the ids
        let taken = own.transposed();
        let degree = |matrix: &Csr<F>, row: usize| (matrix.offsets[row + 1] - matrix.offsets[row]) as f64;
        let weight =
            |user: usize, item: usize| F::of(1.0 / (degree(&own, user) * degree(&taken, item)).sqrt());
        let (mut offsets, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for user in 0..users {
            for (item, _) in own.row(user) {
                columns.push(users as u32 + item);
                values.push(weight(user, item as usize));
            }
            offsets.push(columns.len());
        }
        for item in 0..items {
            for (user, _) in taken.row(item) {
                columns.push(user);
                values.push(weight(user as usize, item));
            }
            offsets.push(columns.len());
        }
        Ok(Symmetric(Csr::new(users + items, offsets, columns, values)?))
    }

    /// Rows, and columns.
    pub fn nodes(&self) -> usize {
        self.0.rows()
    }

    /// The matrix.
    pub fn matrix(&self) -> &Csr<F> {
        &self.0
    }

    /// `(1/(layers + 1)) Σ_k Aᵏ·E` `[nodes, width]` of `e` `[nodes, width]`.
    ///
    /// # Panics
    /// If `e` has another length.
    #[track_caller]
    pub fn propagated(&self, layers: usize, e: &[F], width: usize) -> Vec<F> {
        assert_eq!(e.len(), self.nodes() * width, "propagation over {} nodes of width {width}", self.nodes());
        let mut out = vec![F::zero(); e.len()];
        let mut spare = vec![F::zero(); spare(layers, e.len())];
        self.propagate_rows(layers, e, width, &mut spare, |row| row, &mut out);
        out
    }

    /// Adds row `row(n)` of the propagation of `e` to each row n of `out`; [`spare`] says how much room it takes.
    pub(crate) fn propagate_rows(
        &self,
        layers: usize,
        e: &[F],
        width: usize,
        spare: &mut [F],
        row: impl Fn(usize) -> usize + Sync,
        out: &mut [F],
    ) {
        if width == 0 {
            return;
        }
        // H_{K−1} of all rows, in two buffers by turns.
        let inner = layers.saturating_sub(1);
        let (mut h, mut next) = spare.split_at_mut(if inner > 0 { e.len() } else { 0 });
        for layer in 0..inner {
            if layer == 0 {
                self.plus_product(e, e, width, h);
            } else {
                self.plus_product(e, h, width, next);
                std::mem::swap(&mut h, &mut next);
            }
        }
        let h: &[F] = if inner == 0 { e } else { h };
        let scale = F::one() / F::of((layers + 1) as f64);
        out.par_chunks_mut(CHUNK * width).enumerate().for_each_init(
            || vec![F::zero(); width],
            |sum, (chunk, out)| {
                for (n, out) in out.chunks_exact_mut(width).enumerate() {
                    let row = row(chunk * CHUNK + n);
                    sum.copy_from_slice(&e[row * width..(row + 1) * width]);
                    if layers > 0 {
                        self.0.add_row_times(row, h, width, sum);
                    }
                    out.iter_mut().zip(&*sum).for_each(|(out, &sum)| *out += scale * sum);
                }
            },
        );
    }

    /// `out = e + A·h`.
    fn plus_product(&self, e: &[F], h: &[F], width: usize, out: &mut [F]) {
        let chunks = out.par_chunks_mut(CHUNK * width).zip(e.par_chunks(CHUNK * width));
        chunks.enumerate().for_each(|(chunk, (out, e))| {
            out.copy_from_slice(e);
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                self.0.add_row_times(chunk * CHUNK + row, h, width, out);
            }
        });
    }
}

/// Values of working room that `layers` layers of `len` values take.
pub(crate) fn spare(layers: usize, len: usize) -> usize {
    layers.saturating_sub(1).min(2) * len
}
