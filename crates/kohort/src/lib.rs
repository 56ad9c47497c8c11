//! Cohort-aware multi-task recommendation: one front door to the Kohort crates.
//!
//! Users differ by market, lifecycle stage, group and taste, and one set of weights underserves some of them. Kohort finds or
//! takes cohorts, adapts to each, trains all tasks together, and shows cohort by cohort and task by task who gained and
//! who paid.
//!
//! | Module | Crate | Take it alone for |
//! |---|---|---|
//! | [`core`] | `kohort-core` | a tape autograd for small models on a CPU: many backward sweeps per forward, the same bits for any number of threads |
//! | [`layers`] | `kohort-layers` | embeddings, MLPs, feature encoders, attention; mixtures of experts with a monitor, low-rank adapters with a store |
//! | [`objectives`] | `kohort-objectives` | losses with stated denominators, the field's balancers as arithmetic on small matrices |
//! | [`data`] | `kohort-data` | typed readers, manifests, splits whose test part a trainer can't take |
//! | [`cohorts`] | `kohort-cohorts` | deterministic parallel KMeans, stable cohort ids, assigners; communities of graphs |
//! | [`eval`] | `kohort-eval` | rating, ranking and profiling metrics with their protocol as a type; intervals and paired tests |
//! | [`models`] | `kohort-models` | DMTL, multi-task models with experts and adapters of cohorts' own, STAN, GroupCE, losses by cohort, two towers with territory blocks, a cross-market ranker, SASRec, the baselines, the trainer |
//!
//! ```
//! use kohort::prelude::*;
//!
//! // Ratings with planted cohorts, so that the right answer is known.
//! let (dataset, truth) = Recipe::small().generate(7)?;
//! let split = Way::RandomRows { share: 0.2 }.split(&dataset.interactions, 1)?;
//!
//! // Cohorts from training ratings alone.
//! let profile = user_profile(&split.train, dataset.item_features.column("genre"), Weighting::default())?;
//! let scaled = Standardise::fit(&profile).apply(&profile);
//! let cohorts = KMeansConfig::new(truth.cohorts).fit(&Points::new(&scaled.values, scaled.names.len())?)?;
//!
//! // One shared layer, a rating head and a profiling head.
//! let input = Input {
//!     dataset: &dataset,
//!     train: &split.train,
//!     validation: None,
//!     groups: &cohorts.labels,
//!     group_count: cohorts.clusters(),
//!     labelled: None,
//! };
//! let config = Config { train: TrainConfig { epochs: 3, ..TrainConfig::default() }, ..Config::default() };
//! let model = dmtl::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.losses))?;
//!
//! let ratings = predict(&model, split.test.queries(), dataset.scale).ok_or("it rates")?;
//! let rmse = kohort::eval::rating::rmse(&ratings, &split.test.answers().rating)?;
//! assert!(rmse < 1.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use kohort_cohorts as cohorts;
pub use kohort_core as core;
pub use kohort_data as data;
pub use kohort_eval as eval;
pub use kohort_layers as layers;
pub use kohort_models as models;
pub use kohort_objectives as objectives;

/// The names that most programs need.
pub mod prelude {
    #[doc(no_inline)]
    pub use kohort_cohorts::{Points, kmeans::KMeansConfig};
    #[doc(no_inline)]
    pub use kohort_core::{Activation, Grads, Params, Tape};
    #[doc(no_inline)]
    pub use kohort_data::learned::{Standardise, Weighting, user_profile};
    #[doc(no_inline)]
    pub use kohort_data::{Dataset, Queries, Way, synthetic::Recipe};
    #[doc(no_inline)]
    pub use kohort_models::baselines::{Scorer, predict};
    #[doc(no_inline)]
    pub use kohort_models::dmtl::{self, Config, Input};
    #[doc(no_inline)]
    pub use kohort_models::trainer::TrainConfig;
}
