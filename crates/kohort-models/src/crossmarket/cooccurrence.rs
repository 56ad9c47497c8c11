//! Which items have users in common, over all territories, and how close in time.
//!
//! `c_ij = Σ_u [i, j ∈ h(u)]` and `near_ij = Σ_u [i, j ∈ h(u)]·exp(−|d_ui − d_uj| / τ)`, i ≠ j, with d in days. Work is Σ_u |h(u)|², memory
//! 12 bytes a pair that anybody has.
//!
//! [`crate::implicit`] counts without times. Here count and nearness of a pair stand side by side, because features read
//! both in one pass.

use kohort_data::{Index, Interactions};
use rayon::prelude::*;

use super::history::Histories;

/// What is known of item i beside item j.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    /// i.
    pub(super) item: u32,
    /// Users with both.
    pub(super) count: f32,
    /// The same, each user weighted by how close in time.
    pub(super) near: f32,
}

/// Sparse rows, one an item j, ascending by i; the diagonal is empty.
#[derive(Clone, Debug)]
pub(super) struct Cooccurrence {
    offsets: Vec<usize>,
    pairs: Vec<Pair>,
}

impl Cooccurrence {
    /// Counts the pairs of rows that have each (user, item) once. Each item's row is summed by one thread in row order.
    pub(super) fn count(rows: &Interactions, histories: &Histories, near_days: f64) -> Cooccurrence {
        let by_item = Index::new(&rows.item, rows.items);
        let of_item: Vec<Vec<Pair>> = (0..rows.items)
            .into_par_iter()
            .map_init(
                || (vec![(0u32, 0f64); rows.items], Vec::new()),
                |(sums, met), item| {
                    for &row in by_item.rows(item) {
                        let user = rows.user[row as usize];
                        let day = histories.day(user, row);
                        for other in histories.all(user).iter().filter(|other| other.item as usize != item) {
                            let (count, near) = &mut sums[other.item as usize];
                            if *count == 0 {
                                met.push(other.item);
                            }
                            *count += 1;
                            *near += nearness(other.day - day, near_days);
                        }
                    }
                    met.sort_unstable();
                    let take = |item: u32| {
                        let (count, near) = std::mem::take(&mut sums[item as usize]);
                        Pair { item, count: count as f32, near: near as f32 }
                    };
                    met.drain(..).map(take).collect()
                },
            )
            .collect();
        let mut offsets = vec![0];
        offsets.extend(of_item.iter().scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        }));
        Cooccurrence { offsets, pairs: of_item.concat() }
    }

    /// The items that share users with `item`, ascending; none for an unknown item.
    pub(super) fn of(&self, item: u32) -> &[Pair] {
        match self.offsets.get(item as usize..item as usize + 2) {
            Some(&[from, to]) => &self.pairs[from..to],
            _ => &[],
        }
    }
}

/// `exp(−|gap| / τ)`.
pub(super) fn nearness(gap: f64, days: f64) -> f64 {
    (-gap.abs() / days).exp()
}
