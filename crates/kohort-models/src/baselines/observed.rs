//! The training ratings as the baselines walk over them: lists per user and per item.

use kohort_data::{Index, Train};

use super::BaselineError;

#[derive(Clone)]
/// For each key (a user or an item) whom it met and with which rating, in row order.
pub(super) struct Lists {
    offsets: Vec<usize>,
    /// The other side of each meeting.
    pub(super) other: Vec<u32>,
    /// The rating of each meeting, or what has been put in its place.
    pub(super) value: Vec<f32>,
}

impl Lists {
    fn new(key: &[u32], keys: usize, other: &[u32], rating: &[f32]) -> Lists {
        let index = Index::new(key, keys);
        let mut lists = Lists {
            offsets: Vec::with_capacity(keys + 1),
            other: Vec::with_capacity(other.len()),
            value: Vec::with_capacity(other.len()),
        };
        lists.offsets.push(0);
        for k in 0..keys {
            let rows = index.rows(k);
            lists.other.extend(rows.iter().map(|&row| other[row as usize]));
            lists.value.extend(rows.iter().map(|&row| rating[row as usize]));
            lists.offsets.push(lists.other.len());
        }
        lists
    }

    /// Number of keys.
    pub(super) fn keys(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How often `key` was met; 0 beyond the last key.
    pub(super) fn count(&self, key: u32) -> usize {
        if (key as usize) < self.keys() { self.range(key as usize).len() } else { 0 }
    }

    /// Where the list of `key` lies in [`Lists::other`] and [`Lists::value`].
    pub(super) fn range(&self, key: usize) -> std::ops::Range<usize> {
        self.offsets[key]..self.offsets[key + 1]
    }

    /// The list of `key`: others and values.
    pub(super) fn get(&self, key: usize) -> (&[u32], &[f32]) {
        let range = self.range(key);
        (&self.other[range.clone()], &self.value[range])
    }

    /// Mean value of `key`; `None` where it was never met.
    pub(super) fn mean(&self, key: usize) -> Option<f64> {
        let (_, values) = self.get(key);
        mean(values)
    }

    /// The same lists with `change(key, other, value)` in place of every value.
    pub(super) fn map(self, change: impl Fn(usize, u32, f32) -> f32) -> Lists {
        let mut changed = self;
        for key in 0..changed.keys() {
            for at in changed.range(key) {
                changed.value[at] = change(key, changed.other[at], changed.value[at]);
            }
        }
        changed
    }
}

/// Mean in f64; `None` without values.
pub(super) fn mean(values: &[f32]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    Some(values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64)
}

/// Standard deviation of the values themselves (divided by n), in f64; 0 without values.
pub(super) fn deviation(values: &[f32]) -> f64 {
    let Some(mean) = mean(values) else { return 0.0 };
    let squares: f64 = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}

/// The training part, grouped both ways.
pub(super) struct Observed {
    /// Mean rating.
    pub(super) mean: f64,
    /// Items per user.
    pub(super) by_user: Lists,
    /// Users per item.
    pub(super) by_item: Lists,
    /// Users with a rating, in the order of their first row: the order in which Surprise descends.
    pub(super) arrival: Vec<u32>,
}

impl Observed {
    pub(super) fn new(system: &'static str, train: &Train) -> Result<Observed, BaselineError> {
        let rows = train.rows();
        let mean = rows.mean().ok_or(BaselineError::Empty { system })?;
        let mut seen = vec![false; rows.users];
        let mut arrival = Vec::new();
        for &user in &rows.user {
            if !std::mem::replace(&mut seen[user as usize], true) {
                arrival.push(user);
            }
        }
        Ok(Observed {
            mean,
            by_user: Lists::new(&rows.user, rows.users, &rows.item, &rows.rating),
            by_item: Lists::new(&rows.item, rows.items, &rows.user, &rows.rating),
            arrival,
        })
    }
}
