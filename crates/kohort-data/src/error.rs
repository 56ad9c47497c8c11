//! What can be wrong with data, said so that it can be mended.

use std::path::{Path, PathBuf};

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
    /// A row with too many or too few columns.
    #[error("{}:{line}: found {found} columns, expected {expected} ({columns})", path.display())]
    Width {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// Columns in the row.
        found: usize,
        /// Columns the file must have.
        expected: usize,
        /// Their names.
        columns: String,
    },
    /// A column that the file does not have.
    #[error("{}:1: no column {column:?}; the columns are {found}", path.display())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column looked for.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// A file that ends too early, or goes on too long.
    #[error("{}:{line}: the file ends after {found} rows, expected {expected}", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// The last line.
        line: u64,
        /// Rows in the file.
        found: u64,
        /// Rows it must have.
        expected: u64,
    },
    /// A file that is not the one its manifest describes.
    #[error(
        "{}:{line}: not the file of the manifest: found {found_bytes} bytes with sha256 {found}, expected \
         {bytes} bytes with sha256 {expected}",
        path.display()
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// The last line of the file as it is.
        line: u64,
        /// Length of the file.
        found_bytes: u64,
        /// Its checksum (or why none was computed).
        found: String,
        /// Length it must have.
        bytes: u64,
        /// Checksum it must have.
        expected: String,
    },
    /// A file above the limit; nothing of it was read.
    #[error("{}: {bytes} bytes, allowed are at most {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The system refused a file operation.
    #[error("{}: cannot {doing}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A text file whose structure is broken (quotes that never close, for example).
    #[error("{}:{line}: {what}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Vectors that cannot be used.
    #[error("{origin}: {what}")]
    Vectors {
        /// The file, or what they are otherwise called.
        origin: String,
        /// What is wrong, with row, column and id where there are.
        what: String,
    },
    /// A manifest that cannot be used.
    #[error("manifest {origin}: {what}")]
    Manifest {
        /// Name or path of the manifest.
        origin: String,
        /// What is wrong.
        what: String,
    },
    /// Columns that do not fit together.
    #[error("{what}")]
    Columns {
        /// What does not fit.
        what: String,
    },
    /// A setting out of its range.
    #[error("{name}: found {found}, expected {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: String,
        /// What is allowed.
        expected: String,
    },
    /// The same user rated the same item twice where a split or a policy needs each pair once.
    #[error(
        "user id {user} and item id {item} meet in rows {first} and {second} ({repeated} rows repeat a pair): \
         merge duplicates before the split, or allow them, knowing that one pair may then be in both parts"
    )]
    Duplicate {
        /// Dense user id.
        user: u32,
        /// Dense item id.
        item: u32,
        /// The first row of the pair.
        first: usize,
        /// The second row of the pair.
        second: usize,
        /// Rows whose pair had been seen before.
        repeated: usize,
    },
    /// A token the vocabulary does not have.
    #[error("{token:?} is not in the vocabulary of {size} tokens")]
    Unseen {
        /// The token.
        token: String,
        /// Tokens known.
        size: usize,
    },
    /// A place did not have the data set, or not the right files.
    #[error("{what}")]
    Place {
        /// What happened there.
        what: String,
    },
    /// A data set that no place had.
    #[error("{}", crate::fetch::tell(name, attempts, advice))]
    NotFound {
        /// The data set.
        name: String,
        /// Every place tried and why it did not serve.
        attempts: Vec<crate::fetch::Attempt>,
        /// What to type next.
        advice: Vec<String>,
    },
}

impl DataError {
    /// An [`DataError::Io`] for `path`, to be used with `map_err`.
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> DataError {
        let path = path.to_path_buf();
        move |source| DataError::Io { path, doing, source }
    }
}
