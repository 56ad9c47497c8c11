//! Metrics with their protocol as a type: rating error, ranking, profiling, intervals and paired tests.
//!
//! Plain slices go in, small structs come out; there is no model here and no file. Every function checks its input
//! and returns an [`EvalError`] that names the slice, the index and what is allowed. A metric that is undefined on
//! valid input is `None` (or, in the [`cube`], a reason), never a made-up number.
//!
//! | question | module |
//! |---|---|
//! | how far off are the ratings? | [`rating`]: RMSE, MAE |
//! | do positives score above negatives? | [`binary`]: ROC-AUC, average precision and its gain over a baseline, log-loss |
//! | do probabilities come true? | [`calibration`]: ECE, reliability curve, PCOC, normalised entropy |
//! | is the top of the list good? | [`ranking`]: P@k, R@k, NDCG@k, hit, MRR, with floor and ceiling |
//! | does everybody get the same? | [`popularity`]: ARP, long tail, Gini, coverage, popularity lift, local titles |
//! | is the group predicted right? | [`profiling`]: precision, recall, F1, label matching, NMI, ARI |
//! | is the difference chance? | [`interval`]: bootstrap, seeds, paired tests, Holm |
//! | for whom does it work? | [`cube`]: cohort × task × metric |
//!
//! From a model's scores to a claim about two models, in one piece:
//!
//! ```
//! use kohort_eval::interval::{Alternative, Draws, bootstrap_mean};
//! use kohort_eval::ranking::{CandidateLists, RankingMetric, RankingProtocol, compare_rankings};
//!
//! // Held-out ratings of three users (once per seed; here one seed).
//! let users = [0, 0, 0, 1, 1, 1, 2, 2, 2];
//! let items = [4, 5, 6, 4, 5, 6, 4, 5, 6];
//! let ratings = [5.0, 1.0, 4.0, 2.0, 5.0, 1.0, 1.0, 2.0, 4.0];
//! let lists = CandidateLists::held_out(&users, &items, &ratings)?;
//! let protocol = RankingProtocol { k: 1, ..RankingProtocol::default() };
//!
//! let ours = lists.evaluate(&protocol, &[0.9, 0.1, 0.8, 0.2, 0.7, 0.1, 0.3, 0.2, 0.6])?;
//! let popularity = lists.evaluate(&protocol, &[0.5, 0.4, 0.3, 0.5, 0.4, 0.3, 0.5, 0.4, 0.3])?;
//!
//! let metric = RankingMetric::Ndcg;
//! let interval = bootstrap_mean(&ours.unit_values(metric)?, &Draws::default())?.interval;
//! assert_eq!((interval.estimate, interval.low, interval.high), (1.0, 1.0, 1.0));
//! let comparison = compare_rankings(&[ours], &[popularity], metric, Alternative::TwoSided)?;
//! assert!(comparison.difference > 0.0);
//! assert!(comparison.over_units.unwrap().p > 0.05); // three users prove nothing
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```
//!
//! **Repeatability.** All sums run in a fixed order in `f64`; random numbers come from named streams; work that is
//! spread over threads is put together in the order of the units or draws. The same input gives the same bits on any
//! number of threads.
//!
//! **When not to use this crate.** For metrics of generated text, of regression beyond ratings, or of streams too
//! long to hold in memory; and when a number must match a paper whose protocol is unknown: choose a protocol, print
//! it, and print the floor and the ceiling beside it.

pub mod binary;
pub mod calibration;
pub mod cube;
mod error;
pub mod interval;
pub mod popularity;
pub mod profiling;
pub mod ranking;
pub mod rating;
mod units;

pub use error::{EvalError, Result};
pub use units::UnitValues;
