//! Groups of users, from training rows alone.
//!
//! KMeans with k-means++ and 10 restarts on the standardised train-only profile of each user (damped mean, log count,
//! liked share, taste per genre where items have genres). The paper says "KMeans" and no more.

use anyhow::{Context, Result};
use kohort_cohorts::{KMeansConfig, Points};
use kohort_data::learned::{Profile, Standardise, Weighting, user_profile};
use kohort_data::{Dataset, Members, Train};

/// How many groups where nothing else is asked for.
pub(crate) const GROUPS: usize = 8;

/// A clustering of all users.
#[derive(Debug)]
pub(crate) struct Cohorts {
    /// Group of each user, `[users]`.
    pub(crate) labels: Vec<u32>,
    /// Number of groups.
    pub(crate) count: usize,
    /// The standardised profile that was clustered, `[users, width]`.
    pub(crate) profile: Profile,
}

impl Cohorts {
    /// Clusters the users of a training part into `count` groups (fewer where there are fewer users).
    pub(crate) fn form(dataset: &Dataset, train: &Train, count: usize, seed: u64) -> Result<Cohorts> {
        let genres = dataset.item_features.column("genre");
        let raw = user_profile(train, genres, Weighting::default())?;
        let profile = Standardise::fit(&raw).apply(&raw);
        let points = Points::new(&profile.values, profile.width())?;
        let count = count.min(profile.rows());
        let fit = KMeansConfig { seed, ..KMeansConfig::new(count) }
            .fit(&points)
            .with_context(|| format!("groups of {}", dataset.name))?;
        Ok(Cohorts { labels: fit.labels, count, profile })
    }

    /// The same as lists of members.
    pub(crate) fn members(&self) -> Result<Members> {
        Ok(Members::from_assignment(&self.labels, self.count)?)
    }

    /// Share of users in the largest group: what always naming it gets.
    pub(crate) fn majority(&self) -> f64 {
        let mut sizes = vec![0usize; self.count];
        self.labels.iter().for_each(|&label| sizes[label as usize] += 1);
        sizes.into_iter().max().unwrap_or(0) as f64 / self.labels.len().max(1) as f64
    }
}
