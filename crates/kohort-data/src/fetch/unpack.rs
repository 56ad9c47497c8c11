//! A manifest's files out of a zip archive (a wheel is one), never more bytes than the manifest allows.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::verify::digest;
use crate::DataError;
use crate::manifest::Layout;

/// Extracts the layout's files from folder `inside` to `staging`. What counts is each file's own checksum, which the
/// caller checks; the archive's own is checked to tell a broken archive from a wrong one.
pub(super) fn unpack(
    archive: &Path,
    bytes: u64,
    sha256: &str,
    inside: &str,
    layout: &Layout,
    staging: &Path,
) -> Result<(), DataError> {
    std::fs::create_dir_all(staging).map_err(DataError::io(staging, "make the folder"))?;
    let seen = digest(archive, bytes.saturating_add(1))?;
    let unpacked = extract(archive, inside, layout, staging);
    match unpacked {
        Err(error) if seen.bytes != bytes || seen.sha256 != sha256 => Err(DataError::Place {
            what: format!(
                "not the archive of the manifest (found {} bytes with sha256 {}, expected {bytes} with {sha256}): {error}",
                seen.bytes, seen.sha256
            ),
        }),
        other => other,
    }
}

fn extract(archive: &Path, inside: &str, layout: &Layout, staging: &Path) -> Result<(), DataError> {
    let broken = |what: String| DataError::Place { what: format!("{}: {what}", archive.display()) };
    let file = File::open(archive).map_err(DataError::io(archive, "open it"))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    for entry in &layout.files {
        let mut packed = match zip.by_name(&format!("{inside}{}", entry.path)) {
            Ok(packed) => packed,
            Err(zip::result::ZipError::FileNotFound) if entry.optional => continue,
            Err(error) => return Err(broken(format!("{inside}{}: {error}", entry.path))),
        };
        let to = staging.join(&entry.path);
        let mut out = File::create(&to).map_err(DataError::io(&to, "write it"))?;
        let copied = std::io::copy(&mut packed.by_ref().take(entry.bytes.saturating_add(1)), &mut out)
            .map_err(|error| broken(format!("{inside}{}: {error}", entry.path)))?;
        if copied > entry.bytes {
            return Err(broken(format!("{inside}{}: more than {} bytes", entry.path, entry.bytes)));
        }
        out.sync_all().map_err(DataError::io(&to, "write it"))?;
    }
    Ok(())
}
