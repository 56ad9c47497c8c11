//! Benches of balancers: MMoE with four tasks under each of them, against PyTorch as LibMTL writes it, and our own plain step.
//!
//! A name says where gradients are taken: over all shared parameters, tables included, without a word; the experts' last layers; or the
//! representation (`rep`). Like meets like: the peer takes them at the same place.

use super::cases::{Case, Tolerance};
use super::inputs::Input;
use super::networks::MMOE;

/// Beside the forward pass and the sweep of a plain step.
const LITTLE: f64 = 1.05;
const NORMS: f64 = 1.4;
const VECTORS: f64 = 2.6;

const UNCERTAINTY: Case = Case {
    name: "uncertainty",
    by_default: false,
    example: "balancers_bench",
    script: "torch_balancers.py",
    size: "MMoE step, 4 tasks, 8 experts 256-128, 1,024 rows",
    input: Input::Balancer { method: "uncertainty", rows: 1024 },
    ours: ("step_ms", "check"),
    tolerance: Tolerance::Relative(1e-5),
    at_least: 2.0,
    at_most: Some(LITTLE),
    repeats: 1,
    ..MMOE
};

const fn case(name: &'static str, method: &'static str, at_most: f64, at_least: f64) -> Case {
    Case {
        name,
        input: Input::Balancer { method, rows: 1024 },
        at_most: Some(at_most),
        at_least,
        ..UNCERTAINTY
    }
}

pub(super) const CASES: [Case; 12] = [
    UNCERTAINTY,
    case("rules", "rules", LITTLE, 2.0),
    case("gradnorm", "gradnorm", NORMS, 2.5),
    case("gradnorm-last", "gradnorm-last", NORMS, 2.5),
    case("gradnorm-rep", "gradnorm-rep", NORMS, 2.5),
    case("pcgrad", "pcgrad", VECTORS, 2.5),
    case("pcgrad-rep", "pcgrad-rep", VECTORS, 2.5),
    case("cagrad", "cagrad", VECTORS, 2.0),
    case("cagrad-rep", "cagrad-rep", VECTORS, 2.0),
    case("mgda", "mgda", VECTORS, 2.0),
    case("mgda-rep", "mgda-rep", VECTORS, 2.0),
    Case {
        size: "MMoE step, 4 tasks, 8 experts 256-128, 4,096 rows",
        input: Input::Balancer { method: "pcgrad", rows: 4096 },
        ..case("pcgrad-4096", "pcgrad", VECTORS, 2.5)
    },
];
