//! ITM-Rec: 5,230 ratings by students of project topics in data courses, and 1,117 ratings by 143 real groups of them.
//!
//! Source: Y. Zheng, "ITM-Rec: An Open Data Set for Educational Recommender Systems", LAK 2023 companion
//! (arXiv 2303.10230). Users, topics and groups get dense ids in the order of `users.csv`, `items.csv` and
//! `group_size.csv`.
//!
//! | features of | column | kind |
//! |---|---|---|
//! | users | `gender`, `married` | categorical, the file's codes 0 and 1 |
//! | | `age` | categorical; the file's bins overlap (`>30` and `31-100`) and stay as they are |
//! | ratings | `App`, `Data`, `Ease` | numeric, 1 to 5: further criteria of the same rating; blanks get the mean |
//! | | `Class`, `Semester`, `Lockdown` | categorical: the context |
//!
//! The topics have a title and no features. 454 of the 476 users have ratings of their own; 432 rows repeat a
//! (user, topic) pair in another context, so merge duplicates before a split; 37 of the 395 rows of
//! `group.csv` repeat a membership, and `group_size.csv` agrees with the 358 distinct ones, so repeats count once; a user
//! may be in up to three groups; 12 of the 288 group members have no rating of their own (listed in [`Groups::silent`]).

use std::path::Path;

use super::movielens::new_token;
use super::{Format, Table};
use crate::manifest::Layout;
use crate::{Column, DataError, Dataset, Features, Groups, Interactions, Members, Scale, Vocabulary};

/// Ratings and criteria run from 1 to 5.
pub const SCALE: Scale = Scale { low: 1.0, high: 5.0 };

/// The further criteria of each rating.
pub const CRITERIA: [&str; 3] = ["App", "Data", "Ease"];

/// The context of each rating.
pub const CONTEXTS: [&str; 3] = ["Class", "Semester", "Lockdown"];

/// Reads the folder with the six csv files; with a `layout` the row counts must agree.
///
/// # Errors
/// A [`DataError`] with file and line: missing file or column, wrong width, unknown user, item or group, rating or
/// criterion out of 1 to 5, a group whose size is not that of `group_size.csv`, wrong number of rows.
pub fn read(dir: &Path, layout: Option<&Layout>) -> Result<Dataset, DataError> {
    let open = |name: &str| -> Result<Table, DataError> {
        let table = Table::read(&dir.join(name), &Format::default())?;
        table.expect_rows(layout.and_then(|l| l.rows(name)))?;
        Ok(table)
    };
    let (students, topics) = (open("users.csv")?, open("items.csv")?);
    let users = keys(&students, "UserID")?;
    let items = keys(&topics, "Item")?;
    let mut user_features = Features::new(users.len());
    for (name, column) in [("gender", "Gender"), ("age", "Age"), ("married", "Married")] {
        user_features.push(name, Column::categorical(students.texts(students.column(column)?)))?;
    }
    let title = topics.column("Title")?;
    let item_names = topics.texts(title).map(str::to_owned).collect();

    let ratings = open("ratings.csv")?;
    let interactions = rows_of(&ratings, "UserID", &users, &items)?;
    let row_features = criteria_and_contexts(&ratings)?;
    let (groups, repeated_members) = groups(
        &open("group_size.csv")?,
        &open("group.csv")?,
        &open("group_ratings.csv")?,
        &interactions,
        &users,
        &items,
    )?;

    let mut notes = Vec::new();
    let rated = interactions.users_with_rows();
    if rated < users.len() {
        notes.push(format!("{} of {} users have no individual rating", users.len() - rated, users.len()));
    }
    for (name, blank) in &row_features.filled {
        notes.push(format!("{} blank {name} ratings have the mean of the others", blank.len()));
    }
    let repeated = interactions.repeated_pairs();
    if repeated > 0 {
        notes.push(format!("{repeated} rows repeat a (user, item) pair in another context"));
    }
    notes.push(format!("{} group members have no individual rating", groups.silent.len()));
    if repeated_members > 0 {
        notes.push(format!("{repeated_members} rows of group.csv repeat a membership and count once"));
    }
    let dataset = Dataset {
        name: "itm-rec".to_owned(),
        item_features: Features::new(items.len()),
        interactions,
        users,
        items,
        user_features,
        row_features,
        item_names: Some(item_names),
        groups: Some(groups),
        scale: SCALE,
        has_time: false,
        source: "files".to_owned(),
        notes,
    };
    dataset.check()?;
    Ok(dataset)
}

