//! What benches work on: the files of both sides, and the words that tell the sides of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cases::Case;
use super::cohorts::Work;
use super::generate;
use crate::process;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// MovieLens-100K in a training and a test file; the word is our name of the system.
    Ratings {
        system: &'static str,
        peer_system: &'static str,
    },
    /// 10⁶ scores with labels; the word is the metric for the script.
    Scores(&'static str),
    Points,
    /// A folder that our side's program makes.
    Towers {
        /// Positives in a batch.
        rows: usize,
    },
    /// Likewise: MMoE; the word is for both sides.
    Mmoe {
        work: &'static str,
        /// Rows of a batch.
        rows: usize,
    },
    /// Likewise: steps of MMoE under a balancer; the word is for both sides.
    Balancer {
        method: &'static str,
        /// Rows of a batch.
        rows: usize,
    },
    /// Likewise: adapters for many cohorts; the word is for both sides.
    Lora(&'static str),
    /// Likewise, from MovieLens-100K: epochs of DMTL.
    Dmtl {
        /// Rows of a batch.
        rows: usize,
    },
    /// Likewise: steps of LightGCN; the word is for the script.
    LightGcn(&'static str),
    /// Cohorts: a graph or points.
    Cohorts(Work),
}

pub(super) const SCORES: usize = 1_000_000;
pub(super) const ROWS: usize = 200_000;
pub(super) const DIM: usize = 32;
pub(super) const CLUSTERS: usize = 64;
const ITERATIONS: usize = 20;

/// Where the files of both sides are made.
pub(super) struct Inputs {
    pub(super) folder: PathBuf,
    pub(super) mirror: Option<PathBuf>,
}

impl Inputs {
    /// The files of a bench, or nothing (with a line that says why) when its data is not here. `program` is our side's.
    pub(super) fn prepare(&self, case: &Case, program: &Path) -> Result<Option<[PathBuf; 2]>> {
        let at = |name: &str| self.folder.join(name);
        let write = |path: &Path, bytes: Vec<u8>| {
            fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
        };
        match case.input {
            Input::Ratings { .. } => {
                let Some(source) = self.ratings(case) else { return Ok(None) };
                let text = fs::read_to_string(&source)
                    .with_context(|| format!("cannot read {}", source.display()))?;
                let (train, test) = generate::split(&text);
                let files = [at("train.tsv"), at("test.tsv")];
                write(&files[0], train.into_bytes())?;
                write(&files[1], test.into_bytes())?;
                Ok(Some(files))
            }
            Input::Scores(_) => {
                let (scores, labels) = generate::scores(SCORES);
                let files = [at("scores.f32"), at("labels.u8")];
                write(&files[0], generate::bytes(&scores))?;
                write(&files[1], labels)?;
                Ok(Some(files))
            }
            Input::Points => {
                let (points, centres) = generate::points(ROWS, DIM, CLUSTERS);
                let files = [at("points.f32"), at("centres.f32")];
                write(&files[0], generate::bytes(&points))?;
                write(&files[1], generate::bytes(&centres))?;
                Ok(Some(files))
            }
            Input::Towers { .. } => self.made(case, program, at("towers"), self.mirror.as_deref()),
            Input::Mmoe { work: "touched", .. } => {
                self.made(case, program, at("mmoe-large"), Some(Path::new("1000000")))
            }
            Input::Mmoe { .. } => self.made(case, program, at("mmoe"), None),
            Input::Balancer { .. } => self.made(case, program, at("balancers"), None),
            Input::Lora(_) => self.made(case, program, at("lora"), None),
            Input::LightGcn(_) => self.made(case, program, at("lightgcn"), None),
            Input::Dmtl { .. } => match self.ratings(case) {
                Some(_) => self.made(case, program, at("dmtl"), self.mirror.as_deref()),
                None => Ok(None),
            },
            Input::Cohorts(work) => work.prepare(&self.folder).map(Some),
        }
    }
}

impl Inputs {
    /// MovieLens-100K's file of ratings, or nothing and a line that says so.
    fn ratings(&self, case: &Case) -> Option<PathBuf> {
        let source = self.mirror.as_ref().map(|mirror| mirror.join("ml-100k").join("u.data"));
        let found = source.filter(|path| path.is_file());
        if found.is_none() {
            println!(
                "skipped: {}: no ml-100k/u.data; next: set KOHORT_MIRROR or --data to its parent folder",
                case.name
            );
        }
        found
    }

    /// A folder that our side's program fills.
    fn made(
        &self,
        case: &Case,
        program: &Path,
        folder: PathBuf,
        mirror: Option<&Path>,
    ) -> Result<Option<[PathBuf; 2]>> {
        let mut command = Command::new(program);
        command.arg("prepare").arg(&folder).args(mirror);
        println!("{}: {}", case.name, process::read(&mut command)?.trim());
        Ok(Some([folder.clone(), folder]))
    }
}

impl Case {
    pub(super) fn our_words(&self, files: &[PathBuf; 2]) -> Result<Vec<String>> {
        let [first, second] = [word(&files[0])?, word(&files[1])?];
        let repeats = self.repeats.to_string();
        Ok(match self.input {
            Input::Ratings { system, .. } => vec![first, second, system.into(), repeats],
            Input::Scores(_) => vec![first, second, repeats],
            Input::Points => kmeans_words(first, second, repeats),
            Input::Towers { rows } | Input::Dmtl { rows } => {
                vec!["run".into(), first, repeats, rows.to_string()]
            }
            Input::Mmoe { work, rows } => vec![work.into(), first, repeats, rows.to_string()],
            Input::Balancer { method, rows } => {
                vec!["run".into(), first, method.into(), repeats, rows.to_string()]
            }
            Input::Lora(what) => vec!["run".into(), first, what.into(), repeats],
            Input::LightGcn(_) => vec!["run".into(), first, repeats],
            Input::Cohorts(work) => work.words(first, second, repeats),
        })
    }

    pub(super) fn peer_words(&self, files: &[PathBuf; 2], pair: u32) -> Result<Vec<String>> {
        let [first, second] = [word(&files[0])?, word(&files[1])?];
        let repeats = self.repeats.to_string();
        Ok(match self.input {
            Input::Ratings { peer_system, .. } => {
                vec![first, second, peer_system.into(), repeats, pair.to_string()]
            }
            Input::Scores(metric) => vec![first, second, metric.into(), repeats],
            Input::Points => kmeans_words(first, second, repeats),
            Input::Towers { rows } | Input::Dmtl { rows } => vec![first, repeats, rows.to_string()],
            Input::Mmoe { work, rows } => vec![work.into(), first, repeats, rows.to_string()],
            Input::Balancer { method, rows } => vec![first, method.into(), repeats, rows.to_string()],
            Input::Lora(what) | Input::LightGcn(what) => vec![first, what.into(), repeats],
            Input::Cohorts(work) => work.words(first, second, repeats),
        })
    }
}

fn kmeans_words(points: String, centres: String, repeats: String) -> Vec<String> {
    vec![
        points,
        ROWS.to_string(),
        DIM.to_string(),
        centres,
        CLUSTERS.to_string(),
        ITERATIONS.to_string(),
        repeats,
    ]
}

fn word(path: &Path) -> Result<String> {
    path.to_str().map(str::to_string).with_context(|| format!("{} is not UTF-8", path.display()))
}
