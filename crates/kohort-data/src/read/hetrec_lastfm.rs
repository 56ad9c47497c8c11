//! HetRec Last.fm 2K: how often 1,892 users played 17,632 artists, 92,834 counts, and 12,717 friendships between them.
//!
//! Source: I. Cantador, P. Brusilovsky and T. Kuflik, "2nd Workshop on Information Heterogeneity and Fusion in Recommender
//! Systems (HetRec 2011)", RecSys 2011. Artists get dense ids in the order of `artists.dat`, users in the order of their first
//! row in `user_artists.dat`; every user has one, and friends are among them.
//!
//! | features of | column | kind |
//! |---|---|---|
//! | rows | `count` | numeric: how often the user played the artist, 1 to 352,698 |
//!
//! **What a rating is.** A row says that a user listened to an artist, and is a positive wherever only its being there
//! counts. Its rating is `1 + log₁₀(count)`, from 1 for a single play to 6.5: the counts run over five orders of magnitude,
//! and a model of ratings would otherwise only see the heaviest listener. The file keeps at most 50 artists of a user, the
//! most played ones. There are no times.

use std::path::Path;

use super::movielens::new_token;
use super::{Format, Table};
use crate::manifest::Layout;
use crate::{DataError, Dataset, Features, Interactions, Scale, Vocabulary};

/// `1 + log₁₀` of 1 to a million plays.
pub const SCALE: Scale = Scale { low: 1.0, high: 7.0 };

/// The row feature that holds the counts.
pub const FEATURE: &str = "count";

const MOST_PLAYS: u32 = 1_000_000;

fn table(dir: &Path, name: &str, layout: Option<&Layout>) -> Result<Table, DataError> {
    // Names of artists hold quotation marks that open and close nothing.
    let format = Format { delimiter: b'\t', quotes: false, ..Format::default() };
    let table = Table::read(&dir.join(name), &format)?;
    table.expect_rows(layout.and_then(|layout| layout.rows(name)))?;
    Ok(table)
}

/// Reads `artists.dat` and `user_artists.dat`; with a `layout` the row counts must agree.
///
/// # Errors
/// A [`DataError`] with file and line: missing file or column, wrong width, an artist listed twice or not at all, a count
/// that is no whole number from 1 to a million, wrong number of rows.
pub fn read(dir: &Path, layout: Option<&Layout>) -> Result<Dataset, DataError> {
    let artists = table(dir, "artists.dat", layout)?;
    let (id, name) = (artists.column("id")?, artists.column("name")?);
    let mut items = Vocabulary::new();
    for row in 0..artists.rows() {
        new_token(&artists, row, id, &mut items)?;
    }
    let item_names = artists.texts(name).map(str::to_owned).collect();

    let plays = table(dir, "user_artists.dat", layout)?;
    let [user, item, weight] = ["userID", "artistID", "weight"].map(|name| plays.column(name));
    let (user, item, weight) = (user?, item?, weight?);
    let mut users = Vocabulary::new();
    let mut rows = Interactions::default();
    let mut counts = Vec::with_capacity(plays.rows());
    for row in 0..plays.rows() {
        if plays.text(row, user).is_empty() {
            return Err(plays.wrong(row, user, "an id"));
        }
        let expected = "a whole number from 1 to 1000000";
        let count: u32 = plays.number(row, weight, expected)?;
        if !(1..=MOST_PLAYS).contains(&count) {
            return Err(plays.wrong(row, weight, expected));
        }
        let artist = items.get(plays.text(row, item));
        rows.user.push(users.insert(plays.text(row, user)));
        rows.item.push(artist.ok_or_else(|| plays.wrong(row, item, "an id of artists.dat"))?);
        rows.rating.push(1.0 + (count as f32).log10());
        rows.time.push(0);
        counts.push(Some(count as f32)); // whole numbers up to 2^24 are exact
    }
    (rows.users, rows.items) = (users.len(), items.len());
    let mut row_features = Features::new(rows.len());
    row_features.push_numbers(FEATURE, &counts)?;
    let dataset = Dataset {
        name: "hetrec-lastfm-2k".to_owned(),
        user_features: Features::new(users.len()),
        item_features: Features::new(items.len()),
        row_features,
        interactions: rows,
        users,
        items,
        item_names: Some(item_names),
        groups: None,
        scale: SCALE,
        has_time: false,
        source: "files".to_owned(),
        notes: vec![
            "a rating is 1 + log10 of the listening count, which is kept as a row feature".to_owned(),
        ],
    };
    dataset.check()?;
    Ok(dataset)
}

/// Reads the friendships of `users`, which are those of [`read`], from `user_friends.dat`: each once as dense ids `(a, b)` with
/// `a < b`, ascending, though the file has most in both directions.
///
/// ```no_run
/// use kohort_data::read::hetrec_lastfm;
///
/// let data = hetrec_lastfm::read("hetrec-lastfm-2k".as_ref(), None)?;
/// let friends = hetrec_lastfm::friends("hetrec-lastfm-2k".as_ref(), None, &data.users)?;
/// assert_eq!(friends.len(), 12_717);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
///
/// # Errors
/// A [`DataError`] with file and line: missing file or column, somebody who is no user or befriends themselves, wrong number
/// of rows.
pub fn friends(
    dir: &Path,
    layout: Option<&Layout>,
    users: &Vocabulary,
) -> Result<Vec<(u32, u32)>, DataError> {
    let table = table(dir, "user_friends.dat", layout)?;
    let (user, friend) = (table.column("userID")?, table.column("friendID")?);
    let mut pairs = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let known = |column: usize| {
            let id = users.get(table.text(row, column));
            id.ok_or_else(|| table.wrong(row, column, "a user of user_artists.dat"))
        };
        let (a, b) = (known(user)?, known(friend)?);
        if a == b {
            return Err(table.wrong(row, friend, "another user than userID"));
        }
        pairs.push((a.min(b), a.max(b)));
    }
    pairs.sort_unstable();
    pairs.dedup();
    Ok(pairs)
}
