//! KMeans: `k` centres that make the summed squared distance of the points to their nearest centre small.
//!
//! | File | Idea |
//! |---|---|
//! | `config` | settings, checked before anything is computed |
//! | `errors` | what a fit can refuse |
//! | `init` | the first centres |
//! | `nearest` | the nearest centre of each row, fast |
//! | `lloyd` | full passes |
//! | `minibatch` | steps on random batches |
//!
//! Two things that users of other libraries may look for: a cluster that loses all its points is moved to the
//! point farthest from its centre, always the same one; and more clusters than distinct points are an error
//! rather than a warning. Points far apart in scale should be standardised first
//! ([`Standardiser`](crate::Standardiser)).

mod config;
mod errors;
mod init;
mod lloyd;
mod minibatch;
mod nearest;

use std::collections::BTreeSet;

use kohort_core::Real;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use config::{Init, KMeansConfig, MiniBatch};
pub use errors::KMeansError;

use crate::points::{Points, squared_distance};

/// A fit: the whole state of the restart that won, nothing mixed in from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KMeans<F> {
    /// `[k, dim]`, row-major.
    pub centres: Vec<F>,
    /// Dimensions of a centre.
    pub dim: usize,
    /// Nearest centre of each point, `[rows]`; ties to the lower index.
    pub labels: Vec<u32>,
    /// Points per cluster, `[k]`. May hold a 0 only if iterations ended before an empty cluster could be moved, or
    /// where points differ by less than the rounding of their squares.
    pub counts: Vec<usize>,
    /// `Σ w |x − c_label|²`, in f64 from these labels and centres.
    pub inertia: f64,
    /// Iterations made (mini-batch: steps).
    pub iterations: usize,
    /// Whether it stopped by itself rather than at the limit.
    pub converged: bool,
    /// Which restart won, from 0.
    pub restart: usize,
    /// Inertia after each iteration's move of the centres, `[iterations]`; never rises beyond rounding, apart
    /// from moves of empty clusters, which may only lower it. Mini-batch: mean squared distance within each
    /// batch before the move, which does fluctuate.
    pub history: Vec<f64>,
}

impl<F: Real> KMeansConfig<F> {
    /// Fits `points` on the current rayon pool. Same bits for any number of threads.
    ///
    /// # Errors
    /// A setting out of range, given centres that do not fit the points, or fewer distinct points (of
    /// positive weight) than clusters.
    pub fn fit(&self, points: &Points<'_, F>) -> Result<KMeans<F>, KMeansError> {
        self.check()?;
        if let Init::Given(centres) = &self.init {
            let (given, clusters, dim) = (centres.len(), self.clusters, points.dim());
            if clusters.checked_mul(dim) != Some(given) {
                return Err(KMeansError::CentreShape { given, clusters, dim });
            }
            Points::new(centres, dim).map_err(KMeansError::Centre)?;
        }
        let distinct = distinct_rows(points, self.clusters);
        if distinct < self.clusters {
            return Err(KMeansError::TooFewDistinctPoints { clusters: self.clusters, distinct });
        }
        let frame = lloyd::Frame::new(points, self.tolerance);
        let run = |restart| match self.mini_batch {
            Some(batch) => minibatch::run(self, batch, points, &frame, restart),
            None => lloyd::run(self, points, &frame, init::centres(self, points, &frame, restart), restart),
        };
        let restarts = if matches!(self.init, Init::Given(_)) { 1 } else { self.restarts };
        // `better` orders by (inertia, restart), so the winner does not depend on which pair is compared first.
        let best = (0..restarts).into_par_iter().map(run).reduce_with(better);
        Ok(best.expect("check() asks for at least one restart"))
    }
}

fn better<F>(a: KMeans<F>, b: KMeans<F>) -> KMeans<F> {
    if a.inertia.total_cmp(&b.inertia).then(a.restart.cmp(&b.restart)).is_le() { a } else { b }
}

impl<F: Real> KMeans<F> {
    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.counts.len()
    }

    /// One centre, `[dim]`.
    ///
    /// # Panics
    /// If there is no such cluster.
    pub fn centre(&self, cluster: usize) -> &[F] {
        &self.centres[cluster * self.dim..][..self.dim]
    }

    /// The nearest centre of each of other points, `[rows]`.
    ///
    /// # Errors
    /// Another number of dimensions than the centres.
    pub fn predict(&self, points: &Points<'_, F>) -> Result<Vec<u32>, KMeansError> {
        if points.dim() != self.dim {
            return Err(KMeansError::Dimension { expected: self.dim, got: points.dim() });
        }
        // The centres' mean serves as origin here: a point's label must not depend on who else is asked about.
        let k = self.clusters() as f64;
        let mut shift = vec![0.0; self.dim];
        for centre in self.centres.chunks_exact(self.dim) {
            shift.iter_mut().zip(centre).for_each(|(s, c)| *s += c.f64() / k);
        }
        let shift: Vec<F> = shift.into_iter().map(F::of).collect();
        let mut labels = vec![0; points.rows()];
        lloyd::label_all(points, &self.centres, &shift, &mut labels);
        Ok(labels)
    }

    fn from_labels(
        points: &Points<'_, F>,
        centres: Vec<F>,
        labels: Vec<u32>,
        history: Vec<f64>,
        converged: bool,
        restart: usize,
    ) -> Self {
        let dim = points.dim();
        let inertia = points.sum(|row| {
            let centre = &centres[labels[row] as usize * dim..][..dim];
            points.weight(row) * squared_distance(points.row(row), centre)
        });
        let mut counts = vec![0; centres.len() / dim];
        for &label in &labels {
            counts[label as usize] += 1;
        }
        let iterations = history.len();
        Self { centres, dim, labels, counts, inertia, iterations, converged, restart, history }
    }
}

/// Distinct rows of positive weight, counted up to `enough`: for ordinary data it looks at few more than that.
fn distinct_rows<F: Real>(points: &Points<'_, F>, enough: usize) -> usize {
    let zero = F::default();
    let mut seen: BTreeSet<Vec<u64>> = BTreeSet::new();
    for row in (0..points.rows()).filter(|&row| points.weight(row) > 0.0) {
        if seen.len() == enough {
            break;
        }
        // 0.0 and -0.0 are one value with two bit patterns.
        seen.insert(
            points.row(row).iter().map(|&x| if x == zero { zero.bits() } else { x.bits() }).collect(),
        );
    }
    seen.len()
}
