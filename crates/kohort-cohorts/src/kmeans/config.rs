//! Settings of a fit, checked before anything is computed.

use kohort_core::Real;
use serde::{Deserialize, Serialize};

use super::KMeansError;

/// Where the first centres come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init<F> {
    /// Greedy k-means++: each step draws `2 + ⌊ln k⌋` candidates and keeps the best (see the `init` file).
    KMeansPlusPlus,
    /// `k` distinct points drawn uniformly.
    Random,
    /// These centres, `[clusters, dim]` row-major. All restarts would be alike, so only one is run.
    Given(Vec<F>),
}

/// Settings of the mini-batch variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MiniBatch {
    /// Rows drawn at each step.
    pub batch_size: usize,
    /// Steps without a better smoothed batch inertia before it stops.
    pub patience: usize,
}

impl Default for MiniBatch {
    fn default() -> Self {
        Self { batch_size: 1024, patience: 10 }
    }
}

/// Settings of a fit. The fields are public and plain; [`fit`](Self::fit) checks them first.
///
/// ```
/// use kohort_cohorts::{KMeansConfig, Points};
///
/// let points = [0.0f32, 0.1, 0.2, 9.0, 9.1, 9.2];
/// let points = Points::new(&points, 1).expect("six points on a line");
/// let fit = KMeansConfig { seed: 7, ..KMeansConfig::new(2) }.fit(&points).expect("two clear clusters");
/// assert_eq!(fit.counts, [3, 3]);
/// assert_eq!(fit.labels[0], fit.labels[2]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KMeansConfig<F> {
    /// Number of clusters `k`, at least 1.
    pub clusters: usize,
    /// Independent starts; the one with the lowest inertia is kept whole, ties to the earliest. At least 1.
    pub restarts: usize,
    /// Lloyd iterations at most (for mini-batches: passes over as many rows as there are). At least 1.
    pub max_iterations: usize,
    /// Stops when the centres' summed squared shift is at most this times the mean variance of the columns.
    /// At least 0; 0 stops only when no label changes.
    pub tolerance: f64,
    /// Seed of all random streams.
    pub seed: u64,
    /// Where the first centres come from.
    pub init: Init<F>,
    /// `None`: Lloyd on all rows.
    pub mini_batch: Option<MiniBatch>,
}

impl<F: Real> KMeansConfig<F> {
    /// scikit-learn's usual settings: greedy k-means++, 10 restarts, 300 iterations, tolerance 1e-4; seed 0.
    pub fn new(clusters: usize) -> Self {
        Self {
            clusters,
            restarts: 10,
            max_iterations: 300,
            tolerance: 1e-4,
            seed: 0,
            init: Init::KMeansPlusPlus,
            mini_batch: None,
        }
    }

    /// Starts from `centres`, `[clusters, dim]` row-major.
    pub fn from_centres(clusters: usize, centres: Vec<F>) -> Self {
        Self { init: Init::Given(centres), restarts: 1, ..Self::new(clusters) }
    }

    /// Whether the numbers make sense; what depends on the data is checked by [`fit`](Self::fit).
    ///
    /// # Errors
    /// Names the field, its value and what is allowed.
    pub fn check(&self) -> Result<(), KMeansError> {
        let at_least_one = |field, value: usize| match value {
            0 => Err(KMeansError::Config { field, value: "0".into(), allowed: "1 or more" }),
            _ => Ok(()),
        };
        at_least_one("clusters", self.clusters)?;
        at_least_one("restarts", self.restarts)?;
        at_least_one("max_iterations", self.max_iterations)?;
        if self.clusters > u32::MAX as usize {
            let value = self.clusters.to_string();
            return Err(KMeansError::Config { field: "clusters", value, allowed: "at most 4294967295" });
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            let value = self.tolerance.to_string();
            return Err(KMeansError::Config {
                field: "tolerance",
                value,
                allowed: "a finite number, 0 or more",
            });
        }
        if let Some(batch) = self.mini_batch {
            at_least_one("mini_batch.batch_size", batch.batch_size)?;
            at_least_one("mini_batch.patience", batch.patience)?;
        }
        Ok(())
    }
}
