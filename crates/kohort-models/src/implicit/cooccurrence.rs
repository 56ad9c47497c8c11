//! How many users touched both items: a sparse symmetric table with an empty diagonal.

use kohort_data::{Index, Interactions};
use rayon::prelude::*;

/// `c_ij = |{u: i ∈ h(u), j ∈ h(u)}|` for i ≠ j, and `n_i = |{u: i ∈ h(u)}|`, where h(u) are the distinct items of u.
///
/// Whole numbers, summed exactly: the order of rows and the number of threads have no part in them. Work is
/// O(Σ_u |h(u)|²), memory 8 bytes for each (i, j) that anybody touched together.
///
/// ```
/// use kohort_data::Interactions;
/// use kohort_models::implicit::Cooccurrence;
///
/// let rows = Interactions {
///     user: vec![0, 0, 1, 1, 1], item: vec![0, 1, 0, 1, 2], rating: vec![1.0; 5], time: vec![0; 5], users: 2, items: 4,
/// };
/// let together = Cooccurrence::of(&rows);
/// assert_eq!(together.with(1).collect::<Vec<_>>(), [(0, 2), (2, 1)]);
/// assert_eq!(together.users(), [2, 2, 1, 0]);
/// assert_eq!(together.history(0), [0, 1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cooccurrence {
    histories: Lists,
    users: Vec<u32>,
    together: Lists,
    count: Vec<u32>,
}

/// Lists of ids, one after the other.
#[derive(Clone, Debug, PartialEq)]
struct Lists {
    offsets: Vec<usize>,
    ids: Vec<u32>,
}

impl Lists {
    fn concat(lists: impl Iterator<Item = Vec<u32>>) -> Lists {
        let (mut offsets, mut ids) = (vec![0], Vec::new());
        for list in lists {
            ids.extend(list);
            offsets.push(ids.len());
        }
        Lists { offsets, ids }
    }

    fn range(&self, at: usize) -> std::ops::Range<usize> {
        match self.offsets.get(at + 1) {
            Some(&end) => self.offsets[at]..end,
            None => 0..0,
        }
    }

    fn get(&self, at: usize) -> &[u32] {
        &self.ids[self.range(at)]
    }
}

impl Cooccurrence {
    /// Counts the pairs; a row that repeats a user and an item counts once.
    pub fn of(rows: &Interactions) -> Cooccurrence {
        let by_user = Index::new(&rows.user, rows.users);
        let histories = Lists::concat((0..rows.users).map(|user| {
            let mut items: Vec<u32> = by_user.rows(user).iter().map(|&row| rows.item[row as usize]).collect();
            items.sort_unstable();
            items.dedup();
            items
        }));
        let owners: Vec<usize> =
            (0..rows.users).flat_map(|user| std::iter::repeat_n(user, histories.get(user).len())).collect();
        let by_item = Index::new(&histories.ids, rows.items);
        let pairs: Vec<(Vec<u32>, Vec<u32>)> = (0..rows.items)
            .into_par_iter()
            .map_init(
                || vec![0u32; rows.items],
                |count, item| {
                    let mut met = Vec::new();
                    for &at in by_item.rows(item) {
                        for &other in histories.get(owners[at as usize]) {
                            if count[other as usize] == 0 {
                                met.push(other);
                            }
                            count[other as usize] += 1;
                        }
                    }
                    met.sort_unstable();
                    let taken = met.iter().map(|&other| std::mem::take(&mut count[other as usize]));
                    let mut counts: Vec<u32> = taken.collect();
                    if let Ok(own) = met.binary_search(&(item as u32)) {
                        met.remove(own);
                        counts.remove(own);
                    }
                    (met, counts)
                },
            )
            .collect();
        let users = by_item.sizes().map(|size| size as u32).collect();
        let (ids, counts): (Vec<Vec<u32>>, Vec<Vec<u32>>) = pairs.into_iter().unzip();
        Cooccurrence { histories, users, together: Lists::concat(ids.into_iter()), count: counts.concat() }
    }

    /// The items touched together with `item`, ascending, and by how many users; none for an unknown item.
    pub fn with(&self, item: u32) -> impl Iterator<Item = (u32, u32)> {
        let range = self.together.range(item as usize);
        self.together.ids[range.clone()].iter().copied().zip(self.count[range].iter().copied())
    }

    /// Users of each item, `[items]`.
    pub fn users(&self) -> &[u32] {
        &self.users
    }

    /// The distinct items of `user`, ascending; none for an unknown user.
    pub fn history(&self, user: u32) -> &[u32] {
        self.histories.get(user as usize)
    }

    /// Number of pairs (i, j) with a count, each counted from both sides.
    pub fn pairs(&self) -> usize {
        self.count.len()
    }
}
