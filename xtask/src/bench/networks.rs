//! Benches of networks against PyTorch: towers, mixtures of experts, adapters.

use super::cases::{Case, Input, Tolerance};
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
    ..super::cases::SVD
};

/// The step as the trainer goes it: forward and backward by shards, Adam on all rows of the tables. The better of the peer's
/// variants counts. Issue 6 wants 2.2, 1.6 and 1.5 times its speed at 256, 1024 and 4096 rows.
pub(super) const MMOE: Case = Case {
    name: "mmoe-1024",
    by_default: true,
    package: "kohort-models",
    example: "mmoe_bench",
    script: "torch_mmoe.py",
    size: "training step: 8 features × 16, 8 experts 256-128, 2 towers, 1,024 rows",
    parallel: true,
    input: Input::Mmoe { rows: 1024 },
    peers: Libraries::Torch,
    products: true,
    ours: ("step_ms", "check"),
    tolerance: Tolerance::Relative(1e-5),
    at_least: 1.0,
    at_most: None,
    repeats: 48,
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
    repeats: 48,
    ..MMOE
};

pub(super) const CASES: [Case; 7] = [
    TOWERS,
    // In large batches titles repeat more.
    Case {
        name: "two-tower-large",
        by_default: false,
        size: "129,249 positives × 5, 512-256-128 and 768-256-128, 4 blocks, 20,480 examples a batch",
        input: Input::Towers { rows: 4096 },
        ..TOWERS
    },
    Case {
        name: "mmoe-256",
        size: "training step: 8 features × 16, 8 experts 256-128, 2 towers, 256 rows",
        input: Input::Mmoe { rows: 256 },
        ..MMOE
    },
    MMOE,
    Case {
        name: "mmoe-4096",
        size: "training step: 8 features × 16, 8 experts 256-128, 2 towers, 4,096 rows",
        input: Input::Mmoe { rows: 4096 },
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
