//! MovieLens 100K: 100,000 ratings from 1 to 5 of 943 people on 1,682 films, September 1997 to April 1998.
//!
//! Source: F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015. The
//! files are `u.data` (user, item, rating, Unix time; tabs), `u.user` (id, age, gender, occupation, zip; bars),
//! `u.item` (24 columns in Latin-1; bars; the last 19 are genre flags) and `u.genre`.
//!
//! Users and items get dense ids in the order of `u.user` and `u.item`, so id = file id − 1.
//!
//! | features of | column | kind |
//! |---|---|---|
//! | users | `age` | numeric, years |
//! | | `age_bucket` | categorical, 7: `under-18`, `18-24`, `25-34`, `35-44`, `45-49`, `50-55`, `56-up` (MovieLens 1M's) |
//! | | `gender`, `occupation` | categorical, 2 and 21 |
//! | | `region` | categorical, first digit of the zip code; zips that are not numbers (mostly Canada) are `other` |
//! | items | `genre` | multi-hot, 19 |
//! | | `year` | numeric, the film's as its title says (the release date is that of the United States, later for 191 films); the one film without gets the mean |

use std::path::Path;

use super::{Encoding, Format, Header, Table};
use crate::manifest::Layout;
use crate::split::Split;
use crate::territories::{ZIP_CODES, zip_region};
use crate::{Column, DataError, Dataset, Features, Interactions, Scale, Vocabulary};

/// Ratings run from 1 to 5.
pub const SCALE: Scale = Scale { low: 1.0, high: 5.0 };

/// The 19 genres in the order of `u.genre`.
pub const GENRES: [&str; 19] = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
];

const AGES: [(u32, &str); 7] = [
    (18, "under-18"),
    (25, "18-24"),
    (35, "25-34"),
    (45, "35-44"),
    (50, "45-49"),
    (56, "50-55"),
    (u32::MAX, "56-up"),
];

/// Reads the folder with `u.data`, `u.user`, `u.item` and `u.genre`; with a `layout` the row counts must agree.
///
/// # Errors
/// A [`DataError`] with file and line: missing file, wrong width, unknown user or item, rating out of 1 to 5, wrong
/// number of rows.
pub fn read(dir: &Path, layout: Option<&Layout>) -> Result<Dataset, DataError> {
    let plain = |delimiter, header: Header, encoding| Format {
        delimiter,
        header,
        quotes: false,
        encoding,
        ..Format::default()
    };
    let open = |name: &str, format: &Format| -> Result<Table, DataError> {
        let table = Table::read(&dir.join(name), format)?;
        table.expect_rows(layout.and_then(|l| l.rows(name)))?;
        Ok(table)
    };
    let genres = open("u.genre", &plain(b'|', Header::given(&["genre", "code"]), Encoding::Utf8))?;
    let genre_names: Vocabulary = genres.texts(0).collect();

    let people = open(
        "u.user",
        &plain(b'|', Header::given(&["user", "age", "gender", "occupation", "zip"]), Encoding::Utf8),
    )?;
    let (users, user_features) = people_features(&people)?;

    let mut names = vec!["item", "title", "release date", "video date", "url"];
    names.extend(genre_names.tokens());
    let films = open("u.item", &plain(b'|', Header::given(&names), Encoding::Latin1))?;
    let mut items = Vocabulary::new();
    let (mut titles, mut years, mut flags) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..films.rows() {
        new_token(&films, row, 0, &mut items)?;
        titles.push(films.text(row, 1).to_owned());
        let released = release_year(&films, row, 2)?;
        years.push(year_in(films.text(row, 1)).or(released));
        let mut codes = Vec::new();
        for genre in 0..genre_names.len() {
            match films.text(row, 5 + genre) {
                "1" => codes.push(genre as u32),
                "0" => {}
                _ => return Err(films.wrong(row, 5 + genre, "0 or 1")),
            }
        }
        flags.push(codes);
    }

    let ratings = open("u.data", &ratings_format())?;
    let interactions = rows_of(&ratings, &users, &items)?;
    assemble(
        "ml-100k",
        interactions,
        users,
        items,
        user_features,
        Films { titles, years, genres: Column::multi_hot(flags, genre_names) },
        "files",
    )
}

