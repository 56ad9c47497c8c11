//! Twitch social networks (MUSAE): 34,118 streamers of six language communities, what they are known for, and three
//! targets.
//!
//! Source: B. Rozemberczki, C. Allen and R. Sarkar, "Multi-Scale Attributed Node Embedding", Journal of Complex Networks
//! 9(2), 2021. A community is three files: `DE_target.csv` (one row a user), `DE_features.json` (the features of each user)
//! and `DE_edges.csv` (friendships within the community, which [`edges`] reads for graphs).
//!
//! | of | column | kind |
//! |---|---|---|
//! | features | `features` | multi-hot over 3,170 features, games, places and habits without names, shared by all communities |
//! | | `days` | numeric: days since the account was made |
//! | targets | `mature`, `partner` | binary: streams mature content; is a partner of the platform |
//! | | `log10 views` | number: log10(1 + views) |
//! | cohorts | `language` | the community, such as `DE` |
//! | | `seniority` | [`SENIORITY`]: a band of `days` between fixed thresholds, near the quartiles of all six |
//!
//! **Who is a row.** The user `new_id` of the first community is row `new_id`, and the users of each further one come after
//! those before it; [`edges`] counts in the same way.
//!
//! **What repeats.** Two French users stand in the file twice, and 0.2 to 0.4 % of the feature entries of a community
//! repeat within a user. Both count once, the user by the first row; the notes say how many. A user whom the features do
//! not mention is a row without any.

use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};

use super::{Format, Table};
use crate::manifest::Layout;
use crate::records::{Records, Target};
use crate::{Column, DataError, Features, Vocabulary};

/// The communities there are: German, English, Spanish, French, Portuguese and Russian.
pub const LANGUAGES: [&str; 6] = ["DE", "ENGB", "ES", "FR", "PTBR", "RU"];

/// Number of features that the communities share.
pub const FEATURES: u32 = 3_170;

/// The bands of seniority, each with its lowest number of days.
pub const SENIORITY: [(u32, &str); 4] = [
    (0, "below 900 days"),
    (900, "900 to 1399 days"),
    (1_400, "1400 to 1899 days"),
    (1_900, "1900 days or more"),
];

/// Reads all six communities; with a `layout` the row counts must agree.
///
/// # Errors
/// A [`DataError`] with file and line: missing file or column, wrong width, a value that is none, a user that is not one
/// of the community's, wrong number of rows.
pub fn read(dir: &Path, layout: Option<&Layout>) -> Result<Records, DataError> {
    read_with(dir, layout, &LANGUAGES)
}

/// Reads some communities, in the order given.
///
/// # Errors
/// As [`read`]; also [`DataError::Setting`] for a language that is unknown or named twice, or none at all.
pub fn read_with(dir: &Path, layout: Option<&Layout>, languages: &[&str]) -> Result<Records, DataError> {
    check_languages(languages)?;
    let mut users = Users::default();
    let (mut known_for, mut language_of) = (Vec::new(), Vec::new());
    let (mut repeated_rows, mut entries) = (0, 0);
    for (code, language) in (0u32..).zip(languages) {
        let own = Users::read(dir, layout, language)?;
        let n = own.days.len();
        repeated_rows += own.repeated;
        language_of.resize(language_of.len() + n, code);
        let lists = features_of(&dir.join(format!("{language}_features.json")), n)?;
        entries += lists.iter().map(Vec::len).sum::<usize>();
        known_for.extend(lists);
        users.days.extend(own.days);
        users.mature.extend(own.mature);
        users.partner.extend(own.partner);
        users.views.extend(own.views);
    }
    let without = known_for.iter().filter(|list| list.is_empty()).count();
    let tokens: Vec<String> = (0..FEATURES).map(|id| id.to_string()).collect();
    let known_for = Column::multi_hot(known_for, tokens.iter().map(String::as_str).collect());
    let distinct = (0..known_for.rows()).map(|row| known_for.codes(row).len()).sum::<usize>();

    let mut features = Features::new(users.days.len());
    features.push("features", known_for)?;
    features.push("days", Column::Numeric(users.days.iter().map(|&days| days as f32).collect()))?;
    let mut cohorts = Features::new(users.days.len());
    let vocabulary = languages.iter().copied().collect();
    cohorts.push("language", Column::Categorical { codes: language_of, vocabulary })?;
    let band = |days: &u32| SENIORITY.partition_point(|(from, _)| from <= days) as u32 - 1;
    let vocabulary: Vocabulary = SENIORITY.iter().map(|&(_, name)| name).collect();
    let codes = users.days.iter().map(band).collect();
    cohorts.push("seniority", Column::Categorical { codes, vocabulary })?;

    let records = Records {
        cohorts,
        targets: vec![
            Target::binary("mature", users.mature),
            Target::binary("partner", users.partner),
            Target::number("log10 views", users.views),
        ],
        notes: vec![
            format!("{repeated_rows} rows repeat a user and were left out"),
            format!(
                "{} of {entries} feature entries repeat within a user and count once",
                entries - distinct
            ),
            format!("{without} users have no features"),
        ],
        ..Records::new("twitch", features)
    };
    records.check()?;
    Ok(records)
}

/// The friendships within all six communities as pairs of row numbers, in the order of the files: each once, undirected.
///
/// # Errors
/// As [`read`].
pub fn edges(dir: &Path, layout: Option<&Layout>) -> Result<Vec<(u32, u32)>, DataError> {
    edges_with(dir, layout, &LANGUAGES)
}

