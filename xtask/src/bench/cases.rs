//! The benches: which example of ours runs against which script, on which files, and how far both may differ.

use super::inputs::Input;
use super::peers::Libraries;
use super::{balancers, cohorts, networks, systems};

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
    /// Built with OpenBLAS as well where this machine has it, and the better build counts: dense products are most of the work.
    pub(super) products: bool,
    pub(super) measure: Measure,
    /// Keys of our JSON: what is measured and the value to compare.
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
    /// Our time over the least that this machine can do the work in must be at most this.
    pub(super) of_floor: Option<f64>,
    /// Timed runs inside one turn, of which the median counts.
    pub(super) repeats: u32,
}

/// What is compared; less is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Milliseconds of the work itself, which has a floor where our side says what it takes at least.
    Work,
    /// Milliseconds from the start of the process.
    Start,
    /// The largest resident memory in MB.
    Memory,
}

impl Measure {
    pub(super) fn unit(self) -> &'static str {
        match self {
            Measure::Work | Measure::Start => "ms",
            Measure::Memory => "MB",
        }
    }
}

#[derive(Clone, Copy)]
pub(super) enum Tolerance {
    Absolute(f64),
    Relative(f64),
    /// Ours may be larger by any amount: a search that finds more is not wrong.
    NotBelow(f64),
}

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
    measure: Measure::Work,
    ours: ("median_fit_ms", "rmse"),
    theirs: ("ms", "check"),
    alone: false,
    tolerance: Tolerance::Absolute(0.003),
    at_least: 5.0,
    at_most: None,
    of_floor: None,
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
    [&OWN[..], &networks::CASES, &systems::CASES, &balancers::CASES, &cohorts::CASES].into_iter().flatten()
}

pub(super) fn names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(all().map(|case| case.name))
}
