//! Ratings of a group, made from the ratings of its members.
//!
//! Source of the three rules: J. Masthoff, "Group Recommender Systems: Combining Individual Models", Recommender
//! Systems Handbook, 2011.

use serde::{Deserialize, Serialize};

use crate::{DataError, Index, Interactions, Members, Split, Test, Train, Validation};

/// How the ratings of members become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregate {
    /// The mean, summed in f64 in row order.
    Average,
    /// The lowest: nobody shall suffer.
    LeastMisery,
    /// The highest: somebody shall be delighted.
    MostPleasure,
}

impl Aggregate {
    fn of(self, ratings: impl Iterator<Item = f32> + Clone, count: usize) -> f32 {
        match self {
            Aggregate::Average => (ratings.map(f64::from).sum::<f64>() / count as f64) as f32,
            Aggregate::LeastMisery => ratings.fold(f32::INFINITY, f32::min),
            Aggregate::MostPleasure => ratings.fold(f32::NEG_INFINITY, f32::max),
        }
    }
}

/// One row for each group and item that at least `at_least` members rated: the `user` column holds the group, the time
/// is the latest of the members'. Rows come by group, then by item.
///
/// # Errors
/// [`DataError::Setting`] for `at_least` 0, [`DataError::Columns`] for a member that is no user.
///
/// ```
/// use kohort_data::{Aggregate, Interactions, Members, aggregate};
///
/// let rows = Interactions {
///     user: vec![0, 1, 2], item: vec![3, 3, 3], rating: vec![5.0, 2.0, 1.0], time: vec![7, 8, 9], users: 3, items: 4,
/// };
/// let couple_and_loner = Members::from_lists(&[vec![0, 1], vec![2]], 3)?;
/// let rated = aggregate(&rows, &couple_and_loner, Aggregate::LeastMisery, 2)?;
/// assert_eq!((rated.user, rated.item, rated.rating, rated.users), (vec![0], vec![3], vec![2.0], 2));
/// # Ok::<(), kohort_data::DataError>(())
/// ```
pub fn aggregate(
    rows: &Interactions,
    members: &Members,
    how: Aggregate,
    at_least: usize,
) -> Result<Interactions, DataError> {
    if at_least == 0 {
        return Err(DataError::Setting {
            name: "at_least",
            found: "0".to_owned(),
            expected: "a number of members from 1 up".to_owned(),
        });
    }
    let by_user = Index::new(&rows.user, rows.users);
    let mut grouped = Interactions { users: members.len(), items: rows.items, ..Interactions::default() };
    for group in 0..members.len() {
        let mut own: Vec<u32> = Vec::new();
        for &user in members.of(group) {
            if user as usize >= rows.users {
                return Err(DataError::Columns {
                    what: format!("group {group}: user id {user} is not below {}", rows.users),
                });
            }
            own.extend_from_slice(by_user.rows(user as usize));
        }
        own.sort_unstable_by_key(|&row| (rows.item[row as usize], row));
        for same in own.chunk_by(|&a, &b| rows.item[a as usize] == rows.item[b as usize]) {
            let mut raters: Vec<u32> = same.iter().map(|&row| rows.user[row as usize]).collect();
            raters.sort_unstable();
            raters.dedup();
            if raters.len() < at_least {
                continue;
            }
            grouped.user.push(group as u32);
            grouped.item.push(rows.item[same[0] as usize]);
            grouped.rating.push(how.of(same.iter().map(|&row| rows.rating[row as usize]), same.len()));
            grouped.time.push(same.iter().map(|&row| rows.time[row as usize]).max().unwrap_or_default());
        }
    }
    Ok(grouped)
}

impl Train {
    /// The group ratings of these rows. [`Train::origin`] then counts the group rows themselves.
    ///
    /// # Errors
    /// As [`aggregate`].
    pub fn by_group(&self, members: &Members, how: Aggregate, at_least: usize) -> Result<Train, DataError> {
        Train::new(aggregate(self.rows(), members, how, at_least)?)
    }
}

impl Validation {
    /// The group ratings of these rows.
    ///
    /// # Errors
    /// As [`aggregate`].
    pub fn by_group(
        &self,
        members: &Members,
        how: Aggregate,
        at_least: usize,
    ) -> Result<Validation, DataError> {
        Ok(Validation::counted(aggregate(self.rows(), members, how, at_least)?))
    }
}

impl Test {
    /// The group ratings of these rows.
    ///
    /// # Errors
    /// As [`aggregate`].
    pub fn by_group(&self, members: &Members, how: Aggregate, at_least: usize) -> Result<Test, DataError> {
        Ok(Test::counted(aggregate(self.answers(), members, how, at_least)?))
    }
}

impl Split {
    /// The split with groups as units: each part's group ratings come from that part's rows alone. A group and item
    /// that the training part already rates (one member's row fell here, another's there) is left out of the test part.
    ///
    /// # Errors
    /// As [`aggregate`].
    pub fn by_group(&self, members: &Members, how: Aggregate, at_least: usize) -> Result<Split, DataError> {
        let train = self.train.by_group(members, how, at_least)?;
        let test = aggregate(self.test.answers(), members, how, at_least)?;
        let seen: std::collections::BTreeSet<(u32, u32)> =
            train.rows().user.iter().copied().zip(train.rows().item.iter().copied()).collect();
        let new: Vec<u32> = (0..test.len() as u32)
            .filter(|&row| !seen.contains(&(test.user[row as usize], test.item[row as usize])))
            .collect();
        Ok(Split { train, test: Test::counted(test.select(&new)) })
    }
}
