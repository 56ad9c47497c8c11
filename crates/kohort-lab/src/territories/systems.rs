//! What is fitted: baselines and two towers in all their samples and groupings, behind one type.
//!
//! The one place here that knows models by name.

use anyhow::Result;
use kohort_data::territories::{Grouping, Territories};
use kohort_data::upsample::{PriorShift, Upsampling};
use kohort_data::{RankingCandidates, Train};
use kohort_models::crossmarket::{History, Time};
use kohort_models::inputs::Inputs;
use kohort_models::towers::{self, Groups, Input, Labels, UserInput};
use kohort_models::{crossmarket, implicit};
use serde_json::{Value, json};

use super::ranker::{Nothing, Pairs, PerTerritory, Ranker};
use super::settings::{GroupBy, Settings};
use super::world::{World, grouping};
use crate::outcome::Curve;

/// The system that the experiments are about.
pub(crate) const UNDER_TEST: &str = "mtl";

/// What a fit may see.
#[derive(Clone, Copy)]
pub(crate) struct Material<'a> {
    /// The rows to learn from.
    pub(crate) train: &'a Train,
    /// Who lives where.
    pub(crate) territories: &'a Territories,
    /// What is on offer in each territory.
    pub(crate) catalogues: Option<&'a [Vec<u32>]>,
    /// Input vectors, made from the same rows.
    pub(crate) inputs: Option<&'a Inputs>,
    /// Candidates of validation rows, for those who stop early.
    pub(crate) validation: Option<&'a RankingCandidates>,
    /// Where the held-out rows begin, if they begin at one moment for all.
    pub(crate) held_out_from: Option<i64>,
    /// Seed of samples and fit.
    pub(crate) seed: u64,
}

/// A system with all its settings.
pub(crate) struct System {
    /// Name in cells.
    pub(crate) name: String,
    /// Name in rows and tables.
    pub(crate) title: String,
    /// What differs from the system's main setting.
    pub(crate) variant: Option<String>,
    /// Expected seconds of a fit on XMarket, to run the longest first.
    pub(crate) cost: f64,
    /// Its settings in full.
    pub(crate) config: Value,
    /// Whether it needs input vectors.
    pub(crate) takes_inputs: bool,
    fit: FitFn,
}

type FitFn = Box<dyn Fn(&Material<'_>) -> Result<Fitted> + Send + Sync>;

/// A fitted system.
pub(crate) struct Fitted {
    /// Gives scores.
    pub(crate) ranker: Box<dyn Ranker>,
    /// What its scores are as probabilities, where they are log-odds.
    pub(crate) probabilities: Option<Probabilities>,
    /// Training curves.
    pub(crate) curves: Vec<Curve>,
}

/// How scores were trained to be log-odds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Probabilities {
    /// Rate of positives among the examples of training.
    pub(crate) of_training: f64,
}

impl Probabilities {
    /// What is added to a log-odds where positives come at the rate `population`.
    pub(crate) fn shift(self, population: f64) -> Result<f64> {
        Ok(PriorShift::new(population, self.of_training)?.shift())
    }
}

impl System {
    /// Fits it.
    pub(crate) fn fit(&self, material: &Material<'_>) -> Result<Fitted> {
        (self.fit)(material)
    }

    /// The same system as a variant of itself, for sweeps.
    pub(crate) fn varied(mut self, variant: impl Into<String>) -> System {
        self.variant = Some(variant.into());
        self
    }
}

/// Popularity and co-occurrence.
pub(crate) fn baselines() -> Vec<System> {
    implicit::registry()
        .into_iter()
        .map(|entry| System {
            name: entry.name.to_owned(),
            title: entry.title.to_owned(),
            variant: None,
            cost: 4.0,
            config: Value::Null,
            takes_inputs: false,
            fit: Box::new(move |material| {
                let scorer = (entry.fit)(material.train, material.territories)?;
                Ok(Fitted { ranker: Box::new(Pairs(scorer)), probabilities: None, curves: Vec::new() })
            }),
        })
        .collect()
}

/// What the towers know of territories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// Nothing.
    Global,
    /// One model each.
    PerMarket,
    /// Shared towers, a block for each group.
    Mtl,
}

