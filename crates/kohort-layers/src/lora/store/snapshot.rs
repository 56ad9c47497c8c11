//! What scoring sees of a store: one moment of it, whole.

use std::collections::BTreeMap;

use kohort_core::{Adapted, Block, LowRank, Params, Real, Tape, Var};

use super::StoreError;
use super::adapter::{Adapter, Site};
use crate::{Mlp, Mode};

/// The base and its enabled adapters at one moment. It stays as it is while the store goes on.
#[derive(Clone, Debug)]
pub struct Snapshot<F: Real> {
    params: Params<F>,
    mlp: Mlp,
    /// Each adapter by layer; nothing for one that is disabled.
    adapters: BTreeMap<String, Vec<Option<LowRank>>>,
    merged: Option<String>,
    version: u64,
}

impl<F: Real> Snapshot<F> {
    pub(super) fn new<'a>(
        base: &Params<F>,
        mlp: &Mlp,
        sites: &[Site],
        adapters: impl Iterator<Item = (&'a str, &'a Adapter, bool)>,
        merged: Option<&str>,
        version: u64,
    ) -> Snapshot<F> {
        let mut params = base.clone();
        let mut by_name = BTreeMap::new();
        for (name, adapter, enabled) in adapters {
            let mut own = vec![None; sites.len()];
            for (layer, factors) in &adapter.layers {
                let Some(at) = sites.iter().position(|site| site.name == *layer) else { continue };
                if merged == Some(name) {
                    let narrow: Vec<F> = factors.dense().into_iter().map(F::of).collect();
                    let w = &mut params.slot_mut(sites[at].w).value;
                    w.iter_mut().zip(narrow).for_each(|(w, delta)| *w += delta);
                } else if enabled {
                    let narrow = |value: &[f64]| value.iter().map(|&x| F::of(x)).collect();
                    let slot = |part: &str| format!("store/{name}/{layer}/{part}");
                    let a = params.add(slot("a"), factors.inputs, factors.rank, narrow(&factors.a));
                    let b = params.add(slot("b"), factors.rank, factors.outputs, narrow(&factors.b));
                    own[at] = Some(LowRank { a, b, scale: factors.scale });
                }
            }
            by_name.insert(name.to_owned(), own);
        }
        Snapshot { params, mlp: mlp.clone(), adapters: by_name, merged: merged.map(str::to_owned), version }
    }

    /// The base's parameters, with the merged adapter in them if there is one, and the adapters' after them.
    pub fn params(&self) -> &Params<F> {
        &self.params
    }

    /// Counts the store's changes.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Which adapter is in the base.
    pub fn merged(&self) -> Option<&str> {
        self.merged.as_deref()
    }

    /// An adapter's part for each layer of the base: what rows of it add there. Nothing for a disabled one, nor for the
    /// merged one, whose part is in the base.
    ///
    /// # Errors
    /// No such adapter, or, while one is merged, any other or none (`None` stands for the base alone): the base that these
    /// need is not there.
    pub fn low_rank(&self, name: Option<&str>) -> Result<Vec<Option<LowRank>>, StoreError> {
        if let Some(merged) = self.merged.as_deref().filter(|&merged| name != Some(merged)) {
            let action =
                name.map_or("scoring with the base".to_owned(), |name| format!("scoring with {name}"));
            return Err(StoreError::Merged { action, merged: merged.to_owned() });
        }
        let Some(name) = name else { return Ok(vec![None; self.mlp.linears().count()]) };
        let missing =
            || StoreError::Missing { name: name.to_owned(), known: self.adapters.keys().cloned().collect() };
        self.adapters.get(name).cloned().ok_or_else(missing)
    }

    /// `[n, inputs]` to `[n, last width]`: `runs` names each run of rows' adapter, if any, and its number of rows.
    ///
    /// # Errors
    /// What [`Snapshot::low_rank`] refuses.
    ///
    /// # Panics
    /// If the runs' rows are not those of `x`.
    #[track_caller]
    pub fn forward(
        &self,
        tape: &mut Tape<F>,
        x: Var,
        runs: &[(Option<&str>, usize)],
    ) -> Result<Var, StoreError> {
        let mut offsets = vec![0u32];
        let mut by_run = Vec::with_capacity(runs.len());
        for &(name, rows) in runs {
            offsets.push(offsets[offsets.len() - 1] + rows as u32);
            by_run.push(self.low_rank(name)?);
        }
        Ok(self.mlp.forward_with(tape, &self.params, x, &mut Mode::score(), |tape, layer, linear, x, _| {
            let adapters: Vec<Option<LowRank>> = by_run.iter().map(|run| run[layer]).collect();
            let base = Block { w: linear.w, b: Some(linear.b) };
            let adapted = Adapted { offsets: &offsets, adapters: &adapters };
            tape.low_rank(&self.params, x, x, base, linear.act, &[adapted])
        }))
    }
}
