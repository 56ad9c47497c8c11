//! A checked view of points in row-major order, and the fixed blocks in which every pass reads them.

use std::ops::Range;

use kohort_core::Real;
use rayon::prelude::*;

/// The largest magnitude a coordinate may have: squares of larger ones, summed, could leave the range of f32.
pub const LARGEST: f64 = 1e15;

/// Why values can't be clustered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PointsError {
    /// Zero columns.
    #[error("points need at least one dimension, got 0")]
    NoDimensions,
    /// Zero rows.
    #[error("there are no points")]
    Empty,
    /// The values do not fill whole rows.
    #[error("{len} values do not fill rows of {dim} dimensions: the last row has {} of them", len % dim)]
    Ragged {
        /// Values given.
        len: usize,
        /// Dimensions per row.
        dim: usize,
    },
    /// A coordinate that is NaN, infinite or too large to square.
    #[error(
        "row {row}, column {column}: value {value} is not allowed, it must be finite and at most 1e15 in magnitude"
    )]
    Value {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// What stands there.
        value: f64,
    },
    /// Not one weight per row.
    #[error("{weights} weights for {rows} rows: one for each row is needed")]
    WeightCount {
        /// Weights given.
        weights: usize,
        /// Rows given.
        rows: usize,
    },
    /// A weight that is negative, NaN, infinite or too large.
    #[error("row {row}: weight {value} is not allowed, it must be between 0 and 1e15")]
    Weight {
        /// Row, from 0.
        row: usize,
        /// What stands there.
        value: f64,
    },
    /// No row counts.
    #[error("all weights are 0: at least one must be above")]
    WeightlessRows,
}

/// Points `[rows, dim]`, row-major, with optional weights `[rows]`; checked once, so that what follows need
/// not.
///
/// ```
/// use kohort_cohorts::{Points, PointsError};
///
/// let points = Points::new(&[0.0f32, 1.0, 2.0, 3.0], 2).expect("two rows of two");
/// assert_eq!((points.rows(), points.row(1)), (2, &[2.0, 3.0][..]));
/// let bad = Points::new(&[0.0f32, 1.0, f32::NAN, 3.0], 2);
/// assert!(matches!(bad, Err(PointsError::Value { row: 1, column: 0, .. })));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Points<'a, F> {
    values: &'a [F],
    dim: usize,
    weights: Option<&'a [F]>,
}

impl<'a, F: Real> Points<'a, F> {
    /// Points of equal weight.
    ///
    /// # Errors
    /// No rows, ragged rows, or a coordinate that is not finite or beyond [`LARGEST`], named by row and column.
    pub fn new(values: &'a [F], dim: usize) -> Result<Self, PointsError> {
        if dim == 0 {
            return Err(PointsError::NoDimensions);
        }
        if values.is_empty() {
            return Err(PointsError::Empty);
        }
        if !values.len().is_multiple_of(dim) {
            return Err(PointsError::Ragged { len: values.len(), dim });
        }
        if let Some(at) = first_outside(values, -LARGEST) {
            return Err(PointsError::Value { row: at / dim, column: at % dim, value: values[at].f64() });
        }
        Ok(Self { values, dim, weights: None })
    }

    /// The same points, each counting `weights[row]` times; a weight of 0 gives a row a label but no say.
    ///
    /// # Errors
    /// Not one weight per row, a weight outside `0..=1e15`, or none above 0.
    pub fn weighted(self, weights: &'a [F]) -> Result<Self, PointsError> {
        if weights.len() != self.rows() {
            return Err(PointsError::WeightCount { weights: weights.len(), rows: self.rows() });
        }
        if let Some(row) = first_outside(weights, 0.0) {
            return Err(PointsError::Weight { row, value: weights[row].f64() });
        }
        if weights.iter().all(|w| w.f64() == 0.0) {
            return Err(PointsError::WeightlessRows);
        }
        Ok(Self { weights: Some(weights), ..self })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Number of columns.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All values, row-major.
    pub fn values(&self) -> &'a [F] {
        self.values
    }

    /// One row, `[dim]`.
    pub fn row(&self, row: usize) -> &'a [F] {
        &self.values[row * self.dim..][..self.dim]
    }

    /// The weight of a row, 1 where none were given.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[row].f64())
    }

    /// Rows per block: a function of the number of rows only, never of the number of threads, because partial
    /// sums are made per block and added in block order.
    pub(crate) fn block_rows(&self) -> usize {
        self.rows().div_ceil(64).max(1024).next_multiple_of(256)
    }

    pub(crate) fn blocks(&self) -> usize {
        self.rows().div_ceil(self.block_rows())
    }

    pub(crate) fn block(&self, block: usize) -> Range<usize> {
        let rows = self.block_rows();
        block * rows..((block + 1) * rows).min(self.rows())
    }

    pub(crate) fn weights(&self) -> Option<&'a [F]> {
        self.weights
    }

    /// `Σ f(row)` in f64: rows in order within a block, blocks in order.
    pub(crate) fn sum(&self, f: impl Fn(usize) -> f64 + Sync) -> f64 {
        let partial: Vec<f64> =
            (0..self.blocks()).into_par_iter().map(|b| self.block(b).map(&f).sum::<f64>()).collect();
        partial.iter().sum()
    }

    /// Weighted mean of each column, `[dim]`, in f64.
    pub(crate) fn mean(&self) -> Vec<f64> {
        let partial: Vec<(Vec<f64>, f64)> = (0..self.blocks())
            .into_par_iter()
            .map(|block| {
                let (mut sums, mut weight) = (vec![0.0; self.dim], 0.0);
                for row in self.block(block) {
                    let w = self.weight(row);
                    weight += w;
                    for (sum, x) in sums.iter_mut().zip(self.row(row)) {
                        *sum += w * x.f64();
                    }
                }
                (sums, weight)
            })
            .collect();
        let (mut mean, mut weight) = (vec![0.0; self.dim], 0.0);
        for (sums, w) in &partial {
            weight += w;
            for (total, sum) in mean.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        for m in &mut mean {
            *m /= weight;
        }
        mean
    }
}

/// Index of the first value that is not within `low..=LARGEST`; NaN is never within.
fn first_outside<F: Real>(values: &[F], low: f64) -> Option<usize> {
    const CHUNK: usize = 4096;
    let (low, high) = (F::of(low), F::of(LARGEST));
    // Without an early exit inside the chunk, the scan vectorises.
    let chunk = values
        .par_chunks(CHUNK)
        .position_first(|chunk| !chunk.iter().fold(true, |good, &x| good & (low <= x) & (x <= high)))?;
    let start = chunk * CHUNK;
    values[start..].iter().position(|&x| !(low <= x && x <= high)).map(|at| start + at)
}

/// Squared Euclidean distance in f64, in eight lanes that a compiler can keep in vector registers.
pub(crate) fn squared_distance<F: Real>(a: &[F], b: &[F]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0f64; LANES];
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            let difference = a[lane].f64() - b[lane].f64();
            lanes[lane] += difference * difference;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| (a.f64() - b.f64()) * (a.f64() - b.f64())).sum();
    lanes.iter().sum::<f64>() + rest
}
