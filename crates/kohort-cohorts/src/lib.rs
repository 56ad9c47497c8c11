//! Finding cohorts and keeping them.

pub mod kmeans;
mod points;

pub use kmeans::{Init, KMeans, KMeansConfig, KMeansError, MiniBatch};
pub use points::{LARGEST, Points, PointsError};
