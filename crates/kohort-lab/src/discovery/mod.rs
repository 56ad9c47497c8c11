//! Cohorts that nobody gave: found among friends and in what people took, judged by themselves and by what they do for a model.
//!
//! | module | idea |
//! |---|---|
//! | `settings` | how cohorts are looked for, one file in `configs/` |
//! | `worlds` | data sets: what cohorts are found in, and rows with targets |
//! | `methods` | ways to find cohorts: the one place here that knows them by name |
//! | `judge` | how many, how good, how stable, how fast |
//! | `portrait` | what they are made of, where they lie, who went where |
//! | `cohorts` | from what was found to the cohort of every user and row |
//! | `gain` | the same model with and without them, and with random ones |
//! | `recommend` | LightGCN as a recommender |
//! | `drill` | a cohort splits, one dies, one is born |
//! | `verdict` | the claims, and whether this run agrees |
//! | `page` | rows to sections |
//!
//! Everything that finds cohorts sees training rows alone.

mod cohorts;
mod drill;
mod gain;
mod judge;
mod methods;
mod page;
mod portrait;
mod recommend;
mod settings;
#[cfg(test)]
mod tests;
mod verdict;
mod worlds;

use anyhow::Result;
use kohort_report::Row;
use serde_json::{Value, json};

use crate::grid::{Cell, Finished, Key};
use crate::memo::Memo;
use crate::modules::settings as modules;
use crate::outcome::Outcome;
use crate::paper::{Chapter, Experiment, Paper, Ready, Scope};
use crate::study::{Looking, Skipped};
use crate::summary::{self, Summary};
use cohorts::GIVEN;
use gain::{ARMS, Arm};
use settings::Settings;
use worlds::World;

/// The comparison.
pub(crate) struct Discovery;

const EXPERIMENTS: [Experiment; 5] = [
    Experiment { name: worlds::TWITCH, by_default: false, quick: false },
    Experiment { name: worlds::LASTFM, by_default: false, quick: false },
    Experiment { name: worlds::MOVIELENS, by_default: false, quick: true },
    Experiment { name: worlds::XMARKET, by_default: false, quick: false },
    Experiment { name: drill::NAME, by_default: false, quick: true },
];

impl Paper for Discovery {
    fn name(&self) -> &'static str {
        "discovery"
    }

    fn title(&self) -> &'static str {
        "Cohorts found in graphs and behaviour, and what they bring"
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
        let (mut studies, mut skipped) = (Vec::new(), Vec::new());
        for &experiment in wanted.iter().filter(|name| **name != drill::NAME) {
            match worlds::find(experiment, looking, &settings, say)? {
                Ok(world) => studies.push(Study { world, cohorts: Memo::default() }),
                Err(missing) => skipped.push(missing),
            }
        }
        let models = modules::Settings::read()?;
        Ok(Box::new(WithData { wanted: wanted.to_vec(), settings, models, studies, skipped }))
    }
}

/// A data set with the cohorts of its users, by set and seed.
struct Study {
    world: World,
    cohorts: Memo<(String, u64), cohorts::OfUsers>,
}

/// The comparison with its data sets.
struct WithData {
    wanted: Vec<&'static str>,
    settings: Settings,
    models: modules::Settings,
    studies: Vec<Study>,
    skipped: Vec<Skipped>,
}

impl Study {
    /// Sets of cohorts that models are given, with their titles.
    fn sets(&self) -> Vec<(&'static str, String)> {
        let given = self.world.given.map(|what| (GIVEN, format!("Given ({what})")));
        let title = |name: &'static str| {
            let method = self.world.method(name);
            (name, method.map_or_else(|| name.to_owned(), |method| method.title.clone()))
        };
        given.into_iter().chain(self.world.sets.iter().copied().map(title)).collect()
    }

    fn cell<'a>(
        &'a self,
        seed: u64,
        (system, title): (String, String),
        cost: f64,
        settings: Value,
        work: impl Fn() -> Result<Outcome> + Send + Sync + 'a,
    ) -> Cell<'a> {
        let world = &self.world;
        Cell {
            key: Key {
                experiment: world.experiment.to_owned(),
                dataset: world.name.to_owned(),
                split: "by seed".to_owned(),
                seed,
                system,
                title,
                variant: None,
            },
            cost,
            settings: json!({ "files": world.provenance.files, "split": world.split, "of": settings }),
            work: Box::new(work),
        }
    }
}

