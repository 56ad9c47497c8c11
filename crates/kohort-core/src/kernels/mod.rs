//! Kernels on row-major slices. The only place in the workspace where matrices are multiplied.

mod dot;
pub(crate) mod exp;
mod gemm;
#[cfg(feature = "openblas")]
mod openblas;
mod tiles;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use dot::{dot, dot_f64};
pub(crate) use gemm::gemm_then;
pub use gemm::{Transpose, backend, gemm, gemm_strided, warning};
pub(crate) use tiles::{Product, available, run};
#[cfg(target_arch = "x86_64")]
pub use x86::{fetch, wide};

/// Rows of a table that are asked for from memory before they are needed: scattered as they are, nobody else guesses them. Far enough ahead to
/// come in time, near enough to be there still.
pub(crate) const AHEAD: usize = 12;

/// Runs `work`; on x86 as compiled for the machine's widest vectors.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn wide<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Nothing is known of how to ask for values ahead.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn fetch<T>(_: &[T]) {}
