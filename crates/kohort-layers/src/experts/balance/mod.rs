//! Penalties that keep experts in use, and apart. Let `p [n, E]` be a gate, `n` rows.
//!
//! | You fear | Add | Formula |
//! |---|---|---|
//! | that few experts get all the weight | [`importance`] | `CV²(Σ_b p_b)` (Shazeer et al., ICLR 2017) |
//! | the same of a noisy top-k gate's choices | [`load`] | `CV²` of expected numbers of rows (ibid.) |
//! | the same of top-1 choices | [`switch`] | `E·Σ_e f_e·P_e` (Fedus et al., JMLR 2022) |
//! | logits that grow without bound | [`router_z`] | `mean_b (ln Σ_e exp l_{b,e})²` (Zoph et al., "ST-MoE", 2022) |
//! | an unused expert, without a say on single rows | [`evenness`] | `−H(mean_b p_b)` |
//! | gates that choose nothing | [`sharpness`] | `mean_b H(p_b)` |
//! | cohorts, or tasks, that use the same experts | [`cohort_information`], [`task_information`] | `−I(cohort; expert)` (Chen et al., "Mod-Squad", CVPR 2023) |
//! | experts that say the same | [`orthogonality`] | `mean_b Σ_{i≠j} cos²(h_i, h_j)` |
//!
//! Each is a value `[1, 1]` to be minimised, without its weight: seed it with one. Importance, load and Switch push all cohorts
//! toward the same even gate and so work against cohorts that specialise; mutual information asks for both, experts in even use
//! and each cohort on its own.
//!
//! **Over the rows of a shard.** Sums and means run over the rows that the tape holds: as in distributed training, where each
//! device balances its own rows. Smaller shards make a stricter penalty.
//!
//! Value and gradient are computed together, in f64; no second derivative is needed, as the counts `f_e` are constants.

mod entropy;
mod information;
mod orthogonal;
mod penalty;
mod router;
mod variation;

pub use entropy::{evenness, sharpness};
pub use information::{cohort_information, task_information};
pub use orthogonal::orthogonality;
pub use router::{router_z, switch};
pub(super) use variation::expected_load;
pub use variation::{importance, load};
