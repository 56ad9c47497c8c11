//! Territories of very different size, titles at home in one or in all, and clicks whose true probability is known.
//!
//! Shapes: U users, I items, T territories, F factors. Territory t has a share of the users like 1 / (t + 1)^`zipf` and
//! a direction c_t, standard normal in F dimensions. A share of the items is local, dealt to the territories in turn.
//! With n standard normal, ρ = `mixing` and δ = `difference`:
//!
//! q_i = n_i for a global item, (1 − ρ) n_i + ρ c_home for a local one; p_u = δ c_t + `spread` · n_u;
//!
//! x(u, i) = base + level_i + `taste` · ⟨p_u, q_i⟩ / deviation of ⟨p, q⟩ over all pairs + δ · `appeal` · a(t, i),
//!
//! where a is 1 for a local item at home, −1 for it elsewhere, and 0 for a global item. The true preference is
//! σ(x(u, i)). An item's popularity is its mean over *all* users, so large territories decide what is popular; a user is
//! shown items in proportion to popularity^`exposure`, and clicks each with the true probability: rating 1, else 0. With
//! δ = 0 the territories do not differ, whatever else is set.
//!
//! The recipe follows what arXiv 2310.03148 says of its setting (local and global titles, exposure that favours the
//! popular); every law and number in it is ours.
//!
//! ```
//! use kohort_data::synthetic::MarketRecipe;
//!
//! let (data, truth) = MarketRecipe::small().generate(7)?;
//! assert_eq!(truth.territory.len(), data.users.len());
//! let (shown, clicked) = (data.interactions.len(), data.interactions.rating.iter().filter(|&&r| r == 1.0).count());
//! assert!(clicked > shown / 10 && clicked < shown / 2);
//! // What the perfect model would recommend: its ten best titles for every user of a territory, and how many are local.
//! assert!(truth.local_share_of_best(3, 10).unwrap() > 0.1);
//! # Ok::<(), kohort_data::DataError>(())
//! ```

use kohort_random::{permutation, rand::Rng, stream};
use serde::{Deserialize, Serialize};

use super::generate::pick_several;
use super::normal::{normal, normals};
use super::setting;
use crate::{Column, DataError, Dataset, Features, Interactions, Scale, Vocabulary};

const START: i64 = 1_000_000_000;
const DAY: f64 = 86_400.0;
/// Makes about a quarter of what is shown clicked.
const BASE: f64 = -1.5;

/// What to plant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketRecipe {
    /// Users, at least one a territory.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Territories.
    pub territories: usize,
    /// How fast territories get smaller, 0 (all alike) to 10.
    pub zipf: f64,
    /// Factors of users and items.
    pub factors: usize,
    /// Share of items that are local, 0 to 1.
    pub local: f64,
    /// Share of its home's direction in a local item, 0 to 1.
    pub mixing: f64,
    /// How much territories differ, 0 (not at all) to 1.
    pub difference: f64,
    /// What being at home adds to a local item's logit (and being abroad takes from it), 0 to 100.
    pub appeal: f64,
    /// Deviation of a user from the territory's direction, 0 to 100.
    pub spread: f64,
    /// Deviation of the taste term in logits, 0 to 100.
    pub taste: f64,
    /// Power of popularity in what is shown, 0 (all alike) to 10.
    pub exposure: f64,
    /// Median number of items a user is shown (log-normal with deviation 0.9, at most half of the items).
    pub median_rows: usize,
    /// Every user is shown at least so many.
    pub least_rows: usize,
}

impl MarketRecipe {
    /// About 8,000 rows of 300 users in 4 territories: for fast tests.
    pub fn small() -> MarketRecipe {
        MarketRecipe {
            users: 300,
            items: 150,
            territories: 4,
            zipf: 1.0,
            factors: 6,
            local: 0.4,
            mixing: 0.5,
            difference: 1.0,
            appeal: 1.0,
            spread: 0.7,
            taste: 1.0,
            exposure: 2.0,
            median_rows: 20,
            least_rows: 8,
        }
    }

    /// About 150,000 rows of 3,000 users in 7 territories, the smallest with one sixteenth of the largest's users.
    pub fn seven() -> MarketRecipe {
        MarketRecipe {
            users: 3_000,
            items: 1_500,
            territories: 7,
            zipf: 1.4,
            factors: 12,
            median_rows: 35,
            least_rows: 10,
            ..MarketRecipe::small()
        }
    }

