//! What training rows say of a candidate i for a user u of territory m: at most seven numbers.
//!
//! With h the user's history (l its first entry), t the day from which the user is looked at, n_i and c_ij counts over all
//! territories, s the shrinkage, and exp(−·/τ) in days:
//!
//! | name | value |
//! |---|---|
//! | market count | ln(n_mi + ½) |
//! | pooled count | ln(n_i + ½) |
//! | recent count | ln(recent(m, i, t) + 0.1) |
//! | similar | ln(0.01 + Σ_{j ∈ h} c_ij / ((n_j + s)^¾ (n_i + s)^¼)) |
//! | recently similar | ln(0.01 + Σ_{j ∈ h} exp(−\|t − d_j\|/τ) c_ij / (n_j + s)) |
//! | near in time | ln(0.01 + Σ_{j ∈ h} near_ij / (n_j + s)) |
//! | like the last | ln(0.01 + c_il / √((n_l + s)(n_i + s))) |
//!
//! **A training row is described as if it were not there.** If (u, i) is a training row, its own terms are taken out: one of
//! n_mi and of n_i, its own in recent(m, i, t), one of c_ij and exp(−|d_i − d_j|/τ) of near_ij for each j ∈ h. That is exact: the
//! numbers are those of the data without the row. n_j needs nothing, since j ≠ i, and no other candidate's numbers know the row.

use kohort_data::{Train, territories::Territories};

use super::config::{Config, Time};
use super::cooccurrence::{Cooccurrence, nearness};
use super::history::{Histories, Seen};
use super::popularity::Popularity;
use crate::ModelError;

/// Names of all features, in the order of the table.
pub(super) const NAMES: [&str; 7] = [
    "market count",
    "pooled count",
    "recent count",
    "similar",
    "recently similar",
    "near in time",
    "like the last",
];

/// Those that need no times; *recently similar* then has equal weights.
const TIMELESS: [usize; 5] = [0, 1, 3, 4, 6];
const ALL: [usize; 7] = [0, 1, 2, 3, 4, 5, 6];

/// All that features are made from.
#[derive(Clone, Debug)]
pub(super) struct Features {
    pub(super) histories: Histories,
    popularity: Popularity,
    together: Cooccurrence,
    /// Territory of each user, `[users]`.
    territory: Vec<u32>,
    /// `(n_i + s)^−¼`, `[items]`.
    quarter: Vec<f32>,
    recency_days: f64,
    near_days: f64,
    shrinkage: f32,
    time: Time,
}

/// Who asks: the territory, the history, and the day from which it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) territory: Option<u32>,
    pub(super) history: &'a [Seen],
    pub(super) now: f64,
}

/// Memory of a thread: sums over a history, `[items]`, all zero between uses.
#[derive(Default)]
pub(super) struct Scratch {
    sums: Vec<Sums>,
}

/// Sums over a history, for one candidate.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    similar: f32,
    recent: f32,
    near: f32,
    last: f32,
}

/// What an entry of the history is multiplied by.
struct Weights {
    similar: f32,
    recent: f32,
    near: f32,
}

impl Features {
    pub(super) fn fit(
        train: &Train,
        territories: &Territories,
        config: &Config,
    ) -> Result<Features, ModelError> {
        let rows = train.rows();
        let of_rows = territories.of_rows(rows)?;
        let histories = Histories::new(rows, config);
        let day: Vec<f64> = (0u32..).zip(&rows.user).map(|(row, &user)| histories.day(user, row)).collect();
        let popularity =
            Popularity::count(rows, (&of_rows, territories.len()), &day, config.popularity_days, config.time);
        let together = Cooccurrence::count(rows, &histories, config.near_days);
        let shrinkage = config.shrinkage as f32;
        let quarter = (0..rows.items as u32)
            .map(|item| (popularity.pooled(item) as f32 + shrinkage).powf(-0.25))
            .collect();
        Ok(Features {
            histories,
            popularity,
            together,
            territory: territories.of_user().to_vec(),
            quarter,
            recency_days: config.recency_days,
            near_days: config.near_days,
            shrinkage,
            time: config.time,
        })
    }

