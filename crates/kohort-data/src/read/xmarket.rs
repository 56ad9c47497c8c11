//! XMarket Electronics: 168,307 ratings from 1 to 5 in seven national markets that share their item ids, 2004 to 2020.
//!
//! Source: H. Bonab, M. Aliannejadi, A. Vardasbi, E. Kanoulas and J. Allan, "Cross-Market Product Recommendation", CIKM
//! 2021, in the files of S. Bhargav, M. Aliannejadi and E. Kanoulas, "Market-Aware Models for Efficient Cross-Market
//! Recommendation", ECIR 2023. A market is one file, `ca_5core.txt` and so on: user, item, rating and date, one space
//! between them, names in the first line.
//!
//! | of | column | kind |
//! |---|---|---|
//! | users | `market` | categorical, the markets that were read, in the order asked for |
//!
//! **Who is a user.** A (market, user) pair, written `uk/AEHPZ…`: four customers rate in two markets and are two users
//! each, because a model that knew one of them in two places would tie the markets together by accident. How many there
//! are stands in the notes. Items are one and the same in all markets.
//!
//! **What repeats.** 3,272 rows repeat a (user, item) pair of their market. [`read`] keeps them, as the published
//! experiments do, and a split then has to be told ([`Way::split_with_duplicates`](crate::Way::split_with_duplicates));
//! [`read_with`] takes a policy. Once they are merged, some of the users, who all have seven rows or more, have fewer, and a few only one.
//!
//! **When.** Dates become midnight UTC in Unix seconds. Days tie: the last two rows of almost every second user are of
//! one day, so whatever orders rows by time has to say what it does with ties.

use std::path::Path;

use super::{Format, Table};
use crate::manifest::Layout;
use crate::{Column, DataError, Dataset, Duplicates, Features, Interactions, Scale, Vocabulary};

/// Ratings run from 1 to 5.
pub const SCALE: Scale = Scale { low: 1.0, high: 5.0 };

/// The markets there are: Canada, Germany, France, India, Japan, Mexico, the United Kingdom.
pub const MARKETS: [&str; 7] = ["ca", "de", "fr", "in", "jp", "mx", "uk"];

const COLUMNS: [&str; 4] = ["userId", "itemId", "rate", "date"];

/// Reads all seven markets and keeps every row; with a `layout` the row counts must agree.
///
/// # Errors
/// A [`DataError`] with file and line: missing file, wrong width, rating out of 1 to 5, a day that is none, wrong number
/// of rows.
pub fn read(dir: &Path, layout: Option<&Layout>) -> Result<Dataset, DataError> {
    read_with(dir, layout, &MARKETS, None)
}

