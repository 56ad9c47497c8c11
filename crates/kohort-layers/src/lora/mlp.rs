//! Adapters on every layer of an [`Mlp`].

use kohort_core::{Params, Real, Tape, Var};

use super::{AdapterError, BasisLora, CohortLora, Freeze, HierarchicalLora, InstanceConfig, InstanceLora};
use super::{LoraConfig, Start};
use crate::{Hierarchy, Linear, Mlp, Mode, Segments};

/// A stack of dense layers, each with adapters of kind `L`.
#[derive(Clone, Debug)]
pub struct LoraMlp<L> {
    mlp: Mlp,
    /// The adapters of each layer, in order.
    pub layers: Vec<L>,
}

impl<L> LoraMlp<L> {
    /// Makes each layer's adapters with `make`.
    ///
    /// # Errors
    /// The first that `make` gives.
    pub fn with<F: Real>(
        params: &mut Params<F>,
        mlp: &Mlp,
        mut make: impl FnMut(&mut Params<F>, &Linear) -> Result<L, AdapterError>,
    ) -> Result<LoraMlp<L>, AdapterError> {
        let layers = mlp.linears().map(|linear| make(params, linear)).collect::<Result<_, _>>()?;
        Ok(LoraMlp { mlp: mlp.clone(), layers })
    }

    /// The stack without adapters.
    pub fn base(&self) -> &Mlp {
        &self.mlp
    }

    /// Freezes or frees all layers of the base.
    pub fn freeze<F: Real>(&self, params: &mut Params<F>, freeze: Freeze) {
        for linear in self.mlp.linears() {
            freeze.apply(params, kohort_core::Block { w: linear.w, b: Some(linear.b) });
        }
    }
}

