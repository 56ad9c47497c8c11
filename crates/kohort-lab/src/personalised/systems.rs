//! What is fitted: the one place here that knows models by name.

use std::time::Instant;

use anyhow::Result;
use kohort_core::{Focal, ListLoss};
use kohort_data::records::{RecordSplit, TrainRecords};
use kohort_layers::{Hierarchy, UNKNOWN};
use kohort_models::groupce::{self, LevelWeights, Lists};
use kohort_models::multitask::{self, Body, Predict, WeighConfig, body::SharedBottomConfig};
use kohort_models::parts::{Cohorts, Composition, Fairness, Gap, Part, Spread, Weighted};
use kohort_models::stan::{self, Weights};
use kohort_objectives::Exposure;
use kohort_random::{rand::Rng, stream};
use serde_json::{Value, json};

use super::settings::Settings;
use super::world::{AMOUNT, BEFORE, Data};
use super::{GROUPCE, LOSSES, STAN};
use crate::outcome::Curve;

/// One system of an experiment.
pub(super) struct System {
    /// Name in cells.
    pub(super) name: &'static str,
    /// Title in tables.
    pub(super) title: &'static str,
    /// The experiment.
    pub(super) experiment: &'static str,
    kind: Kind,
    /// Expected seconds.
    pub(super) cost: f64,
}

enum Kind {
    Random,
    Popularity,
    Shared(Box<multitask::Config>),
    /// The same under weights of rows that are learned from held-out training rows.
    Weighed(Box<multitask::Config>, Box<WeighConfig>),
    Stan(Box<stan::Config>, Columns),
    GroupCe(Box<groupce::Config>),
}

/// Which columns a system reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    Plain,
    Past,
    Stage,
}

/// A fitted system's predictions of the test rows.
pub(super) struct Fitted {
    /// Name of each task with its predictions.
    pub(super) tasks: Vec<(String, Vec<f32>)>,
    pub(super) seconds: f64,
    pub(super) parameters: usize,
    pub(super) curves: Vec<Curve>,
}

/// Names that comparisons are over.
pub(super) const PLAIN: &str = "cgc";
pub(super) const LOG_LOSS_ALONE: &str = "log-loss";

