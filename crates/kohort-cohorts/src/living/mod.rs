//! Cohorts that live: new users join, a later fit keeps the ids, and what changed is said in words.
//!
//! | File | Idea |
//! |---|---|
//! | `refit` | a later fit continues the cohorts of an earlier one |
//! | `flow` | how many users went from which cohort to which |
//! | `changes` | splits, merges, births, deaths, read from the flow |
//! | `words` | the same as sentences |
//! | `drift` | the population stability index |
//! | `fold` | small cohorts become part of larger ones |
//! | `vote` | a new user goes where most of its neighbours are |
//! | `inductive` | a new user goes where those are who took alike, by a graph network's vectors of items |
//! | `saved` | any assigner, to be stored beside a model |
//! | `errors` | what can be refused |

mod changes;
mod drift;
mod errors;
mod flow;
mod fold;
mod inductive;
mod refit;
mod saved;
mod vote;
mod words;

pub use changes::{Change, ChangeRules, Changes};
pub use drift::{Drift, Stability, drift_of_feature, drift_of_shares};
pub use errors::LivingError;
pub use flow::Flow;
pub use fold::{Folded, fold, parents_by_centres, parents_by_ties};
pub use inductive::InductiveAssigner;
pub use refit::{Living, Refit};
pub use saved::SavedAssigner;
pub use vote::{NeighbourVote, Vote, spread};
