//! What is compared, behind one type: bodies, models that share nothing, adapters on a shared base, and the constants that
//! all of them have to beat.
//!
//! The one place here that knows models by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use kohort_data::Features;
use kohort_data::records::{Target, TargetKind};
use kohort_layers::{Hierarchy, UNKNOWN};
use kohort_models::multitask::body::AdapterKind;
use kohort_models::multitask::{self, BalanceConfig, Body, Config, Input, MultiTask, Predict};
use kohort_objectives::rules::WeightRule;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::settings::{ForData, Settings};
use super::worlds::{Cohorts, Material};
use crate::outcome::Matrix;

/// The system that gains are over.
pub(crate) const BASELINE: &str = "shared-bottom";
/// The control that has as many further steps as adapters, and no cohort.
pub(crate) const CONTROL: &str = "lora-one";

/// How a system is fitted.
#[derive(Clone, Debug)]
enum Kind {
    Constants,
    Body(Body),
    PerTask(Body),
    PerCohort(Body),
    Adapters(AdapterKind),
    /// A body under a balancer and rules.
    Weighed(Body, Box<Weighed>),
}

/// Who gets how much of the gradient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Weighed {
    pub(crate) balance: BalanceConfig,
    pub(crate) rules: Vec<WeightRule>,
}

impl Weighed {
    fn config(&self, data: &ForData, body: &Body) -> Config {
        Config { balance: self.balance.clone(), rules: self.rules.clone(), ..data.with(body) }
    }
}

/// Which cohorts a system sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sees {
    /// All rows as one cohort.
    None,
    /// Cohorts side by side.
    Flat,
    /// The innermost cohorts side by side: all that `Tree` knows, without what lies within what.
    Leaves,
    /// Cohorts within cohorts.
    Tree,
}

/// A system with all its settings.
pub(crate) struct System {
    /// Name in cells.
    pub(crate) name: String,
    /// Name in rows and tables.
    pub(crate) title: String,
    /// How long a fit takes, in fits of the shared bottom, to run the longest first.
    pub(crate) cost: f64,
    /// Whether a quick run has it.
    pub(crate) quick: bool,
    kind: Kind,
    sees: Sees,
}

/// A fitted system.
pub(crate) struct Fitted {
    model: Model,
    /// Seconds of training on one core; for adapters those of the base included, and of a sequence encoder that a gate reads.
    pub(crate) seconds: f64,
    /// Parameters that were trained.
    pub(crate) trained: usize,
    /// Bytes of parameters that one more cohort adds.
    pub(crate) per_cohort: f64,
    /// Losses by epoch.
    pub(crate) curves: Vec<crate::outcome::Curve>,
    /// Cosines between the objectives' gradients, as far as a balancer looked.
    pub(crate) cosines: Option<Matrix>,
    /// Milliseconds of a training step, validation included.
    pub(crate) step: Option<f64>,
    sees: Sees,
}

enum Model {
    Constants(Vec<Vec<f32>>),
    One(Box<MultiTask>),
    Many(Box<dyn Predict>),
}

/// Bases that adapters of one data set share, by seed: whoever comes first trains it.
#[derive(Default)]
pub(crate) struct Bases(Mutex<BTreeMap<u64, Trained>>);

type Trained = Arc<OnceLock<Result<Base, String>>>;

#[derive(Clone)]
struct Base {
    model: Arc<MultiTask>,
    seconds: f64,
}

