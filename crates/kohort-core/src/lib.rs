//! Tape autograd, kernels, optimisers, random streams and checkpoints for small multi-task models on a CPU.
//!
//! | You want | Look at |
//! |---|---|
//! | a forward pass and gradients, one or many sweeps | [`tape`], [`Grads`] |
//! | parameters, frozen or free, with decay | [`Params`], [`Init`] |
//! | a step | [`optim`] |
//! | a batch on all cores with the same bits for any number of threads | [`shards`] |
//! | singular vectors of a large sparse matrix | [`svd`], [`sparse`] |
//! | to save and go on; weights for other tools | [`checkpoint`], [`weights`] |
//! | to know that a gradient is right | [`GradCheck`] |
//! | to know where the time goes | [`profile`] |
//!
//! ```
//! use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
//! use kohort_core::{Activation, Grads, Init, LossKind, Params, Tape, random::stream};
//!
//! // Parameters live outside the tape; random numbers come from named streams.
//! let mut params = Params::<f32>::new();
//! let users = params.add_table("users", 10, 4, Init::Normal(0.1).draw(10, 4, &mut stream(1, "users", &[])));
//! let head = params.add("head", 4, 1, Init::Glorot.draw(4, 1, &mut stream(1, "head", &[])));
//! let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::TouchedRows);
//!
//! let (mut tape, mut grads) = (Tape::new(), Grads::new(&params));
//! let mut losses = Vec::new();
//! for _ in 0..50 {
//!     tape.reset();
//!     grads.clear();
//!     let h = tape.gather(&params, users, &[3, 1, 4]); // [3, 4]
//!     let y = tape.linear(&params, h, head, None, Activation::Identity); // [3, 1]
//!     let loss = tape.loss(LossKind::Squared, y, &[1.0, 0.0, -1.0], None, 1.0 / 3.0);
//!     tape.backward(&params, &[(loss, 1.0)], &mut grads);
//!     optimizer.step(&mut params, &grads, 0.05);
//!     losses.push(tape.scalar(loss));
//! }
//! assert!(losses[49] < 0.1 * losses[0]);
//! ```
//!
//! **When not to use it.** There is no GPU, no second derivative, no tensor of more than two dimensions and no
//! broadcasting beyond bias rows and gate columns. Misuse of shapes panics, naming the op; anything a user supplies
//! (checkpoints, weights) gives a typed error.
//!
//! **Features.** `openblas` serves products from the system's OpenBLAS, one thread inside; the default is pure Rust.

pub mod checkpoint;
mod gradcheck;
mod grads;
mod init;
pub mod kernels;
pub mod optim;
mod params;
pub mod profile;
mod real;
mod shape;
pub mod shards;
pub mod sparse;
pub mod svd;
pub mod tape;
pub mod weights;

pub use gradcheck::{GradCheck, Mismatch};
pub use grads::{Grad, Grads, RowList};
pub use init::Init;
pub use kohort_random as random;
pub use params::{Layout, ParamId, Params, Slot};
pub use real::Real;
pub use tape::{
    Activation, Adapted, Adjoint, AttentionMask, Block, Custom, Cut, Flow, Focal, List, ListLoss, LossKind,
    LowRank, Tape, Var,
};
