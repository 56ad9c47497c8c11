//! Territories whose true preferences are known: identical ones, where knowing the territory must not help, and
//! different ones, where it must.
//!
//! Each seed plants a data set of its own, none of those that the setting was chosen on. A user's shown titles are the rows, clicks the positives; a random fifth of
//! the rows is the test part. Input vectors come from the clicks among the training rows.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow};
use kohort_data::synthetic::{MarketRecipe, MarketTruth};
use kohort_data::territories::Territories;
use kohort_data::{Index, Split, Train, Way};
use kohort_eval::binary::average_precision;
use kohort_models::inputs::{self, Inputs};
use serde_json::json;

use super::key;
use crate::grid::Cell;
use crate::outcome::{Number, Outcome};
use crate::paper::Scope;
use crate::territories::settings::Settings;
use crate::territories::systems::{Material, Model, Sample, System, baselines, towers};
use crate::territories::world::INPUT_SEED;

/// Name on the command line.
pub(crate) const NAME: &str = "planted";
/// The data sets: name in rows, and how much territories differ.
pub(crate) const WORLDS: [(&str, f64); 2] = [("planted-identical", 0.0), ("planted-different", 1.0)];
/// Candidates: what the user was shown and is held out.
pub(crate) const SHOWN: &str = "shown";
/// Candidates: all titles that the user was not shown in training.
pub(crate) const CATALOGUE: &str = "catalogue";
/// Share of local titles in the top of the lists.
pub(crate) const LOCAL: &str = "Local share";
/// Length of the lists.
pub(crate) const K: usize = 10;
/// What every gain is over.
pub(crate) const BEFORE: (Model, Sample) = (Model::Global, Sample::Everybody);
/// What the claims are about.
pub(crate) const AFTER: (Model, Sample) = (Model::Mtl, Sample::Everybody);

/// Share of the rows in the test part.
const SHARE: f64 = 0.2;

/// The planted data sets, made by whoever asks first.
pub(crate) struct Planted {
    recipe: MarketRecipe,
    worlds: BTreeMap<(usize, u64), Slot>,
}

/// A data set, or why it could not be made, once somebody asked.
type Slot = OnceLock<Result<Arc<PlantedWorld>, String>>;

/// A planted data set, split.
struct PlantedWorld {
    truth: MarketTruth,
    split: Split,
    /// The clicks among the training rows.
    clicks: Train,
    territories: Territories,
    inputs: Inputs,
    /// PR-AUC of the true preference on the test rows of each territory.
    ceiling: Vec<Option<f64>>,
    /// Items each user was shown in training, ascending, `[users]`.
    shown: Vec<Vec<u32>>,
    users: Vec<Vec<u32>>,
    /// Share of local titles in the true best of what was not shown, by territory.
    true_local: Vec<f64>,
}

impl Planted {
    /// Names the data sets of a run; none is made yet.
    pub(crate) fn new(scope: &Scope) -> Planted {
        let recipe = if scope.quick { MarketRecipe::small() } else { MarketRecipe::seven() };
        let pairs = (0..WORLDS.len()).flat_map(|at| scope.seeds.iter().map(move |&seed| (at, seed)));
        Planted { recipe, worlds: pairs.map(|pair| (pair, OnceLock::new())).collect() }
    }

    /// What is planted.
    pub(crate) fn recipe(&self, at: usize) -> MarketRecipe {
        MarketRecipe { difference: WORLDS[at].1, ..self.recipe.clone() }
    }

    /// All cells.
    pub(crate) fn cells<'a>(&'a self, settings: &'a Settings, scope: &Scope) -> Vec<Cell<'a>> {
        let mut systems: Vec<System> =
            baselines().into_iter().filter(|system| system.name == "popularity-local").collect();
        let settings = shown(settings);
        for model in [Model::Global, Model::Mtl] {
            systems.push(towers(model, Sample::Everybody, &settings));
        }
        let systems: Vec<Arc<System>> = systems.into_iter().map(Arc::new).collect();
        let mut cells = Vec::new();
        for (at, (name, _)) in WORLDS.into_iter().enumerate() {
            let recipe = self.recipe(at);
            for system in &systems {
                for &seed in &scope.seeds {
                    let (system, inputs) = (Arc::clone(system), settings.inputs.clone());
                    cells.push(Cell {
                        key: key(NAME, name, "random-20", &system, seed),
                        cost: system.cost,
                        settings: json!({ "recipe": recipe, "first_seed": FIRST_SEED, "config": system.config, "share": SHARE }),
                        work: Box::new(move || {
                            let world = self.world(at, seed, &inputs)?;
                            work(&world, &system, seed)
                        }),
                    });
                }
            }
        }
        cells
    }

