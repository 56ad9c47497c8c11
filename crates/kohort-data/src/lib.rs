//! Ratings, records and features: typed readers, manifests, vocabularies, leak-proof splits, synthetic generators.
//!
//! # From files to parts
//!
//! A [`Dataset`] is ratings in columns ([`Interactions`]), two [`Vocabulary`]s between the file's names and dense ids,
//! typed [`Features`] of users, items and rows, and, where they exist, real [`Groups`]. It is made in one of three ways:
//!
//! | From | With | For |
//! |---|---|---|
//! | a name, `ml-100k`, `itm-rec` or `xmarket` | [`fetch::open`] | real data, found and checked |
//! | files of your own | [`read::delimited`], [`read::recbole`] | any table with named columns |
//! | a recipe and a seed | [`synthetic::Recipe`] | data whose right answer is known |
//!
//! ```
//! use kohort_data::{Way, learned::{Weighting, user_profile}, synthetic::Recipe};
//!
//! let (data, truth) = Recipe::small().generate(42)?;
//! let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 42)?;
//!
//! // What may be learned from is a type of its own, and features are made from nothing else.
//! let profile = user_profile(&split.train, data.item_features.column("genre"), Weighting::default())?;
//! assert_eq!(profile.rows(), data.users.len());
//!
//! // A part of it is set aside for choices, and joined again for the last fit.
//! let (train, validation) = split.train.hold_out(0.1, 42)?;
//! assert_eq!(train.rows().len() + validation.rows().len(), split.train.rows().len());
//!
//! // Of the test part a model sees the questions; the answers are for the evaluator.
//! let questions = split.test.queries();
//! assert_eq!(questions.user.len(), split.test.answers().len());
//! assert!(truth.rmse(split.test.answers()) < 1.0);
//! # Ok::<(), kohort_data::DataError>(())
//! ```
//!
//! # Duplicates come first
//!
//! A split refuses rows that repeat a (user, item) pair, because one of them could be learned from and the other
//! scored. Merge them before ([`Dataset::merge_duplicates`]), or say that you want them
//! ([`Way::split_with_duplicates`]).
//!
//! # Two units
//!
//! A user rates, and a group rates. Group ratings are either the group's own ([`Groups::interactions`]) or made from
//! its members' ([`aggregate()`], [`Split::by_group`]); both are [`Interactions`] in which the `user` column holds the
//! group, so everything that works for users works for groups.
//!
//! # Territories
//!
//! A market, a region or any other place of a user is a [`territories::Territories`]. From it and training rows come
//! groups of territories ([`territories::Grouping`]), local and global titles ([`territories::Reach`]), negatives of the
//! own market ([`TrainNegatives`], [`Parts::test_candidates`]) and active-user upsampling ([`upsample::Upsampling`]);
//! [`synthetic::MarketRecipe`] plants territories whose true preferences are known.
//!
//! # Records
//!
//! Data that is not about users and items is [`records::Records`]: rows with features, several targets and cohort
//! columns, from [`fetch::open_records`] (`census-income`, `twitch`) or a recipe ([`synthetic::CohortRecipe`],
//! [`synthetic::MmoeRecipe`]). They are cut in parts by [`records::RecordShares`]; [`records::CohortPaths`] names the
//! cohorts within cohorts of the training rows.
//!
//! # Vectors
//!
//! What is known of a title or a user as a vector comes from files ([`read::vectors`]) and is put in the order of a
//! vocabulary ([`vectors::Named::aligned`]); models take [`Vectors`].
//!
//! # Nothing is believed
//!
//! Files are refused above a size that is checked before reading; every fault is a [`DataError`] with path, line,
//! column, value and what is allowed; files of a known data set must have the manifest's SHA-256. Random choices come
//! from named streams, so the same seed gives the same parts on every machine.

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
mod negatives;
pub mod read;
pub mod records;
mod split;
pub mod synthetic;
pub mod territories;
pub mod upsample;
pub mod vectors;
mod vocabulary;

pub use aggregate::{Aggregate, aggregate};
pub use dataset::{Dataset, Scale};
pub use duplicates::Duplicates;
pub use error::DataError;
pub use features::{Column, Features};
pub use groups::{Groups, Members};
pub use interactions::{Index, Interactions};
pub use manifest::{FileEntry, Holds, Layout, Manifest, Place, Reader};
pub use negatives::{RankingCandidates, TrainNegatives};
pub use split::{Parts, Queries, Split, Test, ThreeWay, Train, Validation, Way};
pub use vectors::Vectors;
pub use vocabulary::{Unseen, Vocabulary};
