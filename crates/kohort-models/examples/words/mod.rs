//! Files of words, which both sides of a bench read, and medians of times.

use std::io::Result;
use std::path::Path;

/// The words of a file, little-endian.
#[allow(dead_code)] // some work in memory
pub(crate) fn read(path: &Path) -> Result<Vec<u32>> {
    let bytes = std::fs::read(path)?;
    Ok(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

/// Likewise, as numbers.
#[allow(dead_code)] // not every bench has numbers
pub(crate) fn read_numbers(path: &Path) -> Result<Vec<f32>> {
    Ok(read(path)?.into_iter().map(f32::from_bits).collect())
}

#[allow(dead_code)] // some write as they draw
pub(crate) fn write(path: &Path, words: impl IntoIterator<Item = u32>) -> Result<()> {
    std::fs::write(path, words.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
}

/// NaN without a value.
#[allow(dead_code)] // some want the fastest too
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

/// Every `width`th word from the `at`th on.
#[allow(dead_code)] // not every bench has columns side by side
pub(crate) fn column(words: &[u32], width: usize, at: usize) -> Vec<u32> {
    words.iter().skip(at).step_by(width).copied().collect()
}
