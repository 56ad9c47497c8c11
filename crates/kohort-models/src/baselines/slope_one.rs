//! Slope One: how much better people liked this item than the ones the user has rated.
//!
//! `score(u, i) = μ_u + (1/|R_i(u)|) Σ_{j ∈ R_i(u)} dev(i, j)`, with μ_u the user's mean training rating,
//! `dev(i, j)` the mean of `r_vi − r_vj` over the users v who rated both, and R_i(u) the user's items that share a user with i; without
//! any, the score is μ_u. A pair with a newcomer gets the mean training rating.
//!
//! Source: Lemire and Maclachlan, "Slope One predictors for online rating-based collaborative filtering", SDM 2005 (the
//! unweighted scheme). Difference from Surprise's `SlopeOne`: that one cuts ratings down to whole numbers when it
//! averages deviations, which changes results on scales with halves; here they stay as they are.

use kohort_data::{Queries, Train};

use super::observed::{Lists, Observed};
use super::pairs::{Gather, Square, square};
use super::{BaselineError, Scorer, score_each};

const SYSTEM: &str = "slope-one";

/// Mean deviations between items, and what each user has rated.
pub struct SlopeOne {
    mean: f32,
    user_mean: Vec<Option<f64>>,
    known_item: Vec<bool>,
    by_user: Lists,
    deviation: Square,
}

#[derive(Clone, Copy, Default)]
struct Deviation {
    users: u32,
    sum: f64,
}

impl Gather for Deviation {
    fn meet(&mut self, own: f64, other: f64) {
        self.users += 1;
        self.sum += own - other;
    }
}

impl Deviation {
    /// NaN where no user has rated both.
    fn mean(&self) -> f32 {
        (self.sum / f64::from(self.users)) as f32
    }
}

impl SlopeOne {
    /// Averages the deviations of all pairs of items.
    ///
    /// # Errors
    /// An empty training part; more than 32,768 items.
    pub fn fit(train: &Train) -> Result<SlopeOne, BaselineError> {
        let observed = Observed::new(SYSTEM, train)?;
        let deviation =
            square::<Deviation>(SYSTEM, "items", &observed.by_item, &observed.by_user, Deviation::mean)?;
        Ok(SlopeOne {
            mean: observed.mean as f32,
            user_mean: (0..observed.by_user.keys()).map(|user| observed.by_user.mean(user)).collect(),
            known_item: (0..observed.by_item.keys()).map(|i| observed.by_item.count(i as u32) > 0).collect(),
            by_user: observed.by_user,
            deviation,
        })
    }

    /// The user's mean rating plus the mean deviation of the item from those the user has rated.
    pub fn at(&self, user: u32, item: u32) -> f32 {
        let known = self.known_item.get(item as usize).copied().unwrap_or(false);
        let Some(user_mean) = self.user_mean.get(user as usize).copied().flatten().filter(|_| known) else {
            return self.mean;
        };
        let row = self.deviation.row(item as usize);
        let (mut shared, mut sum) = (0u32, 0.0);
        for &other in self.by_user.get(user as usize).0 {
            let deviation = row[other as usize];
            if !deviation.is_nan() {
                shared += 1;
                sum += f64::from(deviation);
            }
        }
        (user_mean + sum / f64::from(shared.max(1))) as f32
    }
}

impl Scorer for SlopeOne {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), user, item| self.at(user, item))
    }
}