    /// Makes the data set that this recipe and `seed` name, with the user feature `market` and rating 1 for a click, 0
    /// for none; rows come in the order of time.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a recipe that cannot be followed.
    pub fn generate(&self, seed: u64) -> Result<(Dataset, MarketTruth), DataError> {
        self.check()?;
        let truth = self.truth(seed);
        let interactions = self.rows(seed, &truth);
        let names = |prefix: &str, n: usize| -> Vocabulary {
            (0..n).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>().iter().map(String::as_str).collect()
        };
        let mut user_features = Features::new(self.users);
        let vocabulary = names("market", self.territories);
        user_features.push("market", Column::Categorical { codes: truth.territory.clone(), vocabulary })?;
        let dataset = Dataset {
            name: "synthetic-markets".to_owned(),
            users: names("u", self.users),
            items: names("i", self.items),
            user_features,
            item_features: Features::new(self.items),
            row_features: Features::new(interactions.len()),
            item_names: None,
            interactions,
            groups: None,
            scale: Scale { low: 0.0, high: 1.0 },
            has_time: true,
            source: "synthetic".to_owned(),
            notes: vec![format!(
                "planted by recipe and seed {seed}: {} territories, difference {}, exposure by popularity^{}",
                self.territories, self.difference, self.exposure
            )],
        };
        dataset.check()?;
        Ok((dataset, truth))
    }

    fn truth(&self, seed: u64) -> MarketTruth {
        let mut numbers = stream(seed, "markets-items", &[]);
        let directions = normals(self.territories * self.factors, &mut numbers);
        let locals = (self.local * self.items as f64 + 0.5).floor() as usize;
        let mut home = vec![None; self.items];
        for (at, &item) in permutation(self.items, &mut numbers)[..locals].iter().enumerate() {
            home[item as usize] = Some((at % self.territories) as u32);
        }
        let (mut item_factors, mut level) = (Vec::with_capacity(self.items * self.factors), Vec::new());
        for home in &home {
            for f in 0..self.factors {
                let own = normal(&mut numbers);
                item_factors.push(match home {
                    Some(t) => {
                        (1.0 - self.mixing) * own + self.mixing * directions[*t as usize * self.factors + f]
                    }
                    None => own,
                });
            }
            level.push(0.7 * normal(&mut numbers));
        }

        let mut numbers = stream(seed, "markets-users", &[]);
        let mut territory = vec![0; self.users];
        let order = permutation(self.users, &mut numbers);
        let mut ends = self.sizes().into_iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        });
        let (mut t, mut end) = (0, ends.next().unwrap_or(self.users));
        for (at, &user) in order.iter().enumerate() {
            while at >= end {
                t += 1;
                end = ends.next().unwrap_or(self.users);
            }
            territory[user as usize] = t;
        }
        let mut user_factors = Vec::with_capacity(self.users * self.factors);
        for &t in &territory {
            for f in 0..self.factors {
                let centre = self.difference * directions[t as usize * self.factors + f];
                user_factors.push(centre + self.spread * normal(&mut numbers));
            }
        }
        let mut truth = MarketTruth {
            territory,
            home,
            popularity: vec![0.0; self.items],
            factors: self.factors,
            user_factors,
            item_factors,
            level,
            appeal: self.difference * self.appeal,
        };
        truth.scale(self.taste);
        for item in 0..self.items {
            let sum: f64 = (0..self.users).map(|user| truth.preference(user, item)).sum();
            truth.popularity[item] = sum / self.users as f64;
        }
        truth
    }

    /// Users of each territory, largest first: every one has one, the rest go by Zipf's law to the largest remainder.
    fn sizes(&self) -> Vec<usize> {
        let weights: Vec<f64> = (0..self.territories).map(|t| (t as f64 + 1.0).powf(-self.zipf)).collect();
        let rest = self.users - self.territories;
        let sum: f64 = weights.iter().sum();
        let exact: Vec<f64> = weights.iter().map(|w| rest as f64 * w / sum).collect();
        let mut sizes: Vec<usize> = exact.iter().map(|share| 1 + share.floor() as usize).collect();
        let mut order: Vec<usize> = (0..self.territories).collect();
        order.sort_by(|&a, &b| (exact[b] - exact[b].floor()).total_cmp(&(exact[a] - exact[a].floor())));
        let left = self.users - sizes.iter().sum::<usize>();
        order.iter().take(left).for_each(|&t| sizes[t] += 1);
        sizes
    }

    fn rows(&self, seed: u64, truth: &MarketTruth) -> Interactions {
        let weights: Vec<f64> = truth.popularity.iter().map(|p| p.powf(self.exposure)).collect();
        let most = (self.items / 2).max(self.least_rows);
        let mut rows: Vec<(i64, u32, u32, f32)> = Vec::new();
        for user in 0..self.users {
            let mut numbers = stream(seed, "markets-rows", &[user as u64]);
            let wanted = self.median_rows as f64 * (0.9 * normal(&mut numbers)).exp();
            let count = (wanted.round() as usize).clamp(self.least_rows, most);
            let mut time = START as f64 + 200.0 * DAY * numbers.random::<f64>();
            for item in pick_several(&weights, count, &mut numbers) {
                time += 1.0 - DAY * (1.0 - numbers.random::<f64>()).ln();
                let clicked = numbers.random::<f64>() < truth.preference(user, item as usize);
                rows.push((time as i64, user as u32, item, f32::from(u8::from(clicked))));
            }
        }
        rows.sort_unstable_by_key(|&(time, user, item, _)| (time, user, item));
        Interactions {
            user: rows.iter().map(|row| row.1).collect(),
            item: rows.iter().map(|row| row.2).collect(),
            rating: rows.iter().map(|row| row.3).collect(),
            time: rows.iter().map(|row| row.0).collect(),
            users: self.users,
            items: self.items,
        }
    }

    fn check(&self) -> Result<(), DataError> {
        for (name, found, least) in [
            ("territories", self.territories, 1),
            ("users", self.users, self.territories.max(2)),
            ("items", self.items, 2),
            ("factors", self.factors, 1),
            ("median_rows", self.median_rows, 1),
            ("least_rows", self.least_rows, 1),
        ] {
            if found < least {
                return Err(setting(name, found, format!("at least {least}")));
            }
        }
        const MOST_PAIRS: usize = 1 << 30;
        for (name, found) in [
            ("users × items", self.users.saturating_mul(self.items)),
            ("users × factors", self.users.saturating_mul(self.factors)),
            ("items × factors", self.items.saturating_mul(self.factors)),
        ] {
            if found > MOST_PAIRS {
                return Err(setting(name, found, format!("at most {MOST_PAIRS}")));
            }
        }
        if self.least_rows > self.items {
            return Err(setting("least_rows", self.least_rows, format!("at most the items, {}", self.items)));
        }
        for (name, found, most) in [
            ("zipf", self.zipf, 10.0),
            ("local", self.local, 1.0),
            ("mixing", self.mixing, 1.0),
            ("difference", self.difference, 1.0),
            ("appeal", self.appeal, 100.0),
            ("spread", self.spread, 100.0),
            ("taste", self.taste, 100.0),
            ("exposure", self.exposure, 10.0),
        ] {
            if !(0.0..=most).contains(&found) {
                return Err(setting(name, found, format!("a number from 0 to {most}")));
            }
        }
        Ok(())
    }
}

