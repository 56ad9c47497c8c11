//! STAN and GroupCE on public data: what adapts the objective to who the user is, each beside the ablations that isolate its idea.
//!
//! | module | idea |
//! |---|---|
//! | `settings` | the setting, one file in `configs/` |
//! | `world` | MovieLens-100K with two labels, cut at random and by time |
//! | `systems` | what is fitted: the one place here that knows models by name |
//! | `measure` | a fit on the test rows, over rows and within users |
//! | `effects` | the published effects, and what of them shows |
//! | `page` | rows to sections |

mod effects;
mod measure;
mod page;
mod settings;
mod systems;
#[cfg(test)]
mod tests;
mod world;

use anyhow::Result;
use kohort_report::Row;
use serde_json::{Value, json};

use crate::grid::{Cell, Finished, Key};
use crate::modules::gains::{self, Gain};
use crate::paper::{Chapter, Experiment, Paper, Ready, Scope};
use crate::study::{Looking, Skipped};
use crate::summary::{self, Summary};
use settings::Settings;
use systems::{LOG_LOSS_ALONE, PLAIN, System};
use world::World;

/// The two systems.
pub(crate) struct Personalised;

/// Names of the experiments.
const STAN: &str = "stan";
const GROUPCE: &str = "groupce";
const LOSSES: &str = "losses";

const EXPERIMENTS: [Experiment; 3] = [
    Experiment { name: STAN, by_default: false, quick: true },
    Experiment { name: GROUPCE, by_default: false, quick: true },
    Experiment { name: LOSSES, by_default: false, quick: false },
];

/// Protocol of gains over the plain model of the experiment.
const OVER_PLAIN: &str = "over the plain model";

impl Paper for Personalised {
    fn name(&self) -> &'static str {
        "personalised"
    }

    fn title(&self) -> &'static str {
        "Objectives that know the user: STAN and GroupCE"
    }

    fn experiments(&self) -> &'static [Experiment] {
        &EXPERIMENTS
    }

    fn prepare(
        &self,
        wanted: &[&'static str],
        looking: &Looking,
        _: &Scope,
        say: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Ready>> {
        let settings = Settings::read()?;
        let (mut worlds, mut skipped) = (Vec::new(), Vec::new());
        match world::find(looking, say)? {
            Ok(found) => worlds = found,
            Err(missing) => skipped.push(missing),
        }
        let systems = systems::systems(&settings);
        let systems = systems.into_iter().filter(|system| wanted.contains(&system.experiment)).collect();
        Ok(Box::new(WithData { settings, systems, worlds, skipped }))
    }
}

/// The experiments with their data.
struct WithData {
    settings: Settings,
    systems: Vec<System>,
    worlds: Vec<World>,
    skipped: Vec<Skipped>,
}

impl WithData {
    /// Gains of each experiment over its plain model.
    fn gains(cells: &[&Finished]) -> Result<Vec<Gain>> {
        let mut all = Vec::new();
        for (experiment, plain) in [(STAN, PLAIN), (GROUPCE, LOG_LOSS_ALONE), (LOSSES, LOG_LOSS_ALONE)] {
            let own: Vec<&Finished> =
                cells.iter().filter(|cell| cell.key.experiment == experiment).copied().collect();
            all.extend(gains::over(&own, plain)?);
        }
        Ok(all)
    }
}

impl Ready for WithData {
    fn cells(&self, scope: &Scope) -> Vec<Cell<'_>> {
        let mut cells = Vec::new();
        for world in &self.worlds {
            for &seed in &scope.seeds {
                // What a loss does to lists and cohorts is shown on one cut.
                let here = |system: &&System| system.experiment != LOSSES || world.name == world::AT_RANDOM;
                cells.extend(self.systems.iter().filter(here).map(|system| Cell {
                    key: Key {
                        experiment: system.experiment.to_owned(),
                        dataset: world.name.to_owned(),
                        split: "70-10-20".to_owned(),
                        seed,
                        system: system.name.to_owned(),
                        title: system.title.to_owned(),
                        variant: None,
                    },
                    cost: system.cost,
                    settings: json!({ "world": world.settings(), "config": system.config() }),
                    work: Box::new(move || {
                        let data = world.cut(seed)?;
                        measure::measure(&system.fit(&data, seed)?, &data)
                    }),
                }));
            }
        }
        cells
    }

    fn summarise(&self, cells: &[&Finished]) -> Result<Summary> {
        let mut rows: Vec<Row> = summary::rows(cells)?.into_iter().map(|(_, row)| row).collect();
        rows.extend(summary::undefined(cells));
        rows.extend(summary::over_users(cells)?);
        rows.extend(Self::gains(cells)?.iter().map(|gain| gain.row(OVER_PLAIN)));
        rows.extend(effects::rows(cells)?);
        rows.extend(effects::purposes(cells));
        let ours = |key: &Key| key.system == STAN || key.system == GROUPCE;
        Ok(Summary { rows, comparisons: summary::compare(cells, &ours)? })
    }

    fn chapter(&self, scope: &Scope, cells: &[&Finished], summary: &Summary) -> Chapter {
        page::chapter(&page::Run { paper: self, scope, cells, summary })
    }

    fn headlines(&self, rows: &[Row]) -> Vec<Row> {
        page::headlines(rows)
    }

    fn record(&self, _: &Scope) -> Vec<Value> {
        let of_world = |world: &World| {
            json!({
                "paper": "personalised",
                "name": world.name,
                "title": world.title,
                "cohorts": world.cohorts,
                "split": world.split,
                "notes": world.notes,
                "provenance": world.provenance,
            })
        };
        let mut all: Vec<Value> = self.worlds.iter().map(of_world).collect();
        all.push(json!({ "paper": "personalised", "settings": self.settings }));
        all
    }

    fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}
