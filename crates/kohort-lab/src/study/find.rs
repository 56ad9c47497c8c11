//! Finding data sets through their manifests; an altered file is an error, a missing data set is not.

use std::path::{Path, PathBuf};

use anyhow::Result;
use kohort_data::fetch::{self, Located, Places, Progress};
use kohort_data::records::Records;
use kohort_data::{DataError, Dataset, Manifest};

use super::{FileRecord, Provenance, Skipped};
use crate::failure::Failure;

/// Where to look.
#[derive(Clone, Debug)]
pub(crate) struct Looking {
    /// As the reader of data sets understands it.
    pub(crate) places: Places,
}

/// A data set that was found, as its files have it.
#[derive(Debug)]
pub(crate) struct Found {
    /// All rows.
    pub(crate) dataset: Dataset,
    /// Name for people.
    pub(crate) title: String,
    /// Where it came from.
    pub(crate) provenance: Provenance,
}

impl Looking {
    /// `data` is a mirror before the one that the variable names, and both come before an earlier fetch; fetched files go below the build folder, so that
    /// `cargo clean` removes them and nothing lands in the working copy.
    pub(crate) fn new(data: Option<PathBuf>, offline: bool) -> Looking {
        let mut places = Places::from_env(fetch_folder());
        places.mirrors.splice(0..0, data);
        places.network &= !offline;
        Looking { places }
    }
}

/// `target/data` for a program that lies in `target/release`, wherever the build folder is.
fn fetch_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let profile = program.parent().filter(|dir| {
        dir.file_name().is_some_and(|name| ["debug", "release", "deps"].iter().any(|known| name == *known))
    });
    let target = profile.and_then(Path::parent);
    target.map_or_else(|| PathBuf::from("target/data"), |target| target.join("data"))
}

/// Rows with several targets that were found, as their files have them.
#[derive(Debug)]
pub(crate) struct FoundRecords {
    /// All rows.
    pub(crate) records: Records,
    /// Name for people.
    pub(crate) title: String,
    /// Where they came from.
    pub(crate) provenance: Provenance,
}

/// Finds, checks and reads a data set, or says why it could not be had.
///
/// # Errors
/// Files that are there but are not the manifest's, or cannot be read.
pub(crate) fn look(
    name: &str,
    looking: &Looking,
    say: &mut dyn FnMut(&str),
) -> Result<Result<Found, Skipped>> {
    let read = |located: &Located| {
        let dataset = located.read()?;
        let rows = format!("{} ratings", dataset.interactions.len());
        Ok((dataset, rows))
    };
    let found = read_with(name, looking, say, read)?;
    Ok(found.map(|(dataset, title, provenance)| Found { dataset, title, provenance }))
}

/// The same for rows with several targets.
///
/// # Errors
/// As [`look`].
pub(crate) fn look_records(
    name: &str,
    looking: &Looking,
    say: &mut dyn FnMut(&str),
) -> Result<Result<FoundRecords, Skipped>> {
    let read = |located: &Located| {
        let records = located.read_records()?;
        let rows = format!("{} rows", records.len());
        Ok((records, rows))
    };
    let found = read_with(name, looking, say, read)?;
    Ok(found.map(|(records, title, provenance)| FoundRecords { records, title, provenance }))
}

type Read<T> = (T, String, Provenance);

fn read_with<T>(
    name: &str,
    looking: &Looking,
    say: &mut dyn FnMut(&str),
    read: impl Fn(&Located) -> Result<(T, String), DataError>,
) -> Result<Result<Read<T>, Skipped>> {
    let manifest = Manifest::named(name)?;
    match locate(&manifest, looking, say)? {
        Ok(located) => {
            let (data, rows) = read(&located).map_err(|error| Failure::Data(chain(&error)))?;
            say(&format!("data: {name}, {rows} from {} ({})", located.source, located.dir.display()));
            let provenance = provenance(&manifest, &located);
            Ok(Ok((data, manifest.title, provenance)))
        }
        Err(skipped) => {
            say(&format!("skipped: data set {name}; {}", skipped.why));
            Ok(Err(skipped))
        }
    }
}

/// Says of the named data sets (of all, without names) where they are; true if all are there.
pub(crate) fn list(
    names: &[String],
    looking: &Looking,
    verify: bool,
    say: &mut dyn FnMut(&str),
) -> Result<bool> {
    let all: Vec<String> = Manifest::names().map(str::to_owned).collect();
    let mut complete = true;
    for name in if names.is_empty() { &all } else { names } {
        let manifest = Manifest::named(name).map_err(|error| Failure::Usage(error.to_string()))?;
        say(&format!("{name}: {}", manifest.title));
        say(&format!("  {}", manifest.description));
        say(&format!("  terms: {}", manifest.licence));
        match locate(&manifest, looking, &mut |_| {})? {
            Ok(located) => {
                say(&format!("  found: {} ({})", located.dir.display(), located.source));
                if verify {
                    for file in provenance(&manifest, &located).files {
                        say(&format!("  ok: {} {} bytes sha256 {}", file.path, file.bytes, file.sha256));
                    }
                }
            }
            Err(skipped) => {
                complete = false;
                say(&format!("  not found: {}", skipped.why));
            }
        }
    }
    Ok(complete)
}

/// The files, or why there are none; a file that is not the manifest's stops everything.
fn locate(
    manifest: &Manifest,
    looking: &Looking,
    say: &mut dyn FnMut(&str),
) -> Result<Result<Located, Skipped>> {
    let mut told = None;
    let mut progress = |progress: Progress| {
        // Bytes are counted without end: an address is told once.
        if let Progress::Downloading { url, .. } = &progress
            && told.replace(url.clone()).is_none_or(|before| before != *url)
        {
            say(&format!("data: fetching {url}"));
        }
    };
    match fetch::locate_with(manifest, &looking.places, &mut progress) {
        Ok(located) => Ok(Ok(located)),
        Err(error) => match altered(manifest, &looking.places) {
            Some(altered) => Err(Failure::Data(altered).into()),
            None => Ok(Err(Skipped { name: manifest.name.clone(), why: chain(&error) })),
        },
    }
}

/// A file in one of the folders that is there but is not the one of the manifest.
fn altered(manifest: &Manifest, places: &Places) -> Option<String> {
    let folders = places.mirrors.iter().chain([&places.data_dir]);
    folders.map(|folder| folder.join(&manifest.name)).find_map(|dir| {
        manifest.layouts.iter().find_map(|layout| match fetch::verify(&dir, layout) {
            Err(error @ DataError::Altered { .. }) => Some(error.to_string()),
            _ => None,
        })
    })
}

fn provenance(manifest: &Manifest, located: &Located) -> Provenance {
    let present = |file: &&kohort_data::FileEntry| located.dir.join(&file.path).is_file();
    let files = located.layout.files.iter().filter(present);
    Provenance {
        source: located.source.clone(),
        folder: located.dir.display().to_string(),
        citation: manifest.citation.clone(),
        licence: manifest.licence.clone(),
        files: files
            .map(|file| FileRecord {
                path: file.path.clone(),
                bytes: file.bytes,
                sha256: file.sha256.clone(),
            })
            .collect(),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}
