//! One recommender for many territories against popularity bias (Gampa, Javadi, Bayar and Yessenalina, arXiv 2310.03148),
//! on XMarket, on planted territories, and on MovieLens-100K by region.
//!
//! | module | idea |
//! |---|---|
//! | `settings` | the setting, one file in `configs/` |
//! | `world` | rows in three parts, everybody's territory, input vectors that all fits share |
//! | `systems` | what is fitted: the one place here that knows models by name |
//! | `ranker` | a fitted system as the measurements see it |
//! | `measure` | a fitted system on a test part, by territory |
//! | `experiments` | which cells, one file each |
//! | `gains` | PR-AUC over the baseline's, with intervals and tests |
//! | `quoted` | what others published |
//! | `verdict` | the claims, and whether this run agrees |
//! | `page` | rows to sections |

mod experiments;
mod gains;
mod measure;
mod page;
mod quoted;
mod ranker;
mod settings;
mod systems;
#[cfg(test)]
mod tests;
mod verdict;
mod world;

use anyhow::Result;
use kohort_data::territories::Territories as Places;
use kohort_data::{Duplicates, ThreeWay};
use kohort_report::Row;
use serde_json::{Value, json};

use crate::grid::{Cell, Finished, Key};
use crate::paper::{Chapter, Experiment, Paper, Ready, Scope};
use crate::study::{Looking, Skipped, look};
use crate::summary::{self, Summary};
use experiments::{grouping, markets, planted, published, regions};
use gains::Gain;
use settings::Settings;
use systems::tower_name;
use world::World;

/// The paper.
pub(crate) struct Territories;

const EXPERIMENTS: [Experiment; 5] = [
    Experiment { name: markets::NAME, by_default: false, quick: true },
    Experiment { name: published::NAME, by_default: false, quick: false },
    Experiment { name: grouping::NAME, by_default: false, quick: false },
    Experiment { name: planted::NAME, by_default: false, quick: true },
    Experiment { name: regions::NAME, by_default: false, quick: false },
];

/// The split of the published experiments.
const LEAVE_TWO_OUT: (&str, ThreeWay) = ("leave-two-out", ThreeWay::LeaveTwoOut);
/// The stricter one: a twentieth of the rows to choose on, a tenth to score, both later than all that is learned from.
const IN_TIME: (&str, ThreeWay) = ("global-time", ThreeWay::GlobalTime { validation: 0.05, test: 0.1 });

impl Paper for Territories {
    fn name(&self) -> &'static str {
        "territories"
    }

    fn title(&self) -> &'static str {
        "One recommender for many territories, reproduced"
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
        let wants = |names: &[&str]| names.iter().any(|name| wanted.contains(name));
        let mut skipped = Vec::new();
        let mut found =
            |name: &str| -> Result<Option<(kohort_data::Dataset, String, crate::study::Provenance)>> {
                Ok(match look(name, looking, say)? {
                    Ok(found) => {
                        // The last copy of a pair is the one that may be held out; an earlier one would tell it.
                        let dataset = found.dataset.merge_duplicates(Duplicates::Last)?;
                        Some((dataset, found.title, found.provenance))
                    }
                    Err(missing) => {
                        skipped.push(missing);
                        None
                    }
                })
            };
        let (mut xmarket, mut in_time, mut movielens) = (None, None, None);
        if wants(&[markets::NAME, published::NAME, grouping::NAME])
            && let Some((dataset, title, provenance)) = found("xmarket")?
        {
            let places = Places::of(&dataset, "market")?;
            if wants(&[published::NAME]) {
                let mut world =
                    World::new(&dataset, title.clone(), provenance.clone(), places.clone(), IN_TIME)?;
                world.name = format!("{}, global time", world.name);
                in_time = Some(world);
            }
            xmarket = Some(World::new(&dataset, title, provenance, places, LEAVE_TWO_OUT)?);
        }
        if wants(&[regions::NAME])
            && let Some((dataset, title, provenance)) = found("ml-100k")?
        {
            let places = Places::of_zip(&dataset)?;
            movielens = Some(World::new(&dataset, title, provenance, places, LEAVE_TWO_OUT)?);
        }
        Ok(Box::new(WithData {
            wanted: wanted.to_vec(),
            settings: Settings::of_paper()?,
            xmarket,
            in_time,
            movielens,
            planted: wants(&[planted::NAME]).then(|| planted::Planted::new(scope)),
            skipped,
        }))
    }
}

