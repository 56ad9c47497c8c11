//! Where a data set came from, for the manifest and the report.

use serde::Serialize;

/// One file with the checksum that it was found to have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FileRecord {
    /// Its name in the data set's folder.
    pub(crate) path: String,
    /// Length.
    pub(crate) bytes: u64,
    /// Checksum.
    pub(crate) sha256: String,
}

/// Source, terms and checksums.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Provenance {
    /// `official`, `mirror`, `pip-…`, `synthetic`.
    pub(crate) source: String,
    /// The folder that was read; empty for synthetic data.
    pub(crate) folder: String,
    /// How to cite it.
    pub(crate) citation: String,
    /// Its terms.
    pub(crate) licence: String,
    /// The files that were read.
    pub(crate) files: Vec<FileRecord>,
}

impl Provenance {
    /// Each file's checksum and source, for a page: what it is called there, and what is said of it.
    pub(crate) fn facts(&self, dataset: &str) -> Vec<(String, String)> {
        let said = |file: &FileRecord| {
            let what = format!("sha256 {} ({} bytes, {})", file.sha256, file.bytes, self.source);
            (format!("{dataset} {}", file.path), what)
        };
        self.files.iter().map(said).collect()
    }
}
