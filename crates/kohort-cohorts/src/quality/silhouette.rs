//! Silhouette: how much closer a point is to its own cluster than to the next.
//!
//! ```text
//! a_i = mean distance to the other points of its cluster
//! b_i = mean distance to the points of another cluster, the least over those clusters
//! s_i = (b_i − a_i) / max(a_i, b_i)  ∈ [−1, 1],   0 for a cluster of one point
//! ```
//!
//! Euclidean distances in f64, `O(rows² · dim)`: beyond some ten thousand rows use [`silhouette_sampled`].
//! Weights of the points play no role.
//!
//! Source: P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster
//! analysis", Journal of Computational and Applied Mathematics 20, 1987. Conventions (0 for lone points and
//! for 0/0) as in scikit-learn.

use kohort_core::Real;
use kohort_random::{permutation, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::points::{Points, squared_distance};

/// Why a clustering can't be judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QualityError {
    /// Not one label per row.
    #[error("{labels} labels for {rows} rows: one for each row is needed")]
    LabelCount {
        /// Labels given.
        labels: usize,
        /// Rows given.
        rows: usize,
    },
    /// Too few or too many clusters for a silhouette.
    #[error(
        "{clusters} clusters among {rows} rows: a silhouette needs at least 2 and at most one fewer than rows"
    )]
    Clusters {
        /// Clusters that have points.
        clusters: usize,
        /// Rows looked at.
        rows: usize,
    },
    /// A range of numbers of clusters that can't be walked.
    #[error("numbers of clusters {got:?}: allowed are one or more numbers, each above the one before")]
    Range {
        /// What was given.
        got: Vec<usize>,
    },
    /// A fit that failed.
    #[error(transparent)]
    Fit(#[from] crate::KMeansError),
}

/// Silhouettes of a clustering.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silhouette {
    /// Mean over the rows looked at.
    pub mean: f64,
    /// Mean of each cluster's rows, `[largest label + 1]`; `None` where a cluster has no row among them.
    pub per_cluster: Vec<Option<f64>>,
    /// Rows looked at: all, or the sample.
    pub rows: usize,
}

/// The mean silhouette of all points, `labels: [rows]`.
///
/// ```
/// use kohort_cohorts::{Points, quality::silhouette};
///
/// let points = Points::new(&[0.0f32, 1.0, 10.0, 11.0], 1).expect("four points on a line");
/// let good = silhouette(&points, &[0, 0, 1, 1]).expect("two clusters");
/// let bad = silhouette(&points, &[0, 1, 0, 1]).expect("two clusters");
/// assert!(good.mean > 0.85 && bad.mean < 0.0);
/// ```
///
/// # Errors
/// Not one label per row; fewer than 2 clusters, or as many as rows.
pub fn silhouette<F: Real>(points: &Points<'_, F>, labels: &[u32]) -> Result<Silhouette, QualityError> {
    check_count(points, labels)?;
    let (clusters, dense) = dense_labels(labels);
    let n = points.rows();
    if clusters.len() < 2 || clusters.len() >= n {
        return Err(QualityError::Clusters { clusters: clusters.len(), rows: n });
    }
    let mut sizes = vec![0usize; clusters.len()];
    for &label in &dense {
        sizes[label] += 1;
    }
    let each: Vec<f64> = (0..n)
        .into_par_iter()
        .map_init(
            || vec![0.0; sizes.len()],
            |sums, row| {
                sums.fill(0.0);
                for (other, &label) in dense.iter().enumerate() {
                    sums[label] += squared_distance(points.row(row), points.row(other)).sqrt();
                }
                of_point(dense[row], sums, &sizes)
            },
        )
        .collect();
    let mut per_cluster = vec![None; clusters.last().map_or(0, |&last| last as usize + 1)];
    for (index, &label) in clusters.iter().enumerate() {
        let sum: f64 = each.iter().zip(&dense).filter(|&(_, &l)| l == index).map(|(s, _)| s).sum();
        per_cluster[label as usize] = Some(sum / sizes[index] as f64);
    }
    Ok(Silhouette { mean: each.iter().sum::<f64>() / n as f64, per_cluster, rows: n })
}

/// The silhouette of `rows` rows drawn without replacement (all, if there are no more than that): distances
/// are taken within the sample, as scikit-learn's `sample_size` does.
///
/// # Errors
/// As [`silhouette`], for the sample.
pub fn silhouette_sampled<F: Real>(
    points: &Points<'_, F>,
    labels: &[u32],
    rows: usize,
    seed: u64,
) -> Result<Silhouette, QualityError> {
    check_count(points, labels)?;
    if rows >= points.rows() {
        return silhouette(points, labels);
    }
    let mut order = permutation(points.rows(), &mut stream(seed, "silhouette", &[]));
    order.truncate(rows);
    order.sort_unstable();
    let values: Vec<F> = order.iter().flat_map(|&row| points.row(row as usize)).copied().collect();
    let labels: Vec<u32> = order.iter().map(|&row| labels[row as usize]).collect();
    match Points::new(&values, points.dim()) {
        Ok(sample) => silhouette(&sample, &labels),
        // The values were checked before: only a sample of no rows gets here.
        Err(_) => Err(QualityError::Clusters { clusters: 0, rows: 0 }),
    }
}

fn check_count<F: Real>(points: &Points<'_, F>, labels: &[u32]) -> Result<(), QualityError> {
    if labels.len() == points.rows() {
        Ok(())
    } else {
        Err(QualityError::LabelCount { labels: labels.len(), rows: points.rows() })
    }
}

/// The labels in use, ascending, and each row's place among them: labels may be stable ids with gaps.
fn dense_labels(labels: &[u32]) -> (Vec<u32>, Vec<usize>) {
    let mut used = labels.to_vec();
    used.sort_unstable();
    used.dedup();
    let dense = labels.iter().map(|label| used.partition_point(|u| u < label)).collect();
    (used, dense)
}

fn of_point(own: usize, sums: &[f64], sizes: &[usize]) -> f64 {
    if sizes[own] == 1 {
        return 0.0;
    }
    let within = sums[own] / (sizes[own] - 1) as f64;
    let means = sums.iter().zip(sizes).enumerate().filter(|&(j, _)| j != own);
    let between = means.map(|(_, (sum, &size))| sum / size as f64).fold(f64::INFINITY, f64::min);
    let larger = within.max(between);
    if larger > 0.0 { (between - within) / larger } else { 0.0 }
}
