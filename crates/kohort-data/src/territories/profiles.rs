//! What each territory watches: the share of every item in its training rows.

use serde::{Deserialize, Serialize};

use super::Territories;
use crate::{DataError, Train};

/// How far apart two viewing profiles p and q are, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// 1 − ⟨p, q⟩ / (‖p‖ ‖q‖): looks at the most popular items above all.
    #[default]
    Cosine,
    /// √(JS), with JS = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q) / 2, logarithms to base 2 (J. Lin, "Divergence measures
    /// based on the Shannon entropy", IEEE Transactions on Information Theory 37, 1991): heeds the tail.
    JensenShannon,
}

/// Popularity profiles of territories, from training rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    names: Vec<String>,
    rows: Vec<usize>,
    users: Vec<usize>,
    items: usize,
    shares: Vec<f64>,
}

impl Profiles {
    /// Counts the training rows of each territory and item.
    ///
    /// # Errors
    /// [`DataError::Columns`] for territories of other users, or a table above 2²⁸ cells.
    pub fn of(train: &Train, territories: &Territories) -> Result<Profiles, DataError> {
        const MOST: usize = 1 << 28;
        let rows = train.rows();
        let of_rows = territories.of_rows(rows)?;
        let cells = territories.len().saturating_mul(rows.items);
        if cells > MOST {
            return Err(DataError::Columns {
                what: format!("profiles of territories × items: {cells} cells, allowed are at most {MOST}"),
            });
        }
        let mut profiles = Profiles {
            names: territories.names().to_vec(),
            rows: vec![0; territories.len()],
            users: vec![0; territories.len()],
            items: rows.items,
            shares: vec![0.0; cells],
        };
        let mut seen = vec![false; rows.users];
        for ((&territory, &item), &user) in of_rows.iter().zip(&rows.item).zip(&rows.user) {
            profiles.rows[territory as usize] += 1;
            profiles.users[territory as usize] += usize::from(!seen[user as usize]);
            seen[user as usize] = true;
            profiles.shares[territory as usize * rows.items + item as usize] += 1.0;
        }
        for (territory, &count) in profiles.rows.iter().enumerate() {
            let own = &mut profiles.shares[territory * rows.items..(territory + 1) * rows.items];
            own.iter_mut().for_each(|share| *share /= count.max(1) as f64);
        }
        Ok(profiles)
    }

    /// Number of territories.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no territory.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names of the territories.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Training rows of each territory, `[territories]`.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Users with training rows of each territory, `[territories]`.
    pub fn users(&self) -> &[usize] {
        &self.users
    }

    /// Share of each item in the rows of a territory, `[items]`; all zero without rows.
    pub fn shares(&self, territory: usize) -> &[f64] {
        &self.shares[territory * self.items..(territory + 1) * self.items]
    }

    /// All profiles, `[territories, items]`, row-major: what a clustering takes.
    pub fn matrix(&self) -> &[f64] {
        &self.shares
    }

    /// How far apart the profiles of two territories are, from 0 to 1. A territory without rows is at distance 1 from
    /// every other.
    pub fn distance(&self, a: usize, b: usize, distance: Distance) -> f64 {
        if a == b {
            return 0.0;
        }
        if self.rows[a] == 0 || self.rows[b] == 0 {
            return 1.0;
        }
        let pairs = || self.shares(a).iter().zip(self.shares(b));
        match distance {
            Distance::Cosine => {
                let product: f64 = pairs().map(|(p, q)| p * q).sum();
                let norm = |shares: &[f64]| shares.iter().map(|p| p * p).sum::<f64>().sqrt();
                (1.0 - product / (norm(self.shares(a)) * norm(self.shares(b)))).clamp(0.0, 1.0)
            }
            Distance::JensenShannon => {
                let part = |p: f64, m: f64| if p > 0.0 { p * (p / m).log2() } else { 0.0 };
                let sum: f64 = pairs()
                    .map(|(&p, &q)| {
                        let m = 0.5 * (p + q);
                        0.5 * (part(p, m) + part(q, m))
                    })
                    .sum();
                sum.clamp(0.0, 1.0).sqrt()
            }
        }
    }
}
