//! Gzipped files.

use std::io::Read;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::DataError;

/// The contents of a gzipped file, of which neither the packed nor the unpacked bytes may be more than `limit`.
pub(super) fn bytes_of(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let packed = super::bytes_of(path, limit)?;
    let mut bytes = Vec::new();
    MultiGzDecoder::new(&packed[..])
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(DataError::io(path, "unpack it as gzip"))?;
    if bytes.len() as u64 > limit {
        return Err(DataError::TooLarge { path: path.to_path_buf(), bytes: bytes.len() as u64, limit });
    }
    Ok(bytes)
}
