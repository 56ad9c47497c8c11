//! Groups of users, from training rows alone.
//!
//! KMeans with k-means++ and 10 restarts on the standardised train-only profile of each user (damped mean, log count,
//! liked share, taste per genre where items have genres). The paper says "KMeans" and no more.

use anyhow::{Context, Result};
use kohort_cohorts::{KMeansConfig, Points};
use kohort_data::learned::{Profile, Standardise, Weighting, user_profile};
use kohort_data::{Dataset, Members, Train};
use kohort_random::{permutation, stream};

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
    /// Whether a system may learn from the user's label, `[users]`; the profiling head is judged on the others.
    pub(crate) labelled: Vec<bool>,
}

/// Share of users whose label is hidden from every fit.
pub(crate) const HIDDEN: f64 = 0.2;

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
        let users = profile.rows();
        let mut labelled = vec![true; users];
        let hidden = (HIDDEN * users as f64).round() as usize;
        for &user in permutation(users, &mut stream(seed, "hidden labels", &[])).iter().take(hidden) {
            labelled[user as usize] = false;
        }
        Ok(Cohorts { labels: fit.labels, count, profile, labelled })
    }

    /// The same as lists of members.
    pub(crate) fn members(&self) -> Result<Members> {
        Ok(Members::from_assignment(&self.labels, self.count)?)
    }
}