/// The friendships within some communities, which must be those that [`read_with`] was given, in the same order.
///
/// # Errors
/// As [`read_with`].
pub fn edges_with(
    dir: &Path,
    layout: Option<&Layout>,
    languages: &[&str],
) -> Result<Vec<(u32, u32)>, DataError> {
    check_languages(languages)?;
    let (mut pairs, mut before) = (Vec::new(), 0);
    for language in languages {
        let users = Users::read(dir, layout, language)?.days.len() as u32;
        let table = open(dir, layout, &format!("{language}_edges.csv"))?;
        let ends = [table.column("from")?, table.column("to")?];
        for row in 0..table.rows() {
            let [from, to] = ends.map(|column| match table.text(row, column).parse::<u32>() {
                Ok(user) if user < users => Ok(before + user),
                _ => Err(table.wrong(row, column, &format!("a user id below {users}"))),
            });
            pairs.push((from?, to?));
        }
        before += users;
    }
    Ok(pairs)
}

fn open(dir: &Path, layout: Option<&Layout>, file: &str) -> Result<Table, DataError> {
    let table = Table::read(&dir.join(file), &Format::default())?;
    table.expect_rows(layout.and_then(|layout| layout.rows(file)))?;
    Ok(table)
}

/// A community's users in the order of their ids.
#[derive(Default)]
struct Users {
    days: Vec<u32>,
    mature: Vec<bool>,
    partner: Vec<bool>,
    views: Vec<f32>,
    /// Rows whose user a row above has.
    repeated: usize,
}

impl Users {
    fn read(dir: &Path, layout: Option<&Layout>, language: &str) -> Result<Users, DataError> {
        let table = open(dir, layout, &format!("{language}_target.csv"))?;
        let columns = ["new_id", "days", "mature", "partner", "views"].map(|name| table.column(name));
        let [id, days, mature, partner, views] = columns;
        let (id, days, mature, partner, views) = (id?, days?, mature?, partner?, views?);
        let mut first: Vec<(u32, usize)> = (0..table.rows())
            .map(|row| Ok((table.number(row, id, "a user id")?, row)))
            .collect::<Result<_, DataError>>()?;
        first.sort_unstable();
        first.dedup_by_key(|(user, _)| *user);
        let mut users = Users { repeated: table.rows() - first.len(), ..Users::default() };
        for (at, &(user, row)) in first.iter().enumerate() {
            if user as usize != at {
                let expected = format!("a user id below {}, with no gap between ids", first.len());
                return Err(table.wrong(row, id, &expected));
            }
            users.days.push(table.number(row, days, "a whole number of days")?);
            users.mature.push(yes(&table, row, mature)?);
            users.partner.push(yes(&table, row, partner)?);
            let views: u64 = table.number(row, views, "a whole number of views")?;
            users.views.push((1.0 + views as f64).log10() as f32);
        }
        Ok(users)
    }
}

fn yes(table: &Table, row: usize, column: usize) -> Result<bool, DataError> {
    match table.text(row, column) {
        "True" => Ok(true),
        "False" => Ok(false),
        _ => Err(table.wrong(row, column, "True or False")),
    }
}

/// The features of each of `users` users, as the file lists them.
fn features_of(path: &Path, users: usize) -> Result<Vec<Vec<u32>>, DataError> {
    let bytes = super::bytes_of(path, super::DEFAULT_LIMIT)?;
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    let read = Lists(users).deserialize(&mut json).and_then(|lists| json.end().map(|()| lists));
    read.map_err(|error| DataError::Text {
        path: path.to_path_buf(),
        line: error.line() as u64,
        what: error.to_string(),
    })
}

/// An object from user ids to lists of feature ids, checked while it is read: errors then know line and column.
struct Lists(usize);

impl<'de> DeserializeSeed<'de> for Lists {
    type Value = Vec<Vec<u32>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Lists {
    type Value = Vec<Vec<u32>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from user ids to lists of feature ids")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut lists: Vec<Option<Vec<u32>>> = vec![None; self.0];
        while let Some(key) = map.next_key::<String>()? {
            let place = key.parse().ok().and_then(|user: usize| lists.get_mut(user)).ok_or_else(|| {
                A::Error::custom(format!("user: found {key:?}, expected a user id below {}", self.0))
            })?;
            if place.is_some() {
                return Err(A::Error::custom(format!("user: found {key:?} twice, expected each user once")));
            }
            let list: Vec<u32> = map.next_value()?;
            if let Some(feature) = list.iter().find(|&&feature| feature >= FEATURES) {
                return Err(A::Error::custom(format!(
                    "feature of user {key}: found {feature}, expected an id below {FEATURES}"
                )));
            }
            *place = Some(list);
        }
        Ok(lists.into_iter().map(Option::unwrap_or_default).collect())
    }
}

fn check_languages(languages: &[&str]) -> Result<(), DataError> {
    let wrong = |found: String, expected: String| DataError::Setting { name: "language", found, expected };
    if languages.is_empty() {
        return Err(wrong("none".to_owned(), format!("some of {}", LANGUAGES.join(", "))));
    }
    for (at, language) in languages.iter().enumerate() {
        if !LANGUAGES.contains(language) {
            return Err(wrong(format!("{language:?}"), format!("one of {}", LANGUAGES.join(", "))));
        }
        if languages[..at].contains(language) {
            return Err(wrong(format!("{language:?} twice"), "each language once".to_owned()));
        }
    }
    Ok(())
}
