//! Cohorts within cohorts: a stage within a region, a region within a country.

use serde::{Deserialize, Serialize};

use super::UNKNOWN;

/// A forest of cohorts. A row carries the deepest cohort it is known to belong to, and with it that cohort's ancestors:
/// a row of an unknown stage of a known region carries the region, one of an unknown region [`UNKNOWN`].
///
/// ```
/// use kohort_layers::Hierarchy;
///
/// // 0 and 1 are regions, 2 and 3 stages of region 0.
/// let tree = Hierarchy::new(vec![None, None, Some(0), Some(0)])?;
/// assert_eq!(tree.path(3), [0, 3]);
/// assert_eq!(tree.path(1), [1]);
/// assert_eq!((tree.depth(), tree.ancestor(3, 0), tree.ancestor(1, 1)), (2, Some(0), None));
/// # Ok::<(), kohort_layers::HierarchyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Option<u32>>", into = "Vec<Option<u32>>")]
pub struct Hierarchy {
    parents: Vec<Option<u32>>,
    levels: Vec<usize>,
    depth: usize,
    /// For people and rules; not stored.
    names: Vec<String>,
}

/// A parent that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cohort {cohort} names cohort {parent} as its parent: a parent has to come before its children")]
pub struct HierarchyError {
    /// The child.
    pub cohort: u32,
    /// What it names.
    pub parent: u32,
}

impl Hierarchy {
    /// From each cohort's parent; a parent comes before its children.
    ///
    /// # Errors
    /// A parent that does not come before its child.
    pub fn new(parents: Vec<Option<u32>>) -> Result<Hierarchy, HierarchyError> {
        let mut levels: Vec<usize> = Vec::with_capacity(parents.len());
        for (cohort, parent) in (0u32..).zip(&parents) {
            levels.push(match parent {
                None => 0,
                Some(parent) if *parent < cohort => levels[*parent as usize] + 1,
                Some(parent) => return Err(HierarchyError { cohort, parent: *parent }),
            });
        }
        let depth = levels.iter().max().map_or(0, |level| level + 1);
        Ok(Hierarchy { parents, levels, depth, names: Vec::new() })
    }

    /// Cohorts side by side, none within another.
    pub fn flat(cohorts: usize) -> Hierarchy {
        let (parents, levels) = (vec![None; cohorts], vec![0; cohorts]);
        Hierarchy { parents, levels, depth: cohorts.min(1), names: Vec::new() }
    }

    /// The same with names, by number; a cohort without one keeps its number as its name. Names are not stored with the hierarchy.
    #[must_use]
    pub fn named(self, names: Vec<String>) -> Hierarchy {
        Hierarchy { names, ..self }
    }

    /// What people and rules call a cohort.
    pub fn name(&self, cohort: u32) -> String {
        self.names.get(cohort as usize).cloned().unwrap_or_else(|| format!("cohort {cohort}"))
    }

    /// Adds a cohort within `parent`, or on the outermost level, and gives its number.
    ///
    /// # Errors
    /// A parent that is not there.
    pub fn add(&mut self, parent: Option<u32>) -> Result<u32, HierarchyError> {
        let cohort = self.parents.len() as u32;
        let level = match parent {
            None => 0,
            Some(parent) => match self.levels.get(parent as usize) {
                Some(level) => level + 1,
                None => return Err(HierarchyError { cohort, parent }),
            },
        };
        self.parents.push(parent);
        self.levels.push(level);
        self.depth = self.depth.max(level + 1);
        Ok(cohort)
    }

    /// Number of cohorts, on all levels.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there is no cohort.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// Number of levels.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// How many ancestors a cohort has.
    ///
    /// # Panics
    /// If there is no such cohort.
    pub fn level(&self, cohort: u32) -> usize {
        self.levels[cohort as usize]
    }

    /// What a cohort lies directly within.
    ///
    /// # Panics
    /// If there is no such cohort.
    pub fn parent(&self, cohort: u32) -> Option<u32> {
        self.parents[cohort as usize]
    }

    /// The cohorts of one level, ascending.
    pub fn at_level(&self, level: usize) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.levels).filter(move |(_, own)| **own == level).map(|(cohort, _)| cohort)
    }

    /// The cohort at `level` that `cohort` is or lies within; `None` where it lies above that level or is unknown.
    pub fn ancestor(&self, mut cohort: u32, level: usize) -> Option<u32> {
        if cohort == UNKNOWN || self.levels.get(cohort as usize).is_none_or(|&own| own < level) {
            return None;
        }
        while self.levels[cohort as usize] > level {
            cohort = self.parents[cohort as usize]?;
        }
        Some(cohort)
    }

    /// A cohort with all it lies within, the outermost first; empty for an unknown one.
    pub fn path(&self, cohort: u32) -> Vec<u32> {
        (0..self.depth).map_while(|level| self.ancestor(cohort, level)).collect()
    }
}

impl TryFrom<Vec<Option<u32>>> for Hierarchy {
    type Error = HierarchyError;

    fn try_from(parents: Vec<Option<u32>>) -> Result<Hierarchy, HierarchyError> {
        Hierarchy::new(parents)
    }
}

impl From<Hierarchy> for Vec<Option<u32>> {
    fn from(hierarchy: Hierarchy) -> Vec<Option<u32>> {
        hierarchy.parents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_after_its_child_is_refused() {
        let error = Hierarchy::new(vec![None, Some(2), Some(0)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cohort 1 names cohort 2 as its parent: a parent has to come before its children"
        );
        assert!(Hierarchy::new(vec![Some(0)]).is_err(), "nor is a cohort its own parent");
    }

    #[test]
    fn a_cohort_is_added_within_another_or_beside_all() {
        let mut tree = Hierarchy::flat(2);
        assert_eq!((tree.add(Some(1)), tree.add(None), tree.add(Some(2))), (Ok(2), Ok(3), Ok(4)));
        let known = vec![None, None, Some(1), None, Some(2)];
        assert_eq!(tree, Hierarchy::new(known).unwrap());
        assert_eq!(tree.path(4), [1, 2, 4]);
        assert_eq!(tree.add(Some(9)), Err(HierarchyError { cohort: 5, parent: 9 }));
        assert_eq!(tree.len(), 5, "and nothing is added");
    }

    #[test]
    fn an_unknown_cohort_has_no_path() {
        let tree = Hierarchy::flat(2);
        assert_eq!((tree.path(UNKNOWN), tree.path(7), tree.path(1)), (vec![], vec![], vec![1]));
        assert_eq!(Hierarchy::flat(0).depth(), 0);
    }
}
