//! Ratings and features: typed readers, manifests, vocabularies, leak-proof splits, synthetic generators.

mod error;
mod interactions;
mod split;

pub use error::DataError;
pub use interactions::{Index, Interactions};
pub use split::{Queries, Test, Train, Validation};
