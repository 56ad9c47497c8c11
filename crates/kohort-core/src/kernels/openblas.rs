//! OpenBLAS's own switches. The one module of the workspace with `unsafe`: three C functions without Rust names.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::sync::Once;

// Named here so that the provider is linked into whatever binary uses this crate.
extern crate blas_src as _;
extern crate openblas_src as _;

unsafe extern "C" {
    fn openblas_set_num_threads(threads: c_int);
    fn openblas_get_num_threads() -> c_int;
    fn openblas_get_corename() -> *const c_char;
}

/// One thread inside: shards are spread over cores by rayon, and OpenBLAS's sums depend on its thread count.
pub(super) fn pin() {
    static PINNED: Once = Once::new();
    // SAFETY: takes an int and sets a global of the library; called once, before the first product.
    PINNED.call_once(|| unsafe { openblas_set_num_threads(1) });
}

/// Kernel set and threads in use, for instance `"Cooperlake, 1 thread"`.
pub(super) fn describe() -> String {
    pin();
    // SAFETY: returns a pointer to a static, NUL-terminated string of the library.
    let core = unsafe { CStr::from_ptr(openblas_get_corename()) }.to_string_lossy().into_owned();
    // SAFETY: reads a global of the library.
    let threads = unsafe { openblas_get_num_threads() };
    format!("{core}, {threads} thread{}", if threads == 1 { "" } else { "s" })
}
