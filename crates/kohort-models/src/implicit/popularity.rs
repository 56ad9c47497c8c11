//! Popularity: everybody is offered what most people touched, in the own territory or anywhere.
//!
//! [`LocalPopularity`]: `score(u, i) = |{rows of i by users of t(u)}|`, with t(u) the territory of u. [`PooledPopularity`]
//! counts the rows of all territories. An item without a row has 0. A user whose territory is unknown (an id beyond those
//! that the territories cover) gets pooled counts from both.
//!
//! Source: folklore; as a bar for models of several markets, Bonab, Aliannejadi, Vardasbi, Kanoulas and Allan,
//! "Cross-Market Product Recommendation", CIKM 2021, whose models do not all clear the local one.

use kohort_data::{Queries, Train, territories::Territories};

use super::rows;
use crate::ModelError;
use crate::baselines::{Scorer, popularity::Popularity, score_each};

/// Training rows of each item in each territory.
#[derive(Clone, Debug)]
pub struct LocalPopularity {
    of_user: Vec<u32>,
    items: usize,
    /// `[territories, items]`.
    count: Vec<f32>,
    pooled: PooledPopularity,
}

impl LocalPopularity {
    /// Counts the rows.
    ///
    /// # Errors
    /// [`ModelError::NoRows`], or [`ModelError::Data`] for territories of other users.
    pub fn fit(train: &Train, territories: &Territories) -> Result<LocalPopularity, ModelError> {
        let rows = rows(train)?;
        let mut count = vec![0.0; territories.len() * rows.items];
        for (territory, &item) in territories.of_rows(rows)?.into_iter().zip(&rows.item) {
            count[territory as usize * rows.items + item as usize] += 1.0;
        }
        Ok(LocalPopularity {
            of_user: territories.of_user().to_vec(),
            items: rows.items,
            count,
            pooled: PooledPopularity::fit(train)?,
        })
    }
}

impl Scorer for LocalPopularity {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), user, item| match self.of_user.get(user as usize) {
            None => self.pooled.of(item),
            Some(_) if item as usize >= self.items => 0.0,
            Some(&territory) => self.count[territory as usize * self.items + item as usize],
        })
    }

    fn rates(&self) -> bool {
        false
    }
}

/// Training rows of each item, wherever they are from.
#[derive(Clone, Debug)]
pub struct PooledPopularity(Popularity);

impl PooledPopularity {
    /// Counts the rows.
    ///
    /// # Errors
    /// [`ModelError::NoRows`].
    pub fn fit(train: &Train) -> Result<PooledPopularity, ModelError> {
        rows(train)?;
        Popularity::fit(train).map(PooledPopularity).map_err(|_| ModelError::NoRows)
    }

    fn of(&self, item: u32) -> f32 {
        self.0.of(item)
    }
}

impl Scorer for PooledPopularity {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        self.0.score(queries)
    }

    fn rates(&self) -> bool {
        false
    }
}
