//! Finding cohorts and keeping them.
//!
//! # Manual
//!
//! **Points** are row-major slices with a number of columns. [`Points::new`] checks them once: whole rows,
//! finite values; an error names row and column. Rows may have weights. Everything is generic over `f32` and
//! `f64`; sums that grow with the number of rows are f64 either way.
//!
//! **Clusters** come from [`KMeansConfig::fit`]: Lloyd's algorithm from greedy k-means++ (or random points, or
//! given centres), several restarts of which the best is kept as a whole, empty clusters moved to the farthest
//! points, or mini-batches for data where full passes are too slow. The result has the same bits for any
//! number of threads.
//!
//! **How many?** [`quality::elbow`] fits a range and prints a table; [`quality::silhouette`] judges one
//! clustering.
//!
//! **The same cohort next month** is found by [`Assignment::next`]: clusters of a later fit take over the ids
//! of the cohorts they share most users with. Where the users differ, [`match_ids_by_centres`] compares
//! centres.
//!
//! **Graphs** ([`graph`]) come from edge lists, from files (delimited, GML) or from interactions, whose users are joined to their
//! nearest neighbours ([`graph::Projection`]). Weights must be finite and not negative; loops are kept, and count twice in
//! a node's strength.
//!
//! **Communities** ([`communities`]) of a graph: [`Leiden`](communities::Leiden) for modularity or CPM, with communities that
//! are connected by construction; [`Louvain`](communities::Louvain), [`Spectral`](communities::Spectral), [`LabelPropagation`](communities::LabelPropagation) and
//! [`components`](communities::components) beside it. The same bits for a seed on any number of threads. How far two
//! partitions agree: [`quality::normalised_mutual_information`], [`quality::adjusted_rand`].
//!
//! **Behaviour** ([`behaviour`]): recency, frequency, value and trend of each user up to a moment, as points for KMeans or for
//! rules that read as sentences; lifecycle stages.
//!
//! **New users** are placed by an [`Assigner`], which remembers features, units, centres and ids, and can be
//! stored with serde, in `kohort_core::checkpoint` for one; it is checked again when it is read. So are rules, the vote
//! of neighbours in a graph, and the items a user took ([`living::SavedAssigner`]).
//!
//! **Over time** ([`living`]): [`Living::next`](living::Living::next) continues cohorts of users who come and go, folds small ones
//! into their parents, and says in words which split, merged, were born and died.
//!
//! **Trust**: [`profile`] says what cohorts are made of, names them, and measures how far fits on resampled users agree;
//! [`controls`] makes random cohorts of the same sizes to compare with; [`map`] gives each user a place in two dimensions.
//!
//! ```
//! use std::num::NonZeroUsize;
//! use kohort_cohorts::{Assigner, Assignment, KMeansConfig, Points, Standardiser, quality};
//!
//! // Six users: mean rating, share of ratings at night.
//! let users = [4.5f32, 0.1, 4.4, 0.2, 4.6, 0.1, 2.0, 0.9, 2.2, 0.8, 2.1, 0.9];
//! let columns = Standardiser::fit(&Points::new(&users, 2)?);
//! let scaled = columns.apply(&users);
//! let points = Points::new(&scaled, 2)?;
//!
//! let report = quality::elbow(&points, 2..=4, &KMeansConfig::new(2), NonZeroUsize::MAX)?;
//! assert_eq!(report.best_silhouette, Some(2));
//!
//! let fit = KMeansConfig { seed: 1, ..KMeansConfig::new(2) }.fit(&points)?;
//! let cohorts = Assignment::first(&fit);
//! assert_eq!(cohorts.labels[0], cohorts.labels[2]);
//! assert_ne!(cohorts.labels[0], cohorts.labels[3]);
//!
//! let names = vec!["mean rating".into(), "night share".into()];
//! let assigner = Assigner::new(names, columns, &fit, &cohorts.ids)?;
//! let newcomer = assigner.place(&[4.3, 0.3])?[0];
//! assert_eq!(newcomer.cohort, cohorts.labels[0]);
//! assert!(newcomer.margin.is_some_and(|margin| margin > 1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From interactions to communities:
//!
//! ```
//! use kohort_cohorts::communities::Leiden;
//! use kohort_cohorts::graph::{Bipartite, Projection, Similarity};
//!
//! // Users 0 to 2 take items 0 to 2, users 3 to 5 take items 3 to 5; user 2 tried item 3.
//! let user = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5];
//! let item = [0, 1, 1, 2, 0, 2, 3, 3, 4, 4, 5, 3, 5];
//! let taken = Bipartite::new(6, 6, &user, &item, None)?;
//! let graph = Projection { similarity: Similarity::Jaccard, neighbours: 3, ..Projection::default() }.graph(&taken)?;
//! let found = Leiden { seed: 1, ..Leiden::default() }.fit(&graph)?;
//! assert_eq!(found.labels, [0, 0, 0, 1, 1, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod assigner;
pub mod assignment;
pub mod behaviour;
pub mod communities;
pub mod controls;
pub mod graph;
pub mod kmeans;
pub mod living;
pub mod map;
mod matching;
pub mod points;
pub mod profile;
pub mod quality;
mod standardiser;

pub use assigner::{AssignError, Assigner, Placement};
pub use assignment::{Assignment, MatchError, Matched, match_ids, match_ids_by_centres};
pub use kmeans::{Init, KMeans, KMeansConfig, KMeansError, MiniBatch};
pub use points::{LARGEST, Points, PointsError};
pub use standardiser::Standardiser;