fn keys(table: &Table, column: &str) -> Result<Vocabulary, DataError> {
    let column = table.column(column)?;
    let mut vocabulary = Vocabulary::new();
    for row in 0..table.rows() {
        new_token(table, row, column, &mut vocabulary)?;
    }
    Ok(vocabulary)
}

fn known(table: &Table, row: usize, column: usize, vocabulary: &Vocabulary) -> Result<u32, DataError> {
    vocabulary.get(table.text(row, column)).ok_or_else(|| {
        let expected = format!("one of the {} ids of the file that lists them", vocabulary.len());
        table.wrong(row, column, &expected)
    })
}

fn rows_of(
    table: &Table,
    key: &str,
    keys: &Vocabulary,
    items: &Vocabulary,
) -> Result<Interactions, DataError> {
    let (key, item, rating) = (table.column(key)?, table.column("Item")?, table.column("Rating")?);
    let mut rows = Interactions { users: keys.len(), items: items.len(), ..Interactions::default() };
    for row in 0..table.rows() {
        rows.user.push(known(table, row, key, keys)?);
        rows.item.push(known(table, row, item, items)?);
        rows.rating.push(table.rating(row, rating, SCALE)?);
        rows.time.push(0);
    }
    Ok(rows)
}

fn criteria_and_contexts(table: &Table) -> Result<Features, DataError> {
    let mut features = Features::new(table.rows());
    for name in CRITERIA {
        let column = table.column(name)?;
        let values: Vec<Option<f32>> = (0..table.rows())
            .map(|row| match table.text(row, column) {
                "" => Ok(None),
                _ => table.rating(row, column, SCALE).map(Some),
            })
            .collect::<Result<_, _>>()?;
        features.push_numbers(name, &values)?;
    }
    for name in CONTEXTS {
        features.push(name, Column::categorical(table.texts(table.column(name)?)))?;
    }
    Ok(features)
}

fn groups(
    sizes: &Table,
    pairs: &Table,
    ratings: &Table,
    individual: &Interactions,
    users: &Vocabulary,
    items: &Vocabulary,
) -> Result<(Groups, usize), DataError> {
    let vocabulary = keys(sizes, "GroupID")?;
    let (group, user) = (pairs.column("GroupID")?, pairs.column("UserID")?);
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); vocabulary.len()];
    let mut repeated = 0;
    for row in 0..pairs.rows() {
        let list = &mut lists[known(pairs, row, group, &vocabulary)? as usize];
        let member = known(pairs, row, user, users)?;
        if list.contains(&member) {
            repeated += 1;
        } else {
            list.push(member);
        }
    }
    let size = sizes.column("Size")?;
    for (row, list) in lists.iter().enumerate() {
        if sizes.number::<usize>(row, size, "a whole number")? != list.len() {
            let expected = format!("{}, the distinct members in {}", list.len(), pairs.path().display());
            return Err(sizes.wrong(row, size, &expected));
        }
    }
    let members = Members::from_lists(&lists, users.len())?;
    let groups = Groups {
        interactions: rows_of(ratings, "GroupID", &vocabulary, items)?,
        row_features: criteria_and_contexts(ratings)?,
        silent: Groups::silent_members(&members, individual),
        members,
        vocabulary,
    };
    Ok((groups, repeated))
}
