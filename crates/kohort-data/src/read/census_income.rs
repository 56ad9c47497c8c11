//! Census-Income (KDD): people of two survey years, of whom income, marital status and education are to be predicted.
//!
//! Source: the current population surveys of 1994 and 1995, UCI data set 117. As multi-task data: J. Ma et al., "Modeling
//! Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD 2018. A row is one person in 42
//! fields with comma and space between them, the last of which ends with a dot.
//!
//! | of | column | kind |
//! |---|---|---|
//! | features | [`NUMBERS`] | 7 numeric columns in the file's units; four have long tails, see [`Tails`] |
//! | | all others but those below | 31 categorical columns |
//! | targets | `income` | above 50,000 dollars |
//! | | `never married` | marital status is `Never married` |
//! | | `college` | an associate's degree or higher, [`COLLEGE`]; only with [`Tasks::Three`] |
//! | cohorts | `age band` | 0-17, 18-29, 30-44, 45-64, 65 and above, as in `age 30-44` |
//! | | `sex`, `race` | the file's words |
//! | weight | `instance weight` | how many people the row stands for |
//!
//! **What is no input.** Education and marital status, whatever the tasks, as in the paper; and the instance weight, the
//! 25th field, which several public implementations feed to their models. That leaves 38 inputs.
//!
//! **Codes.** The detailed recodes of industry and occupation (fields 3 and 4), whether a business is one's own, veteran's
//! benefits and the survey year are written as numbers and are categories. The size of the employer (field 31) is a class
//! from 0 to 6 that grows with the size, and stays a number, as UCI lists it. A missing value, `?`, is a category of its
//! own: in the four migration fields it marks all of the survey of 1995.
//!
//! **What gives a target away.** `household status` and `household summary` all but spell it out (`Child under 18 never
//! married`), and `tax filer status` says who files jointly. They stay, as in the published experiments: that is why the
//! AUC of marital status is near 0.99. The cohorts are made of age, sex and race alone; but nearly nobody below 18 is
//! married and nobody in the test half earns above 50,000, so some measures do not exist in that cohort.
//!
//! **Two halves.** The official training part, `census-income.data.gz`, is read before the test part where it lies in the
//! folder; then [`Records::published_train`] counts its rows and [`RecordSplit::published`] cuts as the paper does. Its
//! checksum is not known, so [`fetch`](crate::fetch) neither fetches nor reads it.
//!
//! [`RecordSplit::published`]: crate::records::RecordSplit::published

use std::path::Path;

use super::{Format, Header, Table, gzip};
use crate::manifest::Layout;
use crate::records::{Records, Target};
use crate::{Column, DataError, Features, Vocabulary};

/// The official test part, which must be there.
pub const TEST_FILE: &str = "census-income.test.gz";
/// The official training part, which may be.
pub const TRAIN_FILE: &str = "census-income.data.gz";

/// The fields in the order of the file. The names are ours, shorter than UCI's.
pub const FIELDS: [&str; 42] = [
    "age",
    "class of worker",
    "industry code",
    "occupation code",
    EDUCATION,
    "wage per hour",
    "enrolled last week",
    MARITAL_STATUS,
    "major industry",
    "major occupation",
    "race",
    "hispanic origin",
    "sex",
    "union member",
    "reason for unemployment",
    "employment status",
    "capital gains",
    "capital losses",
    "dividends",
    "tax filer status",
    "previous region",
    "previous state",
    "household status",
    "household summary",
    WEIGHT,
    "migration between areas",
    "migration between regions",
    "migration within region",
    "same house a year ago",
    "previous residence in sunbelt",
    "employer size",
    "parents present",
    "father's birth country",
    "mother's birth country",
    "birth country",
    "citizenship",
    "own business",
    "veteran's questionnaire",
    "veteran's benefits",
    "weeks worked",
    "year",
    INCOME,
];

