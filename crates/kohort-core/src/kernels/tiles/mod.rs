//! Products of f32 matrices by this crate's own kernels.
//!
//! A tensor library packs both operands, because it knows nothing of them. Here the left one is almost always a shard's values, a few
//! hundred rows that are read as they lie, and the right one weights; so only the right one is packed, a block at a time
//! and where it is transposed or enough rows read it, into panels as wide as a tile, and what is to be done with a finished entry (bias, activation) is done while its tile is in the
//! first cache.
//!
//! Which sums are made does not depend on blocks' sizes but for the inner dimension: each [`DEPTH`] of it is one chain of fused
//! multiply-adds that is then added to C.

mod pack;

use std::cell::Cell;
use std::sync::OnceLock;

use super::Transpose;
#[cfg(target_arch = "x86_64")]
use super::x86::{Width, wide};

/// Rows of a tile, and of one that is a single vector wide.
pub(super) const ROWS: usize = 6;
pub(super) const TALL: usize = 12;
/// How much of the inner dimension is run down at a time: a panel of B, 64 columns of it, stays in the second cache beside others.
const DEPTH: usize = 256;
/// Columns of B that are packed at a time.
const COLUMNS: usize = 512;
/// With no more rows of C, B is read as it lies: that its rows are apart costs less than packing them.
const FEW: usize = 256;
/// B's rows may push each other out of the caches if they lie further apart than this; then B is read as it lies only for [`FEWER`] rows
/// of C, for which packing would cost as much as the product.
const FAR: usize = 512;
const FEWER: usize = 12;

thread_local! {
    /// Packed blocks, kept between products.
    static PACKED: Cell<[Vec<f32>; 2]> = const { Cell::new([Vec::new(), Vec::new()]) };
}