/// Reads `ml-100k.inter`, `.user` and `.item` as the Python package RecBole carries them, into the same columns.
///
/// The ratings are the same rows in the same order, the users and the genres the same. Release and video dates and
/// links are gone, titles have lost their year, and film 267 has no title: the data set's notes say so.
///
/// # Errors
/// As [`read`].
pub fn read_recbole(dir: &Path, layout: Option<&Layout>) -> Result<Dataset, DataError> {
    let format = Format { delimiter: b'\t', quotes: false, ..Format::default() };
    let open = |name: &str| -> Result<Table, DataError> {
        let table = Table::read(&dir.join(name), &format)?;
        table.expect_rows(layout.and_then(|l| l.rows(name)))?;
        Ok(table)
    };
    let expect = |table: &Table, names: &[&str]| -> Result<(), DataError> {
        names.iter().try_for_each(|name| table.column(name).map(drop))
    };
    let people = open("ml-100k.user")?;
    expect(&people, &["user_id:token", "age:token", "gender:token", "occupation:token", "zip_code:token"])?;
    let (users, user_features) = people_features(&people)?;

    let films = open("ml-100k.item")?;
    let title = films.column("movie_title:token_seq")?;
    let year = films.column("release_year:token")?;
    let class = films.column("class:token_seq")?;
    let genre_names: Vocabulary = GENRES.into_iter().collect();
    let mut items = Vocabulary::new();
    let (mut titles, mut years, mut flags) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..films.rows() {
        new_token(&films, row, 0, &mut items)?;
        titles.push(films.text(row, title).to_owned());
        // Two films have no number here; one of them has its year in the title.
        let told = films.text(row, year).parse::<f32>().ok().filter(|y| (1800.0..2200.0).contains(y));
        years.push(told.or_else(|| year_in(films.text(row, title))));
        let codes = films.text(row, class).split_whitespace().map(|genre| genre_names.get(genre));
        flags.push(
            codes
                .collect::<Option<Vec<u32>>>()
                .ok_or_else(|| films.wrong(row, class, "names of the 19 genres with spaces between them"))?,
        );
    }
    let ratings = open("ml-100k.inter")?;
    expect(&ratings, &["user_id:token", "item_id:token", "rating:float", "timestamp:float"])?;
    let interactions = rows_of(&ratings, &users, &items)?;
    let films = Films { titles, years, genres: Column::multi_hot(flags, genre_names) };
    let mut dataset = assemble("ml-100k", interactions, users, items, user_features, films, "files")?;
    dataset.notes.push(
        "read from RecBole's copy: same ratings, users and genres; release dates, video dates and links are missing, \
         titles have no year"
            .to_owned(),
    );
    Ok(dataset)
}

/// Reads an official fold, such as `u1.base` and `u1.test` for `name` = `"u1"`, against the ids of `dataset`.
///
/// # Errors
/// As [`read`]; also a row that `dataset` does not have, or a pair in both files.
pub fn fold(dir: &Path, name: &str, dataset: &Dataset, layout: Option<&Layout>) -> Result<Split, DataError> {
    let part = |ending: &str| -> Result<Interactions, DataError> {
        let file = format!("{name}.{ending}");
        let table = Table::read(&dir.join(&file), &ratings_format())?;
        table.expect_rows(layout.and_then(|l| l.rows(&file)))?;
        rows_of(&table, &dataset.users, &dataset.items)
    };
    Split::given(part("base")?, part("test")?, Some(&dataset.interactions))
}

struct Films {
    titles: Vec<String>,
    years: Vec<Option<f32>>,
    genres: Column,
}

fn ratings_format() -> Format {
    Format {
        delimiter: b'\t',
        header: Header::given(&["user", "item", "rating", "time"]),
        quotes: false,
        ..Format::default()
    }
}