    /// Which of [`NAMES`] there are.
    pub(super) fn kept(&self) -> &'static [usize] {
        if self.time == Time::None { &TIMELESS } else { &ALL }
    }

    /// Number of features.
    pub(super) fn width(&self) -> usize {
        self.kept().len()
    }

    /// Territory of a user; none for an unknown one.
    pub(super) fn territory(&self, user: u32) -> Option<u32> {
        self.territory.get(user as usize).copied()
    }

    /// Writes the features of each item, `[items, width]`. With `own`, the first item is that of a training row of the asking
    /// user, on that day.
    pub(super) fn describe(
        &self,
        asked: Asked<'_>,
        items: &[u32],
        own: Option<f64>,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let Asked { territory, history, now } = asked;
        scratch.sums.resize(self.quarter.len(), Sums::default());
        for (place, seen) in history.iter().enumerate() {
            let weights = self.weights(seen, now);
            let last = f32::from(u8::from(place == 0));
            for pair in self.together.of(seen.item) {
                let sums = &mut scratch.sums[pair.item as usize];
                sums.similar += pair.count * weights.similar;
                sums.recent += pair.count * weights.recent;
                sums.near += pair.near * weights.near;
                sums.last += pair.count * last;
            }
        }
        let of_last = history.first().map_or(0, |seen| self.popularity.pooled(seen.item)) as f32;
        for ((place, &item), out) in items.iter().enumerate().zip(out.chunks_exact_mut(self.width())) {
            let own = own.filter(|_| place == 0);
            let less = usize::from(own.is_some());
            let mut sums = scratch.sums.get(item as usize).copied().unwrap_or_default();
            let users = (self.popularity.pooled(item) as usize).saturating_sub(less) as f32;
            let mut quarter = self.quarter.get(item as usize).copied().unwrap_or(0.0);
            if let Some(day) = own {
                self.leave_out(&mut sums, history, now, day);
                quarter = (users + self.shrinkage).powf(-0.25);
            }
            let local = self.popularity.local(territory, item).saturating_sub(less) as f32;
            let recent = match self.time {
                Time::None => 0.0,
                _ => self.popularity.recent(territory, item, now, own) as f32,
            };
            let root = ((of_last + self.shrinkage) * (users + self.shrinkage)).sqrt();
            let all = [
                (local + 0.5).ln(),
                (users + 0.5).ln(),
                (recent + 0.1).ln(),
                (0.01 + sums.similar * quarter).ln(),
                (0.01 + sums.recent).ln(),
                (0.01 + sums.near).ln(),
                (0.01 + sums.last / root).ln(),
            ];
            out.iter_mut().zip(self.kept()).for_each(|(out, &n)| *out = all[n]);
        }
        for seen in history {
            for pair in self.together.of(seen.item) {
                scratch.sums[pair.item as usize] = Sums::default();
            }
        }
    }

    fn weights(&self, seen: &Seen, now: f64) -> Weights {
        let users = self.popularity.pooled(seen.item) as f32 + self.shrinkage;
        let age = match self.time {
            Time::None => 1.0,
            _ => nearness(now - seen.day, self.recency_days) as f32,
        };
        Weights { similar: users.powf(-0.75), recent: age / users, near: 1.0 / users }
    }

    /// Takes the terms of the row on `day` out of the sums of its item. What is left is not below 0 but for rounding.
    fn leave_out(&self, sums: &mut Sums, history: &[Seen], now: f64, day: f64) {
        for seen in history {
            let weights = self.weights(seen, now);
            sums.similar -= weights.similar;
            sums.recent -= weights.recent;
            sums.near -= nearness(day - seen.day, self.near_days) as f32 * weights.near;
        }
        sums.last -= f32::from(u8::from(!history.is_empty()));
        for sum in [&mut sums.similar, &mut sums.recent, &mut sums.near, &mut sums.last] {
            *sum = sum.max(0.0);
        }
    }
}
