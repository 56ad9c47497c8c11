//! Which cells there are: one file an experiment.

pub(crate) mod cold;
mod fit;
pub(crate) mod groups;
mod main_table;
mod sweeps;

use serde_json::{Value, json};

use crate::dmtl::study::Study;
use crate::grid::Cell;
use crate::paper::{self, Scope};

/// The split that variants and further experiments use.
pub(crate) const MAIN_SPLIT: &str = "random-20";

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
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Experiment::Main => "main",
            Experiment::Lambda => "lambda",
            Experiment::Attention => "attention",
            Experiment::Cold => "cold",
            Experiment::Groups => "groups",
        }
    }

    /// As the command line lists it.
    pub(super) const fn listed(self, by_default: bool, quick: bool) -> paper::Experiment {
        paper::Experiment { name: self.name(), by_default, quick }
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

/// What every cell of a study depends on.
fn data_settings(study: &Study) -> Value {
    json!(study.provenance.files)
}
