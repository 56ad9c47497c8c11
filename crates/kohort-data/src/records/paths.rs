//! Cohorts within cohorts: the paths that some columns take, as nodes that know their parents.

use std::collections::BTreeMap;

use super::TrainRecords;
use crate::{Column, DataError, Features, Vocabulary};

/// What [`CohortPaths::assign`] gives a row of no known cohort.
pub const NO_COHORT: u32 = u32::MAX;

/// The cohorts of some columns, outermost first: one node for every beginning of a path that a training row takes.
///
/// A parent comes right before its children and their children; siblings stand in the order of their column's vocabulary.
/// Which cohorts there are is learned from training rows alone, and columns are matched by their tokens, so rows of
/// another file may come with vocabularies of their own.
///
/// ```
/// use kohort_data::{Column, Features, records::{CohortPaths, NO_COHORT, Records, TrainRecords}};
///
/// let columns = |regions: [&'static str; 4], stages: [&'static str; 4]| -> Result<Features, kohort_data::DataError> {
///     let mut cohorts = Features::new(4);
///     cohorts.push("region", Column::categorical(regions))?;
///     cohorts.push("stage", Column::categorical(stages))?;
///     Ok(cohorts)
/// };
/// let train = TrainRecords::new(Records {
///     cohorts: columns(["north", "south", "north", "north"], ["new", "new", "loyal", "new"])?,
///     ..Records::new("tea", Features::new(4))
/// })?;
/// let paths = CohortPaths::of(&train, &["region", "stage"])?;
/// assert_eq!(paths.names(), ["north", "north / new", "north / loyal", "south", "south / new"]);
/// assert_eq!(paths.parents(), [None, Some(0), Some(0), None, Some(3)]);
/// assert_eq!(paths.counts(), [3, 2, 1, 1, 1]);
///
/// // Of the others, "loyal" was never seen in the south, and the west not at all.
/// let others = columns(["south", "west", "north", "south"], ["loyal", "new", "loyal", "new"])?;
/// assert_eq!(paths.assign(&others)?, [3, NO_COHORT, 2, 4]);
/// assert_eq!(paths.fold_small(2).names(), ["north", "north / new"]);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CohortPaths {
    columns: Vec<String>,
    vocabularies: Vec<Vocabulary>,
    /// The codes of each node's path, one a level.
    paths: Vec<Vec<u32>>,
    parents: Vec<Option<u32>>,
    names: Vec<String>,
    counts: Vec<usize>,
}

