//! Low-rank adapters: each cohort changes a shared layer a little, `W_c = W + s·A_c·B_c`.
//!
//! | You want | Look at |
//! |---|---|
//! | an adapter for each cohort, trained together in mixed batches | [`CohortLora`] |
//! | region plus stage, summed | [`HierarchicalLora`] |
//! | one A and many B, or one B and many A | [`Sharing`] |
//! | a few adapters of which each cohort has its own mixture | [`BasisLora`] |
//! | a mixture for each row (iLoRA, HydraLoRA) | [`InstanceGate`], [`InstanceLora`] |
//! | adapters on the rows of an embedding | [`EmbeddingLora`] |
//! | all layers of an MLP at once | [`LoraMlp`] |
//! | adapters chosen by what a user does, not by a label | [`CentroidRouter`], [`CohortLora::forward_weighted`] |
//! | how much, where and alike whom an adapter changes | [`Factors`] |
//! | an adapter for a cohort that has few rows or none | [`Start`] |
//! | to keep, swap, merge and file adapters while others score | [`store`] |
//!
//! Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685. Its `h = W_0·x + (α/r)·B·A·x` acts
//! on columns; rows are multiplied from the left here, so our `A: [in, r]` and `B: [r, out]` are its transposed.
//!
//! The base is frozen, half-frozen or free, as its parameters say ([`Freeze`]). Adapters are parameters like others: a cohort
//! without rows in a step gets no gradient, so neither its values nor its moments nor its step count move.

mod base;
mod basis;
mod cohort;
mod config;
mod embedding;
mod errors;
mod factors;
mod hierarchical;
mod instance;
mod mixture;
mod mlp;
mod route;
mod start;
pub mod store;

pub use base::{BaseLayer, Freeze};
pub use basis::BasisLora;
pub use cohort::CohortLora;
pub use config::{InitA, LoraConfig, Scaling, Sharing};
pub use embedding::EmbeddingLora;
pub use errors::AdapterError;
pub use factors::{Factors, similarity};
pub use hierarchical::HierarchicalLora;
pub use instance::{Experts, InstanceConfig, InstanceGate, InstanceLora};
pub use mlp::LoraMlp;
pub use route::{CentroidRouter, by_cohort};
pub use start::Start;
