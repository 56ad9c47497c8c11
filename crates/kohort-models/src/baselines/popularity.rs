//! Popularity: every user is offered what most people have rated.
//!
//! `score(u, i)` is the number of training rows of item i, whatever their rating; an item that training never saw has
//! 0. It orders items and does not estimate ratings ([`Scorer::rates`] is false).
//!
//! Source: folklore; as a bar that personalised rankers must clear, Cremonesi, Koren and Turrin, "Performance of
//! recommender algorithms on top-N recommendation tasks", RecSys 2010.

use kohort_data::{Queries, Train};

use super::{BaselineError, Scorer, score_each};

/// Training rows per item.
#[derive(Clone, Debug)]
pub struct Popularity {
    count: Vec<f32>,
}

impl Popularity {
    /// Counts the rows.
    ///
    /// # Errors
    /// An empty training part.
    pub fn fit(train: &Train) -> Result<Popularity, BaselineError> {
        let rows = train.rows();
        if rows.is_empty() {
            return Err(BaselineError::Empty { system: "popularity" });
        }
        let mut count = vec![0.0; rows.items];
        rows.item.iter().for_each(|&item| count[item as usize] += 1.0);
        Ok(Popularity { count })
    }

    /// Training rows of `item`; 0 for an unknown one.
    pub(crate) fn of(&self, item: u32) -> f32 {
        self.count.get(item as usize).copied().unwrap_or(0.0)
    }
}

impl Scorer for Popularity {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |(), _, item| self.of(item))
    }

    fn rates(&self) -> bool {
        false
    }
}
