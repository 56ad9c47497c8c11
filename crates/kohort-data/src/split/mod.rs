//! The parts of a split, as types: what may be learned from, what may be chosen on, what may only be scored.

mod parts;
mod ways;

pub use parts::{Parts, ThreeWay};
pub use ways::Way;
pub(crate) use ways::{count_of, rounded, setting};

use kohort_random::{permutation, stream};

use crate::{DataError, Index, Interactions, Members};

/// Rows that models learn from. Features, cohorts, popularity and vocabularies are made from these alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Train {
    rows: Interactions,
    origin: Vec<u32>,
}

/// Rows held out of training on which epochs, hyper-parameters and variants are chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    rows: Interactions,
    origin: Vec<u32>,
}

/// Rows that are only ever scored. No trainer, feature or clustering takes this type.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    rows: Interactions,
    origin: Vec<u32>,
}

/// A data set cut in two. Both parts keep the row order of the data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The rows to learn from.
    pub train: Train,
    /// The rows to score.
    pub test: Test,
}

/// The pairs to score, without their ratings: what a model may see of a held-out part.
#[derive(Clone, Copy, Debug)]
pub struct Queries<'a> {
    /// Dense user id of each query.
    pub user: &'a [u32],
    /// Dense item id of each query.
    pub item: &'a [u32],
    /// Time of each query (the moment the rating is asked for); zero where the data set has no times.
    pub time: &'a [i64],
}

impl Train {
    /// Rows that may all be learned from: for data without a held-out part, or cut elsewhere.
    ///
    /// # Errors
    /// [`DataError::Columns`] for columns that do not fit together.
    pub fn new(rows: Interactions) -> Result<Train, DataError> {
        rows.check()?;
        let origin = (0..rows.len() as u32).collect();
        Ok(Train { rows, origin })
    }

    /// Some of the rows, each still knowing where it came from.
    pub(crate) fn select(&self, rows: &[u32]) -> Train {
        Train {
            rows: self.rows.select(rows),
            origin: rows.iter().map(|&row| self.origin[row as usize]).collect(),
        }
    }

    /// The rows themselves.
    pub fn rows(&self) -> &Interactions {
        &self.rows
    }

    /// For each row, its row number in the data set that was split: the way to its row features.
    pub fn origin(&self) -> &[u32] {
        &self.origin
    }

    /// Holds a random share of the rows out for choices; `round(share · rows)` rows, both parts in row order.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a share outside (0, 1) or one that leaves a part empty.
    ///
    /// ```
    /// use kohort_data::{Way, synthetic};
    ///
    /// let (data, _) = synthetic::Recipe::small().generate(7)?;
    /// let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1)?;
    /// let (part, validation) = split.train.hold_out(0.1, 1)?;
    /// assert_eq!(part.with(validation), split.train, "after the choice, train again on all of it");
    /// # Ok::<(), kohort_data::DataError>(())
    /// ```
    pub fn hold_out(&self, share: f64, seed: u64) -> Result<(Train, Validation), DataError> {
        let held = ways::count_of(share, self.rows.len())?;
        let mut out = vec![false; self.rows.len()];
        for &row in &permutation(self.rows.len(), &mut stream(seed, "hold-out", &[]))[..held] {
            out[row as usize] = true;
        }
        let (kept, held) = ways::cut(&out);
        let origin = |rows: &[u32]| rows.iter().map(|&r| self.origin[r as usize]).collect();
        Ok((
            Train { rows: self.rows.select(&kept), origin: origin(&kept) },
            Validation { rows: self.rows.select(&held), origin: origin(&held) },
        ))
    }

    /// These rows and the held-out ones together, in the row order of the data set: for the last fit.
    pub fn with(self, validation: Validation) -> Train {
        let mut order: Vec<(u32, bool, u32)> =
            Vec::with_capacity(self.origin.len() + validation.origin.len());
        order.extend((0u32..).zip(&self.origin).map(|(row, &from)| (from, false, row)));
        order.extend((0u32..).zip(&validation.origin).map(|(row, &from)| (from, true, row)));
        order.sort_unstable();
        let mut rows =
            Interactions { users: self.rows.users, items: self.rows.items, ..Interactions::default() };
        let mut origin = Vec::with_capacity(order.len());
        for (from, held, row) in order {
            let part = if held { &validation.rows } else { &self.rows };
            let row = row as usize;
            rows.user.push(part.user[row]);
            rows.item.push(part.item[row]);
            rows.rating.push(part.rating[row]);
            rows.time.push(part.time[row]);
            origin.push(from);
        }
        Train { rows, origin }
    }

    /// Users with fewer than `rows` training rows, ascending; users without any are among them.
    pub fn cold_users(&self, rows: usize) -> Vec<u32> {
        below(Index::new(&self.rows.user, self.rows.users).sizes(), rows)
    }

