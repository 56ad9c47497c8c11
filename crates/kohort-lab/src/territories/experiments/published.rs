//! The published table of XMarket: nDCG@10 of the last item among 99 negatives, and what it hides (all titles of the market;
//! a split at one moment for everybody).

use kohort_models::crossmarket::Time;

use super::cells;
use crate::grid::Cell;
use crate::paper::Scope;
use crate::territories::measure::What;
use crate::territories::settings::Settings;
use crate::territories::systems::{Model, Sample, System, baselines, ranker, towers};
use crate::territories::world::World;

/// Name on the command line.
pub(crate) const NAME: &str = "published";

/// Cells of the published split and of the one in time, which is a world of its own.
pub(crate) fn all<'a>(
    (published, in_time): (&'a World, &'a World),
    settings: &'a Settings,
    scope: &Scope,
) -> Vec<Cell<'a>> {
    let mut all =
        cells(NAME, published, settings, systems(settings, Sample::Everybody, Time::TwoSided), &scope.seeds);
    // Rows of others after the query are known in the published split, and are the future in the other.
    all.extend(cells(
        NAME,
        in_time,
        settings,
        systems(settings, Sample::RandomAndActive, Time::OneSided),
        &scope.seeds,
    ));
    all
}

fn systems(settings: &Settings, sample: Sample, time: Time) -> Vec<(System, What)> {
    let what = What { per_user: true, whole: true, ..What::default() };
    let mut all = baselines();
    all.push(towers(Model::Mtl, sample, settings));
    all.push(ranker(settings, time, true));
    let mut all: Vec<(System, What)> = all.into_iter().map(|system| (system, what)).collect();
    // Titles that it never met have no meaning to it, so the whole market would measure nothing else.
    all.push((ranker(settings, time, false), What { whole: false, ..what }));
    all
}
