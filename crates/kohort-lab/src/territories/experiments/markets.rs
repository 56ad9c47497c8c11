//! The paper's grid: {one global model, one model per market, MTL} × {random, random + active}, beside popularity,
//! co-occurrence, and what as many more random users would do.

use super::cells;
use crate::grid::Cell;
use crate::paper::Scope;
use crate::territories::measure::What;
use crate::territories::settings::Settings;
use crate::territories::systems::{Model, Sample, System, baselines, towers};
use crate::territories::world::World;

/// Name on the command line.
pub(crate) const NAME: &str = "markets";
/// What every gain is over.
pub(crate) const BEFORE: (Model, Sample) = (Model::Global, Sample::Random);
/// What the claims are about.
pub(crate) const AFTER: (Model, Sample) = (Model::Mtl, Sample::RandomAndActive);
/// What the titles' scores are compared with: the same sample, so that only the blocks differ.
pub(crate) const WITHOUT_BLOCKS: (Model, Sample) = (Model::Global, Sample::RandomAndActive);
/// Samples of the users for intervals.
pub(crate) const DRAWS: u64 = 1_000;

/// All cells; a quick run takes the two ends of the grid, the last one without blocks, and the market's popularity.
pub(crate) fn all<'a>(world: &'a World, settings: &'a Settings, scope: &Scope) -> Vec<Cell<'a>> {
    cells(NAME, world, settings, systems(settings, scope.quick), &scope.seeds)
}

/// The systems of the grid with what is measured of each.
pub(crate) fn systems(settings: &Settings, quick: bool) -> Vec<(System, What)> {
    let what = What { draws: DRAWS, per_user: false, calibration: true, whole: true, titles: false };
    let mut all: Vec<(System, What)> = baselines()
        .into_iter()
        .filter(|system| !quick || system.name == "popularity-local")
        .map(|system| (system, What { calibration: false, ..what }))
        .collect();
    for model in [Model::Global, Model::PerMarket, Model::Mtl] {
        for sample in [Sample::Random, Sample::RandomAndActive, Sample::MoreRandom] {
            let ends = [BEFORE, AFTER, WITHOUT_BLOCKS].contains(&(model, sample));
            // A model per market is there to be compared with the two of the paper's samples.
            let wanted = model != Model::PerMarket || sample != Sample::MoreRandom;
            if if quick { ends } else { wanted } {
                let titles = model != Model::PerMarket && sample != Sample::MoreRandom;
                all.push((towers(model, sample, settings), What { titles, ..what }));
            }
        }
    }
    all
}
