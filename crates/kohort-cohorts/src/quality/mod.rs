//! How good a clustering is, how many clusters to take, and how far two clusterings agree.

mod agreement;
mod elbow;
mod silhouette;

pub use agreement::{LabelsDiffer, adjusted_rand, normalised_mutual_information};
pub use elbow::{Elbow, ElbowRow, elbow};
pub use silhouette::{QualityError, Silhouette, silhouette, silhouette_sampled};
