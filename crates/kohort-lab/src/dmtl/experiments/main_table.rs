//! The main table: every system under every protocol, and how well groups are named.

use std::sync::Arc;

use super::sweeps::protocol_a;
use super::{MAIN_SPLIT, fit};
use crate::dmtl::profiling::Trivial;
use crate::dmtl::protocols::splits;
use crate::dmtl::study::Study;
use crate::dmtl::systems;
use crate::grid::Cell;
use crate::paper::Scope;

/// One cell for each system, split and seed; a cell is scored under every protocol of its split.
pub(super) fn cells<'a>(study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
    let mut all = systems::baselines();
    all.push(systems::under_test(&study.dataset));
    all.extend(systems::variants(&study.dataset, scope.quick));
    let all: Vec<_> = all.into_iter().map(Arc::new).collect();
    let of_variants = protocol_a(study).map(Arc::new);
    let mut cells = Vec::new();
    for plan in splits(study.name()).into_iter().map(Arc::new) {
        for system in &all {
            // Variants of the system under test explain it; protocol (a) is enough for that.
            let plan = match (&system.variant, &of_variants) {
                (None, _) => &plan,
                (Some(_), Some(of_variants)) if plan.name == MAIN_SPLIT => of_variants,
                (Some(_), _) => continue,
            };
            cells.extend(scope.seeds.iter().map(|&seed| fit::cell(study, "main", plan, system, seed)));
        }
        if plan.name == MAIN_SPLIT {
            for trivial in Trivial::ALL {
                cells.extend(
                    scope.seeds.iter().map(|&seed| fit::trivial(study, "main", &plan, trivial, seed)),
                );
            }
        }
    }
    cells
}
