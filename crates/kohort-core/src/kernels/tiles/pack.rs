//! Blocks of a matrix, laid out as tiles read them: panels of `wide` columns, step by step of the inner dimension.

/// From `[depth, columns]` whose rows are `stride` apart: `panel[p·wide + j]` is the entry `(p, j)`. Entries beyond the last column are
/// whatever was there.
#[inline(always)]
pub(super) fn across(
    from: &[f32],
    stride: usize,
    (depth, columns): (usize, usize),
    wide: usize,
    into: &mut Vec<f32>,
) {
    into.resize((columns.next_multiple_of(wide) * depth).max(into.len()), 0.0);
    // Pieces of a known length are copied without a call.
    match wide {
        6 => panels::<6>(from, stride, (depth, columns), into),
        16 => panels::<16>(from, stride, (depth, columns), into),
        64 => panels::<64>(from, stride, (depth, columns), into),
        _ => panels::<1>(from, stride, (depth, columns), into),
    }
}

#[inline(always)]
fn panels<const WIDE: usize>(
    from: &[f32],
    stride: usize,
    (depth, columns): (usize, usize),
    into: &mut [f32],
) {
    for (p, row) in from.chunks(stride).take(depth).enumerate() {
        let row = row[..columns].chunks_exact(WIDE);
        let rest = row.remainder();
        let mut panels = into[p * WIDE..].chunks_mut(WIDE * depth);
        for (piece, panel) in row.zip(&mut panels) {
            panel[..WIDE].copy_from_slice(piece);
        }
        if let Some(panel) = panels.next().filter(|_| !rest.is_empty()) {
            panel[..rest.len()].copy_from_slice(rest);
        }
    }
}

/// From `[columns, depth]` whose rows are `stride` apart: its transpose likewise.
#[inline(always)]
pub(super) fn along(
    from: &[f32],
    stride: usize,
    (depth, columns): (usize, usize),
    wide: usize,
    into: &mut Vec<f32>,
) {
    into.resize((columns.next_multiple_of(wide) * depth).max(into.len()), 0.0);
    for (panel, rows) in (0..columns).step_by(wide).zip(into.chunks_mut(wide * depth)) {
        let count = wide.min(columns - panel);
        for first in (0..count).step_by(BLOCK) {
            let high = BLOCK.min(count - first);
            let mut p = 0;
            while p < depth {
                let long = BLOCK.min(depth - p);
                let source = &from[(panel + first) * stride + p..];
                if (high, long) == (BLOCK, BLOCK) {
                    block(source, stride, &mut rows[p * wide + first..], wide);
                } else {
                    for j in 0..high {
                        for q in 0..long {
                            rows[(p + q) * wide + first + j] = source[j * stride + q];
                        }
                    }
                }
                p += long;
            }
        }
    }
}

/// Side of the square that is transposed at a time.
const BLOCK: usize = 8;

#[inline(always)]
fn block(from: &[f32], stride: usize, into: &mut [f32], wide: usize) {
    let mut square = [[0.0; BLOCK]; BLOCK];
    for (row, from) in square.iter_mut().zip(from.chunks(stride)) {
        row.copy_from_slice(&from[..BLOCK]);
    }
    for (q, into) in into.chunks_mut(wide).take(BLOCK).enumerate() {
        let column: [f32; BLOCK] = std::array::from_fn(|j| square[j][q]);
        into[..BLOCK].copy_from_slice(&column);
    }
}
