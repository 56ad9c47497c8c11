//! What is fitted: the baselines of the registry and the variants of the system under test, behind one type.
//!
//! The one place of the laboratory that knows models by name.

use anyhow::Result;
use kohort_data::{Dataset, Queries, Train};
use kohort_models::baselines::{self, Scorer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cohorts::Cohorts;

/// The system that the main table is about.
pub(crate) const UNDER_TEST: &str = "dmtl";

/// What a fit may see.
#[derive(Clone, Copy)]
pub(crate) struct Material<'a> {
    /// Features and vocabularies; its rating rows are not for fits.
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
    /// Expected seconds of a fit and its scores on a full-size data set, to run the longest first.
    pub(crate) cost: f64,
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

    /// Whether it is the system that the others are tested against.
    pub(crate) fn is_under_test(&self) -> bool {
        self.name == UNDER_TEST && self.variant.is_none()
    }
}

/// Baselines that a quick run leaves out: each is near another that stays.
const NOT_QUICK: [&str; 6] = ["global-mean", "nmf", "slope-one", "knn-user", "knn-user-zscore", "knn-item"];

/// Every baseline, the floors first.
pub(crate) fn baselines(quick: bool) -> Vec<System> {
    baselines::registry()
        .into_iter()
        .filter(|entry| !(quick && NOT_QUICK.contains(&entry.name)))
        .map(|entry| System {
            name: entry.name.to_owned(),
            title: entry.title.to_owned(),
            variant: None,
            cost: match entry.name {
                "svd++" => 4.0,
                name if name.starts_with("knn") => 3.0,
                "slope-one" => 3.0,
                _ => 1.0,
            },
            config: config_of(entry.name),
            fit: Box::new(move |material| {
                let scorer = (entry.fit)(material.train, material.seed)?;
                Ok(Fitted { scorer, profile: None, epochs: Vec::new() })
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

/// The system under test and its variants; `quick` leaves out variants.
pub(crate) fn under_test(_dataset: &Dataset, _quick: bool) -> Result<Vec<System>> {
    Ok(Vec::new())
}
