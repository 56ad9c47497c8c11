//! Groups as units: KMeans groups on every data set, and the real groups of ITM-Rec with their own ratings.
//!
//! A system scores a group by scoring its members and taking the mean, the lowest or the highest; beside that, baselines
//! are fitted on group ratings directly.

mod kmeans;
mod real;
mod score;

use crate::dmtl::study::Study;
use crate::dmtl::systems::{self, System};
use crate::grid::Cell;
use crate::paper::Scope;

/// Names of the protocols on KMeans groups, in the order of the rules.
pub(crate) const KMEANS: [&str; 3] =
    ["KMeans groups, average", "KMeans groups, least misery", "KMeans groups, most pleasure"];
/// Names of the protocols on real groups, in the order of the rules.
pub(crate) const REAL: [&str; 3] = ["real groups", "real groups, least misery", "real groups, most pleasure"];
/// The cohort of real groups with few training ratings of their own.
pub(crate) const COLD: &str = "cold groups";
/// Name of the description of real groups in rows.
pub(crate) const DESCRIPTION: &str = "real groups, description";

/// All cells of a data set.
pub(super) fn cells<'a>(study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
    let mut cells = kmeans::cells(study, scope);
    cells.extend(real::cells(study, scope));
    cells
}

/// Systems that score members.
fn by_members(study: &Study, quick: bool) -> Vec<System> {
    let mut all =
        systems::baselines_named(&["random", "popularity", "item-mean", "bias", "svd++", "knn-item-pearson"]);
    all.push(systems::under_test(&study.dataset));
    if !quick {
        all.push(systems::single_task(&study.dataset));
    }
    all
}

/// Baselines that are fitted on the groups' ratings as if groups were users.
fn by_group_ratings() -> Vec<System> {
    systems::baselines_named(&["item-mean", "bias", "svd", "knn-item-pearson"])
}