/// Whom the towers learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// All users.
    Everybody,
    /// A random sample of users.
    Random,
    /// The same random sample and a disjoint one of active users.
    RandomAndActive,
    /// As many users as the two samples together have, all drawn at random: what more data alone would do.
    MoreRandom,
}

impl Model {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Model::Global => ("global", "One global model"),
            Model::PerMarket => ("per-market", "One model per market"),
            Model::Mtl => (UNDER_TEST, "MTL"),
        }
    }
}

impl Sample {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Sample::Everybody => ("", ""),
            Sample::Random => ("-random", ", random"),
            Sample::RandomAndActive => ("-active", ", random + active"),
            Sample::MoreRandom => ("-more", ", as many users, all random"),
        }
    }
}

/// Name in cells of towers.
pub(crate) fn tower_name(model: Model, sample: Sample) -> String {
    format!("{}{}", model.names().0, sample.names().0)
}

/// Title in tables of towers.
pub(crate) fn tower_title(model: Model, sample: Sample) -> String {
    format!("{}{}", model.names().1, sample.names().1)
}

/// Two towers.
pub(crate) fn towers(model: Model, sample: Sample, settings: &Settings) -> System {
    let settings = settings.clone();
    let share = match sample {
        Sample::Everybody => 1.0,
        Sample::Random => settings.upsampling.random,
        Sample::RandomAndActive => settings.upsampling.random * (1.0 + 2.0 * settings.upsampling.ratio),
        Sample::MoreRandom => settings.upsampling.random * (1.0 + settings.upsampling.ratio),
    };
    let config = json!({
        "towers": settings.towers,
        "inputs": settings.inputs,
        "upsampling": (sample != Sample::Everybody).then_some(&settings.upsampling),
        "groups": (model == Model::Mtl).then_some((settings.groups, &settings.group_by)),
    });
    System {
        name: tower_name(model, sample),
        title: tower_title(model, sample),
        variant: None,
        cost: 8.0 * settings.towers.train.epochs as f64 * share,
        config,
        takes_inputs: true,
        fit: Box::new(move |material| fit_towers(material, model, sample, &settings)),
    }
}

/// The sample of a seed; `None` where everybody is learned from.
pub(crate) fn drawn(
    sample: Sample,
    upsampling: &Upsampling,
    train: &Train,
    territories: &Territories,
    held_out_from: Option<i64>,
    seed: u64,
) -> Result<Option<kohort_data::upsample::Upsampled>> {
    let (random, ratio) = match sample {
        Sample::Everybody => return Ok(None),
        Sample::Random => (upsampling.random, 0.0),
        Sample::RandomAndActive => (upsampling.random, upsampling.ratio),
        Sample::MoreRandom => ((upsampling.random * (1.0 + upsampling.ratio)).min(1.0), 0.0),
    };
    let upsampling = Upsampling { random, ratio, held_out_from, ..*upsampling };
    Ok(Some(upsampling.draw(train, territories, seed)?))
}

