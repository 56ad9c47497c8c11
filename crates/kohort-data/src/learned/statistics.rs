//! What training rows say of each user or item: damped mean, count, share of liked rows.
//!
//! With `n` rows of sum `s`, damping `d` and global mean `m`: mean = (s + d·m) / (n + d), so a key without rows has
//! the global mean. The liked share is damped to the global share in the same way.

use kohort_random::{permutation, stream};
use serde::{Deserialize, Serialize};

use super::Profile;
use crate::{Column, DataError, Features, Interactions, Train};

/// Whose rows are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// The rows of a user.
    User,
    /// The rows of an item.
    Item,
}

impl Key {
    /// The key of each row, and how many keys there are.
    pub fn of(self, rows: &Interactions) -> (&[u32], usize) {
        match self {
            Key::User => (&rows.user, rows.users),
            Key::Item => (&rows.item, rows.items),
        }
    }
}

/// How rows become statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighting {
    /// How many rows of the global mean are added to each key: at least 0.
    pub damping: f64,
    /// A rating from here on is liked.
    pub liked_from: f32,
}

impl Default for Weighting {
    /// Five rows; liked from 4, the usual reading of a five-star scale.
    fn default() -> Weighting {
        Weighting { damping: 5.0, liked_from: 4.0 }
    }
}

impl Weighting {
    fn check(self) -> Result<(), DataError> {
        if self.damping >= 0.0 && self.damping.is_finite() {
            Ok(())
        } else {
            Err(DataError::Setting {
                name: "damping",
                found: self.damping.to_string(),
                expected: "a number from 0 up".to_owned(),
            })
        }
    }
}

/// Statistics of every user or every item, from training rows.
///
/// ```
/// use kohort_data::{Interactions, Train, learned::{Key, Statistics, Weighting}};
///
/// let train = Train::new(Interactions {
///     user: vec![0, 0, 1], item: vec![0, 1, 0], rating: vec![5.0, 3.0, 4.0], time: vec![0; 3], users: 3, items: 2,
/// })?;
/// let users = Statistics::fit(&train, Key::User, Weighting { damping: 1.0, liked_from: 4.0 })?;
/// assert_eq!(users.mean(1), (4.0 + 4.0) / 2.0);
/// assert_eq!(users.mean(2), 4.0, "no rows: the global mean");
/// assert_eq!(users.mean_without(0, 5.0), (3.0 + 4.0) / 2.0);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    weighting: Weighting,
    global: f64,
    global_liked: f64,
    sum: Vec<f64>,
    count: Vec<u32>,
    liked: Vec<u32>,
}

impl Statistics {
    /// Counts the training rows of every key.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a negative damping, [`DataError::Columns`] if there is no training row.
    pub fn fit(train: &Train, key: Key, weighting: Weighting) -> Result<Statistics, DataError> {
        weighting.check()?;
        let rows = train.rows();
        let (keys, size) = key.of(rows);
        let global = rows.mean().ok_or_else(no_rows)?;
        let mut statistics = Statistics {
            weighting,
            global,
            global_liked: 0.0,
            sum: vec![0.0; size],
            count: vec![0; size],
            liked: vec![0; size],
        };
        for (&k, &rating) in keys.iter().zip(&rows.rating) {
            statistics.sum[k as usize] += f64::from(rating);
            statistics.count[k as usize] += 1;
            statistics.liked[k as usize] += u32::from(rating >= weighting.liked_from);
        }
        let liked: u64 = statistics.liked.iter().map(|&n| u64::from(n)).sum();
        statistics.global_liked = liked as f64 / rows.len() as f64;
        Ok(statistics)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.count.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.count.is_empty()
    }

    /// Mean of all training ratings.
    pub fn global(&self) -> f64 {
        self.global
    }

    /// Training rows of a key.
    pub fn count(&self, key: usize) -> u32 {
        self.count[key]
    }

    /// Damped mean rating of a key.
    pub fn mean(&self, key: usize) -> f64 {
        self.damped(self.sum[key], self.count[key], self.global)
    }

    /// Damped share of a key's rows that are liked, 0 to 1.
    pub fn liked_share(&self, key: usize) -> f64 {
        self.damped(f64::from(self.liked[key]), self.count[key], self.global_liked)
    }

    /// Damped mean of a key without one of its training rows, whose rating is given. The global mean keeps the row:
    /// its share there is one in all rows.
    pub fn mean_without(&self, key: usize, rating: f32) -> f64 {
        self.damped(self.sum[key] - f64::from(rating), self.count[key].saturating_sub(1), self.global)
    }

    /// Liked share of a key without one of its training rows, whose rating is given.
    pub fn liked_share_without(&self, key: usize, rating: f32) -> f64 {
        let own = u32::from(rating >= self.weighting.liked_from);
        let liked = self.liked[key].saturating_sub(own);
        self.damped(f64::from(liked), self.count[key].saturating_sub(1), self.global_liked)
    }

    /// One row a key: `mean`, `log_count` (natural logarithm of 1 + rows), `liked_share`.
    ///
    /// # Errors
    /// None in practice: the values are finite.
    pub fn features(&self) -> Result<Features, DataError> {
        let mut features = Features::new(self.len());
        let column = |value: &dyn Fn(usize) -> f64| {
            Column::Numeric((0..self.len()).map(|k| value(k) as f32).collect())
        };
        features.push("mean", column(&|k| self.mean(k)))?;
        features.push("log_count", column(&|k| f64::from(self.count(k)).ln_1p()))?;
        features.push("liked_share", column(&|k| self.liked_share(k)))?;
        Ok(features)
    }

