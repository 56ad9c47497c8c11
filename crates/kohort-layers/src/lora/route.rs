//! Adapters by behaviour: which one serves a row follows from what its user does, not from a label.
//!
//! Hard: the cohort of the nearest centroid, [`CentroidRouter`]. Soft: `y[n] = act(x[n]·W + b + Σ_c g[n, c]·s·(x[n]·A_c)·B_c)` with
//! weights g from any gate over behaviour features, [`CohortLora::forward_weighted`]; the adapters may be trained and frozen, with
//! only the gate to learn, as in MoLE (Wu et al., ICLR 2024) and X-LoRA. Differences from those: the gate is the caller's, and
//! weights are of adapters, not of layers.

use kohort_core::{Activation, Params, Real, Tape, Var};

use super::{AdapterError, CohortLora};
use crate::{Segments, UNKNOWN};

/// Sends each row to the cohort whose centroid is nearest to its behaviour features, in Euclidean distance.
#[derive(Clone, Debug, PartialEq)]
pub struct CentroidRouter {
    cohorts: Vec<u32>,
    /// `[cohorts, width]`.
    points: Vec<f64>,
    width: usize,
    farthest: f64,
}

impl CentroidRouter {
    /// From each cohort's centroid. Rows farther than `farthest` from all of them are [`UNKNOWN`]: no adapter is for them.
    ///
    /// # Errors
    /// No centroid, centroids of different widths or none, or numbers that are not finite.
    pub fn new(centroids: &[(u32, Vec<f64>)], farthest: Option<f64>) -> Result<CentroidRouter, AdapterError> {
        let bad = |field, value: String, allowed: &str| AdapterError::Setting {
            layer: "router".to_owned(),
            field,
            value,
            allowed: allowed.to_owned(),
        };
        let Some(width) = centroids.first().map(|(_, point)| point.len()).filter(|&width| width > 0) else {
            return Err(bad("centroids", "empty".to_owned(), "at least one of at least one number"));
        };
        for (cohort, point) in centroids {
            if point.len() != width || point.iter().any(|x| !x.is_finite()) {
                let value = format!("{point:?} for cohort {cohort}");
                return Err(bad("a centroid", value, &format!("{width} finite numbers")));
            }
        }
        if let Some(farthest) = farthest.filter(|x| x.is_nan() || *x < 0.0) {
            return Err(bad("farthest", farthest.to_string(), "at least 0"));
        }
        Ok(CentroidRouter {
            cohorts: centroids.iter().map(|centroid| centroid.0).collect(),
            points: centroids.iter().flat_map(|centroid| &centroid.1).copied().collect(),
            width,
            farthest: farthest.unwrap_or(f64::INFINITY),
        })
    }

    /// The cohort of each row of `features [n, width]`, row-major; of two that are equally near the one that was named first. Rows
    /// with a number that is not finite are [`UNKNOWN`].
    ///
    /// # Panics
    /// If `features` is not a whole number of rows.
    #[track_caller]
    pub fn route(&self, features: &[f64]) -> Vec<u32> {
        assert_eq!(features.len() % self.width, 0, "route: rows of {} features", self.width);
        let nearest = |row: &[f64]| {
            let mut best = (UNKNOWN, self.farthest * self.farthest);
            for (&cohort, point) in self.cohorts.iter().zip(self.points.chunks_exact(self.width)) {
                let distance: f64 = row.iter().zip(point).map(|(x, y)| (x - y) * (x - y)).sum();
                if distance < best.1 || (best.0 == UNKNOWN && distance == best.1 && distance.is_finite()) {
                    best = (cohort, distance);
                }
            }
            best.0
        };
        features.chunks_exact(self.width).map(nearest).collect()
    }
}

/// Rows ordered by cohort, and their runs: the fewest and largest products. Position `i` of the ordered batch is row
/// `order[i]` of the given one; rows of a cohort keep their order.
pub fn by_cohort(cohorts: &[u32]) -> (Vec<u32>, Segments) {
    let mut order: Vec<u32> = (0..cohorts.len() as u32).collect();
    order.sort_by_key(|&row| cohorts[row as usize]);
    let segments = Segments::of(order.iter().map(|&row| cohorts[row as usize]));
    (order, segments)
}

impl CohortLora {
    /// `[n, in]` to `[n, out]`, each row with the adapters of `cohorts` weighed by `gate [n, cohorts.len()]`.
    ///
    /// Costs a pair of products for each of the cohorts over all rows, so it is for a few.
    ///
    /// # Errors
    /// A cohort without an adapter.
    pub fn forward_weighted<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        gate: Var,
        cohorts: &[u32],
    ) -> Result<Var, AdapterError> {
        let plain = Activation::Identity;
        let mut parts = Vec::with_capacity(cohorts.len());
        for &cohort in cohorts {
            let adapter = self.known(cohort)?;
            let t = tape.linear(params, x, adapter.a, None, plain);
            let t = tape.scale(t, F::of(adapter.scale), F::zero());
            parts.push(tape.linear(params, t, adapter.b, None, plain));
        }
        let base = self.base();
        let own = tape.linear(params, x, base.block.w, base.block.b, plain);
        let sum = match parts.is_empty() {
            true => own,
            false => {
                let low = tape.mix(gate, &parts);
                tape.add(own, low)
            }
        };
        Ok(if base.act == plain { sum } else { tape.activate(sum, base.act) })
    }
}
