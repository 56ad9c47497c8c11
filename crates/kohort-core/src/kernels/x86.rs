//! What takes x86's own instructions: loops compiled for wider vectors than every machine has, and the innermost loop of products, a
//! tile of C held in registers while it runs down the inner dimension.
//!
//! A tile is six rows by four vectors (AVX-512) or two (AVX2), or twelve rows by one where C is narrow: at least 12 accumulators,
//! enough to hide the latency of a fused multiply-add, and each step reads less than it multiplies. The compiler doesn't find this shape by itself, and
//! nothing short of it runs at the machine's rate, hence the `unsafe` here and nowhere else but at OpenBLAS's door. Every entry of a tile is one chain of fused
//! multiply-adds in the order of the inner dimension, whatever the tile's shape and the vectors' width: neither has a say in the bits.
//!
//! `cargo xtask miri` runs the tests of tiles and of `wide` under Miri, which knows the instructions of both widths.
#![allow(unsafe_code)]

use super::tiles::{ROWS, TALL};

/// Runs `work` as compiled for the widest vectors of this machine. The same operations in the same order give the same bits; only more
/// of them are done at once. What `work` calls has to be inlined into it to have a part in this; so has `work` itself, which
/// `#[inline(always)] ||` sees to.
#[inline]
pub fn wide<T>(work: impl FnOnce() -> T) -> T {
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn avx512<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    #[target_feature(enable = "avx2,fma")]
    fn avx2<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    match Width::widest() {
        // SAFETY: a `Width` is only made where the machine has its instructions.
        Some(Width::Avx512) => unsafe { avx512(work) },
        // SAFETY: likewise.
        Some(Width::Avx2) => unsafe { avx2(work) },
        None => work(),
    }
}

/// A tile's kernel: the inner dimension; A with the distances from row to row and from step to step; B with its distance from step to
/// step; C with its distance from row to row; lanes of the last vector; whether to add to C.
type Kernel = unsafe fn(usize, *const f32, (usize, usize), *const f32, usize, *mut f32, usize, usize, bool);

/// Asks for values from memory that will be wanted soon.
#[inline]
pub fn fetch<T>(values: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    const LINE: usize = 64;
    let (first, bytes) = (values.as_ptr().cast::<i8>(), size_of_val(values));
    for at in (0..bytes).step_by(LINE).chain(bytes.checked_sub(1)) {
        // SAFETY: the address lies within `values`; and it is a hint, without effect on memory.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(first.add(at)) };
    }
}

/// Vectors of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Avx512,
    Avx2,
}

impl Width {
    /// The widest that this machine has. The standard library keeps what it found.
    #[inline]
    pub(super) fn widest() -> Option<Width> {
        let has = |all: [bool; 2]| all == [true; 2];
        if !has([std::is_x86_feature_detected!("avx2"), std::is_x86_feature_detected!("fma")]) {
            None
        } else if has([std::is_x86_feature_detected!("avx512f"), std::is_x86_feature_detected!("avx512vl")])
            && has([std::is_x86_feature_detected!("avx512bw"), std::is_x86_feature_detected!("avx512dq")])
        {
            Some(Width::Avx512)
        } else {
            Some(Width::Avx2)
        }
    }

    /// The widest that this machine has and that `columns` columns have a use for.
    pub(super) fn of(columns: usize) -> Option<Width> {
        let widest = Width::widest()?;
        Some(if columns <= avx2::LANES { Width::Avx2 } else { widest })
    }

    /// Rows of a whole tile of a product with this many columns.
    pub(super) fn rows(self, columns: usize) -> usize {
        if columns <= self.lanes() { TALL } else { ROWS }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Width::Avx512 => "AVX-512",
            Width::Avx2 => "AVX2",
        }
    }

    pub(super) fn lanes(self) -> usize {
        match self {
            Width::Avx512 => avx512::LANES,
            Width::Avx2 => avx2::LANES,
        }
    }

    /// Columns of a whole tile.
    pub(super) fn columns(self) -> usize {
        match self {
            Width::Avx512 => 4 * avx512::LANES,
            Width::Avx2 => 2 * avx2::LANES,
        }
    }

    /// `C[r, j] (+)= Σ_p A[r, p]·B[p, j]` for a tile of `rows × cols`. `a[r·across + p·along]`, `b[p·step + j]` and `c[r·ldc + j]` are the
    /// entries.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub(super) fn tile(
        self,
        (rows, cols, k): (usize, usize, usize),
        (a, across, along): (&[f32], usize, usize),
        (b, step): (&[f32], usize),
        (c, ldc): (&mut [f32], usize),
        add: bool,
    ) {
        let lanes = self.lanes();
        let vectors = cols.div_ceil(lanes);
        assert!((1..=self.rows(cols)).contains(&rows) && k > 0 && (1..=self.columns()).contains(&cols));
        assert!(a.len() > (rows - 1) * across + (k - 1) * along);
        assert!(b.len() >= (k - 1) * step + cols && c.len() >= (rows - 1) * ldc + cols);
        let kernel = match self {
            Width::Avx512 => avx512::KERNELS[vectors - 1][rows - 1],
            Width::Avx2 => avx2::KERNELS[vectors - 1][rows - 1],
        };
        let last = cols - (vectors - 1) * lanes;
        // SAFETY: a `Width` is only made where the machine has its instructions; the slices reach as far as the kernel goes, which
        // is the last row's last step and column, as just checked; lanes beyond `cols` are masked.
        unsafe { kernel(k, a.as_ptr(), (across, along), b.as_ptr(), step, c.as_mut_ptr(), ldc, last, add) }
    }
}