/// The paper with its data sets.
pub(super) struct WithData {
    wanted: Vec<&'static str>,
    settings: Settings,
    xmarket: Option<World>,
    in_time: Option<World>,
    movielens: Option<World>,
    planted: Option<planted::Planted>,
    skipped: Vec<Skipped>,
}

/// The system that gains are over.
fn is_baseline(key: &Key) -> bool {
    let (model, sample) = if key.experiment == planted::NAME { planted::BEFORE } else { markets::BEFORE };
    key.experiment != published::NAME && key.variant.is_none() && key.system == tower_name(model, sample)
}

impl Ready for WithData {
    fn cells(&self, scope: &Scope) -> Vec<Cell<'_>> {
        let settings = &self.settings;
        let mut cells = Vec::new();
        for &name in &self.wanted {
            match (name, &self.xmarket, &self.in_time, &self.movielens, &self.planted) {
                (markets::NAME, Some(world), ..) => cells.extend(markets::all(world, settings, scope)),
                (published::NAME, Some(world), Some(in_time), ..) => {
                    cells.extend(published::all((world, in_time), settings, scope));
                }
                (grouping::NAME, Some(world), ..) => cells.extend(grouping::all(world, settings, scope)),
                (planted::NAME, .., Some(planted)) => cells.extend(planted.cells(settings, scope)),
                (regions::NAME, _, _, Some(world), _) => cells.extend(regions::all(world, settings, scope)),
                _ => {}
            }
        }
        cells
    }

    fn summarise(&self, cells: &[&Finished]) -> Result<Summary> {
        let mut rows: Vec<Row> = summary::rows(cells)?.into_iter().map(|(_, row)| row).collect();
        rows.extend(summary::undefined(cells));
        let gains = self.gains(cells)?;
        rows.extend(gains.iter().flat_map(Gain::rows));
        if let Some(world) = &self.xmarket {
            rows.extend(verdict::of_markets(&gains, &world.name, &world.by_size()?));
            if self.wanted.contains(&published::NAME) {
                verdict::judge_published(&mut rows, &world.name, page::RANKER, page::POPULARITY);
                rows.extend(quoted::rows(&world.name));
            }
        }
        verdict::judge_planted(&mut rows);
        rows.extend(summary::over_users(cells)?);
        Ok(Summary { rows, comparisons: Vec::new() })
    }

    fn chapter(&self, scope: &Scope, cells: &[&Finished], summary: &Summary) -> Chapter {
        page::chapter(&page::Run { paper: self, scope, cells, rows: &summary.rows })
    }

    fn headlines(&self, rows: &[Row]) -> Vec<Row> {
        page::headlines(rows)
    }

    fn record(&self, scope: &Scope) -> Vec<Value> {
        let mut all: Vec<Value> = [&self.xmarket, &self.in_time, &self.movielens]
            .into_iter()
            .flatten()
            .map(|world| {
                json!({
                    "paper": "territories",
                    "name": world.name,
                    "title": world.title,
                    "users": world.train().rows().users,
                    "items": world.train().rows().items,
                    "rows": [
                        world.train().rows().len(),
                        world.parts.validation.rows().len(),
                        world.parts.test.answers().len(),
                    ],
                    "territories": world.territories.names(),
                    "notes": world.notes,
                    "provenance": world.provenance,
                    "split": world.split,
                    "settings": self.settings,
                })
            })
            .collect();
        if let Some(planted) = &self.planted {
            for (at, (name, _)) in planted::WORLDS.into_iter().enumerate() {
                all.push(json!({
                    "paper": "territories",
                    "name": name,
                    "recipe": planted.recipe(at),
                    "seeds": scope.seeds,
                    "settings": planted::shown(&self.settings),
                }));
            }
        }
        all
    }

    fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

impl WithData {
    fn gains(&self, cells: &[&Finished]) -> Result<Vec<Gain>> {
        gains::gains(cells, &is_baseline)
    }
}
