//! Delimited text whose columns the user names: ratings, and optionally what is known of users and items.
//!
//! Without a file of users (or items) ids are given in order of first appearance in the ratings; with one, in the
//! order of that file, and a rating of somebody it does not list is an error.
//!
//! ```
//! use kohort_data::read::delimited::{Delimited, Kind, RatingFile};
//!
//! let dir = tempfile::tempdir().unwrap();
//! let path = dir.path().join("taste.csv");
//! std::fs::write(&path, "who,what,stars,shop\nann,tea,4,Paris\nbob,tea,2,Lyon\n").unwrap();
//!
//! let mut file = RatingFile::new(&path, "who", "what");
//! file.rating = Some("stars".to_owned());
//! file.columns = vec![("shop".to_owned(), Kind::Categorical)];
//! let data = Delimited::new("taste", file).read()?;
//! assert_eq!(data.users.id("bob")?, 1);
//! assert_eq!(data.interactions.rating, [4.0, 2.0]);
//! assert_eq!(data.row_features.column("shop").unwrap().codes(1), &[1]);
//! # Ok::<(), kohort_data::DataError>(())
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Format, Table};
use crate::{Column, DataError, Dataset, Features, Interactions, Scale, Vocabulary};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One token a row; a blank is a token of its own.
    Categorical,
    /// One finite number a row; blanks get the mean of the others.
    Numeric,
    /// Tokens with this character between them; a blank has none.
    MultiHot {
        /// The character between tokens.
        separator: char,
    },
    /// Finite numbers with this character between them, as many in every row.
    Dense {
        /// The character between numbers.
        separator: char,
    },
}

/// The file of ratings.
#[derive(Clone, Debug, PartialEq)]
pub struct RatingFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Name of the column with the user.
    pub user: String,
    /// Name of the column with the item.
    pub item: String,
    /// Name of the column with the rating; without one, every row has rating 1.
    pub rating: Option<String>,
    /// Name of the column with Unix time in seconds.
    pub time: Option<String>,
    /// Range of the ratings; others are an error.
    pub scale: Scale,
    /// Further columns, which become row features.
    pub columns: Vec<(String, Kind)>,
}

/// A file with one row a user, or one row an item.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Name of the column with the user or item.
    pub key: String,
    /// The columns to take.
    pub columns: Vec<(String, Kind)>,
}

/// The files of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Delimited {
    /// Name of the data set.
    pub name: String,
    /// Its ratings.
    pub ratings: RatingFile,
    /// What is known of users.
    pub users: Option<FeatureFile>,
    /// What is known of items.
    pub items: Option<FeatureFile>,
}

impl RatingFile {
    /// Comma-separated with a header, users and items in these columns, no ratings, scale 1 to 5.
    pub fn new(path: impl AsRef<Path>, user: &str, item: &str) -> RatingFile {
        RatingFile {
            path: path.as_ref().to_path_buf(),
            format: Format::default(),
            user: user.to_owned(),
            item: item.to_owned(),
            rating: None,
            time: None,
            scale: Scale { low: 1.0, high: 5.0 },
            columns: Vec::new(),
        }
    }
}

