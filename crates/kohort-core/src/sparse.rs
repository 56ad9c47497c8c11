//! Sparse matrices in compressed rows, and their products with dense ones.
//!
//! Row i of A has the columns `columns[offsets[i]..offsets[i + 1]]`, ascending, and beside them the values. A product
//! `A·B` with dense `B: [cols, width]` sets row i of the result to `Σ_j a_ij · B_j`, summed in the order of the columns by
//! one thread: the same bits for any number of threads. `Aᵀ·B` is the product of [`Csr::transposed`], which is made once
//! in O(rows + cols + entries), because writing into shared rows would need an order of arrival.

mod symmetric;

use rayon::prelude::*;

pub use symmetric::Symmetric;
pub(crate) use symmetric::spare;

use crate::Real;

/// Rows that one task computes. Fixed, though no bit depends on it.
const CHUNK: usize = 64;

/// A sparse matrix `[rows, cols]`, row by row.
///
/// ```
/// use kohort_core::sparse::Csr;
///
/// // [ 0 2 ]
/// // [ 1 0 ]
/// // [ 0 3 ]
/// let a = Csr::from_entries(3, 2, &[(1, 0, 1.0), (0, 1, 2.0), (2, 1, 1.0), (2, 1, 2.0)])?;
/// assert_eq!((a.rows(), a.cols(), a.entries()), (3, 2, 3));
/// assert_eq!(a.row(2).collect::<Vec<_>>(), [(1, 3.0)], "entries of one place are added");
/// assert_eq!(a.times(&[10.0, 1.0], 1), [2.0, 10.0, 3.0]);
/// assert_eq!(a.transposed().times(&[1.0, 1.0, 1.0], 1), [1.0, 5.0]);
///
/// let error = Csr::from_entries(3, 2, &[(0, 2, 1.0)]).unwrap_err();
/// assert_eq!(error.to_string(), "sparse matrix [3, 2]: entry 0 is at row 0, column 2, which it does not have");
/// # Ok::<(), kohort_core::sparse::SparseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Csr<F: Real> {
    cols: usize,
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<F>,
}

/// Why something is not a sparse matrix.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SparseError {
    /// Lists that do not fit each other.
    #[error("sparse matrix: {0}")]
    Lists(String),
    /// An entry outside the matrix.
    #[error(
        "sparse matrix [{rows}, {cols}]: entry {at} is at row {row}, column {col}, which it does not have"
    )]
    Place {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
        /// Number of the entry, counted from 0.
        at: usize,
        /// Its row.
        row: usize,
        /// Its column.
        col: usize,
    },
    /// An entry that is infinite or not a number.
    #[error("sparse matrix: row {row}, column {col}: found {value}, expected a finite number")]
    Value {
        /// Its row.
        row: usize,
        /// Its column.
        col: usize,
        /// Its value.
        value: f64,
    },
    /// A matrix that is to be symmetric and is not.
    #[error(
        "sparse matrix [{rows}, {cols}]: row {row} differs from column {row}, expected a symmetric matrix"
    )]
    Asymmetric {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
        /// The first row that is not its column.
        row: usize,
    },
}

