//! What is fitted: the baselines of the registry and the variants of the system under test, behind one type.
//!
//! The one place of the laboratory that knows models by name.

use std::sync::Arc;

use anyhow::Result;
use kohort_data::{Dataset, Queries, Train};
use kohort_models::baselines::{self, Scorer};
use kohort_models::context::ContextConfig;
use kohort_models::dmtl::{self, Attention, Lambda, Tasks};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dmtl::cohorts::Cohorts;

/// The system that the main table is about.
pub(crate) const UNDER_TEST: &str = "dmtl";

/// The variant that knows no more than baselines about when a rating is asked for.
pub(crate) const NO_TIMES: &str = "without times";
/// The variant with the inputs that the paper names.
pub(crate) const PAPERS_INPUTS: &str = "paper's inputs only";

/// What a fit may see.
#[derive(Clone, Copy)]
pub(crate) struct Material<'a> {
    /// Features and vocabularies, without ratings.
    pub(crate) dataset: &'a Dataset,
    /// The rows to learn from.
    pub(crate) train: &'a Train,
    /// Groups formed on these rows.
    pub(crate) cohorts: &'a Cohorts,
    /// Seed of the fit.
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
    /// Expected seconds of a fit on 100,000 rows with the scores of its test rows, to run the longest first.
    pub(crate) cost: f64,
    /// Expected further seconds for scores of all users and items.
    pub(crate) catalogue_cost: f64,
    /// Its settings in full.
    pub(crate) config: Value,
    fit: FitFn,
}