impl CohortPaths {
    /// The paths of the training rows through `columns`, outermost first. A row whose code has no token (an unknown
    /// one) takes its path no further.
    ///
    /// # Errors
    /// [`DataError::Columns`] for no column, one that is not there, not categorical, or named twice.
    pub fn of(train: &TrainRecords, columns: &[&str]) -> Result<CohortPaths, DataError> {
        if columns.is_empty() {
            return Err(DataError::Columns { what: "cohort paths: no column is named".to_owned() });
        }
        if let Some(at) = (1..columns.len()).find(|&at| columns[..at].contains(&columns[at])) {
            return Err(DataError::Columns {
                what: format!("cohort paths: {:?} is named twice", columns[at]),
            });
        }
        let found = find(train.cohorts(), columns)?;
        // Sorted, a path comes before those that it begins.
        let mut counts: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
        let mut path = Vec::with_capacity(columns.len());
        for row in 0..train.len() {
            path.clear();
            for &(codes, vocabulary) in &found {
                if vocabulary.token(codes[row]).is_none() {
                    break;
                }
                path.push(codes[row]);
                match counts.get_mut(&path) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(path.clone(), 1)),
                }
            }
        }
        let vocabularies = found.iter().map(|&(_, vocabulary)| vocabulary.clone()).collect();
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Ok(CohortPaths::build(columns, vocabularies, counts.into_iter().collect()))
    }

    /// From sorted paths with their counts, each of which has all its beginnings before it.
    fn build(
        columns: Vec<String>,
        vocabularies: Vec<Vocabulary>,
        nodes: Vec<(Vec<u32>, usize)>,
    ) -> CohortPaths {
        let (paths, counts): (Vec<Vec<u32>>, Vec<usize>) = nodes.into_iter().unzip();
        let parents = paths
            .iter()
            .map(|path| match path.split_last() {
                Some((_, begin)) if !begin.is_empty() => position(&paths, begin),
                _ => None,
            })
            .collect();
        let name = |path: &Vec<u32>| {
            let tokens = path.iter().zip(&vocabularies).map(|(&code, v)| v.token(code).unwrap_or_default());
            tokens.collect::<Vec<_>>().join(" / ")
        };
        let names = paths.iter().map(name).collect();
        CohortPaths { columns, vocabularies, paths, parents, names, counts }
    }

    /// The columns, outermost first.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The parent of each node, which comes before it; `None` for an outermost one.
    pub fn parents(&self) -> &[Option<u32>] {
        &self.parents
    }

    /// The name of each node: its tokens with ` / ` between them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The level of `node`: 0 for an outermost one.
    pub fn level(&self, node: u32) -> usize {
        self.paths[node as usize].len() - 1
    }

    /// The training rows of each node, those of the nodes below it among them.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The deepest known node of each row: an unseen stage of a known region gives the region, an unknown region
    /// [`NO_COHORT`].
    ///
    /// # Errors
    /// [`DataError::Columns`] for a column that is missing or not categorical.
    pub fn assign(&self, cohorts: &Features) -> Result<Vec<u32>, DataError> {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let found = find(cohorts, &columns)?;
        // Their codes in our vocabularies; a token that we have not has no code.
        let translated: Vec<Vec<Option<u32>>> = found
            .iter()
            .zip(&self.vocabularies)
            .map(|(&(_, theirs), ours)| theirs.tokens().map(|token| ours.get(token)).collect())
            .collect();
        let mut path = Vec::with_capacity(columns.len());
        let assigned = (0..cohorts.rows).map(|row| {
            path.clear();
            let mut node = NO_COHORT;
            for (&(codes, _), ours) in found.iter().zip(&translated) {
                let Some(&Some(code)) = ours.get(codes[row] as usize) else { break };
                path.push(code);
                match position(&self.paths, &path) {
                    Some(deeper) => node = deeper,
                    None => break,
                }
            }
            node
        });
        Ok(assigned.collect())
    }

    /// The same cohorts without those of fewer than `least` training rows: their rows belong to the parent, and those
    /// of an outermost one to no cohort.
    pub fn fold_small(&self, least: usize) -> CohortPaths {
        // A node has no fewer rows than the nodes below it, so no kept node loses its parent.
        let kept = self.paths.iter().zip(&self.counts).filter(|&(_, &count)| count >= least);
        CohortPaths::build(
            self.columns.clone(),
            self.vocabularies.clone(),
            kept.map(|(path, &count)| (path.clone(), count)).collect(),
        )
    }
}

/// Codes and vocabulary of each column.
fn find<'a>(cohorts: &'a Features, columns: &[&str]) -> Result<Vec<(&'a [u32], &'a Vocabulary)>, DataError> {
    let one = |&column: &&str| match cohorts.column(column) {
        Some(Column::Categorical { codes, vocabulary }) => Ok((&codes[..], vocabulary)),
        _ => Err(DataError::Columns {
            what: format!(
                "cohort paths: found {column:?}, expected one of {}",
                cohorts.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
            ),
        }),
    };
    columns.iter().map(one).collect()
}

/// Where a path is among sorted ones.
fn position(paths: &[Vec<u32>], path: &[u32]) -> Option<u32> {
    paths.binary_search_by(|known| known.as_slice().cmp(path)).ok().map(|at| at as u32)
}