impl<F: Real> Csr<F> {
    /// Takes compressed rows as they are: `offsets` `[rows + 1]`, `columns` and `values` `[entries]`.
    ///
    /// # Errors
    /// [`SparseError::Lists`] for offsets that do not ascend from 0 to the number of entries, columns that do not
    /// ascend within a row, or lengths that differ; [`SparseError::Place`] for a column that is not below `cols`;
    /// [`SparseError::Value`].
    pub fn new(
        cols: usize,
        offsets: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<F>,
    ) -> Result<Self, SparseError> {
        let lists = |what: String| Err(SparseError::Lists(what));
        if columns.len() != values.len() {
            return lists(format!("{} columns and {} values", columns.len(), values.len()));
        }
        if offsets.first() != Some(&0) || offsets.last() != Some(&columns.len()) {
            let (first, last) = (offsets.first(), offsets.last());
            return lists(format!("offsets from {first:?} to {last:?}, expected 0 to {}", columns.len()));
        }
        if let Some(row) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            return lists(format!("row {row} begins at {} and ends at {}", offsets[row], offsets[row + 1]));
        }
        let matrix = Csr { cols, offsets, columns, values };
        for row in 0..matrix.rows() {
            let range = matrix.range(row);
            let own = &matrix.columns[range.clone()];
            if let Some(pair) = own.windows(2).find(|pair| pair[0] >= pair[1]) {
                return lists(format!("row {row} has column {} after column {}", pair[1], pair[0]));
            }
            if let Some(&col) = own.last().filter(|&&col| col as usize >= cols) {
                let (rows, at) = (matrix.rows(), range.end - 1);
                return Err(SparseError::Place { rows, cols, at, row, col: col as usize });
            }
            if let Some((col, value)) = matrix.row(row).find(|(_, value)| !value.is_finite()) {
                return Err(SparseError::Value { row, col: col as usize, value: value.f64() });
            }
        }
        Ok(matrix)
    }

    /// From (row, column, value) in any order; entries of one place are added in the order given.
    ///
    /// # Errors
    /// [`SparseError::Place`], or [`SparseError::Value`], also for a sum that is not finite.
    pub fn from_entries(rows: usize, cols: usize, entries: &[(u32, u32, F)]) -> Result<Self, SparseError> {
        let outside = |&(row, col, _): &(u32, u32, F)| row as usize >= rows || col as usize >= cols;
        if let Some(at) = entries.iter().position(outside) {
            let (row, col) = (entries[at].0 as usize, entries[at].1 as usize);
            return Err(SparseError::Place { rows, cols, at, row, col });
        }
        let mut order: Vec<&(u32, u32, F)> = entries.iter().collect();
        order.sort_by_key(|&&(row, col, _)| (row, col)); // stable: sums keep the order given
        let mut offsets = vec![0usize; rows + 1];
        let (mut columns, mut values) = (Vec::new(), Vec::<F>::new());
        for same in order.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let &(row, col, first) = same[0];
            columns.push(col);
            values.push(same[1..].iter().fold(first, |sum, entry| sum + entry.2));
            offsets[row as usize + 1] = columns.len();
        }
        for row in 1..offsets.len() {
            offsets[row] = offsets[row].max(offsets[row - 1]);
        }
        Csr::new(cols, offsets, columns, values)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number of stored entries.
    pub fn entries(&self) -> usize {
        self.values.len()
    }

    /// The stored entries of a row, columns ascending.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, F)> {
        let range = self.range(row);
        self.columns[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row]..self.offsets[row + 1]
    }

    /// The same places with other values, of another type if wanted: `change(row, column, value)`.
    ///
    /// # Errors
    /// [`SparseError::Value`] for a new value that is not finite.
    pub fn map<G: Real>(&self, change: impl Fn(usize, u32, F) -> G) -> Result<Csr<G>, SparseError> {
        let rows = 0..self.rows();
        let values = rows.flat_map(|row| self.row(row).map(move |(col, value)| (row, col, value)));
        let values = values.map(|(row, col, value)| change(row, col, value)).collect();
        Csr::new(self.cols, self.offsets.clone(), self.columns.clone(), values)
    }

    /// Rows and columns swapped: `[cols, rows]`.
    pub fn transposed(&self) -> Csr<F> {
        let mut offsets = vec![0usize; self.cols + 1];
        for &col in &self.columns {
            offsets[col as usize + 1] += 1;
        }
        for col in 0..self.cols {
            offsets[col + 1] += offsets[col];
        }
        let mut next = offsets.clone();
        let mut columns = vec![0u32; self.columns.len()];
        let mut values = vec![F::of(0.0); self.values.len()];
        for row in 0..self.rows() {
            for (col, value) in self.row(row) {
                let at = next[col as usize];
                (columns[at], values[at]) = (row as u32, value);
                next[col as usize] += 1;
            }
        }
        Csr { cols: self.rows(), offsets, columns, values }
    }

    /// `A·B` `[rows, width]` with dense `b: [cols, width]`, both row-major.
    ///
    /// # Panics
    /// If `b` has another length.
    #[track_caller]
    pub fn times(&self, b: &[F], width: usize) -> Vec<F> {
        let mut out = vec![F::of(0.0); self.rows() * width];
        self.times_into(b, width, &mut out);
        out
    }

    /// As [`Csr::times`], into `out` `[rows, width]`, whose former content is lost.
    ///
    /// # Panics
    /// If a slice has another length.
    #[track_caller]
    pub fn times_into(&self, b: &[F], width: usize, out: &mut [F]) {
        assert!(
            b.len() == self.cols * width && out.len() == self.rows() * width,
            "sparse product: A [{}, {}], B [{}, {width}] over {} values, result over {}",
            self.rows(),
            self.cols,
            self.cols,
            b.len(),
            out.len()
        );
        if width == 0 {
            return;
        }
        out.par_chunks_mut(CHUNK * width).enumerate().for_each(|(chunk, out)| {
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                out.fill(F::of(0.0));
                self.add_row_times(chunk * CHUNK + row, b, width, out);
            }
        });
    }

    /// `out += A_row·B`, entry by entry in the order of the columns; a strip of the result stays in registers.
    #[inline]
    fn add_row_times(&self, row: usize, b: &[F], width: usize, out: &mut [F]) {
        const STRIP: usize = 32;
        let range = self.range(row);
        let (columns, values) = (&self.columns[range.clone()], &self.values[range]);
        let mut strips = out.chunks_exact_mut(STRIP);
        let mut at = 0;
        for out in &mut strips {
            let mut sum = [F::of(0.0); STRIP];
            sum.copy_from_slice(out);
            for (&col, &value) in columns.iter().zip(values) {
                let from = col as usize * width + at;
                for (sum, &b) in sum.iter_mut().zip(&b[from..from + STRIP]) {
                    *sum += value * b;
                }
            }
            out.copy_from_slice(&sum);
            at += STRIP;
        }
        let out = strips.into_remainder();
        let rest = out.len();
        if rest == 0 {
            return;
        }
        for (&col, &value) in columns.iter().zip(values) {
            let from = col as usize * width + at;
            for (out, &b) in out.iter_mut().zip(&b[from..from + rest]) {
                *out += value * b;
            }
        }
    }
}
