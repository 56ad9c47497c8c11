//! A new cohort's first adapter: from its parent, from its neighbours, or between the two by how much is known of it.
//!
//! `ΔW = w·Σ_j ω_j·ΔW_j + (1 − w)·ΔW_parent`, `w = n/(n + k)`, `Σ_j ω_j = 1`, then the nearest adapter of the layer's rank
//! ([`Factors::nearest_to`]). n counts the samples by which the neighbours were found, k how many it takes to trust them halfway.
//! So a cohort without samples starts as its parent; without a parent (`ΔW_parent = 0`) it starts as the base; one sample
//! moves it by `1/(1 + k)`; without neighbours it is its parent at any n. The form is that of an empirical-Bayes mean. Ours: the
//! papers on adapters have no new cohorts.

use kohort_core::{LowRank, Params, Real};

use super::{AdapterError, CohortLora, Factors, Sharing};

/// Where a new cohort's adapter begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The cohort it lies within.
    pub parent: Option<u32>,
    /// Cohorts like it, each with a weight of at least 0; only their ratios matter.
    pub neighbours: Vec<(u32, f64)>,
    /// Samples of the new cohort, n.
    pub samples: usize,
    /// Samples at which neighbours weigh as much as the parent, k.
    pub prior: f64,
}

impl Start {
    /// From the parent alone.
    pub fn parent(parent: u32) -> Start {
        Start { parent: Some(parent), neighbours: Vec::new(), samples: 0, prior: 1.0 }
    }

    /// `w = n/(n + k)`: the neighbours' share; 0 without samples, whatever k.
    pub fn share(&self) -> f64 {
        let n = self.samples as f64;
        if self.samples == 0 { 0.0 } else { n / (n + self.prior) }
    }

    /// Each cohort that takes part, with its weight.
    fn weights(&self, layer: &str) -> Result<Vec<(u32, f64)>, AdapterError> {
        let bad = |field, value: f64| AdapterError::Setting {
            layer: layer.to_owned(),
            field,
            value: value.to_string(),
            allowed: "a finite number of at least 0".to_owned(),
        };
        let allowed = |x: f64| x.is_finite() && x >= 0.0;
        if !allowed(self.prior) {
            return Err(bad("prior", self.prior));
        }
        if let Some(&(_, weight)) = self.neighbours.iter().find(|(_, weight)| !allowed(*weight)) {
            return Err(bad("a neighbour's weight", weight));
        }
        let total: f64 = self.neighbours.iter().map(|(_, weight)| weight).sum();
        let share = if total > 0.0 { self.share() } else { 0.0 };
        let near = self
            .neighbours
            .iter()
            .map(|&(cohort, weight)| (cohort, share * weight / total.max(f64::MIN_POSITIVE)));
        let parent = self.parent.map(|cohort| (cohort, 1.0 - share));
        Ok(near.chain(parent).filter(|(_, weight)| *weight > 0.0).collect())
    }
}

impl CohortLora {
    /// Adds a cohort's adapter ([`CohortLora::add`]) and starts it as `start` says. With a shared factor only the private one
    /// starts: it is then the weighted mean itself, exactly.
    ///
    /// # Errors
    /// A cohort that has an adapter, neighbours or a parent without one, weights out of range, or adapters that are not
    /// finite. No adapter is added then.
    pub fn add_from<F: Real>(
        &mut self,
        params: &mut Params<F>,
        cohort: u32,
        start: &Start,
    ) -> Result<LowRank, AdapterError> {
        let weights = start.weights(&self.base().name)?;
        let parts: Vec<(Factors, f64)> = weights
            .into_iter()
            .map(|(cohort, weight)| Ok((self.factors(params, cohort)?, weight)))
            .collect::<Result<_, AdapterError>>()?;
        let adapter = self.add(params, cohort)?;
        let narrow = |value: &[f64]| value.iter().map(|&x| F::of(x)).collect::<Vec<F>>();
        let mean = |factor: fn(&Factors) -> &[f64]| {
            let mut mean = vec![0.0; parts.first().map_or(0, |(part, _)| factor(part).len())];
            for (part, weight) in &parts {
                mean.iter_mut().zip(factor(part)).for_each(|(mean, x)| *mean += weight * x);
            }
            narrow(&mean)
        };
        if parts.is_empty() {
            return Ok(adapter);
        }
        match self.config().sharing {
            Sharing::SharedA => params.slot_mut(adapter.b).value = mean(|part| &part.b),
            Sharing::SharedB => params.slot_mut(adapter.a).value = mean(|part| &part.a),
            Sharing::Private => {
                let parts: Vec<(&Factors, f64)> =
                    parts.iter().map(|(part, weight)| (part, *weight)).collect();
                let Some(near) = Factors::read(params, adapter).nearest_to(&Factors::sum(&parts)) else {
                    self.remove(cohort);
                    return Err(AdapterError::Diverged { layer: self.base().name.clone() });
                };
                params.slot_mut(adapter.a).value = narrow(&near.a);
                params.slot_mut(adapter.b).value = narrow(&near.b);
            }
        }
        Ok(adapter)
    }
}
