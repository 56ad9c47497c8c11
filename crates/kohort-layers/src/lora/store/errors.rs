//! What a store refuses.

use std::path::PathBuf;

use kohort_core::weights::WeightsError;

/// Why a store did not do what it was asked; it is then unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A name that can't be a file's.
    #[error("{name:?}: a name has 1 to 100 letters, digits, '-', '_' or '.', and does not begin with '.'")]
    Name {
        /// The name.
        name: String,
    },
    /// A name that is taken.
    #[error("adapter {name} is there already: swap it, or remove it first")]
    Taken {
        /// The name.
        name: String,
    },
    /// A name without an adapter.
    #[error("there is no adapter {name}; there are: {}", known.join(", "))]
    Missing {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Something that needs the base as it is, while an adapter is merged into it.
    #[error("{action}: adapter {merged} is merged into the base; unmerge it first")]
    Merged {
        /// What was asked.
        action: String,
        /// The merged adapter.
        merged: String,
    },
    /// Nothing to unmerge.
    #[error("unmerge: no adapter is merged into the base")]
    NotMerged,
    /// An adapter that is turned off.
    #[error("merge: adapter {name} is disabled; enable it first")]
    Disabled {
        /// The adapter.
        name: String,
    },
    /// An adapter that does not fit the base's layers, or those of the adapter whose place it is to take.
    #[error("adapter {name}: {what}")]
    Shape {
        /// The adapter.
        name: String,
        /// What does not fit.
        what: String,
    },
    /// An adapter of another base.
    #[error("{}: made for the base {found}, this one is {expected}", path.display())]
    Base {
        /// The file.
        path: PathBuf,
        /// Fingerprint of the base that it names.
        found: String,
        /// Fingerprint of the store's base.
        expected: String,
    },
    /// A file that is not an adapter's, or not an intact one.
    #[error("{}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The weights could not be written or read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}
