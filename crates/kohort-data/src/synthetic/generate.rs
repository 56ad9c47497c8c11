//! From recipe and seed to data set and truth.

use kohort_random::{Stream, rand::Rng, stream};

use super::normal::{normal, normals};
use super::{Recipe, Truth};
use crate::{Column, DataError, Dataset, Features, Groups, Interactions, Members, Scale, Vocabulary};

const SCALE: Scale = Scale { low: 1.0, high: 5.0 };
const START: i64 = 1_000_000_000;
const DAY: f64 = 86_400.0;

impl Recipe {
    /// Makes the data set that this recipe and `seed` name; rows come in the order of time.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a recipe that cannot be followed.
    pub fn generate(&self, seed: u64) -> Result<(Dataset, Truth), DataError> {
        self.check()?;
        let catalogue = self.catalogue(seed);
        let truth = self.people(seed, &catalogue);
        let interactions = self.ratings(seed, &catalogue, &truth);
        let groups = if self.groups == 0 {
            None
        } else {
            Some(self.groups(seed, &catalogue, &truth, &interactions)?)
        };
        let names = |prefix: &str, n: usize| -> Vocabulary {
            (0..n).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>().iter().map(String::as_str).collect()
        };
        let mut item_features = Features::new(self.items);
        item_features.push("genre", Column::multi_hot(catalogue.genres, names("genre", self.genres)))?;
        item_features.push("year", Column::Numeric(catalogue.years))?;
        let dataset = Dataset {
            name: "synthetic".to_owned(),
            users: names("u", self.users),
            items: names("i", self.items),
            user_features: self.user_features(seed, &truth, names("region", self.cohorts))?,
            item_features,
            row_features: Features::new(interactions.len()),
            item_names: None,
            interactions,
            groups,
            scale: SCALE,
            has_time: true,
            source: "synthetic".to_owned(),
            notes: vec![format!(
                "planted by recipe and seed {seed}: {} cohorts, noise {}",
                self.cohorts, self.noise
            )],
        };
        dataset.check()?;
        Ok((dataset, truth))
    }

    fn catalogue(&self, seed: u64) -> Catalogue {
        let mut numbers = stream(seed, "synthetic-items", &[]);
        let of_genre = normals(self.genres * self.factors, &mut numbers);
        let mut catalogue = Catalogue {
            factors: Vec::with_capacity(self.items * self.factors),
            level: Vec::with_capacity(self.items),
            weight: Vec::with_capacity(self.items),
            genres: Vec::with_capacity(self.items),
            years: Vec::with_capacity(self.items),
        };
        let ranks = kohort_random::permutation(self.items, &mut numbers);
        for rank in ranks {
            let count = numbers.random_range(1..=3usize.min(self.genres));
            let own: Vec<u32> = (0..count).map(|_| numbers.random_range(0..self.genres as u32)).collect();
            for f in 0..self.factors {
                let mean =
                    own.iter().map(|&g| of_genre[g as usize * self.factors + f]).sum::<f64>() / count as f64;
                catalogue.factors.push(mean + 0.3 * normal(&mut numbers));
            }
            let level = 0.45 * normal(&mut numbers);
            catalogue.level.push(level);
            catalogue.weight.push(level.exp() / (f64::from(rank) + 10.0).powf(0.9));
            catalogue.genres.push(own);
            catalogue.years.push(numbers.random_range(1930..1999u16).into());
        }
        catalogue
    }

