//! Layers for cohort-aware multi-task recommenders. A layer owns the [`ParamId`](kohort_core::ParamId)s it made and knows how to record itself
//! on a [`Tape`](kohort_core::Tape); values live in [`Params`](kohort_core::Params), so a layer is `Clone`, cheap, and the same for `f32` and `f64`.
//!
//! ```
//! use kohort_core::{Activation, Init, Params, Tape, random::stream};
//! use kohort_layers::{Embedding, Mlp, MlpConfig, Mode};
//!
//! let mut params = Params::<f32>::new();
//! let users = Embedding::new(&mut params, "user", 10, 8, Init::Normal(0.1), 1);
//! let config = MlpConfig { widths: vec![16, 4], ..MlpConfig::default() };
//! let tower = Mlp::new(&mut params, "tower", 8, &config, 1);
//!
//! let mut tape = Tape::new();
//! let h = users.forward(&mut tape, &params, &[3, 1, 4]);
//! let z = tower.forward(&mut tape, &params, h, &mut Mode::train(stream(1, "dropout", &[0, 0])));
//! assert_eq!(tape.shape(z), (3, 4));
//! ```

mod attention;
mod cohorts;
mod embedding;
mod encoder;
pub mod experts;
mod linear;
pub mod lora;
mod mlp;
mod mode;
mod sequence;
#[cfg(test)]
mod tests;

pub use attention::{GateAttention, GateScale, MemberAttention};
pub use cohorts::{CohortEmbedding, Hierarchy, HierarchyError, Segments, UNKNOWN};
pub use embedding::{Bags, Embedding, EmbeddingBag, Pooling};
pub use encoder::{Encoder, EncoderConfig, Field, FieldValues, Table};
pub use linear::Linear;
pub use mlp::{Mlp, MlpConfig};
pub use mode::Mode;
pub use sequence::{SequenceConfig, SequenceEncoder, SequenceError};
