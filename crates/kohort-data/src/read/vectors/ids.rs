//! Names of rows that a file of numbers has no place for.

use std::path::Path;

use super::rows::wrong;
use crate::DataError;
use crate::read::{DEFAULT_LIMIT, bytes_of};

/// Where the names of the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids<'a> {
    /// A text file in UTF-8 with one name a line, in the order of the rows.
    Lines(&'a Path),
    /// An entry of a safetensors file's metadata: a JSON list of strings, in the order of the rows.
    Metadata(&'a str),
}

/// The lines of a file: exactly `rows`, none of them empty.
pub(super) fn lines(path: &Path, rows: usize, of: &Path) -> Result<Vec<String>, DataError> {
    let bytes = bytes_of(path, DEFAULT_LIMIT)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() as u64;
        DataError::Text { path: path.to_path_buf(), line, what: "not UTF-8".to_owned() }
    })?;
    let mut ids = Vec::new();
    for (line, id) in (1u64..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
        if id.is_empty() {
            let what = "an empty line, expected an id".to_owned();
            return Err(DataError::Text { path: path.to_path_buf(), line, what });
        }
        ids.push(id.to_owned());
    }
    expect(path, ids.len(), rows, of)?;
    Ok(ids)
}

/// Refuses another number of ids than rows.
pub(super) fn expect(path: &Path, ids: usize, rows: usize, of: &Path) -> Result<(), DataError> {
    if ids == rows {
        return Ok(());
    }
    Err(wrong(path, format!("found {ids} ids, expected {rows}, the rows of {}", of.display())))
}
