//! The main table: every system under every protocol.

use std::sync::Arc;

use anyhow::Result;
use kohort_data::Way;
use serde_json::json;

use super::{Scope, data_settings};
use crate::cohorts::{Cohorts, GROUPS};
use crate::grid::{Cell, Key};
use crate::measure::{Outcome, evaluate};
use crate::protocols::{SplitPlan, splits};
use crate::study::Study;
use crate::systems::{self, Material, System};

/// One cell for each system, split and seed; a cell is scored under every protocol of its split.
pub(super) fn cells<'a>(study: &'a Study, scope: &Scope) -> Result<Vec<Cell<'a>>> {
    let mut all: Vec<Arc<System>> = Vec::new();
    all.extend(systems::baselines(scope.quick).into_iter().map(Arc::new));
    all.extend(systems::under_test(&study.dataset, scope.quick)?.into_iter().map(Arc::new));
    let size = study.dataset.interactions.len() as f64 / 1e5;
    let mut cells = Vec::new();
    for plan in splits(study.name()) {
        let plan = Arc::new(plan);
        for system in &all {
            // Variants of the system under test explain it; one split is enough for that.
            if system.variant.is_some() && plan.name != MAIN_SPLIT {
                continue;
            }
            for &seed in &scope.seeds {
                let (system, plan) = (Arc::clone(system), Arc::clone(&plan));
                let catalogue = if plan.name == MAIN_SPLIT { 1.5 } else { 1.0 };
                cells.push(Cell {
                    key: Key {
                        experiment: "main".to_owned(),
                        dataset: study.name().to_owned(),
                        split: plan.name.to_owned(),
                        seed,
                        system: system.name.clone(),
                        title: system.title.clone(),
                        variant: system.variant.clone(),
                    },
                    cost: system.cost * size * catalogue,
                    settings: json!({
                        "data": data_settings(study),
                        "plan": &*plan,
                        "config": system.config,
                        "groups": GROUPS,
                    }),
                    work: Box::new(move || work(study, &plan, &system, seed)),
                });
            }
        }
    }
    Ok(cells)
}

/// The split that variants and further experiments use.
pub(crate) const MAIN_SPLIT: &str = "random-20";

fn work(study: &Study, plan: &SplitPlan, system: &System, seed: u64) -> Result<Outcome> {
    let dataset = &study.dataset;
    let split = Way::RandomRows { share: plan.share }.split(&dataset.interactions, seed)?;
    let cohorts = Cohorts::form(dataset, &split.train, GROUPS, seed)?;
    let fitted = system.fit(&Material { dataset, train: &split.train, cohorts: &cohorts, seed })?;
    evaluate(dataset, &split, plan, fitted.scorer.as_ref())
}
