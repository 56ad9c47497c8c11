//! Runs of rows of one cohort: what a product per cohort is cut along.

use super::{Hierarchy, UNKNOWN};

/// Rows cut where the cohort changes: segment `s` holds rows `offsets[s] .. offsets[s + 1]`, all of cohort `cohorts[s]`.
///
/// Any order of rows is right; rows ordered by cohort make the fewest segments, so the fewest and largest products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Where each segment begins, and where the last ends; `[0]` without rows.
    pub offsets: Vec<u32>,
    /// Cohort of each segment; [`UNKNOWN`] for rows without one.
    pub cohorts: Vec<u32>,
}

impl Segments {
    /// Of the cohorts of some rows.
    ///
    /// ```
    /// use kohort_layers::Segments;
    ///
    /// let segments = Segments::of([2, 2, 0, 0, 0, 2]);
    /// assert_eq!((segments.offsets, segments.cohorts), (vec![0, 2, 5, 6], vec![2, 0, 2]));
    /// ```
    pub fn of(cohorts: impl IntoIterator<Item = u32>) -> Segments {
        let mut segments = Segments { offsets: vec![0], cohorts: Vec::new() };
        let mut rows = 0;
        for cohort in cohorts {
            if segments.cohorts.last() != Some(&cohort) {
                if !segments.cohorts.is_empty() {
                    segments.offsets.push(rows);
                }
                segments.cohorts.push(cohort);
            }
            rows += 1;
        }
        if rows > 0 {
            segments.offsets.push(rows);
        }
        segments
    }

    /// Of the ancestors that the rows' cohorts have at `level` of a hierarchy; [`UNKNOWN`] where one lies above it.
    pub fn at_level(cohorts: impl IntoIterator<Item = u32>, hierarchy: &Hierarchy, level: usize) -> Segments {
        let ancestor = |cohort: u32| hierarchy.ancestor(cohort, level).unwrap_or(UNKNOWN);
        Segments::of(cohorts.into_iter().map(ancestor))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// Each segment's rows and cohort.
    pub fn iter(&self) -> impl Iterator<Item = (std::ops::Range<usize>, u32)> {
        self.offsets.windows(2).zip(&self.cohorts).map(|(ends, &c)| (ends[0] as usize..ends[1] as usize, c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rows_make_no_segment() {
        let none = Segments::of([]);
        assert_eq!((none.rows(), none.iter().count()), (0, 0));
    }

    #[test]
    fn at_a_level_rows_are_cut_by_their_ancestors() {
        // 0 and 1 are regions, 2 and 3 stages of region 0, 4 one of region 1.
        let tree = Hierarchy::new(vec![None, None, Some(0), Some(0), Some(1)]).unwrap();
        let rows = [2, 2, 3, 0, 4, UNKNOWN];
        let regions = Segments::at_level(rows, &tree, 0);
        assert_eq!((regions.offsets, regions.cohorts), (vec![0, 4, 5, 6], vec![0, 1, UNKNOWN]));
        let stages = Segments::at_level(rows, &tree, 1);
        assert_eq!(stages.cohorts, [2, 3, UNKNOWN, 4, UNKNOWN]);
    }
}
