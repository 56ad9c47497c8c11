//! Stability: how far fits on resampled users agree.
//!
//! Two samples of users are drawn, a clustering is fitted on each, and the labels of the users who are in both are compared by the
//! adjusted Rand index and normalised mutual information; so for each of R pairs. A clustering that follows noise puts the same
//! users together in one sample and apart in the other.
//!
//! **Bootstrap**: as many draws with replacement as there are users; a user drawn twice is handed over once, as doubles would be
//! free agreement (and no node of a graph is there twice), so a sample holds about 63.2 % of the users, and two share 40 %.
//! **Share**: that share of the users, without replacement.
//!
//! Sources: A. Ben-Hur, A. Elisseeff and I. Guyon, "A stability based method for discovering structure in clustered data", Pacific
//! Symposium on Biocomputing 7, 2002 (pairs of shares); C. Hennig, "Cluster-wise assessment of cluster stability", Computational
//! Statistics and Data Analysis 52, 2007 (bootstrap). A stable clustering need not be a good one: one cohort of everybody is
//! perfectly stable.

use kohort_random::rand::Rng;
use kohort_random::{permutation, stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::quality::{adjusted_rand, normalised_mutual_information};

/// How users are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampled {
    /// With replacement, each user handed over once.
    Bootstrap,
    /// This share without replacement, above ½ and at most 1: smaller ones may have no user in common.
    Share(f64),
}

/// How often, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resampling {
    /// R, pairs of samples, at least 2.
    pub pairs: usize,
    /// How users are drawn.
    pub sampled: Sampled,
    /// Seed of all random streams.
    pub seed: u64,
}

impl Default for Resampling {
    /// 50 pairs of bootstrap samples, seed 0.
    fn default() -> Self {
        Self { pairs: 50, sampled: Sampled::Bootstrap, seed: 0 }
    }
}

/// A mean over the pairs, and between which ends the middle 95 % of them lie (linear between neighbours). The ends tell how much
/// one pair differs from another; the mean itself is known better, by a factor of √R.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// The 2.5 % quantile.
    pub low: f64,
    /// The 97.5 % quantile.
    pub high: f64,
}

/// How far fits agree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Adjusted Rand index: 1 for equal partitions, 0 by chance.
    pub adjusted_rand: Spread,
    /// Normalised mutual information, 0 to 1, above 0 by chance.
    pub mutual_information: Spread,
}

/// Why stability could not be measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StabilityError<E> {
    /// A setting out of its range.
    #[error("{setting} = {value}: allowed is {allowed}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// Not one label per user of the sample.
    #[error("pair {pair}: {labels} labels for {users} users")]
    Labels {
        /// Which pair, from 0.
        pair: usize,
        /// Labels of the fit.
        labels: usize,
        /// Users of the sample.
        users: usize,
    },
    /// A fit that failed.
    #[error("pair {pair}: {error}")]
    Fit {
        /// Which pair, from 0.
        pair: usize,
        /// Why.
        error: E,
    },
}

impl Resampling {
    /// Stability of `fit` on `users` users. `fit` is given a sample (ascending, none twice) and a seed, which differs for each fit,
    /// and gives a label for each of them. Pairs are fitted in parallel; same bits for any number of threads if `fit`'s are.
    ///
    /// ```
    /// use kohort_cohorts::profile::{Resampling, Sampled};
    ///
    /// let sorted = |users: &[u32], _seed: u64| Ok::<_, String>(users.iter().map(|user| user / 50).collect());
    /// let stability = Resampling { pairs: 10, ..Resampling::default() }.of(100, sorted)?;
    /// assert_eq!(stability.adjusted_rand.mean, 1.0);
    /// # Ok::<(), kohort_cohorts::profile::StabilityError<String>>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than two pairs or users, a share out of its range, the first fit (by pair) that failed.
    pub fn of<E: Send>(
        &self,
        users: usize,
        fit: impl Fn(&[u32], u64) -> Result<Vec<u32>, E> + Sync,
    ) -> Result<Stability, StabilityError<E>> {
        let bad = |setting, value: String, allowed| Err(StabilityError::Setting { setting, value, allowed });
        if self.pairs < 2 {
            return bad("pairs", self.pairs.to_string(), "2 or more");
        }
        if users < 2 || users > u32::MAX as usize {
            return bad("users", users.to_string(), "2 to 4294967295");
        }
        if let Sampled::Share(share) = self.sampled
            && !(share > 0.5 && share <= 1.0)
        {
            return bad("share", share.to_string(), "above 0.5 and at most 1");
        }
        let agree = |pair: usize| {
            let label = |side: u64| {
                let sample = self.sample(users, &[pair as u64, side]);
                let seed = stream(self.seed, "resampling fit", &[pair as u64, side]).random();
                let labels = fit(&sample, seed).map_err(|error| StabilityError::Fit { pair, error })?;
                if labels.len() == sample.len() {
                    return Ok((sample, labels));
                }
                Err(StabilityError::Labels { pair, labels: labels.len(), users: sample.len() })
            };
            let ((users, one), (others, other)) = (label(0)?, label(1)?);
            let both = users
                .iter()
                .zip(&one)
                .filter_map(|(user, &label)| others.binary_search(user).ok().map(|at| (label, other[at])));
            let (a, b): (Vec<u32>, Vec<u32>) = both.unzip();
            // The lists are equally long.
            let rand = adjusted_rand(&a, &b).unwrap_or(f64::NAN);
            Ok((rand, normalised_mutual_information(&a, &b).unwrap_or(f64::NAN)))
        };
        let pairs: Vec<Result<(f64, f64), _>> = (0..self.pairs).into_par_iter().map(agree).collect();
        let pairs = pairs.into_iter().collect::<Result<Vec<(f64, f64)>, _>>()?;
        let (rand, information): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        Ok(Stability { adjusted_rand: Spread::of(rand), mutual_information: Spread::of(information) })
    }

    /// A sample of users, ascending.
    fn sample(&self, users: usize, name: &[u64]) -> Vec<u32> {
        let mut numbers = stream(self.seed, "resampling", name);
        let mut sample: Vec<u32> = match self.sampled {
            Sampled::Bootstrap => (0..users).map(|_| numbers.random_range(0..users as u32)).collect(),
            Sampled::Share(share) => {
                let mut order = permutation(users, &mut numbers);
                order.truncate((share * users as f64).ceil() as usize);
                order
            }
        };
        sample.sort_unstable();
        sample.dedup();
        sample
    }
}

impl Spread {
    /// Of at least one value.
    fn of(mut values: Vec<f64>) -> Self {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.sort_unstable_by(f64::total_cmp);
        let quantile = |q: f64| {
            let at = q * (values.len() - 1) as f64;
            let (below, above) = (values[at.floor() as usize], values[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        Self { mean, low: quantile(0.025), high: quantile(0.975) }
    }
}
