//! Columns of a Parquet file, row by row.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::{Type, TypePtr};

use super::rows::{Rows, wrong};
use crate::DataError;
use crate::read::DEFAULT_LIMIT;
use crate::vectors::Named;

/// Reads the names from the column `id` (texts or whole numbers) and the vectors from `columns`: one column of lists of
/// numbers, or a column for each number of the vector. No `columns` are all but `id`, in the order of the file.
///
/// Rows come one after the other, so no more than the vectors is held. Compression: none, Snappy or gzip.
///
/// # Errors
/// [`DataError::Vectors`], [`DataError::NoColumn`], [`DataError::TooLarge`], [`DataError::Io`].
pub fn parquet(path: &Path, id: &str, columns: &[&str]) -> Result<Named, DataError> {
    let file = File::open(path).map_err(DataError::io(path, "open it"))?;
    let bytes = file.metadata().map_err(DataError::io(path, "ask for its length"))?.len();
    if bytes > DEFAULT_LIMIT {
        return Err(DataError::TooLarge { path: path.to_path_buf(), bytes, limit: DEFAULT_LIMIT });
    }
    // The library asserts what a broken file need not keep, so its panics are errors here; where the program has not set
    // another hook, each also leaves its line on standard error.
    std::panic::catch_unwind(|| rows_of(path, file, id, columns)).unwrap_or_else(|panic| {
        let said =
            panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        Err(wrong(path, format!("not readable as Parquet: {}", said.unwrap_or("the reader gave up"))))
    })
}

fn rows_of(path: &Path, file: File, id: &str, columns: &[&str]) -> Result<Named, DataError> {
    let broken = |error: ParquetError| wrong(path, format!("not readable as Parquet: {error}"));
    let file = SerializedFileReader::new(file).map_err(broken)?;
    let unpacked = file.metadata().row_groups().iter().flat_map(|group| group.columns());
    let bytes = unpacked.map(|column| column.uncompressed_size().unsigned_abs()).fold(0, u64::saturating_add);
    if bytes > DEFAULT_LIMIT {
        return Err(wrong(path, format!("{bytes} bytes once unpacked, allowed are at most {DEFAULT_LIMIT}")));
    }
    let schema = file.metadata().file_metadata().schema_descr().root_schema_ptr();
    let wanted = Wanted::of(path, schema.get_fields(), id, columns)?;
    let projection = Type::group_type_builder(schema.name()).with_fields(wanted.fields.clone()).build();
    let mut rows = Rows::new(path, None);
    let mut numbers = Vec::new();
    for (at, row) in file.get_row_iter(Some(projection.map_err(broken)?)).map_err(broken)?.enumerate() {
        let row = row.map_err(|error| wrong(path, format!("row {at}: not readable as Parquet: {error}")))?;
        let id = wanted.read(&row, &mut numbers).map_err(|what| wrong(path, format!("row {at}{what}")))?;
        rows.push(&id, numbers.drain(..))?;
    }
    rows.finish()
}

/// The columns that are read, in the order of the file.
struct Wanted {
    fields: Vec<TypePtr>,
    /// Place of each in the vector; `None` for the id.
    place: Vec<Option<usize>>,
}

impl Wanted {
    fn of(path: &Path, fields: &[TypePtr], id: &str, columns: &[&str]) -> Result<Wanted, DataError> {
        let all: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        for column in std::iter::once(&id).chain(columns) {
            if !all.contains(column) {
                let (column, found) = ((*column).to_owned(), all.join(", "));
                return Err(DataError::NoColumn { path: path.to_path_buf(), column, found });
            }
        }
        if let Some(column) = columns.iter().find(|column| **column == id) {
            return Err(wrong(path, format!("column {column:?} is the id, expected columns of numbers")));
        }
        let own: Vec<&str> = match columns {
            [] => all.iter().copied().filter(|name| *name != id).collect(),
            given => given.to_vec(),
        };
        if let Some(column) = (1..own.len())
            .map(|at| own[at])
            .find(|name| own.iter().filter(|other| *other == name).count() > 1)
        {
            return Err(wrong(path, format!("column {column:?} twice, expected each column once")));
        }
        let of = |field: &&TypePtr| field.name() == id || own.contains(&field.name());
        let fields: Vec<TypePtr> = fields.iter().filter(of).map(Arc::clone).collect();
        if let Some(field) = fields.iter().find(|field| field.is_group() && own.len() > 1) {
            let what = format!(
                "column {:?} holds lists, expected it to be the only column of the vector",
                field.name()
            );
            return Err(wrong(path, what));
        }
        let place = fields.iter().map(|field| own.iter().position(|name| *name == field.name())).collect();
        Ok(Wanted { fields, place })
    }

    /// The id of a row, and its numbers into `numbers`; otherwise what is wrong, to stand behind the row's number.
    fn read(&self, row: &Row, numbers: &mut Vec<f64>) -> Result<String, String> {
        let mut id = None;
        let mut single = vec![0.0; self.place.len().saturating_sub(1)];
        let mut listed = false;
        for ((name, field), place) in row.get_column_iter().zip(&self.place) {
            match (place, field) {
                (None, field) => {
                    id = Some(text(field).ok_or_else(|| {
                        format!(", column {name:?}: found {field}, expected a text or a whole number")
                    })?)
                }
                (Some(_), Field::ListInternal(list)) => {
                    listed = true;
                    for (at, element) in list.elements().iter().enumerate() {
                        numbers.push(number(element).ok_or_else(|| {
                            format!(", column {name:?}, place {at}: found {element}, expected a number")
                        })?);
                    }
                }
                (Some(place), field) => {
                    single[*place] = number(field)
                        .ok_or_else(|| format!(", column {name:?}: found {field}, expected a number"))?;
                }
            }
        }
        if !listed {
            numbers.extend(single);
        }
        id.ok_or_else(|| " has no id".to_owned())
    }
}

fn text(field: &Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok().map(str::to_owned),
        Field::Byte(x) => Some(x.to_string()),
        Field::Short(x) => Some(x.to_string()),
        Field::Int(x) => Some(x.to_string()),
        Field::Long(x) => Some(x.to_string()),
        Field::UByte(x) => Some(x.to_string()),
        Field::UShort(x) => Some(x.to_string()),
        Field::UInt(x) => Some(x.to_string()),
        Field::ULong(x) => Some(x.to_string()),
        _ => None,
    }
}

fn number(field: &Field) -> Option<f64> {
    match *field {
        Field::Float16(x) => Some(x.into()),
        Field::Float(x) => Some(x.into()),
        Field::Double(x) => Some(x),
        Field::Byte(x) => Some(x.into()),
        Field::Short(x) => Some(x.into()),
        Field::Int(x) => Some(x.into()),
        Field::Long(x) => Some(x as f64),
        Field::UByte(x) => Some(x.into()),
        Field::UShort(x) => Some(x.into()),
        Field::UInt(x) => Some(x.into()),
        Field::ULong(x) => Some(x as f64),
        _ => None,
    }
}
