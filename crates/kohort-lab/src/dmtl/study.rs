//! The data sets of the paper: ready for splits, or synthetic where none can be had.

use anyhow::Result;
use kohort_data::{Dataset, Duplicates, Features, synthetic::Recipe};

use crate::files::sha256;
use crate::study::{FileRecord, Looking, Provenance, Skipped, look};

/// A data set that experiments run on, each (user, item) pair once.
#[derive(Debug)]
pub(crate) struct Study {
    /// The rows, pairs merged by their mean rating.
    pub(crate) dataset: Dataset,
    /// The same without any rating: what fits may see besides their training rows. A model that looked for the
    /// answers in the data set would find none.
    pub(crate) blind: Dataset,
    /// Name for people.
    pub(crate) title: String,
    /// Where it came from.
    pub(crate) provenance: Provenance,
}

impl Study {
    /// Merges repeated pairs: a pair with a row in both parts of a split would tell the answer.
    fn new(dataset: &Dataset, title: String, provenance: Provenance) -> Result<Study> {
        let dataset = dataset.merge_duplicates(Duplicates::Mean)?;
        let nothing = dataset.interactions.select(&[]);
        let blind = Dataset {
            interactions: nothing,
            row_features: Features::default(),
            groups: None,
            ..dataset.clone()
        };
        Ok(Study { dataset, blind, title, provenance })
    }

    /// Rows with planted cohorts, for machines where no real data can be had.
    fn synthetic(small: bool) -> Result<Study> {
        let (name, recipe) = if small {
            ("synthetic-small", Recipe::small())
        } else {
            ("synthetic", Recipe::movielens_like())
        };
        let (mut dataset, _) = recipe.generate(SYNTHETIC_SEED)?;
        dataset.name = name.to_owned();
        let recipe = format!("{recipe:?}, seed {SYNTHETIC_SEED}");
        let provenance = Provenance {
            source: "synthetic".to_owned(),
            folder: String::new(),
            citation: "none: planted by kohort_data::synthetic".to_owned(),
            licence: "none needed".to_owned(),
            files: vec![FileRecord {
                path: "recipe".to_owned(),
                bytes: recipe.len() as u64,
                sha256: sha256(recipe.as_bytes()),
            }],
        };
        Study::new(&dataset, "Synthetic ratings".to_owned(), provenance)
    }

    /// Name in rows and cells.
    pub(crate) fn name(&self) -> &str {
        &self.dataset.name
    }
}

const SYNTHETIC_SEED: u64 = 7;

/// The data sets of the paper. Others may have manifests too; they belong to other experiments.
const OF_THE_PAPER: [&str; 2] = ["ml-100k", "itm-rec"];

/// The data sets of the paper in the order of the report, and those that could not be had; the synthetic one if none
/// of them can be had.
pub(super) fn find(
    looking: &Looking,
    small: bool,
    say: &mut dyn FnMut(&str),
) -> Result<(Vec<Study>, Vec<Skipped>)> {
    let (mut studies, mut skipped) = (Vec::new(), Vec::new());
    for name in OF_THE_PAPER {
        match look(name, looking, say)? {
            Ok(found) => studies.push(Study::new(&found.dataset, found.title, found.provenance)?),
            Err(missing) => skipped.push(missing),
        }
    }
    if studies.is_empty() {
        say("data: none could be had, so this run is on synthetic ratings");
        studies.push(Study::synthetic(small)?);
    }
    Ok((studies, skipped))
}
