//! Users and items, kept apart: who took what, in rows of users and in rows of items.

use super::edges::running_sums;
use super::{GraphError, HEAVIEST, LIGHTEST};

/// Interactions `W [users, items]` in compressed sparse rows and, transposed, in compressed sparse columns.
/// A pair that is given more than once counts once, with its largest weight.
///
/// For anything that is judged later, give only the interactions of the training part.
///
/// ```
/// use kohort_cohorts::graph::Bipartite;
///
/// let taken = Bipartite::new(2, 3, &[0, 0, 1, 1], &[2, 0, 2, 2], None)?;
/// assert_eq!(taken.items_of(0), [0, 2]);
/// assert_eq!(taken.users_of(2), [0, 1]);
/// assert_eq!(taken.interactions(), 3);
/// # Ok::<(), kohort_cohorts::graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bipartite {
    rows: Sparse,
    columns: Sparse,
}

/// Rows of ascending indices with weights.
#[derive(Clone, Debug, PartialEq)]
struct Sparse {
    starts: Vec<usize>,
    indices: Vec<u32>,
    weights: Vec<f64>,
}

impl Bipartite {
    /// One interaction per position of `user` and `item`; `weight` (a count, a rating above its mean, …) is 1 without
    /// a column. Weight 0 is no interaction.
    ///
    /// # Errors
    /// Columns of different lengths, a number out of range, a weight that is not 0 or between 1e-15 and 1e15.
    pub fn new(
        users: usize,
        items: usize,
        user: &[u32],
        item: &[u32],
        weight: Option<&[f64]>,
    ) -> Result<Self, GraphError> {
        let weights = weight.map_or(user.len(), <[f64]>::len);
        if user.len() != item.len() || user.len() != weights {
            return Err(GraphError::Columns { users: user.len(), items: item.len(), weights });
        }
        if let Some(&nodes) = [users, items].iter().find(|&&count| count > u32::MAX as usize) {
            return Err(GraphError::TooManyNodes { nodes });
        }
        for (row, (&u, &i)) in user.iter().zip(item).enumerate() {
            for (side, value, count) in [("user", u, users), ("item", i, items)] {
                if value as usize >= count {
                    return Err(GraphError::Interaction { row, side, value, count });
                }
            }
            let value = weight.map_or(1.0, |weight| weight[row]);
            if !(value == 0.0 || (LIGHTEST..=HEAVIEST).contains(&value)) {
                return Err(GraphError::Weight { edge: row, value });
            }
        }
        let triples = (0..user.len())
            .map(|row| (user[row], item[row], weight.map_or(1.0, |weight| weight[row])))
            .filter(|&(_, _, w)| w > 0.0);
        // Filled row by row of items, then transposed: rows of users with ascending items.
        let by_item = Sparse::gather(items, triples.map(|(u, i, w)| (i, u, w)));
        let rows = by_item.transposed(users);
        let columns = rows.transposed(items);
        Ok(Self { rows, columns })
    }

    /// Number of users.
    pub fn users(&self) -> usize {
        self.rows.starts.len() - 1
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.columns.starts.len() - 1
    }

    /// Number of different pairs.
    pub fn interactions(&self) -> usize {
        self.rows.indices.len()
    }

    /// Items of `user`, ascending.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn items_of(&self, user: u32) -> &[u32] {
        self.rows.row(user).0
    }

    /// Users of `item`, ascending.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn users_of(&self, item: u32) -> &[u32] {
        self.columns.row(item).0
    }

    /// Weights of the items of `user`, in the order of [`items_of`](Self::items_of).
    ///
    /// # Panics
    /// If there is no such user.
    pub fn weights_of(&self, user: u32) -> &[f64] {
        self.rows.row(user).1
    }

    /// Users of `item` and the weights of their interactions.
    pub(super) fn column(&self, item: u32) -> (&[u32], &[f64]) {
        self.columns.row(item)
    }
}

impl Sparse {
    fn row(&self, row: u32) -> (&[u32], &[f64]) {
        let row = self.starts[row as usize]..self.starts[row as usize + 1];
        (&self.indices[row.clone()], &self.weights[row])
    }

    /// Entries `(row, index, weight)` in rows, in the order of their arrival.
    fn gather(rows: usize, entries: impl Iterator<Item = (u32, u32, f64)> + Clone) -> Self {
        let mut starts = vec![0usize; rows + 1];
        for (row, _, _) in entries.clone() {
            starts[row as usize + 1] += 1;
        }
        running_sums(&mut starts);
        let mut next = starts.clone();
        let (mut indices, mut weights) = (vec![0u32; starts[rows]], vec![0.0; starts[rows]]);
        for (row, index, w) in entries {
            let at = &mut next[row as usize];
            (indices[*at], weights[*at]) = (index, w);
            *at += 1;
        }
        Self { starts, indices, weights }
    }

    /// The transpose, with ascending rows; of repeated entries the largest weight is kept.
    fn transposed(&self, columns: usize) -> Self {
        let entries = (0..self.starts.len() - 1).flat_map(|row| {
            let (indices, weights) = self.row(row as u32);
            indices.iter().zip(weights).map(move |(&index, &w)| (index, row as u32, w))
        });
        let gathered = Self::gather(columns, entries);
        let mut merged = Self { starts: vec![0], indices: Vec::new(), weights: Vec::new() };
        for row in 0..columns {
            let start = merged.indices.len();
            let (indices, weights) = gathered.row(row as u32);
            for (&index, &w) in indices.iter().zip(weights) {
                match merged.weights.last_mut() {
                    Some(last) if merged.indices.len() > start && merged.indices.last() == Some(&index) => {
                        *last = last.max(w);
                    }
                    _ => {
                        merged.indices.push(index);
                        merged.weights.push(w);
                    }
                }
            }
            merged.starts.push(merged.indices.len());
        }
        merged
    }
}
