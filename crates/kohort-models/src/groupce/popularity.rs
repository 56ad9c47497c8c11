//! How often items are there, of training rows alone.

/// Of each training row's item.
pub(super) struct Popularity {
    /// Number of training rows.
    pub(super) rows: Vec<u32>,
    /// `log₂` of the share of users with training rows who have one of the item.
    pub(super) log_share: Vec<f32>,
}

impl Popularity {
    pub(super) fn of(users: &[u32], items: &[u32]) -> Popularity {
        let most = |ids: &[u32]| ids.iter().max().map_or(0, |&last| last as usize + 1);
        let (mut rows, mut owners) = (vec![0u32; most(items)], vec![0u32; most(items)]);
        items.iter().for_each(|&item| rows[item as usize] += 1);
        let mut pairs: Vec<(u32, u32)> = items.iter().copied().zip(users.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.iter().for_each(|&(item, _)| owners[item as usize] += 1);
        let mut everybody = users.to_vec();
        everybody.sort_unstable();
        everybody.dedup();
        let share = |&item: &u32| (f64::from(owners[item as usize]) / everybody.len() as f64).log2() as f32;
        Popularity {
            rows: items.iter().map(|&item| rows[item as usize]).collect(),
            log_share: items.iter().map(share).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_users_once() {
        let found = Popularity::of(&[0, 0, 1, 3, 1], &[5, 5, 5, 2, 2]);
        assert_eq!(found.rows, [3, 3, 3, 2, 2]);
        let two_of_three = (2.0f64 / 3.0).log2() as f32;
        assert_eq!(found.log_share, [two_of_three; 5]);
    }
}