    fn world(&self, at: usize, seed: u64, config: &inputs::Config) -> Result<Arc<PlantedWorld>> {
        let slot = self.worlds.get(&(at, seed)).ok_or_else(|| anyhow!("seed {seed} is not of this run"))?;
        let make =
            || PlantedWorld::new(&self.recipe(at), seed, config).map(Arc::new).map_err(|e| format!("{e:#}"));
        slot.get_or_init(make).clone().map_err(|why| anyhow!("planted data: {why}"))
    }
}

/// The setting on rows that carry their label.
pub(crate) fn shown(settings: &Settings) -> Settings {
    Settings { towers: settings.planted.clone(), ..settings.clone() }
}

/// Seeds below this were looked at while the setting was chosen.
const FIRST_SEED: u64 = 1_000;

impl PlantedWorld {
    fn new(recipe: &MarketRecipe, seed: u64, config: &inputs::Config) -> Result<PlantedWorld> {
        let (data, truth) = recipe.generate(FIRST_SEED + seed)?;
        let split = Way::RandomRows { share: SHARE }.split(&data.interactions, seed)?;
        let territories = Territories::of(&data, "market")?;
        let rows = split.train.rows();
        let clicked: Vec<u32> =
            (0..rows.len() as u32).filter(|&row| rows.rating[row as usize] >= 1.0).collect();
        let clicks = Train::new(rows.select(&clicked))?;
        let inputs = inputs::of_train(&clicks, config, INPUT_SEED)?;
        let by_user = Index::new(&rows.user, rows.users);
        let shown: Vec<Vec<u32>> = (0..rows.users)
            .map(|user| {
                let mut own: Vec<u32> =
                    by_user.rows(user).iter().map(|&row| rows.item[row as usize]).collect();
                own.sort_unstable();
                own
            })
            .collect();
        let mut users = vec![Vec::new(); territories.len()];
        for (user, &territory) in (0u32..).zip(territories.of_user()) {
            users[territory as usize].push(user);
        }
        let mut world = PlantedWorld {
            truth,
            split,
            clicks,
            territories,
            inputs,
            ceiling: Vec::new(),
            shown,
            users,
            true_local: Vec::new(),
        };
        let test = world.split.test.answers();
        let pairs = test.user.iter().zip(&test.item);
        let best: Vec<f32> =
            pairs.map(|(&user, &item)| world.truth.logit(user as usize, item as usize) as f32).collect();
        world.ceiling = world.areas(&best)?.into_iter().map(|(_, area)| area).collect();
        let items = world.truth.home.len();
        world.true_local = (0..world.territories.len())
            .map(|territory| {
                world.local_share(territory, |users, scores| {
                    for (&user, own) in users.iter().zip(scores.chunks_exact_mut(items)) {
                        for (item, score) in own.iter_mut().enumerate() {
                            *score = world.truth.logit(user as usize, item) as f32;
                        }
                    }
                })
            })
            .collect();
        Ok(world)
    }

    /// Rate of clicks and PR-AUC of scores of the test rows, by territory.
    fn areas(&self, scores: &[f32]) -> Result<Vec<(f64, Option<f64>)>> {
        let test = self.split.test.answers();
        let of_rows = self.territories.of_rows(test)?;
        let own = Index::new(&of_rows, self.territories.len());
        (0..self.territories.len())
            .map(|territory| {
                let rows = own.rows(territory);
                let labels: Vec<bool> = rows.iter().map(|&row| test.rating[row as usize] >= 1.0).collect();
                let scores: Vec<f32> = rows.iter().map(|&row| scores[row as usize]).collect();
                if rows.is_empty() {
                    return Ok((0.0, None));
                }
                let rate = labels.iter().filter(|&&label| label).count() as f64 / labels.len() as f64;
                Ok((rate, average_precision(&scores, &labels)?))
            })
            .collect()
    }

