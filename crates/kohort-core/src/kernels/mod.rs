//! Kernels on row-major slices. The only place in the workspace where matrices are multiplied.

mod gemm;

pub use gemm::{Transpose, backend, gemm};