const EDUCATION: &str = "education";
const MARITAL_STATUS: &str = "marital status";
const WEIGHT: &str = "instance weight";
const INCOME: &str = "income";

/// The fields that are numbers; all others are categories.
pub const NUMBERS: [&str; 7] =
    ["age", "wage per hour", "capital gains", "capital losses", "dividends", "employer size", "weeks worked"];

/// The numbers that are 0 for nearly everybody and large for a few.
pub const LONG_TAILS: [&str; 4] = ["wage per hour", "capital gains", "capital losses", "dividends"];

/// Educations that count as college: an associate's degree or higher. With this reading of the paper's "at least college"
/// the correlation with `never married` is the paper's 0.237.
pub const COLLEGE: [&str; 6] = [
    "Associates degree-occup /vocational",
    "Associates degree-academic program",
    "Bachelors degree(BA AB BS)",
    "Masters degree(MA MS MEng MEd MSW MBA)",
    "Prof school degree (MD DDS DVM LLB JD)",
    "Doctorate degree(PhD EdD)",
];

const BELOW_COLLEGE: [&str; 11] = [
    "Children",
    "Less than 1st grade",
    "1st 2nd 3rd or 4th grade",
    "5th or 6th grade",
    "7th and 8th grade",
    "9th grade",
    "10th grade",
    "11th grade",
    "12th grade no diploma",
    "High school graduate",
    "Some college but no degree",
];

const NEVER_MARRIED: &str = "Never married";

const MARITAL_STATUSES: [&str; 7] = [
    NEVER_MARRIED,
    "Married-civilian spouse present",
    "Married-A F spouse present",
    "Married-spouse absent",
    "Separated",
    "Divorced",
    "Widowed",
];

/// The age bands of the cohort column, youngest first, each with its lowest age.
pub const AGE_BANDS: [(u8, &str); 5] =
    [(0, "age 0-17"), (18, "age 18-29"), (30, "age 30-44"), (45, "age 45-64"), (65, "age 65+")];

/// What is to be predicted. The inputs are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tasks {
    /// `income` and `never married`.
    Two,
    /// `income`, `never married` and `college`.
    #[default]
    Three,
}

/// What becomes of the columns in [`LONG_TAILS`]. A capital gain of 99,999 dollars is 21 deviations above the mean, so
/// that on the raw scale a handful of people make a linear model's gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tails {
    /// As in the file.
    #[default]
    Raw,
    /// ln(1 + x).
    Log1p,
}

/// Reads all three tasks with columns as in the file; with a `layout` the row counts must agree, and only files that it
/// lists are read.
///
/// # Errors
/// A [`DataError`] with file and line: missing file, broken gzip, wrong width, a label without its dot, an education or
/// marital status that is none, a number that is none, wrong number of rows.
pub fn read(dir: &Path, layout: Option<&Layout>) -> Result<Records, DataError> {
    read_with(dir, layout, Tasks::Three, Tails::Raw)
}

