//! How many users went from which cohort to which, between two fits.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::LivingError;

/// Users by where they were and where they are. `None` before: not known then; `None` after: not there any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// `(before, after, users)`, ascending, of every pair that occurs.
    pub cells: Vec<(Option<u32>, Option<u32>, usize)>,
}

impl Flow {
    /// From the cohort of each user before and after, both `[users]` and of the same users.
    ///
    /// ```
    /// use kohort_cohorts::living::Flow;
    ///
    /// let flow = Flow::new(&[Some(0), Some(0), Some(1), None], &[Some(0), Some(2), None, Some(2)])?;
    /// assert_eq!((flow.before(0), flow.after(2), flow.users(Some(0), Some(2))), (2, 2, 1));
    /// # Ok::<(), kohort_cohorts::living::LivingError>(())
    /// ```
    ///
    /// # Errors
    /// Different numbers of users.
    pub fn new(before: &[Option<u32>], after: &[Option<u32>]) -> Result<Self, LivingError> {
        if before.len() != after.len() {
            return Err(LivingError::Length {
                what: "users after",
                got: after.len(),
                expected: before.len(),
            });
        }
        let mut counts = BTreeMap::new();
        for (&from, &to) in before.iter().zip(after).filter(|pair| pair != &(&None, &None)) {
            *counts.entry((from, to)).or_insert(0) += 1;
        }
        Ok(Self { cells: counts.into_iter().map(|((from, to), users)| (from, to, users)).collect() })
    }

    /// Users who went from one cohort to another.
    pub fn users(&self, before: Option<u32>, after: Option<u32>) -> usize {
        let found = self.cells.binary_search_by_key(&(before, after), |&(from, to, _)| (from, to));
        found.map_or(0, |at| self.cells[at].2)
    }

    /// Users of a cohort before, those who left included.
    pub fn before(&self, cohort: u32) -> usize {
        self.cells.iter().filter(|cell| cell.0 == Some(cohort)).map(|cell| cell.2).sum()
    }

    /// Users of a cohort after, newcomers included.
    pub fn after(&self, cohort: u32) -> usize {
        self.cells.iter().filter(|cell| cell.1 == Some(cohort)).map(|cell| cell.2).sum()
    }

    /// Cohorts that had users before, ascending.
    pub fn cohorts_before(&self) -> Vec<u32> {
        distinct(self.cells.iter().filter_map(|cell| cell.0))
    }

    /// Cohorts that have users after, ascending.
    pub fn cohorts_after(&self) -> Vec<u32> {
        distinct(self.cells.iter().filter_map(|cell| cell.1))
    }

    /// Users known both times.
    pub fn stayers(&self) -> usize {
        self.cells.iter().filter(|cell| cell.0.is_some() && cell.1.is_some()).map(|cell| cell.2).sum()
    }

    /// Users known both times whose cohort is another now.
    pub fn movers(&self) -> usize {
        let moved = |cell: &&(Option<u32>, Option<u32>, usize)| {
            cell.0.is_some() && cell.1.is_some() && cell.0 != cell.1
        };
        self.cells.iter().filter(moved).map(|cell| cell.2).sum()
    }
}

fn distinct(cohorts: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut cohorts: Vec<u32> = cohorts.collect();
    cohorts.sort_unstable();
    cohorts.dedup();
    cohorts
}

/// A table: a row for each cohort before, a column for each after.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = |cohorts: Vec<u32>| cohorts.into_iter().map(Some);
        let columns: Vec<Option<u32>> = some(self.cohorts_after()).chain([None]).collect();
        write!(f, "{:>14}", "before \\ after")?;
        for column in &columns {
            write!(f, " {:>9}", column.map_or("left".to_owned(), |id| id.to_string()))?;
        }
        writeln!(f)?;
        for row in some(self.cohorts_before()).chain([None]) {
            write!(f, "{:>14}", row.map_or("joined".to_owned(), |id| id.to_string()))?;
            for &column in &columns {
                write!(f, " {:>9}", self.users(row, column))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
