//! The data sets of the comparison, one file each: rows with targets, and who belongs to which cohort.

mod census;
pub(crate) mod movielens;
mod twitch;
pub(crate) mod xmarket;

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use kohort_data::Column;
use kohort_data::records::{CohortPaths, RecordShares, RecordSplit, Records};
use kohort_layers::{Hierarchy, UNKNOWN};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::memo::Memo;
use crate::study::{Looking, Provenance, Skipped};

/// A data set, cut anew for each seed.
pub(crate) struct World<M = Material> {
    /// Name in rows and cells.
    pub(crate) name: &'static str,
    /// Name for people, which stands in headings.
    pub(crate) title: String,
    /// What a cohort is, and what lies within it.
    pub(crate) cohorts: &'static str,
    /// How parts are made.
    pub(crate) split: &'static str,
    /// What the reader has to know.
    pub(crate) notes: Vec<String>,
    /// Where it came from.
    pub(crate) provenance: Provenance,
    pub(crate) cut: Cut<M>,
    /// What was cut, by seed: whoever comes first does it.
    pub(crate) made: Memo<u64, M>,
}

type Cut<M> = Box<dyn Fn(u64) -> Result<M> + Send + Sync>;

/// What one seed's fits share.
pub(crate) struct Material {
    /// The three parts.
    pub(crate) split: RecordSplit,
    /// Cohorts side by side.
    pub(crate) flat: Cohorts,
    /// The same with what lies within them.
    pub(crate) tree: Cohorts,
    /// What made the column that gates read, where something was trained for it.
    pub(crate) encoder: Option<EncoderCost>,
}

/// What a sequence encoder cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncoderCost {
    /// Seconds of training on one core.
    pub(crate) seconds: f64,
    /// Number of values in its parameters.
    pub(crate) parameters: usize,
}

/// Cohorts of all rows.
#[derive(Clone, Debug)]
pub(crate) struct Cohorts {
    /// Which lies within which.
    pub(crate) hierarchy: Hierarchy,
    /// Name of each.
    pub(crate) names: Vec<String>,
    /// Of the training rows.
    pub(crate) train: Vec<u32>,
    /// Of the validation rows.
    pub(crate) validation: Vec<u32>,
    /// Of the test rows.
    pub(crate) test: Vec<u32>,
}

impl Cohorts {
    /// Every stage within every outer cohort; `of` gives both for a row of the records that were split.
    fn nested(
        split: &RecordSplit,
        outer: &[String],
        stages: &[&str],
        of: impl Fn(u32) -> (u32, u32),
    ) -> Result<Cohorts> {
        let (many, inner) = (outer.len() as u32, stages.len() as u32);
        let parents = std::iter::repeat_n(None, outer.len())
            .chain((0..many * inner).map(|leaf| Some(leaf / inner)))
            .collect();
        let within =
            outer.iter().flat_map(|name| stages.iter().map(move |stage| format!("{name} / {stage}")));
        let part = |origin: &[u32]| -> Vec<u32> {
            let leaf = |(outer, stage): (u32, u32)| many + outer * inner + stage;
            origin.iter().map(|&row| leaf(of(row))).collect()
        };
        Ok(Cohorts {
            hierarchy: Hierarchy::new(parents)?,
            names: outer.iter().cloned().chain(within).collect(),
            train: part(split.train.origin()),
            validation: part(split.validation.origin()),
            test: part(split.test.origin()),
        })
    }

    /// The outermost ones alone.
    fn outermost(&self) -> Cohorts {
        let level = |cohorts: &[u32]| -> Vec<u32> {
            cohorts.iter().map(|&cohort| self.hierarchy.ancestor(cohort, 0).unwrap_or(UNKNOWN)).collect()
        };
        let outer: Vec<u32> = self.hierarchy.at_level(0).collect();
        let place = |cohorts: Vec<u32>| -> Vec<u32> {
            let find = |cohort| outer.binary_search(&cohort).map_or(UNKNOWN, |place| place as u32);
            cohorts.into_iter().map(find).collect()
        };
        Cohorts {
            hierarchy: Hierarchy::flat(outer.len()),
            names: outer.iter().map(|&cohort| self.names[cohort as usize].clone()).collect(),
            train: place(level(&self.train)),
            validation: place(level(&self.validation)),
            test: place(level(&self.test)),
        }
    }
}