/// Reads the tasks asked for.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    dir: &Path,
    layout: Option<&Layout>,
    tasks: Tasks,
    tails: Tails,
) -> Result<Records, DataError> {
    let wanted = |file: &str| layout.is_none_or(|layout| layout.file(file).is_some());
    let mut tables = Vec::new();
    if wanted(TRAIN_FILE) && dir.join(TRAIN_FILE).is_file() {
        tables.push(open(dir, layout, TRAIN_FILE)?);
    }
    let published_train = tables.first().map(Table::rows);
    tables.push(open(dir, layout, TEST_FILE)?);

    let mut features = Features::new(tables.iter().map(Table::rows).sum());
    for (at, name) in FIELDS.into_iter().enumerate() {
        if NUMBERS.contains(&name) {
            let mut values = numbers(&tables, at)?;
            if tails == Tails::Log1p && LONG_TAILS.contains(&name) {
                values.iter_mut().for_each(|value| *value = value.ln_1p());
            }
            features.push(name, Column::Numeric(values))?;
        } else if ![EDUCATION, MARITAL_STATUS, WEIGHT, INCOME].contains(&name) {
            features.push(name, Column::categorical(texts(&tables, at)))?;
        }
    }

    let mut targets = vec![
        Target::binary(INCOME, labels(&tables, INCOME, &["50000+."], &["- 50000."])?),
        Target::binary(
            "never married",
            labels(&tables, MARITAL_STATUS, &[NEVER_MARRIED], &MARITAL_STATUSES[1..])?,
        ),
    ];
    let college = labels(&tables, EDUCATION, &COLLEGE, &BELOW_COLLEGE)?;
    if tasks == Tasks::Three {
        targets.push(Target::binary("college", college));
    }

    let mut notes = vec![
        "the household columns all but spell \"never married\" and are kept, as published".to_owned(),
        "education, marital status and the instance weight are no inputs".to_owned(),
    ];
    if published_train.is_none() {
        notes.push("the official training half is not here: the test half has to be cut in three".to_owned());
    }
    if tails == Tails::Log1p {
        notes.push(format!("of {} the features are ln(1 + x)", LONG_TAILS.join(", ")));
    }
    let records = Records {
        cohorts: cohorts(&features)?,
        targets,
        weight: Some(numbers(&tables, field(WEIGHT))?),
        published_train,
        notes,
        ..Records::new("census-income", features)
    };
    records.check()?;
    Ok(records)
}

fn open(dir: &Path, layout: Option<&Layout>, file: &str) -> Result<Table, DataError> {
    let format = Format { header: Header::given(&FIELDS), quotes: false, ..Format::default() };
    let path = dir.join(file);
    let table = Table::parse(&path, &gzip::bytes_of(&path, format.limit)?, &format)?;
    table.expect_rows(layout.and_then(|layout| layout.rows(file)))?;
    Ok(table)
}

/// Where a field is.
fn field(name: &str) -> usize {
    FIELDS.iter().position(|&field| field == name).unwrap_or(FIELDS.len())
}

fn texts(tables: &[Table], at: usize) -> impl Iterator<Item = &str> {
    tables.iter().flat_map(move |table| table.texts(at))
}

fn numbers(tables: &[Table], at: usize) -> Result<Vec<f32>, DataError> {
    let cells = tables.iter().flat_map(|table| (0..table.rows()).map(move |row| (table, row)));
    cells
        .map(|(table, row)| match table.float(row, at) {
            Ok(value) if value >= 0.0 => Ok(value),
            _ => Err(table.wrong(row, at, "a number of at least 0")),
        })
        .collect()
}

/// Whether each row has one of the words `yes`; every other must be one of `no`.
fn labels(tables: &[Table], name: &str, yes: &[&str], no: &[&str]) -> Result<Vec<bool>, DataError> {
    let at = field(name);
    let cells = tables.iter().flat_map(|table| (0..table.rows()).map(move |row| (table, row)));
    cells
        .map(|(table, row)| match table.text(row, at) {
            text if yes.contains(&text) => Ok(true),
            text if no.contains(&text) => Ok(false),
            _ => Err(table.wrong(row, at, &format!("one of {}", [no, yes].concat().join(" | ")))),
        })
        .collect()
}

fn cohorts(features: &Features) -> Result<Features, DataError> {
    let mut cohorts = Features::new(features.rows);
    if let Some(Column::Numeric(ages)) = features.column("age") {
        let band = |&age: &f32| AGE_BANDS.partition_point(|&(from, _)| f32::from(from) <= age) as u32 - 1;
        let codes = ages.iter().map(band).collect();
        let vocabulary: Vocabulary = AGE_BANDS.iter().map(|&(_, name)| name).collect();
        cohorts.push("age band", Column::Categorical { codes, vocabulary })?;
    }
    for name in ["sex", "race"] {
        if let Some(column) = features.column(name) {
            cohorts.push(name, column.clone())?;
        }
    }
    Ok(cohorts)
}
