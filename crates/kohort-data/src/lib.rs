//! Ratings and features: typed readers, manifests, vocabularies, leak-proof splits, synthetic generators.

mod aggregate;
mod dataset;
mod duplicates;
mod error;
mod features;
pub mod fetch;
mod groups;
mod interactions;
pub mod learned;
mod manifest;
pub mod read;
mod split;
pub mod synthetic;
mod vocabulary;

pub use aggregate::{Aggregate, aggregate};
pub use dataset::{Dataset, Scale};
pub use duplicates::Duplicates;
pub use error::DataError;
pub use features::{Column, Features};
pub use groups::{Groups, Members};
pub use interactions::{Index, Interactions};
pub use manifest::{FileEntry, Layout, Manifest, Place, Reader};
pub use split::{Queries, Split, Test, Train, Validation, Way};
pub use vocabulary::{Unseen, Vocabulary};
