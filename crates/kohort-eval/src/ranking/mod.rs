//! Top-k lists under a stated protocol.
//!
//! For one unit with candidates ranked by score, `L` the first `k` and `Rel` the relevant ones (grade at least the
//! threshold):
//!
//! * `P@k = |L ∩ Rel| / k` (or `/ min(k, n)`), `R@k = |L ∩ Rel| / |Rel|` (or `/ min(k, |Rel|)`), `hit = [L ∩ Rel ≠ ∅]`;
//! * `NDCG@k = DCG / IDCG`, `DCG = Σ_{r ≤ k} gain(r) / log₂(r + 1)`, `IDCG` the DCG of the best order, also cut at k
//!   (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 2002; the discount there
//!   starts at the log's base, here at position 1, as is usual today);
//! * `MRR@k` = one over the position of the first relevant candidate, 0 when there is none in `L`.
//!
//! The same model can score 0.05 or 0.7 at P@10, depending on what is ranked and what is divided by. So the
//! [`RankingProtocol`] is an argument, comes back with the result, and must agree with the lists it is used on; and
//! [`floor`](CandidateLists::floor) and [`ceiling`](CandidateLists::ceiling) say what a random order and an oracle
//! reach under exactly that protocol.
//!
//! ```
//! use kohort_eval::ranking::{CandidateLists, RankingMetric, RankingProtocol};
//!
//! // Two users, five held-out ratings; scores come in the order of these rows.
//! let lists = CandidateLists::held_out(&[7, 7, 7, 9, 9], &[0, 1, 2, 0, 3], &[5.0, 2.0, 4.0, 1.0, 2.0])?;
//! let protocol = RankingProtocol { k: 2, ..RankingProtocol::default() };
//! let result = lists.evaluate(&protocol, &[0.9, 0.5, 0.1, 0.3, 0.4])?;
//! assert_eq!(result.units, [7, 9]);
//! assert_eq!(result.precision, [Some(0.5), None]); // user 9 has nothing relevant and is left out
//! assert_eq!(lists.ceiling(&protocol)?.mean(RankingMetric::Precision), Some(1.0));
//! assert!((lists.floor(&protocol)?.mean(RankingMetric::Precision).unwrap() - 2.0 / 3.0).abs() < 1e-12);
//! assert_eq!(
//!     protocol.to_string(),
//!     "Top 2 of each user's held-out rated items, relevant from grade 4; precision over 2, recall over all \
//!      relevant, NDCG with gain 2^grade − 1; ties averaged over all orders; users without a relevant item left out"
//! );
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```
//!
//! The whole catalogue, with the training items of each user removed; `score` writes one user's row:
//!
//! ```
//! use kohort_eval::ranking::{CandidateLists, Candidates, Catalogue, Exclusions, RankingProtocol};
//!
//! let held_out = CandidateLists::held_out(&[0, 1], &[2, 0], &[5.0, 4.0])?;
//! let train = Exclusions::new(&[0, 1], &[3, 1])?;
//! let catalogue = Catalogue::new(&held_out, &train, 4)?;
//! let protocol =
//!     RankingProtocol { candidates: Candidates::WholeCatalogue, k: 1, ..RankingProtocol::default() };
//! let popularity = [0.1, 0.9, 0.7, 0.8];
//! let result = catalogue.evaluate(&protocol, |_user, scores| scores.copy_from_slice(&popularity))?;
//! assert_eq!(result.hit, [Some(0.0), Some(0.0)]);
//! assert_eq!(result.candidates, [3, 3]);
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```
//!
//! When not to use it: held-out rated candidates measure the order of things a user already chose to rate, not what a
//! catalogue page would show; sampled negatives can turn the order of models around. Prefer the whole catalogue
//! unless a published number forces another choice.

mod candidates;
mod catalogue;
mod compare;
mod exclusions;
mod grade;
mod list;
mod order;
mod per_unit;
mod protocol;

pub use candidates::CandidateLists;
pub use catalogue::Catalogue;
pub use compare::compare_rankings;
pub use exclusions::Exclusions;
pub use grade::UNRATED;
pub use per_unit::{PerUnit, RankingMetric, RankingSummary};
pub use protocol::{
    Candidates, Gain, PrecisionDenominator, RankingProtocol, RecallDenominator, Ties, Unit, WithoutRelevant,
};