/// All systems, in the order of the tables.
pub(crate) fn systems(settings: &Settings) -> Result<Vec<System>> {
    let body = |name: &str| {
        let body = settings.bodies.get(name).with_context(|| format!("configs/modules.toml: no body {name}"));
        body.cloned()
    };
    let adapters = |name: &str| {
        let kind =
            settings.adapters.get(name).with_context(|| format!("configs/modules.toml: no adapters {name}"));
        kind.cloned()
    };
    let system = |name: &str, title: &str, cost, quick, kind, sees| System {
        name: name.to_owned(),
        title: title.to_owned(),
        cost,
        quick,
        kind,
        sees,
    };
    let bottom = body(BASELINE)?;
    use Kind::{Adapters, Body as One, Constants, PerCohort, PerTask};
    use Sees::{Flat, Leaves, None, Tree};
    Ok(vec![
        system("constants", "Cohort means", 0.1, true, Constants, Flat),
        system(BASELINE, "Shared bottom", 1.0, true, One(bottom.clone()), None),
        system("single-task", "Single task", 2.0, false, PerTask(bottom.clone()), None),
        system("per-cohort", "One model per cohort", 1.5, false, PerCohort(bottom), Flat),
        system("moe", "MoE", 2.0, false, One(body("moe")?), None),
        system("mmoe", "MMoE", 2.0, true, One(body("mmoe")?), None),
        system("ple", "PLE", 3.0, false, One(body("ple")?), None),
        system("cohort-experts", "Cohort + global experts", 2.5, true, One(body("cohort-experts")?), Flat),
        system(
            "leaf-experts",
            "Cohort + global experts, innermost",
            4.0,
            false,
            One(body("cohort-experts")?),
            Leaves,
        ),
        system(
            "hierarchical-experts",
            "Hierarchical experts",
            4.0,
            false,
            One(body("hierarchical-experts")?),
            Tree,
        ),
        system(CONTROL, "One LoRA for all (control)", 2.0, false, Adapters(adapters("lora")?), None),
        system("lora", "LoRA per cohort", 2.0, true, Adapters(adapters("lora")?), Flat),
        system("lora-leaf", "LoRA per innermost cohort", 2.5, false, Adapters(adapters("lora")?), Leaves),
        system("lora-shared", "Shared LoRA", 2.0, false, Adapters(adapters("lora-shared")?), Flat),
        system(
            "lora-hierarchical",
            "Hierarchical LoRA",
            2.5,
            false,
            Adapters(adapters("lora-hierarchical")?),
            Tree,
        ),
        system("ilora", "iLoRA", 2.5, false, Adapters(adapters("ilora")?), None),
    ])
}

/// The constants and one body: as it is, and under each balancer.
pub(crate) fn weighed<'a>(
    body: &Body,
    strategies: impl IntoIterator<Item = (&'a str, &'a str, &'a Weighed)>,
) -> Vec<System> {
    let system = |name: &str, title: &str, cost, kind, sees| System {
        name: name.to_owned(),
        title: title.to_owned(),
        cost,
        quick: true,
        kind,
        sees,
    };
    let mut all = vec![
        system("constants", "Cohort means", 0.1, Kind::Constants, Sees::Flat),
        system(BASELINE, "Equal weights", 1.0, Kind::Body(body.clone()), Sees::Flat),
    ];
    all.extend(strategies.into_iter().map(|(name, title, weighed)| {
        system(name, title, 2.0, Kind::Weighed(body.clone(), Box::new(weighed.clone())), Sees::Flat)
    }));
    all
}

/// Cohorts with fewer training rows have no model of their own.
const LEAST_ROWS: usize = 100;

impl Sees {
    fn of(self, material: &Material) -> Cohorts {
        match self {
            Sees::Flat => material.flat.clone(),
            Sees::Leaves => {
                let tree = material.tree.clone();
                Cohorts { hierarchy: Hierarchy::flat(tree.hierarchy.len()), ..tree }
            }
            Sees::Tree => material.tree.clone(),
            Sees::None => {
                let all = |rows: &[u32]| vec![0; rows.len()];
                Cohorts {
                    hierarchy: Hierarchy::flat(1),
                    names: vec!["all".to_owned()],
                    train: all(&material.flat.train),
                    validation: all(&material.flat.validation),
                    test: all(&material.flat.test),
                }
            }
        }
    }
}

impl System {
    /// Its settings in full.
    pub(crate) fn config(&self, data: &ForData) -> Value {
        match &self.kind {
            Kind::Constants => Value::Null,
            Kind::Body(body) | Kind::PerTask(body) | Kind::PerCohort(body) => json!(data.with(body)),
            Kind::Adapters(kind) => json!(data.adapted(kind)),
            Kind::Weighed(body, weighed) => json!(weighed.config(data, body)),
        }
    }

