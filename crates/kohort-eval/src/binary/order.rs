//! Sorting scores together with their labels.

/// Below this many rows a comparison sort beats filling three histograms of 2048 buckets.
const RADIX_FROM: usize = 4096;
/// The key has 32 bits above the label's bit: 11 + 11 + 10.
const DIGITS: [(u32, usize); 3] = [(1, 1 << 11), (12, 1 << 11), (23, 1 << 10)];

/// Floating-point types that scores, predictions and ratings come in: `f32` and `f64`.
pub trait Score: Copy + Into<f64> + Send + Sync + sealed::Sealed {
    /// Calls `step(positives, negatives)` once per distinct score, highest first; `false`, with nothing called, if
    /// a score is NaN. Both slices are `[n]`.
    #[doc(hidden)]
    fn walk_descending(scores: &[Self], labels: &[bool], step: impl FnMut(u64, u64)) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// Maps a number to an integer of the same order; NaN has no place in it. No number maps to 0.
#[inline(always)]
pub(crate) fn ascending_key(x: f32) -> u32 {
    // Adding zero turns -0.0 into 0.0. Then: flip all bits of negatives, the sign bit of the others.
    let bits = (x + 0.0).to_bits();
    bits ^ (((bits as i32) >> 31) as u32 | 0x8000_0000)
}

impl Score for f32 {
    fn walk_descending(scores: &[Self], labels: &[bool], step: impl FnMut(u64, u64)) -> bool {
        let mut nan = false;
        let mut packed: Vec<u64> = Vec::with_capacity(scores.len());
        packed.extend(scores.iter().zip(labels).map(|(&score, &label)| {
            nan |= score.is_nan();
            (u64::from(ascending_key(score)) << 1) | u64::from(label)
        }));
        if nan {
            return false;
        }
        let sorted = if packed.len() < RADIX_FROM {
            packed.sort_unstable();
            packed
        } else {
            radix_sort(packed)
        };
        walk(sorted.iter().rev().map(|&entry| (entry >> 1, entry & 1)), step);
        true
    }
}

impl Score for f64 {
    fn walk_descending(scores: &[Self], labels: &[bool], step: impl FnMut(u64, u64)) -> bool {
        if scores.iter().any(|score| score.is_nan()) {
            return false;
        }
        let mut pairs: Vec<(u64, u64)> = scores
            .iter()
            .zip(labels)
            .map(|(&score, &label)| {
                let bits = (score + 0.0).to_bits();
                (bits ^ (((bits as i64) >> 63) as u64 | (1 << 63)), u64::from(label))
            })
            .collect();
        pairs.sort_unstable_by_key(|&(key, _)| key);
        walk(pairs.into_iter().rev(), step);
        true
    }
}

/// Turns sorted `(key, label)` into one step per run of equal keys.
#[inline(always)]
fn walk(mut entries: impl Iterator<Item = (u64, u64)>, mut step: impl FnMut(u64, u64)) {
    let Some((mut current, label)) = entries.next() else { return };
    let (mut positives, mut rows) = (label, 1);
    for (key, label) in entries {
        if key != current {
            step(positives, rows - positives);
            (current, positives, rows) = (key, 0, 0);
        }
        positives += label;
        rows += 1;
    }
    step(positives, rows - positives);
}

/// Ascending least-significant-digit radix sort by bits 1..33; bit 0 (the label) travels along unsorted.
fn radix_sort(mut from: Vec<u64>) -> Vec<u64> {
    let mut counts = [[0usize; 1 << 11]; 3];
    for &entry in &from {
        for ((shift, size), count) in DIGITS.into_iter().zip(&mut counts) {
            count[(entry >> shift) as usize & (size - 1)] += 1;
        }
    }
    let mut to = vec![0u64; from.len()];
    for ((shift, size), count) in DIGITS.into_iter().zip(&mut counts) {
        // Scores of one magnitude share their highest digit: that pass would only copy.
        if count.contains(&from.len()) {
            continue;
        }
        let mut start = 0;
        for slot in count.iter_mut() {
            start += std::mem::replace(slot, start);
        }
        for &entry in &from {
            let slot = &mut count[(entry >> shift) as usize & (size - 1)];
            to[*slot] = entry;
            *slot += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_the_numbers_and_never_use_zero() {
        let ascending =
            [f32::NEG_INFINITY, f32::MIN, -1.0, -f32::MIN_POSITIVE, -1e-45, 0.0, 1e-45, 1.0, f32::INFINITY];
        let keys: Vec<u32> = ascending.iter().map(|&x| ascending_key(x)).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
        assert!(keys[0] > 0);
        assert_eq!(ascending_key(-0.0), ascending_key(0.0));
    }

    #[test]
    fn radix_sort_agrees_with_the_standard_sort() {
        let mut state = 1u64;
        let entries: Vec<u64> = (0..20_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 31
            })
            .collect();
        let mut expected: Vec<u64> = entries.iter().map(|entry| entry >> 1).collect();
        expected.sort_unstable();
        let sorted: Vec<u64> = radix_sort(entries).iter().map(|entry| entry >> 1).collect();
        assert_eq!(sorted, expected);
    }
}