type FitFn = Box<dyn Fn(&Material<'_>) -> Result<Fitted> + Send + Sync>;
type ProfileFn = Box<dyn Fn(Queries<'_>) -> Vec<f32> + Send + Sync>;

/// A fitted system.
pub(crate) struct Fitted {
    /// Gives scores.
    pub(crate) scorer: Box<dyn Scorer>,
    /// Whether the scores were learned: a model that only names groups has a rating head that nobody trained.
    pub(crate) scores_mean_something: bool,
    /// Probabilities of the groups, `[queries, groups]`, where the system names groups.
    pub(crate) profile: Option<ProfileFn>,
    /// One entry an epoch, where it has epochs.
    pub(crate) epochs: Vec<EpochLog>,
}

/// What was seen of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EpochLog {
    /// Counted from 1.
    pub(crate) epoch: usize,
    /// Named numbers: losses, the validation error, the entropy of the attention.
    pub(crate) values: Vec<(String, f64)>,
}

impl System {
    /// Fits it.
    pub(crate) fn fit(&self, material: &Material<'_>) -> Result<Fitted> {
        (self.fit)(material)
    }
}

/// Every baseline, the floors first.
pub(crate) fn baselines() -> Vec<System> {
    baselines::registry()
        .into_iter()
        .map(|entry| System {
            name: entry.name.to_owned(),
            title: entry.title.to_owned(),
            variant: None,
            cost: 0.15,
            catalogue_cost: match entry.name {
                name if name.starts_with("knn") => 1.0,
                "slope-one" => 2.0,
                _ => 0.1,
            },
            config: config_of(entry.name),
            fit: Box::new(move |material| {
                let scorer = (entry.fit)(material.train, material.seed)?;
                Ok(Fitted { scorer, scores_mean_something: true, profile: None, epochs: Vec::new() })
            }),
        })
        .collect()
}

/// The settings a baseline is compared under: its defaults, which are Surprise's.
fn config_of(name: &str) -> Value {
    use kohort_models::baselines::{bias, knn, mean, nmf, svd, svdpp};
    match name {
        "item-mean" => json!(mean::ItemMeanConfig::default()),
        "bias" => json!(bias::BiasConfig::default()),
        "svd" => json!(svd::SvdConfig::default()),
        "svd++" => json!(svdpp::SvdPpConfig::default()),
        "nmf" => json!(nmf::NmfConfig::default()),
        knn if knn.starts_with("knn") => {
            json!({ "defaults": knn::KnnConfig::default(), "kind": name })
        }
        _ => Value::Null,
    }
}

/// The system under test in its main setting.
pub(crate) fn under_test(dataset: &Dataset) -> System {
    dmtl_system(None, dmtl::Config::for_dataset(&dataset.name))
}

/// What the system under test is without some of its parts; a quick run only takes the times away.
pub(crate) fn variants(dataset: &Dataset, quick: bool) -> Vec<System> {
    let main = dmtl::Config::for_dataset(&dataset.name);
    let mut systems = Vec::new();
    if let Some(context) = main.context.clone().filter(|context| context.time && dataset.has_time) {
        let context = Some(ContextConfig { time: false, ..context });
        systems.push(dmtl_system(Some(NO_TIMES), dmtl::Config { context, ..main.clone() }));
    }
    if quick {
        return systems;
    }
    systems.push(dmtl_system(Some(PAPERS_INPUTS), dmtl::Config::paper()));
    systems.push(single_task(dataset));
    systems.push(dmtl_system(Some("profiling only"), dmtl::Config { tasks: Tasks::Profiling, ..main }));
    systems
}

/// The system under test without its profiling task.
pub(crate) fn single_task(dataset: &Dataset) -> System {
    let main = dmtl::Config::for_dataset(&dataset.name);
    dmtl_system(Some("single task, no profiling"), dmtl::Config { tasks: Tasks::Rating, ..main })
}

/// Sweep of λ, then of the width of the embeddings; the main setting is among them.
pub(crate) fn sweeps(dataset: &Dataset) -> Vec<System> {
    let main = dmtl::Config::for_dataset(&dataset.name);
    let mut systems = Vec::new();
    for lambda in LAMBDAS {
        let config = dmtl::Config { lambda: Lambda::Fixed(lambda), ..main.clone() };
        systems.push(dmtl_system(Some(&format!("λ = {lambda}")), config));
    }
    systems.push(dmtl_system(
        Some("λ learned from uncertainty"),
        dmtl::Config { lambda: Lambda::Learned(0.01), ..main.clone() },
    ));
    for embedding in EMBEDDINGS {
        let config = dmtl::Config { embedding, ..main.clone() };
        systems.push(dmtl_system(Some(&format!("embedding = {embedding}")), config));
    }
    systems
}

/// Weights of the profiling loss that are swept.
pub(crate) const LAMBDAS: [f64; 4] = [0.1, 0.5, 1.0, 10.0];
/// Widths of embeddings that are swept.
pub(crate) const EMBEDDINGS: [usize; 4] = [8, 16, 32, 64];

/// The four readings of the attention.
pub(crate) fn attentions(dataset: &Dataset) -> Vec<System> {
    let main = dmtl::Config::for_dataset(&dataset.name);
    [
        ("attention = item", Attention::Item),
        ("attention = members", Attention::Members),
        ("attention = uniform", Attention::Uniform),
        ("attention = none", Attention::None),
    ]
    .into_iter()
    .map(|(variant, attention)| dmtl_system(Some(variant), dmtl::Config { attention, ..main.clone() }))
    .collect()
}

/// Every system of the main table with its settings in full. Variants of the sweeps differ from these in the one
/// setting that they are named after.
pub(super) fn settings(dataset: &Dataset, quick: bool) -> Vec<Value> {
    let mut all = baselines();
    all.push(under_test(dataset));
    all.extend(variants(dataset, quick));
    all.iter()
        .map(|system| {
            json!({ "name": system.name, "title": system.title, "variant": system.variant, "config": system.config })
        })
        .collect()
}

/// One baseline by its name in the registry.
pub(crate) fn baselines_named(names: &[&str]) -> Vec<System> {
    baselines().into_iter().filter(|system| names.contains(&system.name.as_str())).collect()
}

fn dmtl_system(variant: Option<&str>, config: dmtl::Config) -> System {
    System {
        name: UNDER_TEST.to_owned(),
        title: "DMTL".to_owned(),
        variant: variant.map(str::to_owned),
        cost: 11.0,
        catalogue_cost: 15.0,
        config: json!(config),
        fit: Box::new(move |material| fit_dmtl(material, &config)),
    }
}

fn fit_dmtl(material: &Material<'_>, config: &dmtl::Config) -> Result<Fitted> {
    let input = dmtl::Input {
        dataset: material.dataset,
        train: material.train,
        // The number of epochs is part of the setting, chosen on validation rows before; all rows are learned from.
        validation: None,
        groups: &material.cohorts.labels,
        group_count: material.cohorts.count,
        labelled: Some(&material.cohorts.labelled),
    };
    let model = Arc::new(dmtl::fit(input, config, material.seed, &mut |_| {})?);
    let epochs = model
        .epochs
        .iter()
        .map(|epoch| {
            let losses = epoch.losses.iter().map(|(name, value)| (format!("{name} loss"), *value));
            EpochLog { epoch: epoch.epoch, values: losses.chain(epoch.notes.iter().cloned()).collect() }
        })
        .collect();
    // Attention over members gives the head the group itself, so what it names proves nothing.
    let names_groups = config.tasks != Tasks::Rating && config.attention != Attention::Members;
    let profile: Option<ProfileFn> = names_groups.then(|| {
        let model = Arc::clone(&model);
        Box::new(move |queries: Queries<'_>| model.profile(queries)) as ProfileFn
    });
    let scores_mean_something = config.tasks != Tasks::Profiling;
    Ok(Fitted { scorer: Box::new(Shared(model)), scores_mean_something, profile, epochs })
}

/// A model that two closures look at.
struct Shared(Arc<dmtl::Dmtl>);

impl Scorer for Shared {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        self.0.score(queries)
    }

    fn rates(&self) -> bool {
        self.0.rates()
    }
}