impl Delimited {
    /// Ratings alone.
    pub fn new(name: &str, ratings: RatingFile) -> Delimited {
        Delimited { name: name.to_owned(), ratings, users: None, items: None }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// A [`DataError`] with file, line and column for anything that does not fit.
    pub fn read(&self) -> Result<Dataset, DataError> {
        let table = |file: &Option<FeatureFile>| -> Result<Option<Keyed>, DataError> {
            let Some(file) = file else { return Ok(None) };
            let table = Table::read(&file.path, &file.format)?;
            Ok(Some(keyed(&table, &file.key, &file.columns)?))
        };
        let ratings = Table::read(&self.ratings.path, &self.ratings.format)?;
        assemble(&self.name, &ratings, &self.ratings, table(&self.users)?, table(&self.items)?)
    }
}

/// Keys and features of a file with one row a key.
pub(super) type Keyed = (Vocabulary, Features);

pub(super) fn keyed(table: &Table, key: &str, columns: &[(String, Kind)]) -> Result<Keyed, DataError> {
    let key = table.column(key)?;
    let mut vocabulary = Vocabulary::new();
    for row in 0..table.rows() {
        super::movielens::new_token(table, row, key, &mut vocabulary)?;
    }
    Ok((vocabulary, features(table, columns)?))
}

pub(super) fn assemble(
    name: &str,
    table: &Table,
    file: &RatingFile,
    users: Option<Keyed>,
    items: Option<Keyed>,
) -> Result<Dataset, DataError> {
    let ids = |column: &str, listed: Option<Keyed>| -> Result<(Vec<u32>, Keyed), DataError> {
        let at = table.column(column)?;
        match listed {
            Some((vocabulary, features)) => {
                let known = |row: usize| {
                    vocabulary.get(table.text(row, at)).ok_or_else(|| {
                        let expected = format!("one of the {} that have features", vocabulary.len());
                        table.wrong(row, at, &expected)
                    })
                };
                let ids = (0..table.rows()).map(known).collect::<Result<_, _>>()?;
                Ok((ids, (vocabulary, features)))
            }
            None => {
                let mut vocabulary = Vocabulary::new();
                let mut ids = Vec::with_capacity(table.rows());
                for row in 0..table.rows() {
                    let token = table.text(row, at);
                    if token.is_empty() {
                        return Err(table.wrong(row, at, "a name or number"));
                    }
                    ids.push(vocabulary.insert(token));
                }
                let features = Features::new(vocabulary.len());
                Ok((ids, (vocabulary, features)))
            }
        }
    };
    let (user, (users, user_features)) = ids(&file.user, users)?;
    let (item, (items, item_features)) = ids(&file.item, items)?;
    let rating = match &file.rating {
        Some(column) => {
            let at = table.column(column)?;
            (0..table.rows()).map(|row| table.rating(row, at, file.scale)).collect::<Result<_, _>>()?
        }
        None => vec![1.0; table.rows()],
    };
    let time = match &file.time {
        Some(column) => {
            let at = table.column(column)?;
            (0..table.rows()).map(|row| table.time(row, at)).collect::<Result<_, _>>()?
        }
        None => vec![0; table.rows()],
    };
    let interactions = Interactions { user, item, rating, time, users: users.len(), items: items.len() };
    let row_features = features(table, &file.columns)?;
    let mut notes = Vec::new();
    for (of, features) in [("users", &user_features), ("items", &item_features), ("rows", &row_features)] {
        for (column, blank) in &features.filled {
            notes.push(format!("{} of {of}: {} blanks have the mean of the others", column, blank.len()));
        }
    }
    let dataset = Dataset {
        name: name.to_owned(),
        interactions,
        users,
        items,
        user_features,
        item_features,
        row_features,
        item_names: None,
        groups: None,
        scale: file.scale,
        has_time: file.time.is_some(),
        source: "files".to_owned(),
        notes,
    };
    dataset.check()?;
    Ok(dataset)
}

fn features(table: &Table, columns: &[(String, Kind)]) -> Result<Features, DataError> {
    let mut features = Features::new(table.rows());
    for (name, kind) in columns {
        let at = table.column(name)?;
        match *kind {
            Kind::Categorical => features.push(name, Column::categorical(table.texts(at)))?,
            Kind::Numeric => {
                let values: Vec<Option<f32>> =
                    (0..table.rows()).map(|row| table.float_or_blank(row, at)).collect::<Result<_, _>>()?;
                features.push_numbers(name, &values)?;
            }
            Kind::MultiHot { separator } => {
                let mut vocabulary = Vocabulary::new();
                let rows: Vec<Vec<u32>> = table
                    .texts(at)
                    .map(|text| parts(text, separator).map(|token| vocabulary.insert(token)).collect())
                    .collect();
                features.push(name, Column::multi_hot(rows, vocabulary))?;
            }
            Kind::Dense { separator } => features.push(name, dense(table, at, separator)?)?,
        }
    }
    Ok(features)
}

fn dense(table: &Table, at: usize, separator: char) -> Result<Column, DataError> {
    let (mut width, mut values) = (0, Vec::new());
    for row in 0..table.rows() {
        let before = values.len();
        for part in parts(table.text(row, at), separator) {
            match part.parse::<f32>() {
                Ok(value) if value.is_finite() => values.push(value),
                _ => return Err(table.wrong(row, at, "finite numbers")),
            }
        }
        let own = values.len() - before;
        if row == 0 {
            width = own;
        }
        if own != width || own == 0 {
            return Err(table.wrong(row, at, &format!("{} numbers, as in the first row", width.max(1))));
        }
    }
    Ok(Column::Dense { width, values })
}

fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).map(str::trim).filter(|part| !part.is_empty())
}
