//! What is compared, behind one type: bodies, models that share nothing, adapters on a shared base, and the constants that
//! all of them have to beat.
//!
//! The one place here that knows models by name.

use std::time::Instant;

use anyhow::{Context, Result};
use kohort_data::records::{Target, TargetKind};
use kohort_layers::Hierarchy;
use kohort_models::multitask::body::AdapterKind;
use kohort_models::multitask::{self, BalanceConfig, Body, Config, Input, MultiTask, Predict};
use kohort_objectives::rules::WeightRule;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fitted::{Fitted, Model, constants};
use super::settings::{ForData, Settings};
use super::worlds::{Cohorts, Material};
use crate::memo::Memo;

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
pub(super) enum Sees {
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

/// Bases that adapters of one data set share, by seed: whoever comes first trains it.
pub(crate) type Bases = Memo<u64, Base>;

/// A trained shared bottom.
pub(crate) struct Base {
    model: MultiTask,
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
        system(BASELINE, "Shared bottom, equal weights", 1.0, Kind::Body(body.clone()), Sees::Flat),
    ];
    all.extend(strategies.into_iter().map(|(name, title, weighed)| {
        system(name, title, 2.0, Kind::Weighed(body.clone(), Box::new(weighed.clone())), Sees::Flat)
    }));
    all
}

/// Cohorts with fewer training rows have no model of their own.
const LEAST_ROWS: usize = 100;

impl Sees {
    pub(super) fn of(self, material: &Material) -> Cohorts {
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
                let base = bases.get(seed, || {
                    let all = Sees::None.of(material);
                    let input = Input {
                        cohorts: &all.train,
                        hierarchy: &all.hierarchy,
                        validation: Some((&material.split.validation, &all.validation)),
                        ..input
                    };
                    let start = Instant::now();
                    let model = multitask::fit(input, &data.with(bottom), seed, &mut |_| {})?;
                    Ok(Base { model, seconds: start.elapsed().as_secs_f64() })
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
        Ok(Fitted {
            model,
            seconds,
            trained: trained.unwrap_or(parameters),
            per_cohort,
            steps: input.train.len().div_ceil(data.model.train.batch),
            sees: self.sees,
        })
    }
}

/// What kind of number a target is, for whoever measures.
pub(crate) fn is_binary(target: &Target) -> bool {
    target.kind == TargetKind::Binary
}
