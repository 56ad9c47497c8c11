//! An adapter of several layers as a value, and what it has to be to fit a base.

use kohort_core::{ParamId, Params, Real};

use super::StoreError;
use crate::Mlp;
use crate::lora::{AdapterError, CohortLora, Factors, LoraConfig, LoraMlp, Scaling};

/// Factors of one rank and scale for some layers of a base.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// α of the scale.
    pub alpha: f64,
    /// What is made of α and the rank.
    pub scaling: Scaling,
    /// Name and factors of each layer, in the base's order.
    pub layers: Vec<(String, Factors)>,
}

impl Adapter {
    /// The rank of its first layer, and of all others if it [fits](super::AdapterStore::add).
    pub fn rank(&self) -> usize {
        self.layers.first().map_or(0, |(_, factors)| factors.rank)
    }

    /// `s` of its α, scaling and rank.
    pub fn scale(&self) -> f64 {
        scale(self.rank(), self.alpha, self.scaling)
    }

    /// Each layer's factors added up by weight: exactly, with as much rank as all have together, or nearest to that with this
    /// rank. All have the same layers.
    pub(super) fn combined(
        name: &str,
        parts: &[(&Adapter, f64)],
        rank: Option<usize>,
    ) -> Result<Adapter, StoreError> {
        let shape = |what: String| StoreError::Shape { name: name.to_owned(), what };
        let Some((first, _)) = parts.first() else {
            return Err(shape("a combination of no adapters".to_owned()));
        };
        if let Some((_, weight)) = parts.iter().find(|(_, weight)| !weight.is_finite()) {
            return Err(shape(format!("a weight is {weight}, expected a finite number")));
        }
        let names =
            |adapter: &Adapter| adapter.layers.iter().map(|layer| layer.0.clone()).collect::<Vec<_>>();
        if parts.iter().any(|(part, _)| names(part) != names(first)) {
            return Err(shape("a combination of adapters of different layers".to_owned()));
        }
        let mut layers = Vec::with_capacity(first.layers.len());
        for (at, (layer, _)) in first.layers.iter().enumerate() {
            let parts: Vec<(&Factors, f64)> =
                parts.iter().map(|(part, weight)| (&part.layers[at].1, *weight)).collect();
            let mut sum = Factors::sum(&parts);
            if let Some(rank) = rank {
                let (inputs, outputs) = (sum.inputs, sum.outputs);
                let (a, b) = (vec![0.0; inputs * rank], vec![0.0; rank * outputs]);
                let none = Factors { inputs, outputs, rank, scale: 1.0, a, b };
                sum =
                    none.nearest_to(&sum).ok_or_else(|| shape(format!("{layer}: entries are not finite")))?;
            }
            layers.push((layer.clone(), sum));
        }
        let alpha = layers.first().map_or(0, |(_, factors)| factors.rank) as f64;
        Ok(Adapter { alpha, scaling: Scaling::Rank, layers })
    }
}

pub(super) fn scale(rank: usize, alpha: f64, scaling: Scaling) -> f64 {
    LoraConfig { rank, alpha, scaling, ..LoraConfig::default() }.scale()
}

impl LoraMlp<CohortLora> {
    /// A cohort's adapters of all layers as one value, for an [`AdapterStore`](super::AdapterStore).
    ///
    /// # Errors
    /// A cohort without.
    pub fn adapter<F: Real>(&self, params: &Params<F>, cohort: u32) -> Result<Adapter, AdapterError> {
        let layers = self.layers.iter().map(|layer| layer.base().name.clone());
        let layers = layers.zip(self.factors(params, cohort)?).collect();
        let config = self.layers.first().map(|layer| *layer.config()).unwrap_or_default();
        Ok(Adapter { alpha: config.alpha, scaling: config.scaling, layers })
    }
}

/// A layer of the base.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) w: ParamId,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl Site {
    pub(super) fn all<F: Real>(params: &Params<F>, mlp: &Mlp) -> Vec<Site> {
        let site = |w: ParamId| {
            let slot = params.slot(w);
            let name = slot.name.strip_suffix("/w").unwrap_or(&slot.name).to_owned();
            Site { name, w, inputs: slot.rows, outputs: slot.cols }
        };
        mlp.linears().map(|linear| site(linear.w)).collect()
    }
}

/// Says what of an adapter does not fit the base's layers.
pub(super) fn check(adapter: &Adapter, sites: &[Site]) -> Result<(), String> {
    let (rank, scale) = (adapter.rank(), adapter.scale());
    if adapter.layers.is_empty() {
        return Err("has no layer".to_owned());
    }
    if !scale.is_finite() || scale <= 0.0 {
        return Err(format!("its scale is {scale}, expected a finite number above 0"));
    }
    let mut from = 0;
    for (layer, factors) in &adapter.layers {
        let Some(at) = sites[from..].iter().position(|site| site.name == *layer) else {
            let known: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
            return Err(format!("layer {layer} is not one of {}, in this order", known.join(", ")));
        };
        let site = &sites[from + at];
        from += at + 1;
        let Factors { inputs, outputs, .. } = *factors;
        if (inputs, outputs) != (site.inputs, site.outputs) {
            let (rows, cols) = (site.inputs, site.outputs);
            return Err(format!("layer {layer} is [{inputs}, {outputs}], the base's is [{rows}, {cols}]"));
        }
        let most = inputs.min(outputs);
        if factors.rank != rank || rank == 0 || rank > most {
            let found = factors.rank;
            return Err(format!("layer {layer} has rank {found}, expected {rank}, from 1 to {most}"));
        }
        if factors.a.len() != inputs * rank || factors.b.len() != rank * outputs {
            let (a, b) = (factors.a.len(), factors.b.len());
            return Err(format!(
                "layer {layer} has {a} and {b} values, expected {} and {}",
                inputs * rank,
                rank * outputs
            ));
        }
        if factors.scale != scale {
            return Err(format!("layer {layer} has scale {}, rank and alpha give {scale}", factors.scale));
        }
        if let Some(x) = factors.a.iter().chain(&factors.b).find(|x| !x.is_finite()) {
            return Err(format!("layer {layer} holds {x}, not a finite number"));
        }
    }
    Ok(())
}
