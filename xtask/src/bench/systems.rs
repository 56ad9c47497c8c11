//! Benches of whole systems against PyTorch: DMTL on real ratings, LightGCN on a large graph.

use super::cases::{Case, SVD, Tolerance};
use super::inputs::Input;
use super::peers::Libraries;

/// An epoch of small steps, where what an op costs beside its work decides. The peer's rows are ordered once an epoch and cut, which is
/// three times as fast as a DataLoader.
const DMTL: Case = Case {
    name: "dmtl-256",
    by_default: false,
    package: "kohort-models",
    example: "dmtl_bench",
    script: "torch_dmtl.py",
    size: "ML-100K, an epoch: embeddings of 64, attention, 128-128, ratings and 10 groups, 256 rows",
    parallel: true,
    input: Input::Dmtl { rows: 256 },
    peers: Libraries::Torch,
    products: true,
    ours: ("epoch_ms", "check"),
    tolerance: Tolerance::Relative(1e-5),
    at_least: 4.0,
    repeats: 5,
    ..SVD
};

/// Against PyTorch's own backward pass of sparse products, the better of both its formats.
const LIGHTGCN: Case = Case {
    name: "lightgcn-autograd",
    by_default: false,
    package: "kohort-models",
    example: "lightgcn_bench",
    script: "torch_lightgcn.py",
    size: "training step: 30,000 × 40,000, 1,000,000 interactions, 64-d, 3 layers, 2,048 rows",
    parallel: true,
    input: Input::LightGcn("autograd"),
    peers: Libraries::Torch,
    ours: ("step_ms", "check"),
    tolerance: Tolerance::Relative(1e-5),
    at_least: 4.0,
    repeats: 8,
    ..SVD
};

pub(super) const CASES: [Case; 4] = [
    DMTL,
    Case {
        name: "dmtl-1024",
        size: "ML-100K, an epoch: embeddings of 64, attention, 128-128, ratings and 10 groups, 1,024 rows",
        input: Input::Dmtl { rows: 1024 },
        at_least: 3.0,
        ..DMTL
    },
    LIGHTGCN,
    // Against a backward pass by hand, which uses that the matrix is symmetric, as ours does.
    Case { name: "lightgcn", input: Input::LightGcn("symmetric"), at_least: 1.3, repeats: 16, ..LIGHTGCN },
];
