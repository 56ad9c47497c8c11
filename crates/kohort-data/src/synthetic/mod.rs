//! Ratings whose right answer is known: cohorts, tastes and noise are planted by a seeded recipe.
//!
//! Shapes: U users, I items, F factors. Genre vectors and cohort centres are standard normal in F dimensions. An item
//! is the mean of its genres' vectors plus 0.3 × noise; a user is its cohort's centre plus `spread` × noise. The
//! latent rating is
//!
//! x(u, i) = base + user bias + item bias + taste · ⟨p_u, q_i⟩ / deviation of ⟨p, q⟩ over all pairs,
//!
//! and the rating is x + `noise` × ε rounded and clipped to 1..5. Users choose items that are popular and that they
//! like, so ratings are missing not at random, as in real data. The user feature `region` names the cohort with
//! probability `telling`, `age` leans on it, `device` tells nothing.
//!
//! For territories of different size with local and global titles and clicks, see [`MarketRecipe`]; for rows with several
//! targets, [`CohortRecipe`] (cohorts that differ by stated amounts) and [`MmoeRecipe`] (tasks of a stated relation).
//!
//! ```
//! use kohort_data::synthetic::Recipe;
//!
//! let (data, truth) = Recipe::small().generate(7)?;
//! assert_eq!(truth.cohort.len(), data.users.len());
//! // The best possible predictor is known, and so is its error on these very rows.
//! let floor = truth.rmse(&data.interactions);
//! assert!(floor > 0.5 && floor < 1.0);
//! # Ok::<(), kohort_data::DataError>(())
//! ```

pub mod cohorts;
mod generate;
pub mod markets;
pub mod mmoe;
mod normal;
mod truth;

use serde::{Deserialize, Serialize};

pub use cohorts::{CohortRecipe, CohortTruth};
pub use markets::{MarketRecipe, MarketTruth};
pub use mmoe::{MmoeRecipe, MmoeTruth};
pub use truth::Truth;

use crate::DataError;

/// What to plant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Users, at least one a cohort.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Planted cohorts; their sizes fall like 1, 1/2, 1/3, ….
    pub cohorts: usize,
    /// Factors of users and items.
    pub factors: usize,
    /// Genres of items; an item has one to three.
    pub genres: usize,
    /// Median number of rows a user (log-normal with deviation 0.9).
    pub median_rows: usize,
    /// Every user has at least this many rows.
    pub least_rows: usize,
    /// Deviation of a user from its cohort's centre, relative to the centre's.
    pub spread: f64,
    /// Deviation of the taste term in rating units.
    pub taste: f64,
    /// Deviation of the noise in rating units, before rounding.
    pub noise: f64,
    /// Probability that the region names the cohort, 0 to 1.
    pub telling: f64,
    /// Groups of 2 to 5 members (fewer only where a cohort has no more) with about 8 ratings of their own.
    pub groups: usize,
}

impl Recipe {
    /// About 2,500 rows: for fast tests.
    pub fn small() -> Recipe {
        Recipe {
            users: 120,
            items: 80,
            cohorts: 4,
            factors: 6,
            genres: 8,
            median_rows: 18,
            least_rows: 6,
            spread: 0.4,
            taste: 0.8,
            noise: 0.6,
            telling: 0.7,
            groups: 20,
        }
    }

    /// About 90,000 rows of 943 users and 1,682 items with 19 genres; the noise alone gives the perfect predictor an RMSE
    /// near 0.86.
    pub fn movielens_like() -> Recipe {
        Recipe {
            users: 943,
            items: 1_682,
            cohorts: 6,
            factors: 10,
            genres: 19,
            median_rows: 65,
            least_rows: 20,
            spread: 0.6,
            taste: 0.5,
            noise: 0.95,
            telling: 0.7,
            groups: 150,
        }
    }

    pub(crate) fn check(&self) -> Result<(), DataError> {
        let whole = [
            ("users", self.users, self.cohorts.max(5)),
            ("items", self.items, 2),
            ("cohorts", self.cohorts, 1),
            ("factors", self.factors, 1),
            ("genres", self.genres, 1),
            ("least_rows", self.least_rows, 1),
            ("median_rows", self.median_rows, 1),
        ];
        for (name, found, least) in whole {
            if found < least {
                return Err(setting(name, found, format!("at least {least}")));
            }
        }
        // Expected ratings are looked up by user and item; far beyond this the choice of items takes hours.
        const MOST_PAIRS: usize = 1 << 32;
        if self.users.saturating_mul(self.items) > MOST_PAIRS
            || self.users.max(self.items) > u32::MAX as usize / 2
        {
            return Err(setting(
                "users × items",
                self.users.saturating_mul(self.items),
                format!("at most {MOST_PAIRS}"),
            ));
        }
        if self.least_rows > self.items {
            return Err(setting("least_rows", self.least_rows, format!("at most the items, {}", self.items)));
        }
        for (name, found, most) in [
            ("spread", self.spread, 100.0),
            ("taste", self.taste, 100.0),
            ("noise", self.noise, 100.0),
            ("telling", self.telling, 1.0),
        ] {
            if !(0.0..=most).contains(&found) {
                return Err(setting(name, found, format!("a number from 0 to {most}")));
            }
        }
        Ok(())
    }
}

fn setting(name: &'static str, found: impl ToString, expected: String) -> DataError {
    DataError::Setting { name, found: found.to_string(), expected }
}