    fn people(&self, seed: u64, catalogue: &Catalogue) -> Truth {
        let mut numbers = stream(seed, "synthetic-users", &[]);
        let centres = normals(self.cohorts * self.factors, &mut numbers);
        let sizes: Vec<f64> = (0..self.cohorts).map(|c| 1.0 / (c as f64 + 1.0)).collect();
        let mut truth = Truth {
            cohort: Vec::with_capacity(self.users),
            cohorts: self.cohorts,
            noise: self.noise,
            factors: self.factors,
            user_level: Vec::with_capacity(self.users),
            item_level: catalogue.level.clone(),
            user_factors: Vec::with_capacity(self.users * self.factors),
            item_factors: catalogue.factors.clone(),
        };
        for user in 0..self.users {
            // The first users make sure that no cohort is empty.
            let drawn = pick(&sizes, &mut numbers);
            let cohort = if user < self.cohorts { user } else { drawn };
            truth.cohort.push(cohort as u32);
            for f in 0..self.factors {
                truth
                    .user_factors
                    .push(centres[cohort * self.factors + f] + self.spread * normal(&mut numbers));
            }
            truth.user_level.push(3.5 + 0.4 * normal(&mut numbers));
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        for user in 0..self.users {
            for item in 0..self.items {
                let taste = truth.taste(user, item);
                sum += taste;
                squares += taste * taste;
            }
        }
        let pairs = (self.users * self.items) as f64;
        let deviation = (squares / pairs - (sum / pairs).powi(2)).max(0.0).sqrt();
        let factor = if deviation > 0.0 { self.taste / deviation } else { 0.0 };
        truth.user_factors.iter_mut().for_each(|p| *p *= factor);
        truth
    }

    fn ratings(&self, seed: u64, catalogue: &Catalogue, truth: &Truth) -> Interactions {
        let mut rows: Vec<(i64, u32, u32, f32)> = Vec::new();
        for user in 0..self.users {
            let mut numbers = stream(seed, "synthetic-ratings", &[user as u64]);
            let wanted = self.median_rows as f64 * (0.9 * normal(&mut numbers)).exp();
            let most = (self.items / 2).max(self.least_rows);
            let count = (wanted.round() as usize).clamp(self.least_rows, most);
            let weights: Vec<f64> =
                (0..self.items).map(|i| catalogue.weight[i] * truth.taste(user, i).min(5.0).exp()).collect();
            let mut time = START as f64 + 200.0 * DAY * numbers.random::<f64>();
            for item in pick_several(&weights, count, &mut numbers) {
                // Sessions: most gaps are a minute, one in twenty is about a week.
                let mean = if numbers.random::<f64>() < 0.05 { 7.0 * DAY } else { 60.0 };
                time += 1.0 - mean * (1.0 - numbers.random::<f64>()).ln();
                let rating = observe(truth.latent(user, item as usize), self.noise, &mut numbers);
                rows.push((time as i64, user as u32, item, rating));
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

    fn user_features(&self, seed: u64, truth: &Truth, regions: Vocabulary) -> Result<Features, DataError> {
        let mut numbers = stream(seed, "synthetic-features", &[]);
        let (mut region, mut age, mut device) = (Vec::new(), Vec::new(), Vec::new());
        for &cohort in &truth.cohort {
            let other = numbers.random_range(0..self.cohorts as u32);
            region.push(if numbers.random::<f64>() < self.telling { cohort } else { other });
            let centre = 20.0 + 50.0 * f64::from(cohort) / self.cohorts as f64;
            age.push((centre + 7.0 * normal(&mut numbers)).round().clamp(10.0, 90.0) as f32);
            device.push(numbers.random_range(0..3u32));
        }
        let mut features = Features::new(self.users);
        features.push("region", Column::Categorical { codes: region, vocabulary: regions })?;
        features.push("age", Column::Numeric(age))?;
        let devices = ["phone", "screen", "tablet"].into_iter().collect();
        features.push("device", Column::Categorical { codes: device, vocabulary: devices })?;
        Ok(features)
    }

    /// Four in five groups keep to one cohort. A group rates by the mean of its members' latent ratings.
    fn groups(
        &self,
        seed: u64,
        catalogue: &Catalogue,
        truth: &Truth,
        individual: &Interactions,
    ) -> Result<Groups, DataError> {
        let mut lists: Vec<Vec<u32>> = Vec::with_capacity(self.groups);
        let mut rows = Interactions { users: self.groups, items: self.items, ..Interactions::default() };
        let mut vocabulary = Vocabulary::new();
        for group in 0..self.groups {
            let mut numbers = stream(seed, "synthetic-groups", &[group as u64]);
            let first = numbers.random_range(0..self.users);
            let mixed = numbers.random::<f64>() < 0.2;
            let weights: Vec<f64> =
                (0..self.users)
                    .map(|u| {
                        if u != first && (mixed || truth.cohort[u] == truth.cohort[first]) {
                            1.0
                        } else {
                            0.0
                        }
                    })
                    .collect();
            let mut members = pick_several(&weights, numbers.random_range(1..=4), &mut numbers);
            members.push(first as u32);
            let wanted = numbers.random_range(5..=11).min(self.items);
            for item in pick_several(&catalogue.weight, wanted, &mut numbers) {
                let latent = members.iter().map(|&u| truth.latent(u as usize, item as usize)).sum::<f64>();
                rows.user.push(group as u32);
                rows.item.push(item);
                rows.rating.push(observe(latent / members.len() as f64, self.noise, &mut numbers));
                rows.time.push(START);
            }
            lists.push(members);
            vocabulary.insert(&format!("g{group}"));
        }
        let members = Members::from_lists(&lists, self.users)?;
        Ok(Groups {
            row_features: Features::new(rows.len()),
            silent: Groups::silent_members(&members, individual),
            interactions: rows,
            vocabulary,
            members,
        })
    }
}

struct Catalogue {
    factors: Vec<f64>,
    level: Vec<f64>,
    weight: Vec<f64>,
    genres: Vec<Vec<u32>>,
    years: Vec<f32>,
}

fn observe(latent: f64, noise: f64, numbers: &mut Stream) -> f32 {
    (latent + noise * normal(numbers)).round().clamp(1.0, 5.0) as f32
}

fn pick(weights: &[f64], numbers: &mut Stream) -> usize {
    let mut left = numbers.random::<f64>() * weights.iter().sum::<f64>();
    for (at, &weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return at;
        }
    }
    weights.len() - 1
}

/// Up to `count` distinct indices, each draw in proportion to the weights that are left (exponential keys: Efraimidis
/// and Spirakis, "Weighted random sampling with a reservoir", 2006), in the order they were drawn.
pub(super) fn pick_several(weights: &[f64], count: usize, numbers: &mut Stream) -> Vec<u32> {
    let mut keys: Vec<(f64, u32)> = Vec::with_capacity(weights.len());
    for (at, &weight) in (0u32..).zip(weights) {
        let key = -(1.0 - numbers.random::<f64>()).ln() / weight;
        if weight > 0.0 {
            keys.push((key, at));
        }
    }
    keys.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    keys.truncate(count);
    keys.into_iter().map(|(_, at)| at).collect()
}
