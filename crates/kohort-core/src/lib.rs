//! Tape autograd, kernels, optimisers, random streams and checkpoints for small multi-task models on a CPU.

pub mod checkpoint;
mod gradcheck;
mod grads;
mod init;
pub mod kernels;
pub mod optim;
mod params;
mod real;
mod shape;
pub mod shards;
pub mod tape;
pub mod weights;

pub use gradcheck::{GradCheck, Mismatch};
pub use grads::{Grad, Grads, RowList};
pub use init::Init;
pub use kohort_random as random;
pub use params::{Layout, ParamId, Params, Slot};
pub use real::Real;
pub use tape::{Activation, Adjoint, Block, Custom, Cut, Flow, List, LossKind, Tape, Var};
