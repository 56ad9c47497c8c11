//! Experts and adapters compared: what a capacity of a cohort's own brings, for whom, and what it costs.
//!
//! | module | idea |
//! |---|---|
//! | `settings` | the setting, one file in `configs/` |
//! | `worlds` | data sets as rows with targets and cohorts, one file each |
//! | `systems` | what is fitted: the one place here that knows models by name |
//! | `fitted` | what came of a fit |
//! | `measure` | a fit on the test rows, by task and cohort, and what it costs |
//! | `insight` | what experts and adapters a cohort uses |
//! | `correlation` | the synthetic experiment of the MMoE paper |
//! | `growth` | what grows as its tasks part |
//! | `gains` | differences between systems, paired by seed |
//! | `verdict` | the claims, and whether this run agrees |
//! | `page` | rows to sections |

mod correlation;
pub(crate) mod fitted;
pub(crate) mod gains;
mod growth;
mod insight;
pub(crate) mod measure;
pub(crate) mod page;
pub(crate) mod settings;
mod systems;
#[cfg(test)]
mod tests;
mod verdict;
pub(crate) mod worlds;

use anyhow::{Context, Result};
use kohort_report::Row;
use serde_json::{Value, json};

use crate::grid::{Cell, Finished, Key};
use crate::paper::{Chapter, Experiment, Paper, Ready, Scope};
use crate::study::{Looking, Skipped};
use crate::summary::{self, Summary};
pub(crate) use fitted::COSINES;
use gains::Gain;
use kohort_models::multitask::Body;
use settings::{ForData, Settings};
use systems::{BASELINE, Bases, CONTROL};
pub(crate) use systems::{System, Weighed, weighed};
pub(crate) use worlds::{CENSUS, MOVIELENS, World, XMARKET};

/// The comparison.
pub(crate) struct Modules;

const EXPERIMENTS: [Experiment; 5] = [
    Experiment { name: worlds::CENSUS, by_default: false, quick: true },
    Experiment { name: worlds::TWITCH, by_default: false, quick: false },
    Experiment { name: worlds::MOVIELENS, by_default: false, quick: false },
    Experiment { name: worlds::XMARKET, by_default: false, quick: false },
    Experiment { name: correlation::NAME, by_default: false, quick: false },
];

/// Protocols of gains, by the system that they are over.
pub(crate) const OVER_BASELINE: &str = "over the shared bottom";
pub(crate) const OVER_CONTROL: &str = "over one LoRA for all";

impl Paper for Modules {
    fn name(&self) -> &'static str {
        "modules"
    }

    fn title(&self) -> &'static str {
        "Experts and adapters for cohorts, compared"
    }

    fn experiments(&self) -> &'static [Experiment] {
        &EXPERIMENTS
    }

    fn prepare(
        &self,
        wanted: &[&'static str],
        looking: &Looking,
        scope: &Scope,
        say: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Ready>> {
        let data: Vec<Wanted> = wanted
            .iter()
            .filter(|name| **name != correlation::NAME)
            .map(|&name| Wanted { experiment: name, source: name, world: None })
            .collect();
        let settings = Settings::read()?;
        let systems = |_: &Body| {
            let systems = systems::systems(&settings)?;
            Ok(systems.into_iter().filter(|system| system.quick || !scope.quick).collect())
        };
        let mut found = WithData::find(&data, &systems, looking, scope, say)?;
        found.settings.correlation = found.settings.correlation.of(scope);
        Ok(Box::new(WithData { correlation: wanted.contains(&correlation::NAME), ..found }))
    }
}

/// A data set for an experiment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Name of the experiment.
    pub(crate) experiment: &'static str,
    /// Name of the data set's own experiment here.
    pub(crate) source: &'static str,
    /// The one of its worlds that is meant; all of them without.
    pub(crate) world: Option<&'static str>,
}

/// A data set of an experiment.
struct Study {
    experiment: &'static str,
    world: World,
    data: ForData,
    bases: Bases,
}

/// The comparison with its data sets.
pub(crate) struct WithData {
    /// Whether the synthetic experiment is wanted.
    correlation: bool,
    rates: correlation::Rates,
    settings: Settings,
    bottom: Body,
    systems: Vec<System>,
    studies: Vec<Study>,
    skipped: Vec<Skipped>,
}

