//! Who likes what: how far each user's ratings of a genre are from what user and item alone explain.
//!
//! The residual of a training row is r − (user mean + item mean − global mean), both means damped. For user `u` and
//! genre `g` with `n` rows: taste = Σ residual / (n + damping), so a genre the user never rated has 0, which is the
//! global mean of the residuals, and few rows move little (the shrinkage of Koren and Bell, "Advances in Collaborative
//! Filtering", 2011, for biases, applied per genre).

use super::{Key, Statistics, Weighting};
use crate::{Column, DataError, Train};

/// Named numbers, one row a key: `[keys, names]`, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// What each column is.
    pub names: Vec<String>,
    /// The numbers, one key after the other.
    pub values: Vec<f32>,
}

impl Profile {
    /// Number of columns.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// Number of keys.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.width()).unwrap_or(0)
    }

    /// The numbers of one key.
    pub fn row(&self, key: usize) -> &[f32] {
        &self.values[key * self.width()..(key + 1) * self.width()]
    }

    /// The same numbers as a feature column.
    pub fn column(&self) -> Column {
        Column::Dense { width: self.width(), values: self.values.clone() }
    }

    /// These columns and those of `other`, side by side.
    ///
    /// # Errors
    /// [`DataError::Columns`] if the keys differ in number.
    pub fn beside(&self, other: &Profile) -> Result<Profile, DataError> {
        if self.rows() != other.rows() {
            return Err(DataError::Columns {
                what: format!("profiles of {} and {} keys side by side", self.rows(), other.rows()),
            });
        }
        let values =
            (0..self.rows()).flat_map(|key| self.row(key).iter().chain(other.row(key))).copied().collect();
        Ok(Profile { names: [&self.names[..], &other.names[..]].concat(), values })
    }
}

/// Each user's taste for each code of a multi-hot (or categorical) item feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Taste {
    names: Vec<String>,
    damping: f64,
    sum: Vec<f64>,
    count: Vec<u32>,
    residuals: Vec<f64>,
}

impl Taste {
    /// Learns tastes for `genres`, a column with codes over the items.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a column without codes or over other items, or without training rows;
    /// [`DataError::Setting`] for a negative damping.
    pub fn fit(train: &Train, genres: &Column, weighting: Weighting) -> Result<Taste, DataError> {
        let rows = train.rows();
        let (Column::Categorical { vocabulary, .. } | Column::MultiHot { vocabulary, .. }) = genres else {
            return Err(DataError::Columns { what: "tastes for a column without codes".to_owned() });
        };
        if genres.rows() != rows.items {
            return Err(DataError::Columns {
                what: format!("tastes for a column of {} rows, expected {} items", genres.rows(), rows.items),
            });
        }
        let users = Statistics::fit(train, Key::User, weighting)?;
        let items = Statistics::fit(train, Key::Item, weighting)?;
        let width = vocabulary.len();
        let mut taste = Taste {
            names: (0..width as u32).map(|g| vocabulary.token(g).unwrap_or("unknown").to_owned()).collect(),
            damping: weighting.damping,
            sum: vec![0.0; rows.users * width],
            count: vec![0; rows.users * width],
            residuals: Vec::with_capacity(rows.len()),
        };
        for row in 0..rows.len() {
            let (user, item) = (rows.user[row] as usize, rows.item[row] as usize);
            let explained = users.mean(user) + items.mean(item) - users.global();
            let residual = f64::from(rows.rating[row]) - explained;
            taste.residuals.push(residual);
            for &genre in genres.codes(item) {
                taste.sum[user * width + genre as usize] += residual;
                taste.count[user * width + genre as usize] += 1;
            }
        }
        Ok(taste)
    }

    /// Taste of `user` for `genre`, in rating units.
    pub fn value(&self, user: usize, genre: usize) -> f64 {
        let at = user * self.names.len() + genre;
        shrunk(self.sum[at], self.count[at], self.damping)
    }

    /// The same without the training row `row`, which must be one of the user's with that genre. The residual itself
    /// keeps the row's share in the two means.
    pub fn value_without(&self, user: usize, genre: usize, row: usize) -> f64 {
        let at = user * self.names.len() + genre;
        shrunk(self.sum[at] - self.residuals[row], self.count[at].saturating_sub(1), self.damping)
    }

    /// All tastes, `[users, genres]`.
    pub fn profile(&self) -> Profile {
        let values =
            self.sum.iter().zip(&self.count).map(|(&s, &n)| shrunk(s, n, self.damping) as f32).collect();
        Profile { names: self.names.clone(), values }
    }
}

fn shrunk(sum: f64, count: u32, damping: f64) -> f64 {
    if count == 0 { 0.0 } else { sum / (f64::from(count) + damping) }
}

/// The profile that cohorts are found on: `mean`, `log_count`, `liked_share` and the taste for every genre,
/// `[users, 3 + genres]`, from training rows alone, not standardised.
///
/// ```
/// use kohort_data::{Way, learned::{Standardise, Weighting, user_profile}, synthetic};
///
/// let (data, _) = synthetic::Recipe::small().generate(7)?;
/// let train = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1)?.train;
/// let profile = user_profile(&train, data.item_features.column("genre"), Weighting::default())?;
/// assert_eq!(profile.rows(), data.users.len());
///
/// let scaled = Standardise::fit(&profile).apply(&profile);
/// assert_eq!(scaled.names[0], "mean");
/// # Ok::<(), kohort_data::DataError>(())
/// ```
///
/// # Errors
/// As [`Taste::fit`].
pub fn user_profile(
    train: &Train,
    genres: Option<&Column>,
    weighting: Weighting,
) -> Result<Profile, DataError> {
    let users = Statistics::fit(train, Key::User, weighting)?;
    let values = (0..users.len())
        .flat_map(|u| [users.mean(u), f64::from(users.count(u)).ln_1p(), users.liked_share(u)])
        .map(|value| value as f32)
        .collect();
    let names = ["mean", "log_count", "liked_share"].map(str::to_owned).to_vec();
    let basics = Profile { names, values };
    match genres {
        Some(genres) => basics.beside(&Taste::fit(train, genres, weighting)?.profile()),
        None => Ok(basics),
    }
}
