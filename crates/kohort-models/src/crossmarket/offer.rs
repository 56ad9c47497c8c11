//! What is on offer in each territory, and a draw from it that leaves out what the user has.

use kohort_data::{Index, Interactions, Train, territories::Territories};
use kohort_random::{
    Stream,
    rand::{Rng, seq::index},
};

use crate::ModelError;

/// Items on offer, and the training items of each user among them.
pub(super) struct Offer {
    /// Territory of each user.
    territory: Vec<u32>,
    /// Items of each territory, ascending.
    items: Vec<Vec<u32>>,
    /// Training items of user u: `known[offsets[u]..offsets[u + 1]]`, ascending, as positions in the territory's items.
    offsets: Vec<usize>,
    known: Vec<u32>,
}

impl Offer {
    /// With a `catalogue` its items and those with a training row in the territory; without, all items everywhere.
    pub(super) fn new(
        train: &Train,
        territories: &Territories,
        catalogue: Option<&[Vec<u32>]>,
    ) -> Result<Offer, ModelError> {
        let rows = train.rows();
        let mut items = territories.items(rows)?;
        if let Some(catalogue) = catalogue {
            check(catalogue, territories, rows)?;
        }
        for (place, own) in items.iter_mut().enumerate() {
            match catalogue {
                Some(catalogue) => own.extend(&catalogue[place]),
                None => *own = (0..rows.items as u32).collect(),
            }
            own.sort_unstable();
            own.dedup();
        }
        let territory = territories.of_user().to_vec();
        let by_user = Index::new(&rows.user, rows.users);
        let (mut offsets, mut known) = (vec![0], Vec::with_capacity(rows.len()));
        for user in 0..by_user.keys() {
            let on_offer = &items[territory[user] as usize];
            let place = |&row: &u32| on_offer.partition_point(|&item| item < rows.item[row as usize]) as u32;
            let from = known.len();
            known.extend(by_user.rows(user).iter().map(place));
            known[from..].sort_unstable();
            offsets.push(known.len());
        }
        Ok(Offer { territory, items, offsets, known })
    }

    fn of(&self, user: u32) -> (&[u32], &[u32]) {
        let user = user as usize;
        (&self.items[self.territory[user] as usize], &self.known[self.offsets[user]..self.offsets[user + 1]])
    }

    /// Number of items on offer that the user does not have in training.
    pub(super) fn free(&self, user: u32) -> usize {
        let (items, known) = self.of(user);
        items.len() - known.len()
    }

    /// The `rank`-th item that the user does not have.
    fn ranked(&self, user: u32, rank: u32) -> u32 {
        let (items, known) = self.of(user);
        // Before the n-th known position there are `known[n] − n` free ones.
        let mut skipped = 0..known.len();
        while !skipped.is_empty() {
            let middle = skipped.start + skipped.len() / 2;
            if known[middle] - middle as u32 <= rank {
                skipped.start = middle + 1;
            } else {
                skipped.end = middle;
            }
        }
        items[rank as usize + skipped.start]
    }

    /// One item that the user does not have, all equally likely.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn draw(&self, user: u32, numbers: &mut Stream) -> u32 {
        self.ranked(user, numbers.random_range(0..self.free(user) as u32))
    }

    /// Up to `count` different items that the user does not have.
    pub(super) fn sample(&self, user: u32, count: usize, numbers: &mut Stream) -> Vec<u32> {
        let free = self.free(user);
        let ranks = index::sample(numbers, free, count.min(free));
        ranks.into_iter().map(|rank| self.ranked(user, rank as u32)).collect()
    }
}

fn check(catalogue: &[Vec<u32>], territories: &Territories, rows: &Interactions) -> Result<(), ModelError> {
    if catalogue.len() != territories.len() {
        let found = format!("catalogue: {} territories, expected {}", catalogue.len(), territories.len());
        return Err(ModelError::Config(found));
    }
    for (own, name) in catalogue.iter().zip(territories.names()) {
        if let Some(item) = own.iter().find(|&&item| item as usize >= rows.items) {
            let found = format!("catalogue of {name}: item {item}, expected below {}", rows.items);
            return Err(ModelError::Config(found));
        }
    }
    Ok(())
}