/// A product and where its operands lie. A transposed operand is stored the other way round; rows are a stride apart.
pub struct Product<'a, F> {
    pub(super) transposed: (Transpose, Transpose),
    /// Rows and columns of C, and the inner dimension.
    pub(super) shape: (usize, usize, usize),
    pub(super) alpha: F,
    pub(super) a: (&'a [F], usize),
    pub(super) b: (&'a [F], usize),
    pub(super) beta: F,
    pub(super) c: (&'a mut [F], usize),
}

/// Whether products of f32 go through [`run`]: this machine has what it takes, and `KOHORT_PRODUCTS=library` does not ask for the
/// library that this build is linked with, to compare both or to look for a fault.
pub(crate) fn available() -> bool {
    static LIBRARY: OnceLock<bool> = OnceLock::new();
    let library = || std::env::var_os("KOHORT_PRODUCTS").is_some_and(|word| word == "library");
    name().is_some() && !*LIBRARY.get_or_init(library)
}

/// Name of the vectors that tiles are made of on this machine.
pub(super) fn name() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    return Width::widest().map(Width::name);
    #[cfg(not(target_arch = "x86_64"))]
    None
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn run(_: Product<'_, f32>, _: impl Fn(usize, usize, &mut [f32])) {
    unreachable!("not available")
}

/// `C ← α·op(A)·op(B) + β·C`, then `finish` on every finished piece of a row of C, which it gets with the row and the piece's first column.
/// Dimensions are positive.
#[cfg(target_arch = "x86_64")]
pub(crate) fn run(product: Product<'_, f32>, finish: impl Fn(usize, usize, &mut [f32])) {
    let Some(width) = Width::of(product.shape.1) else { unreachable!("not available") };
    wide(
        #[inline(always)]
        || blocks(width, product, finish),
    );
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn blocks(width: Width, product: Product<'_, f32>, finish: impl Fn(usize, usize, &mut [f32])) {
    let Product { transposed, shape: (m, n, k), alpha, a: (a, lda), b: (b, ldb), beta, c: (c, ldc) } =
        product;
    if beta != 0.0 && beta != 1.0 {
        c.chunks_mut(ldc).for_each(|row| row[..n].iter_mut().for_each(|c| *c *= beta));
    }
    if m == 1 && transposed == (Transpose::No, Transpose::No) && alpha == 1.0 {
        row(&a[..k], b, ldb, &mut c[..n], beta != 0.0);
        return finish(0, 0, &mut c[..n]);
    }
    let tall = width.rows(n);
    let [mut packed_a, mut packed_b] = PACKED.take();
    for from in (0..k).step_by(DEPTH) {
        let depth = DEPTH.min(k - from);
        let (add, last) = (beta != 0.0 || from > 0, from + depth == k);
        // Rows of a transposed A are columns where it lies. It is packed if it is read more than once.
        let reads = n.div_ceil(width.columns());
        // Few readers take the lines as they come, unless they lie so far apart that they push each other out of the caches.
        let packs_a = transposed.0 == Transpose::Yes && (reads > 4 || reads > 1 && lda > 512);
        if packs_a {
            pack::across(&a[from * lda..], lda, (depth, m), tall, &mut packed_a);
        }
        for left in (0..n).step_by(COLUMNS) {
            let columns = COLUMNS.min(n - left);
            let few = if ldb > FAR { FEWER } else { FEW };
            let direct = transposed.1 == Transpose::No && m <= few && alpha == 1.0;
            if !direct {
                match transposed.1 {
                    Transpose::No => {
                        pack::across(
                            &b[from * ldb + left..],
                            ldb,
                            (depth, columns),
                            width.columns(),
                            &mut packed_b,
                        );
                    }
                    Transpose::Yes => {
                        pack::along(
                            &b[left * ldb + from..],
                            ldb,
                            (depth, columns),
                            width.columns(),
                            &mut packed_b,
                        );
                    }
                }
                if alpha != 1.0 {
                    let used = columns.next_multiple_of(width.columns()) * depth;
                    packed_b[..used].iter_mut().for_each(|b| *b *= alpha);
                }
            }
            for panel in (0..columns).step_by(width.columns()) {
                let cols = width.columns().min(columns - panel);
                let b = if direct {
                    (&b[from * ldb + left + panel..], ldb)
                } else {
                    (&packed_b[panel * depth..], width.columns())
                };
                for top in (0..m).step_by(tall) {
                    let rows = tall.min(m - top);
                    let a = match transposed.0 {
                        Transpose::No => (&a[top * lda + from..], lda, 1),
                        Transpose::Yes if packs_a => (&packed_a[top * depth..], 1, tall),
                        Transpose::Yes => (&a[from * lda + top..], 1, lda),
                    };
                    let c = &mut c[top * ldc + left + panel..];
                    width.tile((rows, cols, depth), a, b, (c, ldc), add);
                    if last {
                        for row in 0..rows {
                            finish(top + row, left + panel, &mut c[row * ldc..][..cols]);
                        }
                    }
                }
            }
        }
    }
    PACKED.set([packed_a, packed_b]);
}

/// One row of C: B is read once, row after row as it lies, which is all the memory can do. The sums are a tile's, to the bit.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn row(a: &[f32], b: &[f32], ldb: usize, c: &mut [f32], add: bool) {
    let n = c.len();
    for (block, depth) in a.chunks(DEPTH).enumerate() {
        for left in (0..n).step_by(STRIP) {
            let c = &mut c[left..(left + STRIP).min(n)];
            let mut sum = [0.0f32; STRIP];
            let sum = &mut sum[..c.len()];
            let mut at = block * DEPTH * ldb + left;
            let mut fours = depth.chunks_exact(4);
            for x in &mut fours {
                let [w0, w1, w2, w3] = std::array::from_fn(|p| &b[at + p * ldb..][..c.len()]);
                for ((((sum, &w0), &w1), &w2), &w3) in sum.iter_mut().zip(w0).zip(w1).zip(w2).zip(w3) {
                    *sum = w3.mul_add(x[3], w2.mul_add(x[2], w1.mul_add(x[1], w0.mul_add(x[0], *sum))));
                }
                at += 4 * ldb;
            }
            for &x in fours.remainder() {
                sum.iter_mut().zip(&b[at..]).for_each(|(sum, &w)| *sum = w.mul_add(x, *sum));
                at += ldb;
            }
            let adds = add || block > 0;
            c.iter_mut().zip(sum).for_each(|(c, sum)| *c = if adds { *c + *sum } else { *sum });
        }
    }
}

/// Columns of a single row that are summed at a time.
#[cfg(target_arch = "x86_64")]
const STRIP: usize = 1 << 10;

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use Transpose::{No, Yes};

    /// Whole numbers, so that every sum is exact whatever its order.
    fn whole(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7 + seed) % 13) as f32 - 6.0).collect()
    }

    #[test]
    fn tiles_of_every_height_and_width_agree_with_the_triple_loop() {
        let mut widths = vec![Width::Avx2];
        match Width::widest() {
            None => return eprintln!("skipped: no AVX2 here"),
            Some(Width::Avx2) => eprintln!("skipped in part: no AVX-512 here"),
            Some(Width::Avx512) => widths.push(Width::Avx512),
        }
        // Rows around both heights of tiles, columns around lanes and panels, an inner dimension of more than one block.
        let all = (1..=14).map(|m| (m, 70, 5)).chain((1..=66).map(|n| (7, n, 3))).chain([
            (30, 530, 9),
            (13, 65, 2 * DEPTH + 1),
            (9, 8, DEPTH + 1),
            (FEW + 1, 70, 3),
            (FEWER + 1, FAR + 1, 3),
            (40, 1, 3),
            (1, 40, 300),
        ]);
        // Under Miri, which is slow: every kernel, every mask, a second block.
        let few =
            (1..=13).map(|m| (m, 8, 2)).chain((1..=6).map(|m| (m, 64, 1))).chain((9..=66).map(|n| (2, n, 1)));
        let few = few.chain([(13, 3, 2), (2, 3, DEPTH + 1), (1, 20, 3)]);
        let shapes: Vec<_> = if cfg!(miri) { few.collect() } else { all.collect() };
        for (m, n, k) in shapes {
            for (ta, tb, alpha, beta) in
                [(No, No, 1.0, 0.0), (Yes, No, 1.0, 1.0), (No, Yes, -2.0, 1.0), (No, No, 2.0, 3.0)]
            {
                let (rows_a, cols_a) = if ta == No { (m, k) } else { (k, m) };
                let (rows_b, cols_b) = if tb == No { (k, n) } else { (n, k) };
                let (lda, ldb, ldc) = (cols_a + 3, cols_b + 1, n + 2);
                let (a, b, before) = (whole(rows_a * lda, 1), whole(rows_b * ldb, 4), whole(m * ldc, 9));
                let mut want = before.clone();
                for i in 0..m {
                    for j in 0..n {
                        let x = |p: usize| if ta == No { a[i * lda + p] } else { a[p * lda + i] };
                        let y = |p: usize| if tb == No { b[p * ldb + j] } else { b[j * ldb + p] };
                        let sum: f32 = (0..k).map(|p| x(p) * y(p)).sum();
                        want[i * ldc + j] = alpha * sum + beta * before[i * ldc + j] + (i * n + j) as f32;
                    }
                }
                for &width in widths.iter().filter(|width| n > 8 || **width == Width::Avx2) {
                    let mut c = before.clone();
                    // Cut at the last entry, so that Miri sees whoever reads or writes beyond.
                    let [a, b] = [(&a, rows_a, lda, cols_a), (&b, rows_b, ldb, cols_b)]
                        .map(|(x, rows, step, cols)| (&x[..(rows - 1) * step + cols], step));
                    let product = Product {
                        transposed: (ta, tb),
                        shape: (m, n, k),
                        alpha,
                        a,
                        b,
                        beta,
                        c: (&mut c[..(m - 1) * ldc + n], ldc),
                    };
                    blocks(width, product, |row, from, piece| {
                        piece.iter_mut().zip(from..).for_each(|(c, col)| *c += (row * n + col) as f32);
                    });
                    assert_eq!(c, want, "{width:?} {ta:?} {tb:?} [{m}, {k}]·[{k}, {n}]");
                }
            }
        }
    }

    #[test]
    fn vectors_of_either_width_few_rows_and_a_single_one_give_the_same_bits() {
        if Width::widest() != Some(Width::Avx512) {
            return eprintln!("skipped: no AVX-512 here");
        }
        // No sine: Miri's differs from call to call, as the platforms' may.
        let value =
            |count: usize, f: f32| (0..count).map(|i| (i as f32 * f).fract() - 0.5).collect::<Vec<_>>();
        // So many rows that B is packed.
        let (m, n, k) = if cfg!(miri) { (7, 20, 3) } else { (FEW + 37, 90, 600) };
        let (a, b) = (value(m * k, 0.7), value(k * n, 1.3));
        let of = |m: usize, width| {
            let mut c = value(m * n, 0.1);
            let (a, b, shape) = ((&a[..m * k], k), (&b[..], n), (m, n, k));
            let product =
                Product { transposed: (No, No), shape, alpha: 1.0, a, b, beta: 1.0, c: (&mut c, n) };
            blocks(width, product, |_, _, _| {});
            c
        };
        let with = |width| of(m, width);
        assert_eq!(with(Width::Avx512), with(Width::Avx2));
        // B as it lies.
        let few = m.min(37);
        assert_eq!(of(few, Width::Avx512), with(Width::Avx512)[..few * n]);
        // A single row has a loop of its own.
        let mut one = value(m * n, 0.1)[..n].to_vec();
        let (a, b, shape) = ((&a[..k], k), (&b[..], n), (1, n, k));
        let product = Product { transposed: (No, No), shape, alpha: 1.0, a, b, beta: 1.0, c: (&mut one, n) };
        run(product, |_, _, _| {});
        assert_eq!(one, with(Width::Avx512)[..n]);
    }
}