impl WithData {
    fn cells_of<'a>(&'a self, study: &'a Study, seed: u64, first: bool) -> Vec<Cell<'a>> {
        let (world, settings) = (&study.world, &self.settings);
        let mut cells = Vec::new();
        if world.experiment == worlds::LASTFM {
            for (system, title) in recommend::SYSTEMS {
                // Embeddings that others wait for come first.
                let cost = if system == recommend::LIGHTGCN { 1000.0 } else { 20.0 };
                let name = (system.to_owned(), title.to_owned());
                let about = json!({ "recommender": system });
                let work = move || recommend::measure(world, system, seed);
                cells.push(study.cell(seed, name, cost, about, work));
            }
        }
        for method in &world.methods {
            let shown = first && world.sets.first() == Some(&method.name);
            let name = (method.name.to_owned(), method.title.clone());
            let about = json!({ "method": method.name, "settings": settings, "shown": shown });
            let work = move || judge::judge(world, method, settings, seed, shown);
            cells.push(study.cell(seed, name, 10.0, about, work));
        }
        let mut arms = vec![(Arm::Nothing, study.world.sets[0], String::new())];
        for (set, title) in study.sets() {
            arms.extend(ARMS.map(|arm| (arm, set, title.clone())));
        }
        for (arm, set, title) in arms {
            let config = arm.config(world, &self.models);
            let about = json!({
                "arm": arm.system(set), "settings": settings, "model": config.as_ref().ok(),
            });
            let work = move || {
                let scene = world.scene(seed)?;
                let cohorts = || gain::cohorts(world, set, settings, seed);
                let own = study.cohorts.get((set.to_owned(), seed), cohorts)?;
                gain::measure(&scene, &own, arm, &arm.config(world, &self.models)?, seed)
            };
            cells.push(study.cell(seed, (arm.system(set), arm.title(&title)), 15.0, about, work));
        }
        cells
    }

    fn drills(&self, scope: &Scope) -> Vec<Cell<'_>> {
        let cell = |&seed: &u64| Cell {
            key: Key {
                experiment: drill::NAME.to_owned(),
                dataset: "planted periods".to_owned(),
                split: "two periods".to_owned(),
                seed,
                system: "living".to_owned(),
                title: "Leiden, ids continued".to_owned(),
                variant: None,
            },
            cost: 1.0,
            settings: json!(self.settings.drill),
            work: Box::new(move || drill::measure(&self.settings.drill, seed)),
        };
        scope.seeds.iter().map(cell).collect()
    }
}

impl Ready for WithData {
    fn cells(&self, scope: &Scope) -> Vec<Cell<'_>> {
        let mut cells = Vec::new();
        for study in &self.studies {
            for (at, &seed) in scope.seeds.iter().enumerate() {
                cells.extend(self.cells_of(study, seed, at == 0));
            }
        }
        if self.wanted.contains(&drill::NAME) {
            cells.extend(self.drills(scope));
        }
        cells
    }

    fn summarise(&self, cells: &[&Finished]) -> Result<Summary> {
        let mut rows: Vec<Row> = summary::rows(cells)?.into_iter().map(|(_, row)| row).collect();
        rows.extend(summary::undefined(cells));
        for study in &self.studies {
            let own: Vec<&Finished> =
                cells.iter().filter(|cell| cell.key.experiment == study.world.experiment).copied().collect();
            rows.extend(verdict::of_gains(study, &own)?);
            if study.world.experiment == worlds::LASTFM {
                rows.extend(verdict::of_recommenders(&own)?);
            }
        }
        verdict::judge_drill(&mut rows);
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
            let world = &study.world;
            json!({
                "paper": "discovery",
                "experiment": world.experiment,
                "name": world.name,
                "title": world.title,
                "split": world.split,
                "notes": world.notes,
                "provenance": world.provenance,
            })
        };
        let mut all: Vec<Value> = self.studies.iter().map(of_study).collect();
        all.push(json!({ "paper": "discovery", "settings": self.settings, "models": self.models }));
        all
    }

    fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}
