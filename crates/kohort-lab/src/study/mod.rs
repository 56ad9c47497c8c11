//! The data sets of a run: found and checked, skipped with the reason, or synthetic where none can be had.

mod find;
mod provenance;

pub(crate) use find::{Looking, find, list};
pub(crate) use provenance::{FileRecord, Provenance};

use anyhow::Result;
use kohort_data::{Dataset, Duplicates, Features, synthetic::Recipe};

use crate::files::sha256;

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
    pub(crate) fn new(dataset: &Dataset, title: String, provenance: Provenance) -> Result<Study> {
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
    pub(crate) fn synthetic(small: bool) -> Result<Study> {
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

/// A data set that was asked for and could not be had.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Skipped {
    /// Its name.
    pub(crate) name: String,
    /// What was tried, and what to do next.
    pub(crate) why: String,
}
