//! A map of users: the two directions along which their vectors differ most (principal components).
//!
//! With the rows of X `[users, dim]` less their mean, `X ≈ U·diag(σ)·Vᵀ`:
//!
//! ```text
//! place of user u        (σ₁ U_u1, σ₂ U_u2)
//! explained variance     σ_i² / Σ_uj X_uj²
//! ```
//!
//! Signs are those of [`svd::truncated`]: the entry of largest magnitude in each column of V is positive. Distances on the map are
//! at most those between the vectors, so what is apart on it is apart; what is together on it need not be together.
//!
//! Source: K. Pearson, "On lines and planes of closest fit to systems of points in space", Philosophical Magazine 2, 1901.

use kohort_core::Real;
use kohort_core::sparse::{Csr, SparseError};
use kohort_core::svd::{self, Effort, SvdError};
use serde::{Deserialize, Serialize};

use crate::Points;

/// Places of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// `(first, second)` component of each user, `[users]`.
    pub places: Vec<(f64, f64)>,
    /// Share of the variance along each component; 0 where vectors do not vary (any more).
    pub explained: (f64, f64),
}

/// Why there is no map.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// A matrix that could not be made.
    #[error(transparent)]
    Matrix(#[from] SparseError),
    /// Components that could not be computed.
    #[error(transparent)]
    Components(#[from] SvdError),
}

impl Map {
    /// Maps `users`, whose weights play no role. Users who are all alike, and one user, are all at (0, 0); vectors that vary along
    /// one direction only have a second component of 0. Same bits for a seed on any number of threads.
    ///
    /// ```
    /// use kohort_cohorts::{Points, map::Map};
    ///
    /// let map = Map::of(&Points::new(&[0.0f32, 0.0, 3.0, 3.0, 6.0, 6.0], 2)?, 1)?;
    /// assert!((map.places[2].0 - 18f64.sqrt()).abs() < 1e-9 && map.places[2].1 == 0.0);
    /// assert!((map.explained.0 - 1.0).abs() < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Numbers whose squares leave the range of f64.
    pub fn of<F: Real>(users: &Points<'_, F>, seed: u64) -> Result<Self, MapError> {
        let (rows, dim) = (users.rows(), users.dim());
        let mut mean = vec![0.0f64; dim];
        for row in 0..rows {
            users.row(row).iter().zip(&mut mean).for_each(|(x, mean)| *mean += x.f64());
        }
        mean.iter_mut().for_each(|mean| *mean /= rows as f64);
        let mut values: Vec<f64> = Vec::with_capacity(rows * dim);
        for row in 0..rows {
            values.extend(users.row(row).iter().zip(&mean).map(|(x, mean)| x.f64() - mean));
        }
        // What rounding leaves of equal numbers is no variance.
        let size = users.values().iter().map(|x| x.f64().abs()).fold(0.0, f64::max);
        let total: f64 = values.iter().map(|x| x * x).sum();
        if values.iter().all(|x| x.abs() <= 8.0 * f64::EPSILON * size) {
            return Ok(Self { places: vec![(0.0, 0.0); rows], explained: (0.0, 0.0) });
        }
        let offsets = (0..=rows).map(|row| row * dim).collect();
        let columns = (0..rows).flat_map(|_| 0..dim as u32).collect();
        let matrix = Csr::new(dim, offsets, columns, values)?;
        let found = svd::truncated(&matrix, 2.min(rows).min(dim), Effort::default(), seed)?;
        let rank = found.rank();
        let value = |component: usize| found.values().get(component).copied().unwrap_or(0.0);
        let place = |row: usize, component: usize| {
            if component < rank { found.left()[row * rank + component] * value(component) } else { 0.0 }
        };
        let share = |component: usize| value(component) * value(component) / total;
        Ok(Self {
            places: (0..rows).map(|row| (place(row, 0), place(row, 1))).collect(),
            explained: (share(0), share(1)),
        })
    }
}
