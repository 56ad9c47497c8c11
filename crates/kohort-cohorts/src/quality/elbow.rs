//! Elbow: what each further cluster buys.
//!
//! Inertia J falls with every cluster; where the fall slows down most lies the knee: the number of clusters
//! with the largest second difference
//!
//! ```text
//! (J(k⁻) − J(k)) / (k − k⁻)  −  (J(k) − J(k⁺)) / (k⁺ − k)          k⁻, k⁺: the neighbours in the range
//! ```
//!
//! A rule of thumb, so the silhouette stands beside it.

use std::fmt;
use std::num::NonZeroUsize;

use kohort_core::Real;
use serde::{Deserialize, Serialize};

use super::{QualityError, silhouette_sampled};
use crate::{KMeansConfig, Points};

/// One number of clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElbowRow {
    /// `k`.
    pub clusters: usize,
    /// Of the best restart.
    pub inertia: f64,
    /// Mean silhouette; `None` where it is not defined (one cluster, or as many as points).
    pub silhouette: Option<f64>,
    /// `None` at both ends of the range.
    pub second_difference: Option<f64>,
}

/// Fits over a range of numbers of clusters. `Display` gives a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elbow {
    /// One row per number of clusters, ascending.
    pub rows: Vec<ElbowRow>,
    /// Where the second difference is largest, the smaller number on a tie; `None` for fewer than three rows,
    /// or where no second difference is above 0.
    pub knee: Option<usize>,
    /// Where the silhouette is largest, the smaller number on a tie.
    pub best_silhouette: Option<usize>,
}

/// Fits `config` for each number of clusters in `range` (ascending; `config.clusters` is not used);
/// silhouettes are taken on `sample` rows at most.
///
/// ```
/// use std::num::NonZeroUsize;
/// use kohort_cohorts::{KMeansConfig, Points, quality::elbow};
///
/// let values: Vec<f32> = [0.0, 10.0, 50.0].iter().flat_map(|middle| [-0.2, 0.0, 0.2].map(|x| middle + x)).collect();
/// let points = Points::new(&values, 1).expect("nine points on a line");
/// let sample = NonZeroUsize::new(1000).expect("not zero");
/// let report = elbow(&points, 1..=6, &KMeansConfig::new(1), sample).expect("nine distinct points");
/// assert_eq!(report.best_silhouette, Some(3));
/// println!("{report}");
/// ```
///
/// # Errors
/// An empty or falling range, or the first fit that fails.
pub fn elbow<F: Real>(
    points: &Points<'_, F>,
    range: impl IntoIterator<Item = usize>,
    config: &KMeansConfig<F>,
    sample: NonZeroUsize,
) -> Result<Elbow, QualityError> {
    let range: Vec<usize> = range.into_iter().collect();
    if range.is_empty() || !range.is_sorted_by(|a, b| a < b) {
        return Err(QualityError::Range { got: range });
    }
    let mut rows = Vec::with_capacity(range.len());
    for clusters in range {
        let fit = KMeansConfig { clusters, ..config.clone() }.fit(points)?;
        let silhouette = match silhouette_sampled(points, &fit.labels, sample.get(), config.seed) {
            Ok(silhouette) => Some(silhouette.mean),
            Err(QualityError::Clusters { .. }) => None,
            Err(other) => return Err(other),
        };
        rows.push(ElbowRow { clusters, inertia: fit.inertia, silhouette, second_difference: None });
    }
    for i in 1..rows.len().saturating_sub(1) {
        let slope = |a: &ElbowRow, b: &ElbowRow| (a.inertia - b.inertia) / (b.clusters - a.clusters) as f64;
        rows[i].second_difference = Some(slope(&rows[i - 1], &rows[i]) - slope(&rows[i], &rows[i + 1]));
    }
    let knee = largest(&rows, |row| row.second_difference.filter(|&d| d > 0.0));
    let best_silhouette = largest(&rows, |row| row.silhouette);
    Ok(Elbow { rows, knee, best_silhouette })
}

fn largest(rows: &[ElbowRow], of: impl Fn(&ElbowRow) -> Option<f64>) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for row in rows {
        if let Some(value) = of(row)
            && best.is_none_or(|(most, _)| value > most)
        {
            best = Some((value, row.clusters));
        }
    }
    best.map(|(_, clusters)| clusters)
}

impl fmt::Display for Elbow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>8} {:>14} {:>11} {:>14}", "clusters", "inertia", "silhouette", "2nd difference")?;
        for row in &self.rows {
            let silhouette = row.silhouette.map_or("-".to_owned(), |s| format!("{s:.4}"));
            let second = row.second_difference.map_or("-".to_owned(), |d| format!("{d:.4}"));
            write!(f, "{:>8} {:>14.4} {silhouette:>11} {second:>14}", row.clusters, row.inertia)?;
            let knee = (self.knee == Some(row.clusters)).then_some("knee");
            let best = (self.best_silhouette == Some(row.clusters)).then_some("best silhouette");
            let notes: Vec<&str> = knee.into_iter().chain(best).collect();
            writeln!(f, "{}{}", if notes.is_empty() { "" } else { "  <- " }, notes.join(", "))?;
        }
        Ok(())
    }
}
