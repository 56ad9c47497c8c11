//! The public API: agreement with PyTorch and scipy, and the same bits for any number of threads.

mod determinism;
mod golden;
mod isolation;
mod sparse;
mod svd;
