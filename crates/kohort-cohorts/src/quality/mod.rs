//! How good a clustering is, and how many clusters to take.

mod elbow;
mod silhouette;

pub use elbow::{Elbow, ElbowRow, elbow};
pub use silhouette::{QualityError, Silhouette, silhouette, silhouette_sampled};