impl WithData {
    /// Finds the data sets; `systems` makes what is compared from the shared bottom's body.
    pub(crate) fn find(
        wanted: &[Wanted],
        systems: &dyn Fn(&Body) -> Result<Vec<System>>,
        looking: &Looking,
        scope: &Scope,
        say: &mut dyn FnMut(&str),
    ) -> Result<WithData> {
        let settings = Settings::read()?;
        let bottom = settings.bodies.get(BASELINE).context("no shared bottom among the bodies")?.clone();
        let (mut studies, mut skipped) = (Vec::new(), Vec::new());
        for want in wanted {
            let data = settings.of(want.source)?;
            match worlds::find(want.source, looking, scope.quick, say)? {
                Ok(found) => {
                    let meant = |world: &World| want.world.is_none_or(|name| name == world.name);
                    studies.extend(found.into_iter().filter(meant).map(|world| Study {
                        experiment: want.experiment,
                        world,
                        data: data.clone(),
                        bases: Bases::default(),
                    }));
                }
                Err(missing) => skipped.push(missing),
            }
        }
        let systems = systems(&bottom)?;
        let rates = correlation::Rates::default();
        Ok(WithData { correlation: false, rates, settings, bottom, systems, studies, skipped })
    }

    /// The data sets.
    pub(crate) fn worlds(&self) -> impl Iterator<Item = &World> {
        self.studies.iter().map(|study| &study.world)
    }

    fn cell<'a>(&'a self, study: &'a Study, system: &'a System, seed: u64) -> Cell<'a> {
        let (data, bottom) = (&study.data, &self.bottom);
        Cell {
            key: Key {
                experiment: study.experiment.to_owned(),
                dataset: study.world.name.to_owned(),
                split: "60-20-20".to_owned(),
                seed,
                system: system.name.clone(),
                title: system.title.clone(),
                variant: None,
            },
            cost: 10.0 * system.cost,
            settings: json!({
                "world": study.world.settings(),
                "quick": study.world.notes,
                "config": system.config(data),
                "base": data.with(bottom),
            }),
            work: Box::new(move || {
                let material = study.world.cut(seed)?;
                let fitted = system.fit(&material, data, &study.bases, bottom, seed)?;
                measure::measure(&fitted, &material)
            }),
        }
    }

    /// Gains over the shared bottom, and those of adapters over the control.
    fn gains(&self, cells: &[&Finished]) -> Result<(Vec<Gain>, Vec<Gain>)> {
        let over_baseline = gains::over(cells, BASELINE)?;
        let adapters: Vec<&Finished> =
            cells.iter().filter(|cell| cell.key.system.contains("lora")).copied().collect();
        Ok((over_baseline, gains::over(&adapters, CONTROL)?))
    }
}

impl Ready for WithData {
    fn cells(&self, scope: &Scope) -> Vec<Cell<'_>> {
        let mut cells = Vec::new();
        for study in &self.studies {
            for &seed in &scope.seeds {
                cells.extend(self.systems.iter().map(|system| self.cell(study, system, seed)));
            }
        }
        if self.correlation {
            cells.extend(correlation::cells(&self.settings.correlation, &self.rates, scope));
        }
        cells
    }

    fn summarise(&self, cells: &[&Finished]) -> Result<Summary> {
        let mut rows: Vec<Row> = summary::rows(cells)?.into_iter().map(|(_, row)| row).collect();
        rows.extend(summary::undefined(cells));
        let (over_baseline, over_control) = self.gains(cells)?;
        rows.extend(over_baseline.iter().map(|gain| gain.row(OVER_BASELINE)));
        rows.extend(over_control.iter().map(|gain| gain.row(OVER_CONTROL)));
        verdict::judge_census(&mut rows);
        rows.extend(verdict::of_gains(&over_baseline));
        rows.extend(growth::rows(cells, &self.settings.correlation));
        Ok(Summary { rows, comparisons: Vec::new() })
    }

    fn chapter(&self, scope: &Scope, cells: &[&Finished], summary: &Summary) -> Chapter {
        page::chapter(&page::Run { paper: self, scope, cells, rows: &summary.rows })
    }

    fn headlines(&self, rows: &[Row]) -> Vec<Row> {
        page::headlines(rows)
    }

    fn record(&self, _: &Scope) -> Vec<Value> {
        let of_study = |study: &Study| {
            json!({
                "paper": "modules",
                "experiment": study.experiment,
                "name": study.world.name,
                "title": study.world.title,
                "cohorts": study.world.cohorts,
                "split": study.world.split,
                "notes": study.world.notes,
                "provenance": study.world.provenance,
            })
        };
        let mut all: Vec<Value> = self.studies.iter().map(of_study).collect();
        all.push(json!({ "paper": "modules", "settings": self.settings }));
        all
    }

    fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}