pub(super) fn systems(settings: &Settings) -> Vec<System> {
    let base = &settings.stan;
    let plain = stan::Config { weights: Weights::One, stage_loss: 0.0, ..base.clone() };
    let with_past = |config: &stan::Config| {
        let user = config.user.iter().cloned().chain([BEFORE.to_owned()]);
        stan::Config { user: user.collect(), ..config.clone() }
    };
    let of = |weights| with_past(&stan::Config { weights, ..base.clone() });
    let stan = |name, title, config: stan::Config, columns, cost| System {
        name,
        title,
        experiment: STAN,
        kind: Kind::Stan(Box::new(config), columns),
        cost,
    };
    let shared = multitask::Config {
        encoder: base.encoder,
        body: Body::SharedBottom(SharedBottomConfig { widths: vec![128, 64] }),
        tower: base.tower.clone(),
        dropout: base.dropout,
        table_decay: base.table_decay,
        decay: base.decay,
        train: base.train,
        ..multitask::Config::default()
    };
    let staged = |mut config: stan::Config| {
        config.user.push("stage".to_owned());
        config
    };
    let mut all = vec![
        System { name: "random", title: "Random", experiment: STAN, kind: Kind::Random, cost: 0.1 },
        System {
            name: "popularity",
            title: "Film means",
            experiment: STAN,
            kind: Kind::Popularity,
            cost: 0.1,
        },
        System {
            name: "shared-bottom",
            title: "Shared bottom",
            experiment: STAN,
            kind: Kind::Shared(Box::new(shared.clone())),
            cost: 5.0,
        },
        System {
            name: "weighed",
            title: "Shared bottom, learned weights",
            experiment: STAN,
            kind: Kind::Weighed(
                Box::new(shared),
                Box::new(WeighConfig {
                    columns: ["age", "gender", "occupation"].map(str::to_owned).to_vec(),
                    ..WeighConfig::default()
                }),
            ),
            cost: 15.0,
        },
        stan(PLAIN, "CGC", plain.clone(), Columns::Plain, 6.0),
        stan("cgc-stage", "CGC + stage feature", staged(with_past(&plain)), Columns::Stage, 8.0),
        stan("stan-one", "STAN, preferences weigh nothing", of(Weights::One), Columns::Past, 9.0),
        stan("stan-preference", "STAN without Beta", of(Weights::Preference), Columns::Past, 9.0),
        stan("stan-mean", "STAN, mean of Beta", of(Weights::Mean), Columns::Past, 9.0),
        stan("stan", "STAN", of(Weights::Beta), Columns::Past, 9.0),
        stan(
            "stan-towers",
            "STAN, stage into towers",
            stan::Config { into_towers: true, ..of(Weights::Beta) },
            Columns::Past,
            9.0,
        ),
    ];
    let base = &settings.groupce;
    let lists = |lists| groupce::Config { lists, ..base.clone() };
    let group = |name, title, config: groupce::Config| System {
        name,
        title,
        experiment: GROUPCE,
        kind: Kind::GroupCe(Box::new(config)),
        cost: 6.0,
    };
    let product = base.codes.iter().product();
    all.extend([
        System { name: "random", title: "Random", experiment: GROUPCE, kind: Kind::Random, cost: 0.1 },
        System {
            name: "popularity",
            title: "Film means",
            experiment: GROUPCE,
            kind: Kind::Popularity,
            cost: 0.1,
        },
        group(LOG_LOSS_ALONE, "Log loss", lists(Lists::None)),
        group(
            "softmax",
            "+ softmax over the batch",
            groupce::Config { list_loss: ListLoss::Softmax, ..lists(Lists::Batch) },
        ),
        group("list", "+ list loss over the batch", lists(Lists::Batch)),
        group("user", "+ list loss of each user", lists(Lists::User)),
        group("random-codes", "GroupCE, random codes", lists(Lists::RandomCodes)),
        group("flat", "GroupCE, one level", groupce::Config { codes: vec![product], ..lists(Lists::Codes) }),
        group(
            "fixed",
            "GroupCE, levels of fixed weight",
            groupce::Config { levels: LevelWeights::Fixed(0.1), ..lists(Lists::Codes) },
        ),
        group("groupce", "GroupCE", lists(Lists::Codes)),
    ]);
    all.extend(losses(base));
    all
}

/// One loss in place of another, everything else as it is.
fn losses(base: &groupce::Config) -> Vec<System> {
    let plain = groupce::Config { lists: Lists::None, item: Some("film".to_owned()), ..base.clone() };
    let composed = |cohort: Option<&str>, parts: &[(Part, f64)]| Composition {
        cohort: cohort.map(str::to_owned),
        parts: parts.iter().map(|&(part, weight)| Weighted { part, weight }).collect(),
    };
    let parts = |compositions| groupce::Config { compositions, ..plain.clone() };
    let exposure = |exposure| groupce::Config { exposure: Some(exposure), ..plain.clone() };
    let fair = |gap, spread| groupce::Config {
        fairness: vec![Fairness { gap, spread, weight: 1.0 }],
        ..plain.clone()
    };
    let by_cohort = parts(vec![
        composed(Some(AMOUNT[0]), &[(Part::Bce, 1.0), (Part::Novelty, 0.3)]),
        composed(Some(AMOUNT[2]), &[(Part::Bce, 1.0), (Part::Diversity, 0.1)]),
        composed(None, &[(Part::Bce, 1.0)]),
    ]);
    let system = |name, title, config: groupce::Config| System {
        name,
        title,
        experiment: LOSSES,
        kind: Kind::GroupCe(Box::new(config)),
        cost: 6.0,
    };
    vec![
        System {
            name: "popularity",
            title: "Film means",
            experiment: LOSSES,
            kind: Kind::Popularity,
            cost: 0.1,
        },
        system(LOG_LOSS_ALONE, "Log loss", plain.clone()),
        system("focal", "Focal loss", parts(vec![composed(None, &[(Part::Focal(Focal::default()), 4.0)])])),
        system(
            "bpr",
            "+ BPR within users",
            parts(vec![composed(None, &[(Part::Bce, 1.0), (Part::List(ListLoss::Bpr), 0.5)])]),
        ),
        system("inverse", "Inverse popularity", exposure(Exposure::Inverse { beta: 0.5 })),
        system("ips", "IPS, self-normalised", exposure(Exposure::Ips { power: 0.5, least: 0.05 })),
        system("by-cohort", "Novelty for few rows, diversity for many", by_cohort),
        system("fair-loss", "Even loss of cohorts", fair(Gap::Loss, Spread::Variance)),
        system("calibrated", "Calibrated cohorts", fair(Gap::Calibration, Spread::Absolute)),
    ]
}