/// The right answers: for tests and ceilings, never for training.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketTruth {
    /// Territory of each user, `[users]`.
    pub territory: Vec<u32>,
    /// The territory each local item is at home in; `None` for a global one, `[items]`.
    pub home: Vec<Option<u32>>,
    /// Mean preference of all users for each item, `[items]`: what decides who is shown it.
    pub popularity: Vec<f64>,
    factors: usize,
    user_factors: Vec<f64>,
    item_factors: Vec<f64>,
    level: Vec<f64>,
    appeal: f64,
}

impl MarketTruth {
    /// Logit of the probability that the user clicks the item when it is shown.
    pub fn logit(&self, user: usize, item: usize) -> f64 {
        let at_home = match self.home[item] {
            Some(home) if home == self.territory[user] => 1.0,
            Some(_) => -1.0,
            None => 0.0,
        };
        BASE + self.level[item] + self.product(user, item) + self.appeal * at_home
    }

    /// The probability that the user clicks the item when it is shown: the true preference.
    pub fn preference(&self, user: usize, item: usize) -> f64 {
        1.0 / (1.0 + (-self.logit(user, item)).exp())
    }

    /// The user's `k` items of highest true preference, best first; of equal ones the lower id.
    pub fn best(&self, user: usize, k: usize) -> Vec<u32> {
        let mut scored: Vec<(f64, u32)> =
            (0..self.home.len()).map(|item| (self.logit(user, item), item as u32)).collect();
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.into_iter().take(k).map(|(_, item)| item).collect()
    }

    /// Share of items at home in `territory` among the true best `k` of its users; `None` without users or for k = 0.
    pub fn local_share_of_best(&self, territory: u32, k: usize) -> Option<f64> {
        let (mut local, mut all) = (0usize, 0usize);
        for user in (0..self.territory.len()).filter(|&user| self.territory[user] == territory) {
            let best = self.best(user, k);
            all += best.len();
            local += best.iter().filter(|&&item| self.home[item as usize] == Some(territory)).count();
        }
        (all > 0).then(|| local as f64 / all as f64)
    }

    fn product(&self, user: usize, item: usize) -> f64 {
        let p = &self.user_factors[user * self.factors..(user + 1) * self.factors];
        let q = &self.item_factors[item * self.factors..(item + 1) * self.factors];
        p.iter().zip(q).map(|(a, b)| a * b).sum()
    }

    /// Gives ⟨p, q⟩ the deviation `taste` over all pairs.
    fn scale(&mut self, taste: f64) {
        let (users, items) = (self.territory.len(), self.home.len());
        let (mut sum, mut squares) = (0.0, 0.0);
        for user in 0..users {
            for item in 0..items {
                let product = self.product(user, item);
                sum += product;
                squares += product * product;
            }
        }
        let pairs = (users * items) as f64;
        let deviation = (squares / pairs - (sum / pairs).powi(2)).max(0.0).sqrt();
        let factor = if deviation > 0.0 { taste / deviation } else { 0.0 };
        self.user_factors.iter_mut().for_each(|p| *p *= factor);
    }
}
