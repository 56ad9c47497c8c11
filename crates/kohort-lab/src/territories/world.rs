//! A world: rows in three parts, everybody's territory, and what its fits share.

use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow};
use kohort_data::territories::{Distance, Grouping, Profiles, Territories};
use kohort_data::{Dataset, Index, Parts, RankingCandidates, ThreeWay, Train};
use kohort_models::inputs::{self, Inputs};
use serde_json::{Value, json};

use super::settings::{GroupBy, Settings};
use crate::study::Provenance;

/// Seed of the decomposition: input vectors are given, as the paper's are, so all seeds of a run share them.
pub(super) const INPUT_SEED: u64 = 0;

/// Everything that fits and measurements of a data set under one split share.
pub(crate) struct World {
    /// Name of the data set in rows and cells.
    pub(crate) name: String,
    /// Name of the split in cells.
    pub(crate) split: &'static str,
    /// Name for people, without what follows a comma: it stands in every heading.
    pub(crate) title: String,
    /// The three parts.
    pub(crate) parts: Parts,
    /// Who lives where.
    pub(crate) territories: Territories,
    /// What can be shown in each territory: its items with a row in any part, ascending, `[territories]`.
    pub(crate) catalogues: Vec<Vec<u32>>,
    /// Names of the items.
    pub(crate) items: Vec<String>,
    /// What the reader has to know.
    pub(crate) notes: Vec<String>,
    /// Where it came from.
    pub(crate) provenance: Provenance,
    inputs: OnceLock<Result<Arc<Inputs>, String>>,
}

impl World {
    /// Cuts a data set whose (user, item) pairs are there once each.
    pub(crate) fn new(
        dataset: &Dataset,
        title: String,
        provenance: Provenance,
        territories: Territories,
        (split, way): (&'static str, ThreeWay),
    ) -> Result<World> {
        let parts = way.split(&dataset.interactions)?;
        let catalogues = territories.items(&dataset.interactions)?;
        Ok(World {
            name: dataset.name.clone(),
            split,
            title: title.split(',').next().unwrap_or_default().to_owned(),
            parts,
            territories,
            catalogues,
            items: dataset.items.tokens().map(str::to_owned).collect(),
            // A note of the reader about repeated pairs is no longer true once they are merged.
            notes: dataset.notes.iter().filter(|note| !note.ends_with("were kept")).cloned().collect(),
            provenance,
            inputs: OnceLock::new(),
        })
    }

    /// What may be learned from.
    pub(crate) fn train(&self) -> &Train {
        &self.parts.train
    }

    /// The vectors, made by whoever asks first.
    pub(crate) fn inputs(&self, settings: &Settings) -> Result<Arc<Inputs>> {
        let made = self.inputs.get_or_init(|| {
            inputs::of_train(self.train(), &settings.inputs, INPUT_SEED)
                .map(Arc::new)
                .map_err(|error| error.to_string())
        });
        made.clone().map_err(|why| anyhow!("input vectors of {}: {why}", self.name))
    }

    /// Each held-out test row of a user beside `count` negatives of the user's territory.
    pub(crate) fn candidates(&self, count: u32, seed: u64) -> Result<RankingCandidates> {
        Ok(self.parts.test_candidates(&self.territories, count, seed)?)
    }

    /// Territories by name with the training rows of each, the smallest first.
    pub(crate) fn by_size(&self) -> Result<Vec<(String, usize)>> {
        let of_rows = self.territories.of_rows(self.train().rows())?;
        let sizes = Index::new(&of_rows, self.territories.len());
        let mut all: Vec<(String, usize)> =
            self.territories.names().iter().cloned().zip(sizes.sizes()).collect();
        all.sort_by_key(|(_, rows)| *rows);
        Ok(all)
    }

    /// Territories in groups.
    pub(crate) fn grouping(&self, groups: usize, by: &GroupBy) -> Result<Grouping> {
        grouping(self.train(), &self.territories, groups, by)
    }

    /// What every cell depends on.
    pub(crate) fn settings(&self) -> Value {
        json!({ "files": self.provenance.files, "split": self.split })
    }
}

/// Territories in `groups` groups (each alone where there are as many groups as territories), from training rows.
pub(crate) fn grouping(
    train: &Train,
    territories: &Territories,
    groups: usize,
    by: &GroupBy,
) -> Result<Grouping> {
    let profiles = Profiles::of(train, territories)?;
    let count = groups.min(profiles.len());
    Ok(match by {
        GroupBy::Rule(rule) => Grouping::by_rule(&profiles, rule)?,
        _ if count == profiles.len() => Grouping::each(&profiles)?,
        _ if count == 1 => Grouping::given(&profiles, "all together", &vec![0; profiles.len()], 1)?,
        GroupBy::Size => Grouping::by_size(&profiles, count)?,
        GroupBy::Viewing => Grouping::by_viewing(&profiles, count, Distance::Cosine)?,
    })
}