    /// Fits it.
    pub(crate) fn fit(
        &self,
        material: &Material,
        data: &ForData,
        bases: &Bases,
        bottom: &Body,
        seed: u64,
    ) -> Result<Fitted> {
        let cohorts = self.sees.of(material);
        let input = Input {
            train: &material.split.train,
            cohorts: &cohorts.train,
            hierarchy: &cohorts.hierarchy,
            validation: Some((&material.split.validation, &cohorts.validation)),
        };
        let start = Instant::now();
        let mut before = 0.0;
        let (mut trained, mut per_cohort) = (None, 0.0);
        let model = match &self.kind {
            Kind::Constants => Model::Constants(constants(material)),
            Kind::Body(body) => {
                let model = multitask::fit(input, &data.with(body), seed, &mut |_| {})?;
                let count = |cohorts: usize| {
                    multitask::parameters(input.train, &data.with(body), &Hierarchy::flat(cohorts))
                };
                if self.sees != Sees::None {
                    let many = cohorts.hierarchy.at_level(0).count();
                    per_cohort = 4.0 * (count(many + 1)? - count(many)?) as f64;
                }
                Model::One(Box::new(model))
            }
            Kind::Weighed(body, weighed) => {
                let config = weighed.config(data, body);
                Model::One(Box::new(multitask::fit(input, &config, seed, &mut |_| {})?))
            }
            Kind::PerTask(body) => {
                Model::Many(Box::new(multitask::fit_per_task(input, &data.with(body), seed, &mut |_| {})?))
            }
            Kind::PerCohort(body) => {
                let config = data.with(body);
                let models = multitask::fit_per_cohort(input, &config, LEAST_ROWS, seed, &mut |_| {})?;
                per_cohort = models.models.values().map(|model| 4.0 * model.parameters() as f64).sum::<f64>()
                    / models.models.len().max(1) as f64;
                Model::Many(Box::new(models))
            }
            Kind::Adapters(kind) => {
                let base = bases.of(seed, || {
                    let all = Sees::None.of(material);
                    let input = Input {
                        cohorts: &all.train,
                        hierarchy: &all.hierarchy,
                        validation: Some((&material.split.validation, &all.validation)),
                        ..input
                    };
                    let start = Instant::now();
                    let model = multitask::fit(input, &data.with(bottom), seed, &mut |_| {})?;
                    Ok(Base { model: Arc::new(model), seconds: start.elapsed().as_secs_f64() })
                })?;
                let start = Instant::now();
                let config = data.adapted(kind);
                let model = multitask::adapt(&base.model, input, &config, seed, &mut |_| {})?;
                before = start.elapsed().as_secs_f64() + base.seconds;
                trained = Some(model.params().count(true));
                if let (AdapterKind::Instance(_), Some(encoder)) = (kind, &material.encoder) {
                    before += encoder.seconds;
                    trained = trained.map(|own| own + encoder.parameters);
                }
                if self.sees != Sees::None {
                    per_cohort = 4.0 * model.values_per_cohort() as f64;
                }
                Model::One(Box::new(model))
            }
        };
        let seconds = if before > 0.0 { before } else { start.elapsed().as_secs_f64() };
        let parameters = match &model {
            Model::Constants(means) => means.iter().map(Vec::len).sum(),
            Model::One(model) => model.parameters(),
            Model::Many(models) => models.parameters(),
        };
        let (mut curves_of, mut cosines, mut step) = (Vec::new(), None, None);
        if let Model::One(model) = &model {
            curves_of = curves(model);
            cosines = cosines_of(model);
            let steps = model.epochs.len() * input.train.len().div_ceil(data.model.train.batch);
            let spent: f64 = model.epochs.iter().map(|epoch| epoch.seconds).sum();
            step = Some(1e3 * spent / steps.max(1) as f64);
        }
        Ok(Fitted {
            model,
            seconds,
            trained: trained.unwrap_or(parameters),
            per_cohort,
            curves: curves_of,
            cosines,
            step,
            sees: self.sees,
        })
    }
}