    /// Share of titles at home in `territory` in the top of its users' lists, without what they were shown.
    fn local_share(&self, territory: usize, mut score: impl FnMut(&[u32], &mut [f32])) -> f64 {
        const BLOCK: usize = 64;
        let items = self.truth.home.len();
        let (mut local, mut all) = (0usize, 0usize);
        for users in self.users[territory].chunks(BLOCK) {
            let mut scores = vec![0.0f32; users.len() * items];
            score(users, &mut scores);
            for (&user, scores) in users.iter().zip(scores.chunks_exact(items)) {
                let shown = &self.shown[user as usize];
                let mut order: Vec<u32> =
                    (0..items as u32).filter(|item| shown.binary_search(item).is_err()).collect();
                let better =
                    |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
                if order.len() > K {
                    order.select_nth_unstable_by(K - 1, better);
                    order.truncate(K);
                }
                all += order.len();
                local += order
                    .iter()
                    .filter(|&&item| self.truth.home[item as usize] == Some(territory as u32))
                    .count();
            }
        }
        local as f64 / all.max(1) as f64
    }
}

fn work(world: &PlantedWorld, system: &System, seed: u64) -> Result<Outcome> {
    let fitted = system.fit(&Material {
        // Counts of what was shown would say what the shop likes.
        train: if system.takes_inputs { &world.split.train } else { &world.clicks },
        territories: &world.territories,
        catalogues: None,
        inputs: Some(&world.inputs),
        validation: None,
        held_out_from: None,
        seed,
    })?;
    let test = world.split.test.answers();
    let scores = fitted.ranker.pairs(&test.user, &test.item);
    let mut outcome = Outcome::default();
    let items: Vec<u32> = (0..world.truth.home.len() as u32).collect();
    let names = world.territories.names();
    let (mut means, mut territories) = ([[0.0f64; 3]; 2], 0usize);
    for (territory, (rate, area)) in world.areas(&scores)?.into_iter().enumerate() {
        // Every territory has users with clicks and without; the recipe's smallest still has dozens.
        let (Some(area), Some(ceiling)) = (area, world.ceiling[territory]) else { continue };
        let at_home = |home: &&Option<u32>| **home == Some(territory as u32);
        let by_chance = world.truth.home.iter().filter(at_home).count() as f64 / items.len() as f64;
        let local = world.local_share(territory, |users, scores| fitted.ranker.lists(users, &items, scores));
        let truth = world.true_local[territory];
        for (at, (protocol, task, metric, value, floor, ceiling)) in [
            (SHOWN, "area", "PR-AUC", area, rate, ceiling),
            (CATALOGUE, "popularity", LOCAL, local, by_chance, truth),
        ]
        .into_iter()
        .enumerate()
        {
            let number = Number::new(protocol, task, metric, value).of(&names[territory]);
            outcome.numbers.push(number.between(Some(floor), Some(ceiling)));
            for (sum, value) in means[at].iter_mut().zip([value, floor, ceiling]) {
                *sum += value;
            }
        }
        let off = Number::new(CATALOGUE, "popularity", DISTANCE, (local - truth).abs());
        outcome.numbers.push(off.of(&names[territory]));
        territories += 1;
    }
    if territories > 0 {
        let mean = |sum: f64| sum / territories as f64;
        for ([value, floor, ceiling], (protocol, task, metric)) in
            means.into_iter().zip([(SHOWN, "area", "PR-AUC"), (CATALOGUE, "popularity", LOCAL)])
        {
            let number = Number::new(protocol, task, metric, mean(value));
            outcome.numbers.push(number.between(Some(mean(floor)), Some(mean(ceiling))));
        }
        let off = outcome.numbers.iter().filter(|number| number.metric == DISTANCE);
        let off: f64 = off.map(|number| number.value).sum();
        outcome.numbers.push(Number::new(CATALOGUE, "popularity", DISTANCE, mean(off)));
    }
    outcome.curves = fitted.curves;
    Ok(outcome)
}

/// How far the share of local titles is from that of the true best, mean over territories.
pub(crate) const DISTANCE: &str = "Distance of the local share from the truth";
