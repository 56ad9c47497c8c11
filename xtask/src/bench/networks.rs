//! Benches of networks against PyTorch: towers, mixtures of experts, adapters.

use super::cases::{Case, Measure, SVD, Tolerance};
use super::inputs::Input;
use super::peers::Libraries;

/// An epoch over the training rows of seven markets, each with four sampled negatives.
const TOWERS: Case = Case {
    name: "two-tower",
    package: "kohort-models",
    example: "towers_bench",
    script: "torch_towers.py",
    size: "129,249 positives × 5, 512-256-128 and 768-256-128, 4 blocks, 4,100 examples a batch",
    parallel: true,
    input: Input::Towers { rows: 820 },
    peers: Libraries::Torch,
    products: true,
    ours: ("epoch_ms", "check"),
    tolerance: Tolerance::Relative(1e-5),
    at_least: 1.5,
    repeats: 2,
    ..SVD
};

/// How far from the floor a step of at least 1,024 rows may be.
const FLOOR: f64 = 1.3;

/// The step as the trainer goes it: forward and backward by shards, Adam on all rows of the tables. The best of the peer's variants
/// counts.
pub(super) const MMOE: Case = Case {
    name: "mmoe-1024",
    by_default: true,
    package: "kohort-models",
    example: "mmoe_bench",
    script: "torch_mmoe.py",
    size: "training step: 8 features × 16, 8 experts 256-128, 2 towers, 1,024 rows",
    parallel: true,
    input: Input::Mmoe { work: "train", rows: 1024 },
    peers: Libraries::Torch,
    products: true,
    ours: ("step_ms", "check"),
    tolerance: Tolerance::Relative(1e-5),
    at_least: 1.6,
    of_floor: Some(FLOOR),
    repeats: 48,
    ..SVD
};

/// Against the better of gather + bmm, loops over segments, and both compiled.
const LORA: Case = Case {
    name: "lora-train",
    package: "kohort-layers",
    example: "lora_bench",
    script: "torch_lora.py",
    size: "training step: 64 cohorts, rank 8 on 256-256-128, mixed batches of 4,096 rows",
    input: Input::Lora("train"),
    ours: ("ms", "check"),
    at_least: 2.0,
    of_floor: None,
    repeats: 48,
    ..MMOE
};

const fn training(name: &'static str, rows: usize, at_least: f64, size: &'static str) -> Case {
    let of_floor = if rows < 1024 { None } else { Some(FLOOR) };
    Case { name, size, input: Input::Mmoe { work: "train", rows }, at_least, of_floor, ..MMOE }
}

/// Tables of a million rows each, of which a step touches the batch's.
const fn touched(name: &'static str, rows: usize, size: &'static str) -> Case {
    let input = Input::Mmoe { work: "touched", rows };
    Case { name, size, input, at_least: 2.0, of_floor: None, by_default: false, ..MMOE }
}

const fn scoring(name: &'static str, rows: usize, at_least: f64, repeats: u32, size: &'static str) -> Case {
    Case {
        name,
        size,
        input: Input::Mmoe { work: "score", rows },
        at_least,
        of_floor: None,
        repeats,
        by_default: false,
        ..MMOE
    }
}

pub(super) const CASES: [Case; 16] = [
    TOWERS,
    // In large batches titles repeat more.
    Case {
        name: "two-tower-large",
        by_default: false,
        size: "129,249 positives × 5, 512-256-128 and 768-256-128, 4 blocks, 20,480 examples a batch",
        input: Input::Towers { rows: 4096 },
        ..TOWERS
    },
    training("mmoe-256", 256, 2.2, "training step: 8 features × 16, 8 experts 256-128, 2 towers, 256 rows"),
    MMOE,
    training(
        "mmoe-4096",
        4096,
        1.5,
        "training step: 8 features × 16, 8 experts 256-128, 2 towers, 4,096 rows",
    ),
    touched("mmoe-touched-256", 256, "training step: tables of 10⁶ rows × 8, touched rows only, 256 rows"),
    touched(
        "mmoe-touched-1024",
        1024,
        "training step: tables of 10⁶ rows × 8, touched rows only, 1,024 rows",
    ),
    touched(
        "mmoe-touched-4096",
        4096,
        "training step: tables of 10⁶ rows × 8, touched rows only, 4,096 rows",
    ),
    scoring("mmoe-score-1", 1, 10.0, 2000, "scoring, 1 row"),
    scoring("mmoe-score-256", 256, 2.5, 200, "scoring, 256 rows"),
    scoring("mmoe-score-4096", 4096, 1.6, 48, "scoring, 4,096 rows"),
    Case {
        name: "mmoe-threads",
        by_default: false,
        alone: true,
        size: "training step, 4,096 rows, against one thread",
        input: Input::Mmoe { work: "train", rows: 4096 },
        at_least: 1.8,
        of_floor: None,
        ..MMOE
    },
    Case {
        name: "mmoe-start",
        by_default: false,
        size: "start of the process to the end of the first training step, 1,024 rows",
        measure: Measure::Start,
        ours: ("start_ms", "check"),
        theirs: ("start_ms", "check"),
        at_least: 20.0,
        of_floor: None,
        repeats: 1,
        ..MMOE
    },
    Case {
        name: "mmoe-memory",
        by_default: false,
        size: "largest resident memory of some training steps in MB, 1,024 rows",
        measure: Measure::Memory,
        ours: ("peak_mb", "check"),
        theirs: ("peak_mb", "check"),
        at_least: 4.0,
        of_floor: None,
        repeats: 1,
        ..MMOE
    },
    LORA,
    Case {
        name: "lora-score",
        size: "scoring: 64 cohorts, rank 8 on 256-256-128, mixed batches of 4,096 rows",
        input: Input::Lora("score"),
        at_least: 1.5,
        ..LORA
    },
];