impl Bases {
    fn of(&self, seed: u64, make: impl FnOnce() -> Result<Base>) -> Result<Base> {
        let place = {
            let mut all = self.0.lock().map_err(|_| anyhow!("a base could not be trained"))?;
            Arc::clone(all.entry(seed).or_default())
        };
        place
            .get_or_init(|| make().map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(|why| anyhow!("base: {why}"))
    }
}

impl Fitted {
    /// Each task's predictions of the test rows.
    pub(crate) fn predict(&self, material: &Material, features: &Features) -> Result<Vec<Vec<f32>>> {
        let cohorts = self.sees.of(material);
        Ok(match &self.model {
            Model::Constants(means) => {
                let of_row = |means: &Vec<f32>| {
                    let last = means.len() - 1;
                    cohorts
                        .test
                        .iter()
                        .map(|&c| means[if c == UNKNOWN { last } else { c as usize }])
                        .collect()
                };
                means.iter().map(of_row).collect()
            }
            Model::One(model) => model.predict(features, &cohorts.test)?,
            Model::Many(models) => models.predict(features, &cohorts.test)?,
        })
    }

    /// The one model, with the cohorts that it sees.
    pub(crate) fn one(&self, material: &Material) -> Option<(&MultiTask, Cohorts)> {
        match &self.model {
            Model::One(model) => Some((model.as_ref(), self.sees.of(material))),
            _ => None,
        }
    }
}

/// For each task the mean of each cohort's training rows, and last that of all.
fn constants(material: &Material) -> Vec<Vec<f32>> {
    let cohorts = &material.flat;
    let means = |target: &Target| {
        let mut sums = vec![(0.0f64, 0usize); cohorts.hierarchy.len() + 1];
        let last = sums.len() - 1;
        for (row, &cohort) in cohorts.train.iter().enumerate().filter(|&(row, _)| target.is_known(row)) {
            for at in [Some(cohort as usize).filter(|_| cohort != UNKNOWN), Some(last)].into_iter().flatten()
            {
                sums[at] = (sums[at].0 + f64::from(target.values[row]), sums[at].1 + 1);
            }
        }
        let all = sums[last].0 / sums[last].1.max(1) as f64;
        sums.into_iter().map(|(sum, rows)| (if rows == 0 { all } else { sum / rows as f64 }) as f32).collect()
    };
    material.split.train.targets().iter().map(means).collect()
}

fn curves(model: &MultiTask) -> Vec<crate::outcome::Curve> {
    let mut curves: Vec<crate::outcome::Curve> = Vec::new();
    let mut push =
        |name: String, epoch: usize, value: f64| match curves.iter_mut().find(|curve| curve.name == name) {
            Some(curve) => curve.points.push((epoch as f64, value)),
            None => curves.push(crate::outcome::Curve { name, points: vec![(epoch as f64, value)] }),
        };
    for epoch in &model.epochs {
        epoch.losses.iter().for_each(|(name, loss)| push(format!("{name}, training"), epoch.epoch, *loss));
        for ((name, _), weight) in epoch.losses.iter().zip(&epoch.weighting.weights) {
            weight.iter().for_each(|weight| push(format!("{name}, weight"), epoch.epoch, *weight));
        }
        for ((name, _), norm) in epoch.losses.iter().zip(&epoch.weighting.norms) {
            norm.iter().for_each(|norm| push(format!("{name}, gradient"), epoch.epoch, *norm));
        }
        epoch.validation.into_iter().for_each(|value| push("validation".to_owned(), epoch.epoch, value));
    }
    curves
}

/// Mean cosines at the end of the run, of objectives that a balancer compared.
fn cosines_of(model: &MultiTask) -> Option<Matrix> {
    let last = model.epochs.last()?;
    let values = last.weighting.cosines.clone();
    let names: Vec<String> = last.losses.iter().map(|(name, _)| name.clone()).collect();
    let known = values.iter().flatten().flatten().count() > 0;
    known.then(|| Matrix { name: COSINES.to_owned(), rows: names.clone(), columns: names, values })
}

/// Name of the matrix of cosines.
pub(crate) const COSINES: &str = "cosines of gradients";

/// What kind of number a target is, for whoever measures.
pub(crate) fn is_binary(target: &Target) -> bool {
    target.kind == TargetKind::Binary
}
