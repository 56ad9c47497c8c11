//! A vector for each cohort: `e_c = Σ_{a in path(c)} v_a`, the sum over the cohort and all it lies within.
//!
//! An unknown stage of a known region has the region's vector, and an unknown cohort zeros. A cohort that is known and has no
//! training rows still has the vector it was drawn: whoever trains has to pass the cohort around it instead.

use kohort_core::random::stream;
use kohort_core::{Init, ParamId, Params, Real, Tape, Var};

use super::Hierarchy;

/// Vectors of the cohorts of a hierarchy.
#[derive(Clone, Debug)]
pub struct CohortEmbedding {
    table: ParamId,
    width: usize,
    /// The paths of all cohorts, one after the other, and where each begins.
    paths: Vec<u32>,
    offsets: Vec<usize>,
}

impl CohortEmbedding {
    /// Adds the table `name`, one row for each cohort.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        hierarchy: &Hierarchy,
        width: usize,
        seed: u64,
    ) -> CohortEmbedding {
        let count = hierarchy.len();
        let deviation = 1.0 / (width.max(1) as f64).sqrt();
        let value = Init::Normal(deviation).draw(count, width, &mut stream(seed, name, &[]));
        let (mut paths, mut offsets) = (Vec::new(), vec![0]);
        for cohort in 0..count as u32 {
            paths.extend(hierarchy.path(cohort));
            offsets.push(paths.len());
        }
        CohortEmbedding { table: params.add_table(name, count, width, value), width, paths, offsets }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The cohorts of some rows to `[n, width]`; zeros for one that is not known.
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, cohorts: &[u32]) -> Var {
        let (mut rows, mut ends) = (Vec::with_capacity(cohorts.len()), Vec::with_capacity(cohorts.len() + 1));
        ends.push(0);
        for &cohort in cohorts {
            let ends_of = |c: usize| Some(*self.offsets.get(c)?..*self.offsets.get(c.checked_add(1)?)?);
            rows.extend_from_slice(ends_of(cohort as usize).map_or(&[], |path| &self.paths[path]));
            ends.push(rows.len() as u32);
        }
        let (rows, offsets) = (tape.list(&rows), tape.list(&ends));
        tape.bag(params, self.table, rows, offsets, None)
    }
}