impl LoraMlp<CohortLora> {
    /// With adapters for cohorts that [`LoraMlp::add`] names.
    ///
    /// # Errors
    /// A setting that is out of range for some layer.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        mlp: &Mlp,
        config: &LoraConfig,
        seed: u64,
    ) -> Result<LoraMlp<CohortLora>, AdapterError> {
        LoraMlp::with(params, mlp, |params, linear| CohortLora::new(params, linear, config, seed))
    }

    /// Adds a cohort's adapter to every layer, or to none.
    ///
    /// # Errors
    /// A cohort that has one.
    pub fn add<F: Real>(&mut self, params: &mut Params<F>, cohort: u32) -> Result<(), AdapterError> {
        self.add_to_all(cohort, |layer| layer.add(params, cohort).map(drop))
    }

    /// Adds a cohort's adapter to every layer and starts it as `start` says, or to none.
    ///
    /// # Errors
    /// What [`CohortLora::add_from`] refuses.
    pub fn add_from<F: Real>(
        &mut self,
        params: &mut Params<F>,
        cohort: u32,
        start: &Start,
    ) -> Result<(), AdapterError> {
        self.add_to_all(cohort, |layer| layer.add_from(params, cohort, start).map(drop))
    }

    fn add_to_all(
        &mut self,
        cohort: u32,
        mut add: impl FnMut(&mut CohortLora) -> Result<(), AdapterError>,
    ) -> Result<(), AdapterError> {
        for at in 0..self.layers.len() {
            if let Err(error) = add(&mut self.layers[at]) {
                for layer in &mut self.layers[..at] {
                    layer.remove(cohort);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes a cohort's adapter off every layer; returns whether it had one.
    pub fn remove(&mut self, cohort: u32) -> bool {
        self.layers.iter_mut().filter_map(|layer| layer.remove(cohort)).count() > 0
    }

    /// The cohort's adapters by layer, as values.
    ///
    /// # Errors
    /// A cohort without.
    pub fn factors<F: Real>(
        &self,
        params: &Params<F>,
        cohort: u32,
    ) -> Result<Vec<super::Factors>, AdapterError> {
        self.layers.iter().map(|layer| layer.factors(params, cohort)).collect()
    }

    /// The cohorts whose adapters are most like this one's, the most alike first, each with its cosine
    /// ([`similarity`](super::similarity)); of equal ones the lower number.
    ///
    /// # Errors
    /// A cohort without an adapter.
    pub fn nearest<F: Real>(
        &self,
        params: &Params<F>,
        cohort: u32,
        count: usize,
    ) -> Result<Vec<(u32, f64)>, AdapterError> {
        let own = self.factors(params, cohort)?;
        let others = self.layers.first().into_iter().flat_map(CohortLora::cohorts);
        let mut near: Vec<(u32, f64)> = others
            .filter(|&other| other != cohort)
            .map(|other| Ok((other, super::similarity(&own, &self.factors(params, other)?))))
            .collect::<Result<_, AdapterError>>()?;
        near.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        near.truncate(count);
        Ok(near)
    }

    /// `[n, inputs]` to `[n, last width]`, the rows of each segment with its cohort's adapters.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        segments: &Segments,
        mode: &mut Mode,
    ) -> Var {
        self.mlp.forward_with(tape, params, x, mode, |tape, layer, _, x, mode| {
            self.layers[layer].forward(tape, params, x, segments, mode)
        })
    }
}

impl LoraMlp<HierarchicalLora> {
    /// With adapters for each level of `tree`: [`HierarchicalLora::new`].
    ///
    /// # Errors
    /// A setting that is out of range for some layer.
    pub fn hierarchical<F: Real>(
        params: &mut Params<F>,
        mlp: &Mlp,
        tree: &Hierarchy,
        config: &LoraConfig,
        ranks: &[usize],
        seed: u64,
    ) -> Result<LoraMlp<HierarchicalLora>, AdapterError> {
        LoraMlp::with(params, mlp, |params, linear| {
            HierarchicalLora::new(params, linear, tree, config, ranks, seed)
        })
    }

    /// Adds a cohort within `parent` to every layer, where its rows start as their parent's, and gives its number:
    /// [`HierarchicalLora::add`].
    ///
    /// # Errors
    /// A parent that is not there, or below which there is no level with a rank; then no layer has it.
    pub fn add<F: Real>(
        &mut self,
        params: &mut Params<F>,
        parent: Option<u32>,
    ) -> Result<Option<u32>, AdapterError> {
        let mut layers = self.layers.clone();
        let cohort = layers.iter_mut().try_fold(None, |_, layer| layer.add(params, parent).map(Some))?;
        self.layers = layers;
        Ok(cohort)
    }

    /// `[n, inputs]` to `[n, last width]` for rows of these cohorts.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        cohorts: &[u32],
        mode: &mut Mode,
    ) -> Var {
        let segments = self.layers.first().map(|layer| layer.segments(cohorts)).unwrap_or_default();
        self.mlp.forward_with(tape, params, x, mode, |tape, layer, _, x, mode| {
            self.layers[layer].forward(tape, params, x, &segments, mode)
        })
    }
}

impl LoraMlp<BasisLora> {
    /// With a basis of `members` adapters a layer: [`BasisLora::new`].
    ///
    /// # Errors
    /// A setting that is out of range for some layer.
    pub fn basis<F: Real>(
        params: &mut Params<F>,
        mlp: &Mlp,
        config: &LoraConfig,
        members: usize,
        seed: u64,
    ) -> Result<LoraMlp<BasisLora>, AdapterError> {
        LoraMlp::with(params, mlp, |params, linear| BasisLora::new(params, linear, config, members, seed))
    }

    /// Adds a cohort's mixture to every layer.
    ///
    /// # Errors
    /// A cohort that has one.
    pub fn add<F: Real>(&mut self, params: &mut Params<F>, cohort: u32) -> Result<(), AdapterError> {
        self.layers.iter_mut().try_for_each(|layer| layer.add(params, cohort).map(drop))
    }

    /// `[n, inputs]` to `[n, last width]`, the rows of each segment with its cohort's mixture.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        segments: &Segments,
        mode: &mut Mode,
    ) -> Var {
        self.mlp.forward_with(tape, params, x, mode, |tape, layer, _, x, mode| {
            self.layers[layer].forward(tape, params, x, segments, mode)
        })
    }
}

impl LoraMlp<InstanceLora> {
    /// With a mixture for each row: [`InstanceLora::new`].
    ///
    /// # Errors
    /// A setting that is out of range for some layer.
    pub fn instance<F: Real>(
        params: &mut Params<F>,
        mlp: &Mlp,
        config: &InstanceConfig,
        seed: u64,
    ) -> Result<LoraMlp<InstanceLora>, AdapterError> {
        LoraMlp::with(params, mlp, |params, linear| InstanceLora::new(params, linear, config, seed))
    }

    /// `[n, inputs]` to `[n, last width]` with the weights `gate [n, K]`, the same for all layers.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        gate: Var,
        mode: &mut Mode,
    ) -> Var {
        self.mlp.forward_with(tape, params, x, mode, |tape, layer, _, x, mode| {
            self.layers[layer].forward(tape, params, x, gate, mode)
        })
    }
}