    fn damped(&self, sum: f64, count: u32, to: f64) -> f64 {
        damped(sum, f64::from(count), self.weighting.damping, to)
    }
}

fn damped(sum: f64, count: f64, damping: f64, to: f64) -> f64 {
    let weight = count + damping;
    if weight == 0.0 { to } else { (sum + damping * to) / weight }
}

fn no_rows() -> DataError {
    DataError::Columns { what: "no training row to learn features from".to_owned() }
}

/// For each training row, the damped mean of its key over the rows of the *other* folds: `[rows]`.
///
/// # Errors
/// [`DataError::Setting`] for fewer than 2 folds or more than rows, or a negative damping.
pub fn out_of_fold_means(
    train: &Train,
    key: Key,
    folds: usize,
    damping: f64,
    seed: u64,
) -> Result<Vec<f32>, DataError> {
    Weighting { damping, ..Weighting::default() }.check()?;
    let rows = train.rows();
    if folds < 2 || folds > rows.len() {
        return Err(DataError::Setting {
            name: "folds",
            found: folds.to_string(),
            expected: format!("2 to the number of training rows, {}", rows.len()),
        });
    }
    let (keys, size) = key.of(rows);
    let global = rows.mean().ok_or_else(no_rows)?;
    let order = permutation(rows.len(), &mut stream(seed, "out-of-fold", &[folds as u64]));
    let (mut sum, mut count) = (vec![0.0f64; size], vec![0u32; size]);
    for (&k, &rating) in keys.iter().zip(&rows.rating) {
        sum[k as usize] += f64::from(rating);
        count[k as usize] += 1;
    }
    let mut means = vec![0.0; rows.len()];
    let (mut fold_sum, mut fold_count) = (vec![0.0f64; size], vec![0u32; size]);
    for fold in 0..folds {
        fold_sum.fill(0.0);
        fold_count.fill(0);
        let own = || order.iter().skip(fold).step_by(folds).map(|&row| row as usize);
        for row in own() {
            fold_sum[keys[row] as usize] += f64::from(rows.rating[row]);
            fold_count[keys[row] as usize] += 1;
        }
        for row in own() {
            let k = keys[row] as usize;
            let others = f64::from(count[k] - fold_count[k]);
            means[row] = damped(sum[k] - fold_sum[k], others, damping, global) as f32;
        }
    }
    Ok(means)
}

/// For each key, the damped mean of a number that every row of the data set has (ITM-Rec's further criteria, for
/// example), over the training rows: `[keys]`. `values` is `[rows of the data set]` and found through
/// [`Train::origin`].
///
/// # Errors
/// [`DataError::Columns`] if `values` is too short or there is no training row; [`DataError::Setting`] for a negative
/// damping.
pub fn numeric_means(train: &Train, key: Key, values: &[f32], damping: f64) -> Result<Vec<f32>, DataError> {
    Weighting { damping, ..Weighting::default() }.check()?;
    check_reach(train, values.len())?;
    let (keys, size) = key.of(train.rows());
    let (mut sum, mut count, mut all) = (vec![0.0f64; size], vec![0u32; size], 0.0f64);
    for (&k, &from) in keys.iter().zip(train.origin()) {
        let value = f64::from(values[from as usize]);
        sum[k as usize] += value;
        count[k as usize] += 1;
        all += value;
    }
    let global = all / keys.len() as f64;
    Ok((0..size).map(|k| damped(sum[k], f64::from(count[k]), damping, global) as f32).collect())
}

/// For each key, the damped share of its training rows that have each code of a row feature (a context, for
/// example): `[keys, codes]`.
///
/// # Errors
/// As [`numeric_means`]; also [`DataError::Columns`] for a column without codes.
pub fn code_shares(train: &Train, key: Key, column: &Column, damping: f64) -> Result<Profile, DataError> {
    Weighting { damping, ..Weighting::default() }.check()?;
    check_reach(train, column.rows())?;
    let (Column::Categorical { vocabulary, .. } | Column::MultiHot { vocabulary, .. }) = column else {
        return Err(DataError::Columns { what: "code shares of a column without codes".to_owned() });
    };
    let (keys, size) = key.of(train.rows());
    let width = vocabulary.len();
    let (mut with, mut count, mut all) = (vec![0.0f64; size * width], vec![0u32; size], vec![0.0f64; width]);
    for (&k, &from) in keys.iter().zip(train.origin()) {
        count[k as usize] += 1;
        for &code in column.codes(from as usize) {
            with[k as usize * width + code as usize] += 1.0;
            all[code as usize] += 1.0;
        }
    }
    let values = with
        .iter()
        .enumerate()
        .map(|(at, &sum)| {
            let to = all[at % width] / keys.len() as f64;
            damped(sum, f64::from(count[at / width]), damping, to) as f32
        })
        .collect();
    let names =
        (0..width as u32).map(|code| vocabulary.token(code).unwrap_or("unknown").to_owned()).collect();
    Ok(Profile { names, values })
}

fn check_reach(train: &Train, rows: usize) -> Result<(), DataError> {
    match train.origin().iter().max() {
        None => Err(no_rows()),
        Some(&last) if last as usize >= rows => Err(DataError::Columns {
            what: format!("training row {last} of the data set, but the feature has {rows} rows"),
        }),
        Some(_) => Ok(()),
    }
}
