//! What can be wrong with data, said so that it can be mended.

use std::path::PathBuf;

/// An error in data: where it is, what was found, and what is allowed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A field of a text file could not be used.
    #[error("{}:{line}: field {field}: found {found:?}, expected {expected}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// Name of the column.
        field: String,
        /// What the file has.
        found: String,
        /// What is allowed.
        expected: String,
    },
    /// Columns that do not fit together.
    #[error("{what}")]
    Columns {
        /// What does not fit.
        what: String,
    },
}
