//! The two samples, and what they are.

use kohort_random::{permutation, stream};

use super::activity::Activity;
use super::quota::{capped, shares};
use super::rates::{Rate, Rates};
use super::{PriorShift, Quota, Shortfall, Upsampling};
use crate::territories::Territories;
use crate::{DataError, Train};

/// The rows of a random and of an active sample of users.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsampled {
    /// The rows of both samples, in row order, over the same users and items.
    pub train: Train,
    /// Row number of each row in the training part that was drawn from, ascending, `[rows]`.
    pub rows: Vec<u32>,
    /// What was drawn where.
    pub rates: Rates,
    /// Users of the random sample, ascending.
    pub random: Vec<u32>,
    /// Users of the active sample, ascending.
    pub active: Vec<u32>,
    weight_of_user: Vec<f32>,
    drawn_from: usize,
}

impl Upsampling {
    /// Draws both samples. The same settings, rows and seed give the same samples everywhere.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a setting out of range, a window or a row that reaches into the held-out time, or a
    /// quota that cannot be met, which names the territory, what is wanted there and what is left;
    /// [`DataError::Columns`] for territories of other users or no training row.
    pub fn draw(&self, train: &Train, territories: &Territories, seed: u64) -> Result<Upsampled, DataError> {
        let rows = train.rows();
        territories.check(rows)?;
        self.check(&rows.time)?;
        let activity = Activity::of(self, rows, territories, seed);
        let present: Vec<usize> = activity.present.iter().map(Vec::len).collect();
        let mut users: Vec<u32> = activity.present.iter().flatten().copied().collect();
        users.sort_unstable();
        if users.is_empty() {
            return Err(DataError::Columns { what: "upsampling: there is no training row".to_owned() });
        }
        let wanted = ((self.random * users.len() as f64 + 0.5).floor() as usize).max(1);
        let mut is_random = vec![false; rows.users];
        for &at in &permutation(users.len(), &mut stream(seed, "upsample-random", &[]))[..wanted] {
            is_random[users[at as usize] as usize] = true;
        }

        let total = (self.ratio * wanted as f64 + 0.5).floor() as usize;
        // The active users are put in an order that knows nothing of the random sample; who is there already is passed.
        let left_of = |from: &[u32], index: u64| -> Vec<u32> {
            let pool: Vec<u32> = from.iter().copied().filter(|&u| activity.active[u as usize]).collect();
            let order = permutation(pool.len(), &mut stream(seed, "upsample-active", &[index]));
            let in_order = order.iter().map(|&at| pool[at as usize]);
            in_order.filter(|&user| !is_random[user as usize]).collect()
        };
        let mut is_active = vec![false; rows.users];
        let mut take = |left: &[u32], count: usize, whence: &str| -> Result<(), DataError> {
            let Some(taken) = left.get(..count) else {
                return Err(DataError::Setting {
                    name: "upsampling quota",
                    found: format!("{count} active users wanted {whence}"),
                    expected: format!(
                        "at most the {} that are left there beside the random sample (lower the ratio or the random \
                         share, call more users active, take another quota, or let others fill in)",
                        left.len()
                    ),
                });
            };
            taken.iter().for_each(|&user| is_active[user as usize] = true);
            Ok(())
        };
        if self.quota == Quota::None {
            take(&left_of(&users, u64::MAX), total, "in all territories together")?;
        } else {
            let left: Vec<Vec<u32>> =
                (0u64..).zip(&activity.present).map(|(index, own)| left_of(own, index)).collect();
            let sizes: Vec<usize> = left.iter().map(Vec::len).collect();
            let quotas = match self.shortfall {
                Shortfall::Error => shares(self.quota, total, &present),
                Shortfall::Others => capped(self.quota, total, &present, &sizes),
            };
            let quotas = quotas.unwrap_or_default();
            if quotas.iter().sum::<usize>() < total {
                take(&left.concat(), total, "in all territories together")?;
            }
            for ((own, quota), name) in left.iter().zip(quotas).zip(territories.names()) {
                take(own, quota, &format!("in territory {name}"))?;
            }
        }

        let drawn = |user: usize| is_random[user] || is_active[user];
        let kept: Vec<u32> =
            (0u32..).zip(&rows.user).filter(|&(_, &u)| drawn(u as usize)).map(|(row, _)| row).collect();
        let ids = |flags: &[bool]| -> Vec<u32> {
            (0u32..).zip(flags).filter(|&(_, &flag)| flag).map(|(user, _)| user).collect()
        };
        let mut rates: Vec<Rate> = territories.names().iter().map(|name| Rate::of(name)).collect();
        for &user in &users {
            let rate = &mut rates[territories.of_user()[user as usize] as usize];
            let user = user as usize;
            rate.users += 1;
            rate.active_users += usize::from(activity.active[user]);
            rate.random += usize::from(is_random[user]);
            rate.added += usize::from(is_active[user]);
            rate.active_drawn += usize::from(activity.active[user] && drawn(user));
        }
        for (row, &user) in rows.user.iter().enumerate() {
            let rate = &mut rates[territories.of_user()[user as usize] as usize];
            rate.rows += 1;
            rate.rows_drawn += usize::from(kept.binary_search(&(row as u32)).is_ok());
        }
        let rates = Rates { territories: rates };
        let weight_of_user = (0..rows.users)
            .map(|user| {
                let rate = &rates.territories[territories.of_user()[user] as usize];
                if drawn(user) { rates.weight(rate, activity.active[user]) as f32 } else { 0.0 }
            })
            .collect();
        Ok(Upsampled {
            train: train.select(&kept),
            rows: kept,
            rates,
            random: ids(&is_random),
            active: ids(&is_active),
            weight_of_user,
            drawn_from: rows.len(),
        })
    }
}

impl Upsampled {
    /// Users of the random sample.
    pub fn random_users(&self) -> usize {
        self.random.len()
    }

    /// Users of the active sample.
    pub fn active_users(&self) -> usize {
        self.active.len()
    }

    /// Weight of each row, `[rows]`: with N users in all and n drawn, N_s and n_s of them active (or not) in the user's
    /// territory, (N_s / N) / (n_s / n). Weighted so, the sample has the population's mix of territories and activity,
    /// except for a mix of which nobody was drawn. The mean over the drawn users is 1 if somebody was drawn of every mix.
    pub fn importance(&self) -> Vec<f32> {
        self.train.rows().user.iter().map(|&user| self.weight_of_user[user as usize]).collect()
    }

    /// The correction of probabilities learned on this sample, from the label of each row that was drawn from,
    /// `[rows of the training part]`.
    ///
    /// # Errors
    /// [`DataError::Columns`] for another number of labels, [`DataError::Setting`] where one of the two rates is 0 or 1.
    pub fn prior_shift(&self, positive: &[bool]) -> Result<PriorShift, DataError> {
        if positive.len() != self.drawn_from {
            return Err(DataError::Columns {
                what: format!("{} labels for {} training rows", positive.len(), self.drawn_from),
            });
        }
        let share = |positives: usize, rows: usize| positives as f64 / rows as f64;
        let all = positive.iter().filter(|&&label| label).count();
        let drawn = self.rows.iter().filter(|&&row| positive[row as usize]).count();
        PriorShift::new(share(all, positive.len()), share(drawn, self.rows.len()))
    }
}