/// A cohort with fewer training rows belongs to what it lies within.
const LEAST_ROWS: usize = 100;

impl Material {
    pub(crate) fn new(split: RecordSplit, tree: Cohorts) -> Result<Material> {
        let flat = tree.outermost();
        ensure!(!flat.names.is_empty(), "no cohort has {LEAST_ROWS} training rows");
        Ok(Material { split, flat, tree, encoder: None })
    }

    /// The same rows with further columns for every model, `[rows of records]` each: whoever has no capacity for cohorts should
    /// know of them at least.
    fn with_columns(
        self,
        records: &Records,
        columns: impl IntoIterator<Item = (&'static str, Column)>,
    ) -> Result<Material> {
        let mut records = records.clone();
        for (name, column) in columns {
            records.features.push(name, column)?;
        }
        let old = &self.split;
        let (train, validation) = (old.train.origin(), old.validation.origin());
        let split = RecordSplit::given(&records, train, validation, old.test.origin())?;
        Ok(Material { split, ..self })
    }

    /// Cohorts from columns, the outermost first.
    fn by_columns(records: &Records, columns: &[&str], seed: u64) -> Result<Material> {
        let split = cut_in_three(records, seed)?;
        let paths = CohortPaths::of(&split.train, columns)?.fold_small(LEAST_ROWS);
        let tree = Cohorts {
            hierarchy: Hierarchy::new(paths.parents().to_vec())?,
            names: paths.names().to_vec(),
            train: paths.assign(split.train.cohorts())?,
            validation: paths.assign(split.validation.questions().cohorts)?,
            test: paths.assign(split.test.questions().cohorts)?,
        };
        Material::new(split, tree)
    }
}

/// 60 : 20 : 20.
fn cut_in_three(records: &Records, seed: u64) -> Result<RecordSplit> {
    Ok(RecordShares::default().split(records, seed)?)
}

const CUT: &str = "rows at random, 60 : 20 : 20, anew for each seed";

impl<M> World<M> {
    /// The parts and cohorts of a seed.
    pub(crate) fn cut(&self, seed: u64) -> Result<Arc<M>> {
        self.made.get(seed, || (self.cut)(seed)).context(self.name)
    }

    /// What every cell depends on.
    pub(crate) fn settings(&self) -> Value {
        json!({ "files": self.provenance.files, "split": self.split, "cohorts": self.cohorts })
    }
}

/// The worlds of an experiment, or the data sets that could not be had.
pub(super) fn find(
    experiment: &str,
    looking: &Looking,
    small: bool,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<Vec<World>, Skipped>> {
    match experiment {
        census::NAME => census::find(looking, small, say),
        twitch::NAME => twitch::find(looking, say),
        movielens::NAME => movielens::find(looking, say),
        xmarket::NAME => xmarket::find(looking, say),
        other => Err(Failure::Usage(format!("there is no data set for {other:?}")).into()),
    }
}

pub(crate) use census::NAME as CENSUS;
pub(crate) use movielens::NAME as MOVIELENS;
pub(crate) use twitch::NAME as TWITCH;
pub(crate) use xmarket::NAME as XMARKET;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_cohorts_are_counted_anew() {
        let tree = Cohorts {
            hierarchy: Hierarchy::new(vec![None, Some(0), None, Some(2)]).unwrap(),
            names: ["a", "a / new", "b", "b / new"].map(str::to_owned).to_vec(),
            train: vec![1, 0, 3, UNKNOWN],
            validation: vec![2],
            test: vec![3, 1],
        };
        let flat = tree.outermost();
        assert_eq!((flat.names, flat.train), (vec!["a".into(), "b".into()], vec![0, 0, 1, UNKNOWN]));
        assert_eq!((flat.validation, flat.test), (vec![1], vec![1, 0]));
    }
}
