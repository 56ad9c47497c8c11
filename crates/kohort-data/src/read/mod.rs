//! Readers: files in, [`Dataset`](crate::Dataset) or [`Records`](crate::records::Records) out, with an error that names
//! file and line where they do not fit.

pub mod census_income;
pub mod delimited;
mod gzip;
pub mod itm_rec;
pub mod movielens;
pub mod recbole;
mod table;
pub mod twitch;
pub mod vectors;
pub mod xmarket;

use std::io::Read;
use std::path::Path;

pub use table::{Encoding, Format, Header, Table};

use crate::DataError;

/// Largest file that a reader takes unless told otherwise: 1 GiB.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// Reads a file whose length is checked against `limit` before anything is allocated.
pub(crate) fn bytes_of(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let file = std::fs::File::open(path).map_err(DataError::io(path, "open it"))?;
    let length = file.metadata().map_err(DataError::io(path, "ask for its length"))?.len();
    if length > limit {
        return Err(DataError::TooLarge { path: path.to_path_buf(), bytes: length, limit });
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // A file may grow between the two calls, and some special files claim length zero.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(DataError::io(path, "read it"))?;
    if bytes.len() as u64 > limit {
        return Err(DataError::TooLarge { path: path.to_path_buf(), bytes: bytes.len() as u64, limit });
    }
    Ok(bytes)
}
