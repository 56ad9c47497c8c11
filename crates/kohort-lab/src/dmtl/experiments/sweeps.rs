//! Variants of the system under test on the main split, under protocol (a): the sweeps of λ and of the embedding, and the
//! readings of the attention.

use std::sync::Arc;

use super::{MAIN_SPLIT, fit};
use crate::dmtl::protocols::{SplitPlan, splits};
use crate::dmtl::study::Study;
use crate::dmtl::systems::{self, System};
use crate::grid::Cell;
use crate::paper::Scope;

/// λ and the width of the embeddings.
pub(super) fn lambda<'a>(study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
    cells(study, scope, "lambda", systems::sweeps(&study.dataset))
}

/// What the attention weighs.
pub(super) fn attention<'a>(study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
    cells(study, scope, "attention", systems::attentions(&study.dataset))
}

fn cells<'a>(study: &'a Study, scope: &Scope, experiment: &str, systems: Vec<System>) -> Vec<Cell<'a>> {
    let Some(plan) = protocol_a(study) else { return Vec::new() };
    let plan = Arc::new(plan);
    let systems = systems.into_iter().map(Arc::new);
    systems
        .flat_map(|system| {
            let cells = scope.seeds.iter().map(|&seed| fit::cell(study, experiment, &plan, &system, seed));
            cells.collect::<Vec<_>>()
        })
        .collect()
}

/// The main split with protocol (a) alone: ranking the whole catalogue would cost more than the fits.
pub(super) fn protocol_a(study: &Study) -> Option<SplitPlan> {
    let mut plan = splits(study.name()).into_iter().find(|plan| plan.name == MAIN_SPLIT)?;
    plan.protocols.retain(|protocol| protocol.name == "a");
    Some(plan)
}
