//! The benches: which example of ours runs against which script, on which files, and how far both may differ.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cohorts::{self, Work};
use super::peers::Libraries;
use super::{balancers, generate, networks};
use crate::workspace::Workspace;
use crate::{blas, process};

/// A bench.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Runs when nothing else was asked for.
    pub(super) by_default: bool,
    /// Our side: package and example.
    pub(super) package: &'static str,
    pub(super) example: &'static str,
    /// The peer's side, in `xtask/bench/`.
    pub(super) script: &'static str,
    /// What both sides work on, for people.
    pub(super) size: &'static str,
    /// Uses as many threads as the flag says, not one.
    pub(super) parallel: bool,
    pub(super) input: Input,
    pub(super) peers: Libraries,
    /// Built with OpenBLAS where this machine has it: dense products are most of the work.
    pub(super) products: bool,
    /// Keys of our JSON: milliseconds and the value to compare.
    pub(super) ours: (&'static str, &'static str),
    /// The same of the peer's.
    pub(super) theirs: (&'static str, &'static str),
    /// The peer is our own program on one thread.
    pub(super) alone: bool,
    /// How far both values may lie apart.
    pub(super) tolerance: Tolerance,
    /// The peer's time over ours must be at least this.
    pub(super) at_least: f64,
    /// Our time over that of our plain step, which our side measures beside it, must be at most this.
    pub(super) at_most: Option<f64>,
    /// Timed runs inside one turn, of which the median counts.
    pub(super) repeats: u32,
}

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
    /// Cohorts: a graph or points.
    Cohorts(Work),
}

#[derive(Clone, Copy)]
pub(super) enum Tolerance {
    Absolute(f64),
    Relative(f64),
    /// Ours may be larger by any amount: a search that finds more is not wrong.
    NotBelow(f64),
}

pub(super) const SCORES: usize = 1_000_000;
pub(super) const ROWS: usize = 200_000;
pub(super) const DIM: usize = 32;
pub(super) const CLUSTERS: usize = 64;
const ITERATIONS: usize = 20;

pub(super) const SVD: Case = Case {
    name: "svd",
    by_default: true,
    package: "kohort-models",
    example: "baselines_bench",
    script: "surprise_svd.py",
    size: "ML-100K 80/20, 100 factors, 20 epochs",
    parallel: false,
    input: Input::Ratings { system: "svd", peer_system: "svd" },
    peers: Libraries::Small,
    products: false,
    ours: ("median_fit_ms", "rmse"),
    theirs: ("ms", "check"),
    alone: false,
    tolerance: Tolerance::Absolute(0.003),
    at_least: 5.0,
    at_most: None,
    repeats: 1,
};

const SVDPP: Case = Case {
    name: "svdpp",
    size: "ML-100K 80/20, 20 factors, 20 epochs",
    input: Input::Ratings { system: "svdpp", peer_system: "svdpp" },
    at_least: 10.0,
    ..SVD
};

const AVERAGE_PRECISION: Case = Case {
    name: "average-precision",
    package: "kohort-eval",
    example: "auc_bench",
    script: "sklearn_auc.py",
    size: "1,000,000 scores",
    input: Input::Scores("average-precision"),
    ours: ("ap_ms", "average_precision"),
    tolerance: Tolerance::Absolute(1e-9),
    repeats: 5,
    ..SVD
};

const OWN: [Case; 6] = [
    SVD,
    SVDPP,
    // Surprise's faster setting, which is not its default.
    Case {
        name: "svdpp-cached",
        by_default: false,
        input: Input::Ratings { system: "svdpp", peer_system: "svdpp-cached" },
        ..SVDPP
    },
    AVERAGE_PRECISION,
    Case {
        name: "roc-auc",
        input: Input::Scores("roc-auc"),
        ours: ("auc_ms", "roc_auc"),
        ..AVERAGE_PRECISION
    },
    Case {
        name: "kmeans",
        package: "kohort-cohorts",
        example: "kmeans_bench",
        script: "sklearn_kmeans.py",
        size: "200,000 × 32, k = 64, 20 iterations",
        parallel: true,
        input: Input::Points,
        ours: ("median_ms", "inertia"),
        tolerance: Tolerance::Relative(1e-5),
        at_least: 1.0,
        repeats: 3,
        ..SVD
    },
];

/// All benches, in the order in which they run.
pub(super) fn all() -> impl Iterator<Item = &'static Case> {
    [&OWN[..], &networks::CASES, &balancers::CASES, &cohorts::CASES].into_iter().flatten()
}

pub(super) fn names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(all().map(|case| case.name))
}

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
                let source = self.mirror.as_ref().map(|mirror| mirror.join("ml-100k").join("u.data"));
                let Some(source) = source.filter(|path| path.is_file()) else {
                    println!(
                        "skipped: {}: no ml-100k/u.data; next: set KOHORT_MIRROR or --data to its parent folder",
                        case.name
                    );
                    return Ok(None);
                };
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
            Input::Cohorts(work) => work.prepare(&self.folder).map(Some),
        }
    }
}

impl Inputs {
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

/// Builds our side and returns the program.
pub(super) fn build(workspace: &Workspace, case: &Case) -> Result<PathBuf> {
    let mut command = workspace.cargo();
    command.args(["build", "--release", "--quiet", "-p", case.package, "--example", case.example]);
    if case.products
        && let Some(found) = blas::detect()
    {
        println!("{}: our products by OpenBLAS {}", case.name, found.description);
        command.args(["--features", "openblas"]);
    }
    process::run(&mut command).with_context(|| {
        format!(
            "our side does not build; next: cargo build --release -p {} --example {}",
            case.package, case.example
        )
    })?;
    let program = format!("{}{}", case.example, std::env::consts::EXE_SUFFIX);
    Ok(workspace.target.join("release").join("examples").join(program))
}

impl Case {
    pub(super) fn our_words(&self, files: &[PathBuf; 2]) -> Result<Vec<String>> {
        let [first, second] = [word(&files[0])?, word(&files[1])?];
        let repeats = self.repeats.to_string();
        Ok(match self.input {
            Input::Ratings { system, .. } => vec![first, second, system.into(), repeats],
            Input::Scores(_) => vec![first, second, repeats],
            Input::Points => kmeans_words(first, second, repeats),
            Input::Towers { rows } => vec!["run".into(), first, repeats, rows.to_string()],
            Input::Mmoe { work, rows } => vec![work.into(), first, repeats, rows.to_string()],
            Input::Balancer { method, rows } => {
                vec!["run".into(), first, method.into(), repeats, rows.to_string()]
            }
            Input::Lora(what) => vec!["run".into(), first, what.into(), repeats],
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
            Input::Towers { rows } => vec![first, repeats, rows.to_string()],
            Input::Mmoe { work, rows } => vec![work.into(), first, repeats, rows.to_string()],
            Input::Balancer { method, rows } => vec![first, method.into(), repeats, rows.to_string()],
            Input::Lora(what) => vec![first, what.into(), repeats],
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