macro_rules! kernels {
    ($module:ident, $features:literal, $lanes:literal, $mask:ident, $zero:ident, $load:ident, $masked_load:expr,
     $broadcast:ident, $multiply_add:ident, $plus:ident, $store:ident, $masked_store:expr, [$($vectors:literal),*]) => {
        mod $module {
            use std::arch::x86_64::*;
            use super::{Kernel, ROWS, TALL};

            pub(super) const LANES: usize = $lanes;

            #[target_feature(enable = $features)]
            #[allow(clippy::too_many_arguments)]
            unsafe fn kernel<const R: usize, const V: usize>(
                k: usize,
                a: *const f32,
                (across, along): (usize, usize),
                mut b: *const f32,
                step: usize,
                c: *mut f32,
                ldc: usize,
                last: usize,
                add: bool,
            ) {
                let mask = super::$mask(last);
                // SAFETY: the caller's, see `Width::tile`.
                unsafe {
                    let mut sum = [[$zero(); V]; R];
                    let mut a: [*const f32; R] = std::array::from_fn(|r| a.add(r * across));
                    for _ in 0..k {
                        let mut row = [$zero(); V];
                        for v in 0..V - 1 {
                            row[v] = $load(b.add(v * LANES));
                        }
                        row[V - 1] = $masked_load(b.add((V - 1) * LANES), mask);
                        for r in 0..R {
                            let x = $broadcast(*a[r]);
                            for v in 0..V {
                                sum[r][v] = $multiply_add(x, row[v], sum[r][v]);
                            }
                            a[r] = a[r].wrapping_add(along);
                        }
                        b = b.wrapping_add(step);
                    }
                    for r in 0..R {
                        let c = c.add(r * ldc);
                        for v in 0..V - 1 {
                            let c = c.add(v * LANES);
                            let sum = if add { $plus($load(c), sum[r][v]) } else { sum[r][v] };
                            $store(c, sum);
                        }
                        let c = c.add((V - 1) * LANES);
                        let sum = if add { $plus($masked_load(c, mask), sum[r][V - 1]) } else { sum[r][V - 1] };
                        $masked_store(c, mask, sum);
                    }
                }
            }

            const fn heights<const V: usize>() -> [Kernel; ROWS] {
                [kernel::<1, V>, kernel::<2, V>, kernel::<3, V>, kernel::<4, V>, kernel::<5, V>, kernel::<6, V>]
            }

            const LOW: [Kernel; ROWS] = heights::<1>();
            const NARROW: [Kernel; TALL] = [
                LOW[0], LOW[1], LOW[2], LOW[3], LOW[4], LOW[5],
                kernel::<7, 1>, kernel::<8, 1>, kernel::<9, 1>, kernel::<10, 1>, kernel::<11, 1>, kernel::<12, 1>,
            ];

            /// By number of vectors and of rows, each less one.
            pub(super) const KERNELS: &[&[Kernel]] = &[&NARROW, $(&heights::<$vectors>()),*];
        }
    };
}

fn lanes16(last: usize) -> u16 {
    (u32::MAX >> (32 - last)) as u16
}

/// The AVX2 mask of the first `last` lanes.
#[target_feature(enable = "avx2")]
fn lanes8(last: usize) -> std::arch::x86_64::__m256i {
    use std::arch::x86_64::{_mm256_cmpgt_epi32, _mm256_set1_epi32, _mm256_setr_epi32};
    _mm256_cmpgt_epi32(_mm256_set1_epi32(last as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
}

kernels!(
    avx512,
    "avx512f",
    16,
    lanes16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    |from, mask| _mm512_maskz_loadu_ps(mask, from),
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_storeu_ps,
    |to, mask, sum| _mm512_mask_storeu_ps(to, mask, sum),
    [2, 3, 4]
);

kernels!(
    avx2,
    "avx2,fma",
    8,
    lanes8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    |from, mask| _mm256_maskload_ps(from, mask),
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_storeu_ps,
    |to, mask, sum| _mm256_maskstore_ps(to, mask, sum),
    [2]
);