/// Reads some markets, in the order given, and merges rows that repeat a pair if `repeats` says how.
///
/// ```no_run
/// use kohort_data::{Duplicates, read::xmarket, territories::Territories};
///
/// let data = xmarket::read_with("xmarket".as_ref(), None, &["in", "jp"], Some(Duplicates::KeepFirst))?;
/// let markets = Territories::of(&data, xmarket::FEATURE)?;
/// assert_eq!(markets.names(), ["in", "jp"]);
///
/// let unknown = xmarket::read_with("xmarket".as_ref(), None, &["us"], None).unwrap_err();
/// assert_eq!(unknown.to_string(), r#"market: found "us", expected one of ca, de, fr, in, jp, mx, uk"#);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
///
/// # Errors
/// As [`read`]; also [`DataError::Setting`] for a market that is unknown or named twice, or none at all, and
/// [`DataError::Duplicate`] under [`Duplicates::Error`].
pub fn read_with(
    dir: &Path,
    layout: Option<&Layout>,
    markets: &[&str],
    repeats: Option<Duplicates>,
) -> Result<Dataset, DataError> {
    check_markets(markets)?;
    let format = Format { delimiter: b' ', quotes: false, ..Format::default() };
    let mut users = Vocabulary::new();
    let mut items = Vocabulary::new();
    let mut market_of = Vec::new();
    let mut people: Vec<String> = Vec::new();
    let mut rows = Interactions::default();
    for (market, name) in (0u32..).zip(markets) {
        let file = format!("{name}_5core.txt");
        let table = Table::read(&dir.join(&file), &format)?;
        let columns = COLUMNS.map(|column| table.column(column));
        let [user, item, rate, date] = columns;
        let (user, item, rate, date) = (user?, item?, rate?, date?);
        table.expect_rows(layout.and_then(|layout| layout.rows(&file)))?;
        for row in 0..table.rows() {
            for column in [user, item] {
                if table.text(row, column).is_empty() {
                    return Err(table.wrong(row, column, "an id"));
                }
            }
            let id = users.insert(&format!("{name}/{}", table.text(row, user)));
            if id as usize == market_of.len() {
                market_of.push(market);
                people.push(table.text(row, user).to_owned());
            }
            rows.user.push(id);
            rows.item.push(items.insert(table.text(row, item)));
            rows.rating.push(table.rating(row, rate, SCALE)?);
            rows.time.push(midnight(&table, row, date)?);
        }
    }
    (rows.users, rows.items) = (users.len(), items.len());
    let mut features = Features::new(users.len());
    let vocabulary = markets.iter().copied().collect();
    features.push(FEATURE, Column::Categorical { codes: market_of, vocabulary })?;
    let mut notes = vec![format!(
        "a user is a (market, user) pair: {} customers who rate in more than one market are several users",
        in_several(people)
    )];
    let repeated = rows.repeated_pairs();
    if repeated > 0 && repeats.is_none() {
        notes.push(format!("{repeated} rows repeat a (user, item) pair and were kept"));
    }
    let data = Dataset {
        name: "xmarket".to_owned(),
        user_features: features,
        item_features: Features::new(items.len()),
        row_features: Features::new(rows.len()),
        interactions: rows,
        users,
        items,
        item_names: None,
        groups: None,
        scale: SCALE,
        has_time: true,
        source: "files".to_owned(),
        notes,
    };
    data.check()?;
    match repeats {
        Some(policy) => data.merge_duplicates(policy),
        None => Ok(data),
    }
}

/// The user feature that holds the market.
pub const FEATURE: &str = "market";

fn check_markets(markets: &[&str]) -> Result<(), DataError> {
    let wrong = |found: String, expected: String| DataError::Setting { name: "market", found, expected };
    if markets.is_empty() {
        return Err(wrong("none".to_owned(), format!("some of {}", MARKETS.join(", "))));
    }
    for (at, market) in markets.iter().enumerate() {
        if !MARKETS.contains(market) {
            return Err(wrong(format!("{market:?}"), format!("one of {}", MARKETS.join(", "))));
        }
        if markets[..at].contains(market) {
            return Err(wrong(format!("{market:?} twice"), "each market once".to_owned()));
        }
    }
    Ok(())
}

/// How many names are there more than once.
fn in_several(mut names: Vec<String>) -> usize {
    names.sort_unstable();
    names.chunk_by(|a, b| a == b).filter(|same| same.len() > 1).count()
}

/// `2016-01-03` as the Unix time of its first second in UTC.
fn midnight(table: &Table, row: usize, column: usize) -> Result<i64, DataError> {
    days_since_1970(table.text(row, column))
        .map(|days| days * 86_400)
        .ok_or_else(|| table.wrong(row, column, "a day such as 2016-01-03"))
}

/// Days from 1 January 1970 to a day of the Gregorian calendar, from year 1 to 9999.
fn days_since_1970(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let digits = |range: std::ops::Range<usize>| -> Option<i64> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month).ok().filter(|month| (1..=12).contains(month))? - 1;
    if !shape || year < 1 || !(1..=length[before]).contains(&day) {
        return None;
    }
    let years = year - 1;
    let to_year = years * 365 + years / 4 - years / 100 + years / 400;
    // 719,162 days lie between 1 January of year 1 and of 1970.
    Some(to_year + length[..before].iter().sum::<i64>() + day - 1 - 719_162)
}

#[cfg(test)]
mod tests {
    use super::days_since_1970;

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2020-11-18", 18_584),
            ("2004-05-09", 12_547),
        ] {
            assert_eq!(days_since_1970(text), Some(days), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2001-02-29",
            "1900-02-29",
            "2001-13-01",
            "2001-00-01",
            "2001-01-00",
            "2001-04-31",
            "01-01-2001",
            "2001/01/01",
            "2001-1-01",
            "2001-01-1x",
            "+001-01-01",
            "0000-01-01",
            "2001-01-011",
            "200é-01-0",
        ] {
            assert_eq!(days_since_1970(text), None, "{text}");
        }
    }
}
