//! Graphs from files: delimited edge lists and GML. Lengths are checked before anything is read.

mod edge_list;
mod gml;

use std::io::Read;
use std::path::Path;

pub use edge_list::{EdgeList, NamedGraph};
pub use gml::{Attribute, Gml, GmlGraph};

use super::GraphError;

/// Largest file in bytes unless a reader is told otherwise: 4 GiB.
pub const DEFAULT_LIMIT: u64 = 4 << 30;

fn text_of(path: &Path, limit: u64) -> Result<String, GraphError> {
    let io = |source| GraphError::Io { path: path.to_path_buf(), source };
    let too_large = |bytes| GraphError::TooLarge { path: path.to_path_buf(), bytes, limit };
    let file = std::fs::File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    if bytes > limit {
        return Err(too_large(bytes));
    }
    let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    // What is not a regular file may say 0 and go on for ever.
    file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(io)?;
    if content.len() as u64 > limit {
        return Err(too_large(content.len() as u64));
    }
    text(path, content)
}

fn text(path: &Path, content: Vec<u8>) -> Result<String, GraphError> {
    String::from_utf8(content).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count() as u64;
        let found = format!("byte {:#04x}", bytes[at]);
        GraphError::field(path, line, "text", &found, "UTF-8")
    })
}
