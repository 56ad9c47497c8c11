//! Which cells there are: one file an experiment.

pub(crate) mod cold;
mod fit;
pub(crate) mod groups;
mod main_table;
mod sweeps;

use anyhow::Result;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::grid::Cell;
use crate::study::Study;

/// The split that variants and further experiments use.
pub(crate) const MAIN_SPLIT: &str = "random-20";

/// How much to run.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Seeds of splits and fits.
    pub(crate) seeds: Vec<u64>,
    /// Fewer variants.
    pub(crate) quick: bool,
}

/// An experiment of the paper's reproduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Experiment {
    /// Every system under every protocol.
    Main,
    /// The weight of the profiling loss, and the width of the embeddings.
    Lambda,
    /// What the attention weighs.
    Attention,
    /// Users with few training rows.
    Cold,
    /// Groups as units: KMeans groups and real ones.
    Groups,
}

impl Experiment {
    /// All, in the order of the report.
    pub(crate) const ALL: [Experiment; 5] =
        [Experiment::Main, Experiment::Lambda, Experiment::Attention, Experiment::Cold, Experiment::Groups];

    /// Name on the command line and in rows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Experiment::Main => "main",
            Experiment::Lambda => "lambda",
            Experiment::Attention => "attention",
            Experiment::Cold => "cold",
            Experiment::Groups => "groups",
        }
    }

    /// What a run without `--all` and `--only` does.
    fn by_default(self, quick: bool) -> bool {
        matches!(self, Experiment::Main) || (!quick && matches!(self, Experiment::Groups))
    }

    /// The experiments of a run; `dmtl` names the paper's default set.
    pub(crate) fn chosen(all: bool, quick: bool, only: &[String]) -> Result<Vec<Experiment>> {
        let mut chosen = Vec::new();
        for name in only {
            match Experiment::ALL.into_iter().find(|experiment| experiment.name() == name) {
                Some(experiment) => chosen.push(experiment),
                None if name == PAPER => {
                    chosen.extend(Experiment::ALL.into_iter().filter(|e| e.by_default(quick)))
                }
                None => {
                    let known: Vec<&str> = Experiment::ALL.into_iter().map(Experiment::name).collect();
                    let allowed = format!("{PAPER}, {}", known.join(", "));
                    let what = format!("--only: there is no experiment {name:?}, allowed are {allowed}");
                    return Err(Failure::Usage(what).into());
                }
            }
        }
        if only.is_empty() {
            chosen.extend(Experiment::ALL.into_iter().filter(|e| all || e.by_default(quick)));
        }
        chosen.sort_unstable();
        chosen.dedup();
        Ok(chosen)
    }

    /// Its cells on a data set; none where the data set has not what it needs.
    pub(crate) fn cells<'a>(self, study: &'a Study, scope: &Scope) -> Vec<Cell<'a>> {
        match self {
            Experiment::Main => main_table::cells(study, scope),
            Experiment::Lambda => sweeps::lambda(study, scope),
            Experiment::Attention => sweeps::attention(study, scope),
            Experiment::Cold => cold::cells(study, scope),
            Experiment::Groups => groups::cells(study, scope),
        }
    }
}

/// The paper's name for `--only`.
const PAPER: &str = "dmtl";

/// What every cell of a study depends on.
fn data_settings(study: &Study) -> Value {
    json!(study.provenance.files)
}
