//! Whose row is it? Cohorts as layers see them: a number per row, where runs of one cohort begin, and which cohort lies
//! within which.

mod embedding;
mod hierarchy;
mod segments;

pub use embedding::CohortEmbedding;
pub use hierarchy::{Hierarchy, HierarchyError};
pub use segments::Segments;

/// The cohort of a row that belongs to none that is known: layers serve it with what all cohorts share.
pub const UNKNOWN: u32 = u32::MAX;
