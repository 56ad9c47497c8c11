//! Multi-task recommenders and their baselines, and the trainer that runs them all.
//!
//! [`dmtl`] is joint group profiling and rating recommendation; [`baselines`] holds what it has to beat, behind one trait,
//! [`baselines::Scorer`]; [`context`] describes a query by its neighbourhood; [`trainer`] trains whatever implements
//! [`trainer::System`]. Nothing here takes the test part of a split.
//!
//! For rows with columns, several targets and cohorts: [`multitask`], with experts and adapters of cohorts' own.
//!
//! What adapts the objective to the user: [`stan`] weighs tasks by where a user is in life, [`groupce`] ranks among like users, [`parts`] compose a loss for each
//! cohort, and [`multitask::weigh`] learns weights of rows.
//!
//! For users of several territories: [`towers`] with a block per group, [`inputs`] for the vectors they take,
//! [`crossmarket`] that ranks for all markets with one model, [`implicit`] for what both have to beat.
//!
//! For the graph of who took what: [`lightgcn`], whose smoothed embeddings of users can be clustered.
//!
//! For what comes next: [`sequence`], whose representation of a user's last items other models can read.
//!
//! ```
//! use kohort_data::{Way, synthetic::Recipe};
//! use kohort_models::baselines::{predict, registry};
//! use kohort_models::dmtl::{self, Config, Input};
//! use kohort_models::trainer::TrainConfig;
//!
//! let (dataset, truth) = Recipe::small().generate(7)?;
//! let split = Way::RandomRows { share: 0.2 }.split(&dataset.interactions, 1)?;
//! let input = Input {
//!     dataset: &dataset,
//!     train: &split.train,
//!     validation: None,
//!     groups: &truth.cohort,
//!     group_count: truth.cohorts,
//!     labelled: None,
//! };
//! let config = Config { train: TrainConfig { epochs: 2, ..TrainConfig::default() }, ..Config::default() };
//! let model = dmtl::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.losses))?;
//! assert!(predict(&model, split.test.queries(), dataset.scale).is_some());
//!
//! let svd = registry().into_iter().find(|entry| entry.name == "svd").ok_or("no SVD")?;
//! let rival = (svd.fit)(&split.train, 1)?;
//! assert!(predict(rival.as_ref(), split.test.queries(), dataset.scale).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod baselines;
pub mod context;
pub mod crossmarket;
pub mod dmtl;
mod error;
mod fingerprint;
pub mod groupce;
pub mod implicit;
pub mod inputs;
pub mod lightgcn;
pub mod multitask;
pub mod parts;
mod scaling;
pub mod sequence;
pub mod stan;
pub mod towers;
pub mod trainer;
mod unseen;

pub use error::ModelError;
