//! Ratings in columns: who rated what, how, and when.

use crate::DataError;

/// Ratings as parallel columns with dense ids: row `n` says that `user[n]` rated `item[n]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interactions {
    /// Dense user id of each row, below [`Interactions::users`].
    pub user: Vec<u32>,
    /// Dense item id of each row, below [`Interactions::items`].
    pub item: Vec<u32>,
    /// Rating of each row, in the units of the data set's scale.
    pub rating: Vec<f32>,
    /// Unix time of each row in seconds; all zero where the data set has no times.
    pub time: Vec<i64>,
    /// Number of users the ids are drawn from; some may have no row.
    pub users: usize,
    /// Number of items the ids are drawn from; some may have no row.
    pub items: usize,
}

impl Interactions {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.user.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.user.is_empty()
    }

    /// The rows at `rows`, in that order, over the same users and items.
    pub fn select(&self, rows: &[u32]) -> Interactions {
        Interactions {
            user: rows.iter().map(|&r| self.user[r as usize]).collect(),
            item: rows.iter().map(|&r| self.item[r as usize]).collect(),
            rating: rows.iter().map(|&r| self.rating[r as usize]).collect(),
            time: rows.iter().map(|&r| self.time[r as usize]).collect(),
            users: self.users,
            items: self.items,
        }
    }

    /// Mean rating in f64; `None` without rows.
    pub fn mean(&self) -> Option<f64> {
        if self.is_empty() {
            return None;
        }
        Some(self.rating.iter().map(|&r| f64::from(r)).sum::<f64>() / self.len() as f64)
    }

    /// Number of users that have a row.
    pub fn users_with_rows(&self) -> usize {
        Index::new(&self.user, self.users).sizes().filter(|&n| n > 0).count()
    }

    /// Number of items that have a row.
    pub fn items_with_rows(&self) -> usize {
        Index::new(&self.item, self.items).sizes().filter(|&n| n > 0).count()
    }

    /// Checks that the columns have one length, the ids are in range and the ratings finite.
    pub fn check(&self) -> Result<(), DataError> {
        let rows = self.user.len();
        if self.item.len() != rows || self.rating.len() != rows || self.time.len() != rows {
            return Err(DataError::Columns {
                what: format!(
                    "columns of different lengths: {rows} users, {} items, {} ratings, {} times",
                    self.item.len(),
                    self.rating.len(),
                    self.time.len()
                ),
            });
        }
        for row in 0..rows {
            let out_of_range = if self.user[row] as usize >= self.users {
                Some(("user", self.user[row], self.users))
            } else if self.item[row] as usize >= self.items {
                Some(("item", self.item[row], self.items))
            } else {
                None
            };
            if let Some((column, id, limit)) = out_of_range {
                return Err(DataError::Columns {
                    what: format!("row {row}: {column} id {id} is not below {limit}"),
                });
            }
            if !self.rating[row].is_finite() {
                return Err(DataError::Columns { what: format!("row {row}: rating {}", self.rating[row]) });
            }
        }
        Ok(())
    }
}

/// Rows of an [`Interactions`] grouped by user or by item (compressed sparse rows), in row order within a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    offsets: Vec<u32>,
    rows: Vec<u32>,
}

impl Index {
    /// Groups the rows by `key`, whose values are below `keys`. Counting sort: O(rows + keys), stable.
    pub fn new(key: &[u32], keys: usize) -> Index {
        let mut offsets = vec![0u32; keys + 1];
        for &k in key {
            offsets[k as usize + 1] += 1;
        }
        for k in 0..keys {
            offsets[k + 1] += offsets[k];
        }
        let mut next = offsets.clone();
        let mut rows = vec![0u32; key.len()];
        for (row, &k) in key.iter().enumerate() {
            rows[next[k as usize] as usize] = row as u32;
            next[k as usize] += 1;
        }
        Index { offsets, rows }
    }

    /// Number of groups.
    pub fn keys(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of rows of each group.
    pub fn sizes(&self) -> impl Iterator<Item = usize> {
        self.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize)
    }

    /// The rows of group `key`.
    pub fn rows(&self, key: usize) -> &[u32] {
        &self.rows[self.offsets[key] as usize..self.offsets[key + 1] as usize]
    }
}
