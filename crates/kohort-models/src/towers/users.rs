//! User vectors, given or folded from the factors of the items in a history.
//!
//! `x_u = (Σ_{j ∈ H} q_j) / |H|^p` with `H` the distinct items of the user's history; for a training row `H` is without
//! the row's own item, and a user without history has zeros. Sums are kept in 64 bits, so that taking an item out of one
//! leaves nothing of it behind in the 32 bits that the tower sees.

use kohort_data::{Index, Vectors};

use super::UserInput;

pub(super) enum Users<'a> {
    Given(&'a Vectors),
    Folded {
        factors: &'a Vectors,
        power: f64,
        histories: Histories,
        /// Sum of the factors of each user's history, `[users, width]`.
        sums: Vec<f64>,
    },
}

/// The distinct items of each user, ascending.
#[derive(Clone, Debug)]
pub(super) struct Histories {
    offsets: Vec<u32>,
    items: Vec<u32>,
}

impl Histories {
    /// From the users and items of some rows.
    pub(super) fn new(user: &[u32], item: &[u32], users: usize) -> Histories {
        let index = Index::new(user, users);
        let (mut offsets, mut items) = (vec![0u32], Vec::with_capacity(user.len()));
        for user in 0..users {
            let mut own: Vec<u32> = index.rows(user).iter().map(|&row| item[row as usize]).collect();
            own.sort_unstable();
            own.dedup();
            items.extend(own);
            offsets.push(items.len() as u32);
        }
        Histories { offsets, items }
    }

    /// The items of a user, ascending.
    pub(super) fn of(&self, user: u32) -> &[u32] {
        &self.items[self.offsets[user as usize] as usize..self.offsets[user as usize + 1] as usize]
    }

    pub(super) fn has(&self, user: u32, item: u32) -> bool {
        self.of(user).binary_search(&item).is_ok()
    }
}

impl<'a> Users<'a> {
    pub(super) fn new(input: UserInput<'a>, histories: &Histories, power: f64) -> Users<'a> {
        let factors = match input {
            UserInput::Given(vectors) => return Users::Given(vectors),
            UserInput::Folded(factors) => factors,
        };
        let width = factors.width();
        let mut sums = vec![0.0; (histories.offsets.len() - 1) * width];
        for (user, sum) in (0u32..).zip(sums.chunks_exact_mut(width)) {
            for &item in histories.of(user) {
                let factors = factors.row(item as usize);
                sum.iter_mut().zip(factors).for_each(|(s, &q)| *s += f64::from(q));
            }
        }
        Users::Folded { factors, power, histories: histories.clone(), sums }
    }

    pub(super) fn width(&self) -> usize {
        match self {
            Users::Given(vectors) => vectors.width(),
            Users::Folded { factors, .. } => factors.width(),
        }
    }

    /// Writes the vector of a user, without `own` if that is in the history.
    pub(super) fn write(&self, user: u32, own: Option<u32>, into: &mut [f32]) {
        let (factors, power, histories, sums) = match self {
            Users::Given(vectors) => return into.copy_from_slice(vectors.row(user as usize)),
            Users::Folded { factors, power, histories, sums } => (factors, power, histories, sums),
        };
        let own = own.filter(|&item| histories.has(user, item));
        let count = histories.of(user).len() - usize::from(own.is_some());
        if count == 0 {
            into.fill(0.0);
            return;
        }
        let factor = (count as f64).powf(-power);
        let width = factors.width();
        let sum = &sums[user as usize * width..(user as usize + 1) * width];
        match own {
            Some(item) => {
                let own = factors.row(item as usize);
                for ((x, &sum), &own) in into.iter_mut().zip(sum).zip(own) {
                    *x = (factor * (sum - f64::from(own))) as f32;
                }
            }
            None => into.iter_mut().zip(sum).for_each(|(x, &sum)| *x = (factor * sum) as f32),
        }
    }
}
