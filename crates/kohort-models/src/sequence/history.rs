//! What each user did, in the order of time. Of rows with equal times those further down the training part count as later.

use kohort_data::{Index, Interactions};

/// Every user's items, earliest first.
#[derive(Clone, Debug)]
pub(super) struct Histories {
    /// User u has `items[offsets[u]..offsets[u + 1]]`.
    offsets: Vec<usize>,
    items: Vec<u32>,
}

impl Histories {
    pub(super) fn new(rows: &Interactions) -> Histories {
        let by_user = Index::new(&rows.user, rows.users);
        let mut histories = Histories { offsets: vec![0], items: Vec::with_capacity(rows.len()) };
        for user in 0..by_user.keys() {
            let mut own = by_user.rows(user).to_vec();
            own.sort_unstable_by_key(|&row| (rows.time[row as usize], row));
            histories.items.extend(own.iter().map(|&row| rows.item[row as usize]));
            histories.offsets.push(histories.items.len());
        }
        histories
    }

    /// Number of users.
    pub(super) fn users(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The last items of a user, at most so many, earliest first.
    pub(super) fn last(&self, user: usize, most: usize) -> &[u32] {
        let own = &self.items[self.offsets[user]..self.offsets[user + 1]];
        &own[own.len().saturating_sub(most)..]
    }
}