    /// Items with fewer than `rows` training rows, ascending; items without any are among them.
    pub fn cold_items(&self, rows: usize) -> Vec<u32> {
        below(Index::new(&self.rows.item, self.rows.items).sizes(), rows)
    }

    /// Groups whose members together have fewer than `rows` training rows, ascending.
    pub fn cold_groups(&self, members: &Members, rows: usize) -> Vec<u32> {
        let of_user: Vec<usize> = Index::new(&self.rows.user, self.rows.users).sizes().collect();
        let sizes = (0..members.len())
            .map(|g| members.of(g).iter().map(|&u| of_user.get(u as usize).copied().unwrap_or(0)).sum());
        below(sizes, rows)
    }
}

fn below(sizes: impl Iterator<Item = usize>, rows: usize) -> Vec<u32> {
    (0u32..).zip(sizes).filter(|&(_, size)| size < rows).map(|(key, _)| key).collect()
}

impl Validation {
    /// Rows of their own, counted from 0: group ratings, which are no rows of the data set.
    pub(crate) fn counted(rows: Interactions) -> Validation {
        let origin = (0..rows.len() as u32).collect();
        Validation { rows, origin }
    }

    /// The rows themselves.
    pub fn rows(&self) -> &Interactions {
        &self.rows
    }

    /// For each row, its row number in the data set that was split.
    pub fn origin(&self) -> &[u32] {
        &self.origin
    }

    /// The pairs to score.
    pub fn queries(&self) -> Queries<'_> {
        Queries { user: &self.rows.user, item: &self.rows.item, time: &self.rows.time }
    }
}

impl Test {
    /// Rows of their own, counted from 0: group ratings, which are no rows of the data set.
    pub(crate) fn counted(rows: Interactions) -> Test {
        let origin = (0..rows.len() as u32).collect();
        Test { rows, origin }
    }

    /// The pairs to score.
    pub fn queries(&self) -> Queries<'_> {
        Queries { user: &self.rows.user, item: &self.rows.item, time: &self.rows.time }
    }

    /// The answers, for an evaluator.
    pub fn answers(&self) -> &Interactions {
        &self.rows
    }

    /// For each row, its row number in the data set that was split.
    pub fn origin(&self) -> &[u32] {
        &self.origin
    }
}

impl Split {
    /// A split that somebody else made. With `whole`, every row must be one of its pairs, and
    /// [`Train::origin`] counts its rows; without, train rows are counted first and test rows after them.
    ///
    /// # Errors
    /// [`DataError::Duplicate`] for a pair that is in both parts (rows counted as without `whole`),
    /// [`DataError::Columns`] for parts over different users or items, or a pair that `whole` does not have.
    pub fn given(
        train: Interactions,
        test: Interactions,
        whole: Option<&Interactions>,
    ) -> Result<Split, DataError> {
        train.check()?;
        test.check()?;
        for part in whole.into_iter().chain([&test]) {
            if (part.users, part.items) != (train.users, train.items) {
                return Err(DataError::Columns {
                    what: format!(
                        "parts over {} users and {} items, and {} users and {} items",
                        train.users, train.items, part.users, part.items
                    ),
                });
            }
        }
        let keys = |rows: &Interactions| -> Vec<(u32, u32, u32)> {
            let mut keys: Vec<_> =
                (0u32..).zip(rows.user.iter().zip(&rows.item)).map(|(r, (&u, &i))| (u, i, r)).collect();
            keys.sort_unstable();
            keys
        };
        let find = |keys: &[(u32, u32, u32)], user: u32, item: u32| {
            let at = keys.partition_point(|&(u, i, _)| (u, i) < (user, item));
            keys.get(at).filter(|&&(u, i, _)| (u, i) == (user, item)).map(|&(_, _, row)| row)
        };
        let trained = keys(&train);
        for (row, (&user, &item)) in test.user.iter().zip(&test.item).enumerate() {
            if let Some(first) = find(&trained, user, item) {
                let (first, second) = (first as usize, train.len() + row);
                return Err(DataError::Duplicate { user, item, first, second, repeated: 1 });
            }
        }
        let (train_origin, test_origin) = match whole {
            None => {
                let n = train.len() as u32;
                ((0..n).collect(), (n..n + test.len() as u32).collect())
            }
            Some(whole) => {
                let all = keys(whole);
                let origin = |rows: &Interactions| -> Result<Vec<u32>, DataError> {
                    rows.user
                        .iter()
                        .zip(&rows.item)
                        .map(|(&user, &item)| {
                            find(&all, user, item).ok_or_else(|| DataError::Columns {
                                what: format!("the data set has no row of user id {user} and item id {item}"),
                            })
                        })
                        .collect()
                };
                (origin(&train)?, origin(&test)?)
            }
        };
        Ok(Split {
            train: Train { rows: train, origin: train_origin },
            test: Test { rows: test, origin: test_origin },
        })
    }
}
