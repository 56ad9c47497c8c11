//! Rules about what may be committed: nothing big, and no data set that we may not pass on.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Finding;
use crate::process;

/// A committed file.
pub(super) struct File {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) bytes: u64,
}

const BIGGEST: u64 = 1 << 20;

/// Names of files of MovieLens and ITM-Rec, whose licences do not let us pass them on.
const DATA_FILES: [&str; 16] = [
    "u.data",
    "u.item",
    "u.user",
    "u.genre",
    "u.info",
    "u.occupation",
    "u1.base",
    "u1.test",
    "ua.base",
    "ua.test",
    "ml-100k.inter",
    "ml-100k.zip",
    "ITM-Rec.zip",
    "group_ratings.csv",
    "group_size.csv",
    "group.csv",
];

/// All files that git tracks; without git nothing is committed and there is nothing to check.
pub(super) fn files(root: &Path) -> Result<Vec<File>> {
    let mut git = Command::new("git");
    git.current_dir(root);
    if !process::works(Command::new("git").current_dir(root).args(["rev-parse", "--git-dir"])) {
        println!("tidy: not a git checkout, so only the arrows between crates are checked");
        return Ok(Vec::new());
    }
    let listed = process::read(git.args(["ls-files", "-z"])).context("cannot list the tracked files")?;
    let mut files = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        // A file that was deleted but not committed yet is still listed.
        let Ok(metadata) = fs::symlink_metadata(root.join(path)) else { continue };
        if metadata.is_file() {
            files.push(File { path: path.to_string(), bytes: metadata.len() });
        }
    }
    Ok(files)
}

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        if file.bytes > BIGGEST {
            let what = format!(
                "{} bytes, more than {BIGGEST}: data does not belong into the repository",
                file.bytes
            );
            findings.push(Finding::error(&file.path, what));
        }
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if DATA_FILES.contains(&name) {
            findings.push(Finding::error(&file.path, "a file of a data set that may not be passed on"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_files_and_data_sets_are_found() {
        let file = |path: &str, bytes| File { path: path.into(), bytes };
        let files = [file("a/u.data", 10), file("a/b.bin", BIGGEST + 1), file("datasets/ml-100k.toml", 900)];
        let places: Vec<String> = check(&files).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["a/u.data", "a/b.bin"]);
    }
}
