//! Checkpoints: any serialisable state in an envelope that refuses damage before it allocates.
//!
//! | bytes | content |
//! |---|---|
//! | 0..8 | magic `KOHORT\r\n`: a transfer that changes line ends is noticed |
//! | 8..12 | format version, little-endian |
//! | 12..20 | length of the payload |
//! | 20..24 | CRC-32 of bytes 0..20 and the payload |
//! | 24.. | payload: the state in bincode 2 |
//!
//! The length must equal the rest of the file and the checksum must hold before anything is decoded, so a file with a
//! single changed byte, a cut tail or a false length is an error. Decoding runs under a size limit and must consume
//! the payload exactly. A file is written beside its target and renamed: an interrupted write leaves the old one.
//!
//! The checksum finds accidents; it does not authenticate.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

const MAGIC: [u8; 8] = *b"KOHORT\r\n";
const HEADER: usize = 24;

/// Format version that this build writes.
pub const VERSION: u32 = 2;
/// Oldest format version that this build reads.
pub const OLDEST: u32 = 2;
/// Largest file that is read or written: 8 GiB.
pub const MAX_FILE: u64 = 8 << 30;

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a checkpoint, or not an intact one.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file is a checkpoint of a format that this build can't read.
    #[error("{}: checkpoint format {found}, this build reads {OLDEST} to {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The format it states.
        found: u32,
    },
}

fn damaged(path: &Path, what: impl Into<String>) -> CheckpointError {
    CheckpointError::Damaged { path: path.to_owned(), what: what.into() }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> CheckpointError + '_ {
    move |source| CheckpointError::Io { path: path.to_owned(), source }
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<{ MAX_FILE as usize }>()
}

/// Writes `state` to `path`, atomically.
pub fn write<T: Serialize>(path: &Path, state: &T) -> Result<(), CheckpointError> {
    let mut bytes = vec![0u8; HEADER];
    bincode::serde::encode_into_std_write(state, &mut bytes, config())
        .map_err(|e| damaged(path, format!("could not be encoded: {e}")))?;
    let length = (bytes.len() - HEADER) as u64;
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..20].copy_from_slice(&length.to_le_bytes());
    let sum = checksum(&bytes);
    bytes[20..24].copy_from_slice(&sum.to_le_bytes());
    replace_file(path, &bytes).map_err(io(path))
}

/// Writes `bytes` to a file beside `path` and renames it onto `path`.
pub fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| std::fs::rename(&beside, path));
    if renamed.is_err() {
        // The rename's error is the one to report; a leftover that can't be removed either changes nothing.
        let _ = std::fs::remove_file(&beside);
    }
    renamed
}

/// Reads a state that [`write()`] wrote.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, CheckpointError> {
    let mut file = File::open(path).map_err(io(path))?;
    let size = file.metadata().map_err(io(path))?.len();
    if size < HEADER as u64 {
        return Err(damaged(
            path,
            format!("{size} bytes are too few for a checkpoint's {HEADER}-byte header"),
        ));
    }
    if size > MAX_FILE {
        return Err(damaged(path, format!("{size} bytes are more than the allowed {MAX_FILE}")));
    }
    let mut header = [0u8; HEADER];
    file.read_exact(&mut header).map_err(io(path))?;
    if header[..8] != MAGIC {
        return Err(damaged(path, "does not begin like a Kohort checkpoint"));
    }
    let version = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(CheckpointError::Version { path: path.to_owned(), found: version });
    }
    let mut length = [0u8; 8];
    length.copy_from_slice(&header[12..20]);
    let length = u64::from_le_bytes(length);
    let rest = size - HEADER as u64;
    if length != rest {
        return Err(damaged(
            path,
            format!("states a payload of {length} bytes and has {rest}: cut or altered"),
        ));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    bytes.extend_from_slice(&header);
    file.take(length).read_to_end(&mut bytes).map_err(io(path))?;
    let stated = u32::from_le_bytes([header[20], header[21], header[22], header[23]]);
    if checksum(&bytes) != stated {
        return Err(damaged(path, "the checksum does not match: the file is altered"));
    }
    let payload = &bytes[HEADER..];
    let (state, used) = bincode::serde::decode_from_slice(payload, config())
        .map_err(|e| damaged(path, format!("holds another kind of state: {e}")))?;
    if used != payload.len() {
        let over = payload.len() - used;
        return Err(damaged(path, format!("holds another kind of state: {over} bytes left over")));
    }
    Ok(state)
}

/// CRC-32 of the header up to the checksum, and the payload.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[..20]);
    crc.update(&bytes[HEADER..]);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;

    fn some() -> Params<f32> {
        let mut params = Params::new();
        params.add("w", 2, 2, vec![1.0, -2.0, 0.5, 3.0]);
        params.add_table("t", 3, 1, vec![0.0, 1.0, 2.0]);
        params
    }

    #[test]
    fn what_is_written_is_read_to_the_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ckpt");
        write(&path, &some()).unwrap();
        let back: Params<f32> = read(&path).unwrap();
        assert_eq!(back.fingerprint(), some().fingerprint());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn any_single_changed_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ckpt");
        write(&path, &some()).unwrap();
        let good = std::fs::read(&path).unwrap();
        for i in 0..good.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[i] ^= flip;
                std::fs::write(&path, &bad).unwrap();
                assert!(read::<Params<f32>>(&path).is_err(), "byte {i} xor {flip:#x}");
            }
        }
    }

    #[test]
    fn a_cut_or_empty_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ckpt");
        write(&path, &some()).unwrap();
        let good = std::fs::read(&path).unwrap();
        for len in 0..good.len() {
            std::fs::write(&path, &good[..len]).unwrap();
            assert!(read::<Params<f32>>(&path).is_err(), "{len} bytes");
        }
    }

    /// A payload that is intact but lies about its contents: a sequence of 2^28 values in a few bytes.
    #[test]
    fn a_small_file_that_claims_2_to_the_28_elements_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ckpt");
        let mut bytes = vec![0u8; HEADER];
        bytes.extend([253, 0, 0, 0, 16, 0, 0, 0, 0]); // bincode's variable-length form of 2^28
        let length = (bytes.len() - HEADER) as u64;
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..20].copy_from_slice(&length.to_le_bytes());
        let sum = checksum(&bytes);
        bytes[20..24].copy_from_slice(&sum.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        assert!(read::<Vec<f32>>(&path).is_err());
        std::fs::write(&path, &bytes[..16]).unwrap();
        let message = read::<Vec<f32>>(&path).unwrap_err().to_string();
        assert!(message.ends_with("16 bytes are too few for a checkpoint's 24-byte header"), "{message}");
    }

    #[test]
    fn another_kind_of_state_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ckpt");
        write(&path, &(1u8, 2u8, 3u8)).unwrap();
        assert!(read::<(u8, u8)>(&path).is_err());
        assert!(read::<Params<f32>>(&path).is_err());
    }
}