fn fit_towers(material: &Material<'_>, model: Model, sample: Sample, settings: &Settings) -> Result<Fitted> {
    let Material { train, territories, inputs, validation, held_out_from, seed, .. } = *material;
    let inputs = inputs.ok_or_else(|| anyhow::anyhow!("two towers need input vectors"))?;
    let sampled = drawn(sample, &settings.upsampling, train, territories, held_out_from, seed)?;
    let rows = sampled.as_ref().map_or(train, |sampled| &sampled.train);
    let input = |rows| Input {
        train: rows,
        known: Some(train),
        users: UserInput::Folded(&inputs.factors),
        titles: &inputs.titles,
        territories,
        groups: None,
        weights: None,
        validation,
    };
    let fit = |input: Input<'_>| towers::fit(input, &settings.towers, seed, &mut |_| {});
    let (ranker, epochs): (Box<dyn Ranker>, _) = match model {
        Model::Global => {
            let fitted = fit(input(rows))?;
            let epochs = fitted.epochs.clone();
            (Box::new(fitted), epochs)
        }
        Model::Mtl => {
            let groups = grouping(train, territories, settings.groups, &settings.group_by)?;
            let groups = groups.apply(territories)?;
            let own = Groups { of_user: groups.of_user(), count: groups.len() };
            let fitted = fit(Input { groups: Some(own), ..input(rows) })?;
            let epochs = fitted.epochs.clone();
            (Box::new(fitted), epochs)
        }
        Model::PerMarket => {
            let mut models: Vec<Box<dyn Ranker>> = Vec::new();
            for territory in 0..territories.len() as u32 {
                let own = of_territory(rows, territories, territory)?;
                if own.rows().is_empty() {
                    models.push(Box::new(Nothing));
                } else {
                    models.push(Box::new(fit(Input { train: &own, ..input(rows) })?));
                }
            }
            (Box::new(PerTerritory { of_user: territories.of_user().to_vec(), models }), Vec::new())
        }
    };
    let of_training = match settings.towers.labels {
        Labels::Sampled { negatives } => 1.0 / (1.0 + negatives as f64),
        Labels::Shown { threshold } => {
            let rows = rows.rows();
            rows.rating.iter().filter(|&&rating| rating >= threshold).count() as f64 / rows.len() as f64
        }
    };
    let loss = |epoch: &kohort_models::trainer::Epoch| {
        let sum: f64 = epoch.losses.iter().map(|(_, loss)| loss).sum();
        (epoch.epoch as f64, sum / epoch.losses.len().max(1) as f64)
    };
    let points: Vec<(f64, f64)> = epochs.iter().map(loss).filter(|point| point.1.is_finite()).collect();
    let curves = match points.is_empty() {
        true => Vec::new(),
        false => vec![Curve { name: "training loss".to_owned(), points }],
    };
    Ok(Fitted { ranker, probabilities: Some(Probabilities { of_training }), curves })
}

/// The rows of a territory's users.
fn of_territory(train: &Train, territories: &Territories, territory: u32) -> Result<Train> {
    let rows = train.rows();
    let lives = |user: u32| territories.of_user()[user as usize] == territory;
    let own: Vec<u32> =
        (0u32..).zip(&rows.user).filter(|&(_, &user)| lives(user)).map(|(row, _)| row).collect();
    Ok(Train::new(rows.select(&own))?)
}

/// The ranker for all markets, with features of co-occurrence and time. It may know which titles are on offer, whether
/// anybody took them in training or not; else it knows those with a training row.
pub(crate) fn ranker(settings: &Settings, time: Time, offered: bool) -> System {
    // What is not known later must not be learned from either.
    let history = if time == Time::OneSided { History::Before } else { settings.crossmarket.history };
    let config = crossmarket::Config { time, history, ..settings.crossmarket.clone() };
    System {
        name: "crossmarket".to_owned(),
        title: "One ranker for all markets".to_owned(),
        variant: (!offered).then(|| "without the markets' item lists".to_owned()),
        cost: 50.0,
        config: json!({ "ranker": config, "offered": offered }),
        takes_inputs: false,
        fit: Box::new(move |material| {
            let Material { train, territories, seed, .. } = *material;
            let catalogue = material.catalogues.filter(|_| offered);
            let input = crossmarket::Input { train, territories, catalogue, validation: None };
            let model = crossmarket::fit(input, &config, seed, &mut |_| {})?;
            Ok(Fitted { ranker: Box::new(model), probabilities: None, curves: Vec::new() })
        }),
    }
}

/// Groups of several territories, with their names for rows.
pub(crate) fn several(grouping: &Grouping) -> Vec<(String, Vec<usize>)> {
    (0..grouping.len())
        .map(|group| {
            let of = grouping.of_territory();
            let members: Vec<usize> = (0..of.len()).filter(|&at| of[at] as usize == group).collect();
            (format!("{} ({})", grouping.names()[group], grouping.members(group).join(", ")), members)
        })
        .filter(|(_, members)| members.len() > 1)
        .collect()
}

/// The groups whose PR-AUC is reported beside that of single territories: where each territory has a block of its own,
/// four that mix major and minor ones, as the paper's do.
pub(crate) fn reported_groups(world: &World, settings: &Settings) -> Result<Vec<(String, Vec<usize>)>> {
    let found = match settings.groups < world.territories.len() {
        true => world.grouping(settings.groups, &settings.group_by)?,
        false => world.grouping(4, &GroupBy::Size)?,
    };
    Ok(several(&found))
}
