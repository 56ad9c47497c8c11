//! Tape autograd, kernels, optimisers, random streams and checkpoints for small multi-task models on a CPU.

pub mod kernels;
mod real;

pub use kohort_random as random;
pub use real::Real;
