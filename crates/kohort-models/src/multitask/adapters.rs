//! Looking into a model's adapters: which layers each changes most, how many directions it uses, and whom it resembles.

use kohort_layers::lora::store::AdapterStore;
use kohort_layers::lora::{CohortLora, Factors, LoraMlp, similarity};

use super::MultiTask;
use super::body::Adapters;
use crate::ModelError;

/// What a model's adapters are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdapterReport {
    /// The cohorts that have an adapter of their own.
    pub cohorts: Vec<u32>,
    /// The layers that adapters are on.
    pub layers: Vec<String>,
    /// `‖ΔW‖_F / ‖W‖_F`, `[cohorts, layers]`: how much of a layer an adapter changes.
    pub relative_norm: Vec<Vec<f64>>,
    /// Singular values of ΔW, descending, `[cohorts, layers, rank]`.
    pub singular_values: Vec<Vec<Vec<f64>>>,
    /// Cosine of each two cohorts' ΔW over all layers, `[cohorts, cohorts]`.
    pub similarity: Vec<Vec<f64>>,
}

impl AdapterReport {
    /// The other cohorts, the most alike first, each with its cosine; of equal ones the lower number.
    pub fn nearest(&self, cohort: u32) -> Vec<(u32, f64)> {
        let Some(at) = self.cohorts.iter().position(|&known| known == cohort) else { return Vec::new() };
        let mut near: Vec<(u32, f64)> = self
            .cohorts
            .iter()
            .copied()
            .zip(self.similarity[at].iter().copied())
            .filter(|&(other, _)| other != cohort)
            .collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near
    }
}

impl MultiTask {
    /// Its adapters, where cohorts have adapters of their own. In a hierarchy each cohort's own adapter is looked at,
    /// without those of the cohorts it lies within.
    pub fn adapters(&self) -> Option<AdapterReport> {
        let levels: Vec<Vec<&CohortLora>> = match self.net.body.adapters()? {
            Adapters::Cohort(layers) => vec![layers.layers.iter().collect()],
            Adapters::Hierarchical(layers) => (0..self.hierarchy.depth())
                .map(|level| layers.layers.iter().map(|layer| layer.level(level)).collect())
                .collect(),
            Adapters::Basis(_) | Adapters::Instance(..) => return None,
        };
        let first = levels.first()?;
        let mut report = AdapterReport {
            layers: first.iter().map(|layer| layer.base().name.clone()).collect(),
            ..AdapterReport::default()
        };
        let mut all: Vec<(u32, Vec<Factors>)> = Vec::new();
        for layers in &levels {
            for cohort in layers.first().into_iter().flat_map(|layer| layer.cohorts()) {
                let own = layers.iter().map(|layer| layer.factors(&self.params, cohort));
                all.push((cohort, own.collect::<Result<_, _>>().ok()?));
            }
        }
        all.sort_by_key(|(cohort, _)| *cohort);
        for (cohort, own) in &all {
            report.cohorts.push(*cohort);
            let norms = own
                .iter()
                .zip(first)
                .map(|(own, layer)| own.relative_norm(&self.params, layer.base().block.w));
            report.relative_norm.push(norms.collect());
            let values = own.iter().map(|own| own.singular_values().unwrap_or_default());
            report.singular_values.push(values.collect());
            report.similarity.push(all.iter().map(|(_, other)| similarity(own, other)).collect());
        }
        Some(report)
    }

    /// A store of the cohorts' adapters, to add, swap, merge and save: `names` holds a name for each cohort of the model.
    /// Nothing for adapters that no cohort has alone.
    ///
    /// # Errors
    /// Not one name a cohort, or names that a store refuses.
    pub fn store(&self, names: &[String]) -> Result<Option<AdapterStore<f32>>, ModelError> {
        let Some(Adapters::Cohort(layers)) = self.net.body.adapters() else { return Ok(None) };
        if names.len() != self.hierarchy.len() {
            let (found, expected) = (names.len(), self.hierarchy.len());
            return Err(ModelError::Size { what: "names of cohorts", found, expected });
        }
        let store = AdapterStore::new(self.params.clone(), layers.base());
        let adapter =
            |(cohort, name): (u32, &String)| Ok((name.clone(), layers.adapter(&self.params, cohort)?));
        let adapters = (0u32..).zip(names).map(adapter).collect::<Result<Vec<_>, ModelError>>()?;
        store.add_all(adapters)?;
        Ok(Some(store))
    }

    /// Number of values that one more cohort on the outermost level adds; 0 where no cohort has anything of its own.
    pub fn values_per_cohort(&self) -> usize {
        fn of_layers<'a>(
            params: &kohort_core::Params,
            layers: impl Iterator<Item = &'a CohortLora>,
        ) -> usize {
            let own = |layer: &CohortLora| {
                let cohort = layer.cohorts().next()?;
                let adapter = layer.get(cohort)?;
                let private = |id| params.slot(id).name.contains(&format!("/{cohort}/"));
                let size = |id| if private(id) { params.value(id).len() } else { 0 };
                Some(size(adapter.a) + size(adapter.b))
            };
            layers.filter_map(own).sum()
        }
        match self.net.body.adapters() {
            Some(Adapters::Cohort(LoraMlp { layers, .. })) => of_layers(&self.params, layers.iter()),
            Some(Adapters::Hierarchical(LoraMlp { layers, .. })) => {
                of_layers(&self.params, layers.iter().map(|layer| layer.level(0)))
            }
            Some(Adapters::Basis(LoraMlp { layers, .. })) => {
                layers.iter().map(|layer| layer.weights(&self.params, 0).len()).sum()
            }
            Some(Adapters::Instance(..)) | None => 0,
        }
    }
}
