//! Another domain: the same setting on MovieLens-100K by ZIP region, a weak cohort.

use super::{cells, markets};
use crate::grid::Cell;
use crate::paper::Scope;
use crate::territories::measure::What;
use crate::territories::settings::Settings;
use crate::territories::world::World;

/// Name on the command line.
pub(crate) const NAME: &str = "regions";

/// The grid of the markets, without the standing of single titles.
pub(crate) fn all<'a>(world: &'a World, settings: &'a Settings, scope: &Scope) -> Vec<Cell<'a>> {
    let systems = markets::systems(settings, scope.quick).into_iter();
    let systems = systems.map(|(system, what)| (system, What { titles: false, ..what })).collect();
    cells(NAME, world, settings, systems, &scope.seeds)
}
