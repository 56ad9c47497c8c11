//! Standardised columns: `z = (x − mean) / scale`, so that no feature outweighs others by its unit.

use kohort_core::Real;
use serde::{Deserialize, Serialize};

use crate::Points;

/// Mean and scale of each column, learned on training rows and applied to any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardiser {
    /// `[dim]`.
    pub mean: Vec<f64>,
    /// Standard deviation over the rows (denominator: their weight), `[dim]`; 1 for a column that does not
    /// vary.
    pub scale: Vec<f64>,
}

impl Standardiser {
    /// Learns mean and scale.
    ///
    /// ```
    /// use kohort_cohorts::{Points, Standardiser};
    ///
    /// let points = Points::new(&[1.0f32, 7.0, 3.0, 7.0], 2).expect("two rows of two");
    /// let columns = Standardiser::fit(&points);
    /// assert_eq!((&columns.mean[..], &columns.scale[..]), (&[2.0, 7.0][..], &[1.0, 1.0][..]));
    /// assert_eq!(columns.apply(points.values()), [-1.0, 0.0, 1.0, 0.0]);
    /// ```
    pub fn fit<F: Real>(points: &Points<'_, F>) -> Self {
        let mean = points.mean();
        let weight = points.sum(|row| points.weight(row));
        let scale = (0..points.dim())
            .map(|column| {
                let squares = points
                    .sum(|row| points.weight(row) * (points.row(row)[column].f64() - mean[column]).powi(2));
                let deviation = (squares / weight).sqrt();
                // What rounding of the mean leaves in a constant column is not variation.
                if deviation > 1e-12 * mean[column].abs() { deviation } else { 1.0 }
            })
            .collect();
        Self { mean, scale }
    }

    /// Leaves `dim` columns as they are.
    pub fn identity(dim: usize) -> Self {
        Self { mean: vec![0.0; dim], scale: vec![1.0; dim] }
    }

    /// Standardised copy of `values: [rows, dim]`, row-major.
    ///
    /// # Panics
    /// If the values do not fill whole rows.
    #[track_caller]
    pub fn apply<F: Real>(&self, values: &[F]) -> Vec<F> {
        let dim = self.mean.len();
        assert!(values.len().is_multiple_of(dim.max(1)), "{} values do not fill rows of {dim}", values.len());
        let columns = || self.mean.iter().zip(&self.scale);
        values
            .iter()
            .zip(std::iter::repeat_with(columns).flatten())
            .map(|(x, (m, s))| F::of((x.f64() - m) / s))
            .collect()
    }
}
