//! How popular items are, and which of them are the long tail.

use crate::error::{EvalError, Result, at_least, same_length, setting};
use serde::{Deserialize, Serialize};

/// Popularity of every item: the share of training users who have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    of_items: Vec<f64>,
    rows: Vec<u64>,
}

impl Popularity {
    /// From training rows: `users` and `items` `[rows]`, and the number of items there are. A user who repeats an item
    /// counts once for it.
    ///
    /// # Errors
    /// Different lengths, no rows, an item that is not below `catalogue`.
    pub fn of(users: &[u32], items: &[u32], catalogue: usize) -> Result<Self> {
        same_length(("users", users.len()), ("items", items.len()))?;
        at_least("items", items.len(), 1)?;
        if let Some(at) = items.iter().position(|&item| item as usize >= catalogue) {
            let value = f64::from(items[at]);
            return Err(EvalError::Value {
                name: "items",
                at,
                value,
                allowed: "item ids below the number of items",
            });
        }
        let mut pairs: Vec<(u32, u32)> = users.iter().copied().zip(items.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let distinct = pairs.chunk_by(|a, b| a.0 == b.0).count() as f64;
        let mut rows = vec![0u64; catalogue];
        pairs.iter().for_each(|&(_, item)| rows[item as usize] += 1);
        Ok(Self { of_items: rows.iter().map(|&n| n as f64 / distinct).collect(), rows })
    }

    /// Popularity of each item, 0 to 1, `[items]`.
    pub fn of_items(&self) -> &[f64] {
        &self.of_items
    }

    /// Whether each item is in the long tail, `[items]`. Items are put in order of popularity; of equally popular ones
    /// the lower id comes first.
    ///
    /// # Errors
    /// A share that is not between 0 and 1.
    pub fn tail(&self, tail: Tail) -> Result<Vec<bool>> {
        let (Tail::OutsideHead { share } | Tail::OutsideMass { share }) = tail;
        setting("share", share, "a number between 0 and 1, both excluded", share > 0.0 && share < 1.0)?;
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|&item| (std::cmp::Reverse(self.rows[item]), item));
        let head = match tail {
            Tail::OutsideHead { share } => (share * order.len() as f64).round() as usize,
            Tail::OutsideMass { share } => {
                let all = self.rows.iter().sum::<u64>() as f64;
                let mut mass = 0;
                order
                    .iter()
                    .position(|&item| {
                        mass += self.rows[item];
                        mass as f64 >= share * all
                    })
                    .map_or(0, |last| last + 1)
            }
        };
        let mut is_tail = vec![true; self.rows.len()];
        order[..head].iter().for_each(|&item| is_tail[item] = false);
        Ok(is_tail)
    }
}

/// Which items are not the head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Tail {
    /// All but the most popular `round(share · items)`; 0.2 is usual.
    OutsideHead {
        /// Share of the items that is the head.
        share: f64,
    },
    /// All but the fewest most popular items that have `share` of the (user, item) pairs; 0.8 is usual.
    OutsideMass {
        /// Share of the pairs that is the head's.
        share: f64,
    },
}
