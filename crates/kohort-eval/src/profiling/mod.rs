//! Scores of a profiling head, or of a clustering against another.
//!
//! A [`ConfusionMatrix`] gives accuracy, precision, recall and F1 per class, macro and micro averaged. Cluster labels
//! carry no meaning of their own and permute between fits: bring them to the names of the truth first with
//! [`match_labels`], or compare partitions with [`normalised_mutual_information`] and [`adjusted_rand_index`], which
//! ignore names.
//!
//! ```
//! use kohort_eval::profiling::{ConfusionMatrix, match_labels};
//!
//! let truth = [0, 0, 1, 1, 2, 2];
//! let clusters = [2, 2, 0, 0, 1, 0]; // the same groups under other names, one user misplaced
//! let names = match_labels(&truth, &clusters, 3)?;
//! assert_eq!(names, [1, 2, 0]); // cluster 0 is group 1, …
//! let named: Vec<u32> = clusters.iter().map(|&c| names[c as usize]).collect();
//! let matrix = ConfusionMatrix::new(&truth, &named, 3)?;
//! assert_eq!(matrix.accuracy(), 5.0 / 6.0);
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```
//!
//! When not to use it: if the groups were computed from the very features the head reads, 100 % accuracy proves
//! nothing; report the nearest-centroid score beside it.

mod agreement;
mod assignment;
mod confusion;

pub use agreement::{adjusted_rand_index, normalised_mutual_information};
pub use assignment::{cheapest_assignment, match_labels};
pub use confusion::{ClassScores, ConfusionMatrix, ProfileScores};