impl System {
    /// What changes its numbers.
    pub(super) fn config(&self) -> Value {
        match &self.kind {
            Kind::Random => json!("random"),
            Kind::Popularity => json!("popularity"),
            Kind::Shared(config) => json!(config),
            Kind::Weighed(config, weigh) => json!({ "config": config, "weigh": weigh }),
            Kind::Stan(config, columns) => json!({ "config": config, "columns": *columns as u8 }),
            Kind::GroupCe(config) => json!(config),
        }
    }

    /// Fits it.
    pub(super) fn fit(&self, data: &Data, seed: u64) -> Result<Fitted> {
        let start = Instant::now();
        let split = &data.material.split;
        let test = split.test.questions().features;
        let (mut parameters, mut curves) = (0, Vec::new());
        let names = || split.train.targets().iter().map(|target| target.name.clone());
        let mut tasks: Vec<(String, Vec<f32>)> = match &self.kind {
            Kind::Random => names()
                .map(|name| {
                    let mut numbers = stream(seed, "random scores", &[]);
                    let scores = (0..test.rows).map(|_| numbers.random()).collect();
                    (name, scores)
                })
                .collect(),
            Kind::Popularity => popularity(data),
            Kind::Shared(config) => {
                let model = shared(data, &split.train, config, seed)?;
                parameters = model.parameters();
                curves = of_epochs(&model.epochs);
                names().zip(model.predict(test, &vec![0; test.rows])?).collect()
            }
            Kind::Weighed(config, weigh) => {
                let train = weighed(data, config, weigh, seed)?;
                let config = multitask::Config { weigh_rows: true, ..(**config).clone() };
                let model = shared(data, &train, &config, seed)?;
                parameters = model.parameters();
                curves = of_epochs(&model.epochs);
                names().zip(model.predict(test, &vec![0; test.rows])?).collect()
            }
            Kind::Stan(config, columns) => {
                let split: &RecordSplit = match columns {
                    Columns::Plain => split,
                    Columns::Past => &data.past,
                    Columns::Stage => &data.stage,
                };
                let input = stan::Input {
                    train: &split.train,
                    users: &data.users,
                    times: &data.times,
                    validation: Some(&split.validation),
                };
                let model = stan::fit(input, config, seed, &mut |_| {})?;
                parameters = model.parameters();
                curves = of_epochs(&model.epochs);
                let predictions = model.predict(split.test.questions().features)?;
                model.tasks().iter().cloned().zip(predictions).collect()
            }
            Kind::GroupCe(config) => {
                let cohorts = &data.material.flat;
                let cohorts = Some(Cohorts { names: &cohorts.names, of_row: &cohorts.train });
                let input =
                    groupce::Input { train: &split.train, validation: Some(&split.validation), cohorts };
                let model = groupce::fit(input, config, seed, &mut |_| {})?;
                parameters = model.parameters();
                curves = of_epochs(&model.epochs);
                vec![(config.target.clone(), model.predict(test)?)]
            }
        };
        if self.experiment != STAN {
            tasks.truncate(1);
        }
        Ok(Fitted { tasks, seconds: start.elapsed().as_secs_f64(), parameters, curves })
    }
}

