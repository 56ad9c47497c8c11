//! Files against their manifest: length first, then SHA-256.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::DataError;
use crate::manifest::{FileEntry, Layout};

/// Checks that every file of `layout` in `dir` is the one the manifest describes; optional files may be missing.
///
/// # Errors
/// [`DataError::Place`] naming a missing file, [`DataError::Altered`] naming a wrong one.
pub fn verify(dir: &Path, layout: &Layout) -> Result<(), DataError> {
    let missing: Vec<&str> = layout
        .files
        .iter()
        .filter(|file| !file.optional && !dir.join(&file.path).is_file())
        .map(|file| file.path.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(DataError::Place { what: format!("{} missing", missing.join(", ")) });
    }
    layout
        .files
        .iter()
        .filter(|file| dir.join(&file.path).exists())
        .try_for_each(|file| verify_file(dir, file))
}

fn verify_file(dir: &Path, file: &FileEntry) -> Result<(), DataError> {
    let path = dir.join(&file.path);
    // One byte more than allowed tells a file that is too long without reading all of it.
    let seen = digest(&path, file.bytes.saturating_add(1))?;
    if seen.bytes == file.bytes && seen.sha256 == file.sha256 {
        return Ok(());
    }
    let length = std::fs::metadata(&path).map_err(DataError::io(&path, "ask for its length"))?.len();
    let whole = seen.bytes == length;
    Err(DataError::Altered {
        path,
        line: seen.lines,
        found_bytes: length,
        found: if whole { seen.sha256 } else { "not computed, the file is too long".to_owned() },
        bytes: file.bytes,
        expected: file.sha256.clone(),
    })
}

/// What a pass over a file finds.
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) sha256: String,
}

/// Length, lines and checksum of at most the first `most` bytes of a file.
pub(super) fn digest(path: &Path, most: u64) -> Result<Seen, DataError> {
    let mut file = File::open(path).map_err(DataError::io(path, "open it"))?.take(most);
    let (mut hash, mut bytes, mut lines, mut last) = (Sha256::new(), 0u64, 0u64, b'\n');
    let mut block = vec![0u8; 1 << 16];
    loop {
        let read = file.read(&mut block).map_err(DataError::io(path, "read it"))?;
        let Some(&end) = block[..read].last() else { break };
        hash.update(&block[..read]);
        bytes += read as u64;
        lines += block[..read].iter().filter(|&&b| b == b'\n').count() as u64;
        last = end;
    }
    let sha256 = hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    Ok(Seen { bytes, lines: lines + u64::from(last != b'\n'), sha256 })
}