fn rows_of(table: &Table, users: &Vocabulary, items: &Vocabulary) -> Result<Interactions, DataError> {
    let mut rows = Interactions { users: users.len(), items: items.len(), ..Interactions::default() };
    for row in 0..table.rows() {
        let known = |column: usize, vocabulary: &Vocabulary, what: &str| {
            vocabulary
                .get(table.text(row, column))
                .ok_or_else(|| table.wrong(row, column, &format!("one of the {} {what}", vocabulary.len())))
        };
        rows.user.push(known(0, users, "users of the users' file")?);
        rows.item.push(known(1, items, "items of the items' file")?);
        rows.rating.push(table.rating(row, 2, SCALE)?);
        rows.time.push(table.time(row, 3)?);
    }
    Ok(rows)
}

/// Adds the token in a key column, which may not have been there before.
pub(super) fn new_token(
    table: &Table,
    row: usize,
    column: usize,
    vocabulary: &mut Vocabulary,
) -> Result<u32, DataError> {
    let token = table.text(row, column);
    if token.is_empty() || vocabulary.get(token).is_some() {
        return Err(table.wrong(row, column, "an id that no row above has"));
    }
    Ok(vocabulary.insert(token))
}

/// Columns: user, age, gender, occupation, zip.
fn people_features(people: &Table) -> Result<(Vocabulary, Features), DataError> {
    let mut users = Vocabulary::new();
    let buckets: Vocabulary = AGES.iter().map(|&(_, name)| name).collect();
    let regions: Vocabulary = ZIP_CODES.into_iter().collect();
    let genders: Vocabulary = ["F", "M"].into_iter().collect();
    let (mut ages, mut bucket, mut gender, mut region) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..people.rows() {
        new_token(people, row, 0, &mut users)?;
        let age: u32 = people.number(row, 1, "an age in whole years")?;
        if age > 150 {
            return Err(people.wrong(row, 1, "an age from 0 to 150"));
        }
        ages.push(age as f32);
        bucket.push(AGES.iter().take_while(|&&(below, _)| age >= below).count() as u32);
        gender.push(genders.get(people.text(row, 2)).ok_or_else(|| people.wrong(row, 2, "F or M"))?);
        region.push(zip_region(people.text(row, 4)));
    }
    let mut features = Features::new(users.len());
    features.push("age", Column::Numeric(ages))?;
    features.push("age_bucket", Column::Categorical { codes: bucket, vocabulary: buckets })?;
    features.push("gender", Column::Categorical { codes: gender, vocabulary: genders })?;
    features.push("occupation", Column::categorical(people.texts(3)))?;
    features.push("region", Column::Categorical { codes: region, vocabulary: regions })?;
    Ok((users, features))
}

/// The last year in brackets: `Toy Story (1995)` is of 1995.
fn year_in(title: &str) -> Option<f32> {
    title.rsplit('(').find_map(|part| {
        let (digits, _) = part.split_once(')')?;
        let year: u16 = digits.parse().ok().filter(|_| digits.len() == 4)?;
        (1800..2200).contains(&year).then_some(f32::from(year))
    })
}

/// `01-Jan-1995` is 1995; a blank is unknown.
fn release_year(films: &Table, row: usize, column: usize) -> Result<Option<f32>, DataError> {
    let date = films.text(row, column);
    if date.is_empty() {
        return Ok(None);
    }
    let year = date.rsplit('-').next().and_then(|year| year.parse::<u16>().ok());
    match year {
        Some(year @ 1800..2200) => Ok(Some(f32::from(year))),
        _ => Err(films.wrong(row, column, "a date such as 01-Jan-1995, or a blank")),
    }
}

fn assemble(
    name: &str,
    interactions: Interactions,
    users: Vocabulary,
    items: Vocabulary,
    user_features: Features,
    films: Films,
    source: &str,
) -> Result<Dataset, DataError> {
    let mut item_features = Features::new(items.len());
    item_features.push("genre", films.genres)?;
    item_features.push_numbers("year", &films.years)?;
    let undated = item_features.filled("year").len();
    let row_features = Features::new(interactions.len());
    let dataset = Dataset {
        name: name.to_owned(),
        interactions,
        users,
        items,
        user_features,
        item_features,
        row_features,
        item_names: Some(films.titles),
        groups: None,
        scale: SCALE,
        has_time: true,
        source: source.to_owned(),
        notes: vec![format!("{undated} film without a year has the mean year")],
    };
    dataset.check()?;
    Ok(dataset)
}
