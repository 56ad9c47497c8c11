//! Rows as they come out of a file, checked one by one.

use std::path::Path;

use crate::vectors::{Named, repeated};
use crate::{DataError, Vectors, Vocabulary};

/// What is wrong with a file of vectors.
pub(super) fn wrong(path: &Path, what: impl Into<String>) -> DataError {
    DataError::Vectors { origin: path.display().to_string(), what: what.into() }
}

/// The rows read so far.
pub(super) struct Rows<'a> {
    path: &'a Path,
    ids: Vocabulary,
    width: Option<usize>,
    values: Vec<f32>,
}

impl<'a> Rows<'a> {
    /// No rows yet; of `width` numbers each, or of as many as the first one has.
    pub(super) fn new(path: &'a Path, width: Option<usize>) -> Rows<'a> {
        Rows { path, ids: Vocabulary::new(), width, values: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, id: &str, numbers: impl Iterator<Item = f64>) -> Result<(), DataError> {
        let row = self.ids.len();
        if id.is_empty() {
            return Err(wrong(self.path, format!("row {row} has no id")));
        }
        if let Some(what) = repeated(&mut self.ids, row, id) {
            return Err(wrong(self.path, what));
        }
        let from = self.values.len();
        for (column, number) in numbers.enumerate() {
            let narrow = number as f32;
            if !narrow.is_finite() {
                let expected =
                    if number.is_finite() { "a number that f32 can hold" } else { "a finite number" };
                let what =
                    format!("row {row} (id {id:?}), column {column}: found {number}, expected {expected}");
                return Err(wrong(self.path, what));
            }
            self.values.push(narrow);
        }
        let found = self.values.len() - from;
        match self.width {
            _ if found == 0 => Err(wrong(self.path, format!("row {row} (id {id:?}) has no numbers"))),
            Some(width) if width != found => {
                let what = format!(
                    "row {row} (id {id:?}) has {found} numbers, expected {width}, as the rows before it"
                );
                Err(wrong(self.path, what))
            }
            _ => {
                self.width = Some(found);
                Ok(())
            }
        }
    }

    /// All of them.
    pub(super) fn finish(self) -> Result<Named, DataError> {
        let width = match self.width {
            Some(width) if !self.ids.is_empty() => width,
            _ => return Err(wrong(self.path, "no rows, expected at least one")),
        };
        let ids: Vec<&str> = self.ids.tokens().collect();
        Named::new(&self.path.display().to_string(), &ids, Vectors::new(self.values, width)?)
    }
}