/// A shared bottom, which sees no cohorts.
fn shared(
    data: &Data,
    train: &TrainRecords,
    config: &multitask::Config,
    seed: u64,
) -> Result<multitask::MultiTask> {
    let held = &data.material.split.validation;
    let (cohorts, of_held) = (vec![0; train.len()], vec![0; held.len()]);
    let hierarchy = Hierarchy::flat(1);
    let input = multitask::Input {
        train,
        cohorts: &cohorts,
        hierarchy: &hierarchy,
        validation: Some((held, &of_held)),
    };
    Ok(multitask::fit(input, config, seed, &mut |_| {})?)
}

/// Share of the training rows that weights are learned from, and epochs of that.
const HELD: f64 = 0.1;
const WEIGH_EPOCHS: usize = 5;

/// The training rows with weights that were learned from a tenth of them, by age, gender, occupation and cohort.
fn weighed(data: &Data, config: &multitask::Config, weigh: &WeighConfig, seed: u64) -> Result<TrainRecords> {
    let (all, cohorts) = (&data.material.split.train, &data.material.flat);
    let (train, held) = all.hold_out(HELD, seed)?;
    let place = |origin: &[u32]| -> Vec<u32> {
        // Origins ascend, so each part's rows are found among those of all.
        let find = |row: &u32| all.origin().binary_search(row).map_or(UNKNOWN, |at| cohorts.train[at]);
        origin.iter().map(find).collect()
    };
    let (of_train, of_held) = (place(train.origin()), place(held.origin()));
    let input = multitask::Input {
        train: &train,
        cohorts: &of_train,
        hierarchy: &cohorts.hierarchy,
        validation: Some((&held, &of_held)),
    };
    let mut config = config.clone();
    config.train.epochs = WEIGH_EPOCHS;
    let weigher = multitask::weigh(input, &config, weigh, seed)?;
    let weights = weigher.weights(all.features(), &cohorts.train)?;
    Ok(all.clone().with_weight(weights)?)
}

/// The share of a film's training rows with the label, drawn to that of all rows with the weight of five.
fn popularity(data: &Data) -> Vec<(String, Vec<f32>)> {
    let films = data.items.iter().chain(&data.test_items).max().map_or(0, |&last| last as usize + 1);
    let of_target = |target: &kohort_data::records::Target| {
        let mean = target.values.iter().map(|&y| f64::from(y)).sum::<f64>() / target.values.len() as f64;
        let mut sums = vec![(5.0 * mean, 5.0); films];
        for (&film, &y) in data.items.iter().zip(&target.values) {
            let (sum, rows) = &mut sums[film as usize];
            (*sum, *rows) = (*sum + f64::from(y), *rows + 1.0);
        }
        let score = |&film: &u32| (sums[film as usize].0 / sums[film as usize].1) as f32;
        (target.name.clone(), data.test_items.iter().map(score).collect())
    };
    data.material.split.train.targets().iter().map(of_target).collect()
}

fn of_epochs(epochs: &[kohort_models::trainer::Epoch]) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    let mut push =
        |name: String, epoch: usize, value: f64| match curves.iter_mut().find(|curve| curve.name == name) {
            Some(curve) => curve.points.push((epoch as f64, value)),
            None => curves.push(Curve { name, points: vec![(epoch as f64, value)] }),
        };
    for epoch in epochs {
        epoch.losses.iter().for_each(|(name, loss)| push(format!("{name}, training"), epoch.epoch, *loss));
        epoch.notes.iter().for_each(|(name, value)| push(name.clone(), epoch.epoch, *value));
        epoch.validation.into_iter().for_each(|value| push("validation".to_owned(), epoch.epoch, value));
    }
    curves
}
