//! Kernels on row-major slices. The only place in the workspace where matrices are multiplied.

mod dot;
mod gemm;
#[cfg(feature = "openblas")]
mod openblas;

pub use dot::{dot, dot_f64};
pub use gemm::{Transpose, backend, gemm, gemm_strided, warning};
