//! An adapter for each cohort: `y[n] = act(x[n]·W + b + s·(drop(x[n])·A_c)·B_c)` for the rows of cohort c.
//!
//! Source and differences: [`super`], [`Tape::low_rank`]. All cohorts of a batch train in one step; rows of a cohort that has no
//! adapter, and of [`UNKNOWN`](crate::UNKNOWN), are the base's.

use std::collections::BTreeMap;

use kohort_core::random::stream;
use kohort_core::{Adapted, LowRank, ParamId, Params, Real, Tape, Var};

use super::{AdapterError, BaseLayer, Factors, LoraConfig, Sharing};
use crate::{Linear, Mode, Segments};

/// A dense layer with an adapter for each cohort.
///
/// ```
/// use kohort_core::{Activation, Params, Tape};
/// use kohort_layers::{Linear, Mode, Segments, UNKNOWN, lora::{CohortLora, Freeze, LoraConfig}};
///
/// let mut params = Params::<f32>::new();
/// let linear = Linear::new(&mut params, "tower/0", 16, 8, Activation::Relu, 1);
/// let config = LoraConfig { rank: 2, alpha: 4.0, ..LoraConfig::default() };
/// let mut layer = CohortLora::new(&mut params, &linear, &config, 1)?;
/// Freeze::All.apply(&mut params, layer.base().block);
/// for cohort in [7, 9] {
///     layer.add(&mut params, cohort)?;
/// }
/// assert_eq!(params.count(true), 2 * 2 * (16 + 8));
///
/// let mut tape = Tape::new();
/// let x = tape.input(4, 16, &[0.5; 64]);
/// let y = layer.forward(&mut tape, &params, x, &Segments::of([7, 7, 9, UNKNOWN]), &mut Mode::score());
/// assert_eq!(tape.shape(y), (4, 8));
/// # Ok::<(), kohort_layers::lora::AdapterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CohortLora {
    base: BaseLayer,
    config: LoraConfig,
    shared_a: Option<ParamId>,
    shared_b: Option<ParamId>,
    adapters: BTreeMap<u32, LowRank>,
    retired: BTreeMap<u32, LowRank>,
    seed: u64,
}

impl CohortLora {
    /// On a dense layer, with no adapter yet.
    ///
    /// # Errors
    /// A setting that is out of range.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        linear: &Linear,
        config: &LoraConfig,
        seed: u64,
    ) -> Result<CohortLora, AdapterError> {
        let base = BaseLayer::of(params, linear);
        CohortLora::on(params, base, config, seed)
    }

    /// On any layer, with no adapter yet. A shared factor is added to `params` as `NAME/adapter/shared/a` or `b`.
    ///
    /// # Errors
    /// A setting that is out of range.
    pub fn on<F: Real>(
        params: &mut Params<F>,
        base: BaseLayer,
        config: &LoraConfig,
        seed: u64,
    ) -> Result<CohortLora, AdapterError> {
        config.check(&base)?;
        let name = format!("{}/adapter/shared", base.name);
        let (shared_a, shared_b) = match config.sharing {
            Sharing::Private => (None, None),
            Sharing::SharedA => (Some(new_a(params, &name, base.inputs, config, seed)?), None),
            Sharing::SharedB => (None, Some(new_b(params, &name, base.outputs, config)?)),
        };
        let (adapters, retired) = (BTreeMap::new(), BTreeMap::new());
        Ok(CohortLora { base, config: *config, shared_a, shared_b, adapters, retired, seed })
    }

    /// Adds a cohort's adapter under `NAME/adapter/COHORT/a` and `b`; until it is trained it changes nothing. [`Params`] never
    /// shrinks, so a cohort that was removed and is added again starts afresh in the place it had.
    ///
    /// Gradients and optimisers that were made before know nothing of it: make new ones, or
    /// [`grow`](kohort_core::optim::Optimizer::grow) the optimiser. One that trained the cohort before it was removed still has
    /// its moments and step counts, which are to be [forgotten](kohort_core::optim::Optimizer::forget).
    ///
    /// # Errors
    /// A cohort that has one, or a name that is taken.
    pub fn add<F: Real>(&mut self, params: &mut Params<F>, cohort: u32) -> Result<LowRank, AdapterError> {
        if self.adapters.contains_key(&cohort) {
            return Err(AdapterError::Taken { layer: self.base.name.clone(), cohort });
        }
        let name = format!("{}/adapter/{cohort}", self.base.name);
        let adapter = match self.retired.remove(&cohort) {
            Some(adapter) => {
                if self.shared_a.is_none() {
                    let a = draw_a(&name, self.base.inputs, &self.config, self.seed);
                    params.slot_mut(adapter.a).value = a;
                }
                if self.shared_b.is_none() {
                    params.slot_mut(adapter.b).value.fill(F::zero());
                }
                adapter
            }
            None => LowRank {
                a: match self.shared_a {
                    Some(a) => a,
                    None => new_a(params, &name, self.base.inputs, &self.config, self.seed)?,
                },
                b: match self.shared_b {
                    Some(b) => b,
                    None => new_b(params, &name, self.base.outputs, &self.config)?,
                },
                scale: self.config.scale(),
            },
        };
        self.adapters.insert(cohort, adapter);
        Ok(adapter)
    }

    /// Takes a cohort's adapter off; its rows are the base's from now on. No other cohort's scores change by a bit.
    pub fn remove(&mut self, cohort: u32) -> Option<LowRank> {
        let adapter = self.adapters.remove(&cohort)?;
        self.retired.insert(cohort, adapter);
        Some(adapter)
    }

    /// A cohort's adapter.
    pub fn get(&self, cohort: u32) -> Option<LowRank> {
        self.adapters.get(&cohort).copied()
    }

    /// The cohorts that have an adapter, ascending.
    pub fn cohorts(&self) -> impl Iterator<Item = u32> {
        self.adapters.keys().copied()
    }

    /// What the adapters are on.
    pub fn base(&self) -> &BaseLayer {
        &self.base
    }

    /// How the adapters are made.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// A cohort's adapter as a value.
    ///
    /// # Errors
    /// A cohort without one.
    pub fn factors<F: Real>(&self, params: &Params<F>, cohort: u32) -> Result<Factors, AdapterError> {
        Ok(Factors::read(params, self.known(cohort)?))
    }

    pub(super) fn known(&self, cohort: u32) -> Result<LowRank, AdapterError> {
        self.get(cohort).ok_or_else(|| AdapterError::Unknown {
            layer: self.base.name.clone(),
            cohort,
            known: self.adapters.len(),
        })
    }

    /// The adapter of each segment, where its cohort has one.
    pub fn adapters(&self, segments: &Segments) -> Vec<Option<LowRank>> {
        segments.cohorts.iter().map(|&cohort| self.get(cohort)).collect()
    }

    /// `[n, in]` to `[n, out]`, the rows of each segment with its cohort's adapter.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        segments: &Segments,
        mode: &mut Mode,
    ) -> Var {
        let adapters = self.adapters(segments);
        let adapted = Adapted { offsets: &segments.offsets, adapters: &adapters };
        let h = match adapters.iter().flatten().next() {
            Some(_) => mode.dropout(tape, x, self.config.dropout),
            None => x,
        };
        tape.low_rank(params, x, h, self.base.block, self.base.act, &[adapted])
    }
}

fn draw_a<F: Real>(name: &str, inputs: usize, config: &LoraConfig, seed: u64) -> Vec<F> {
    config.draw_a(inputs, config.rank, &mut stream(seed, &format!("{name}/a"), &[]))
}

fn new_a<F: Real>(
    params: &mut Params<F>,
    name: &str,
    inputs: usize,
    config: &LoraConfig,
    seed: u64,
) -> Result<ParamId, AdapterError> {
    let value = draw_a(name, inputs, config, seed);
    place(params, format!("{name}/a"), inputs, config.rank, value)
}

fn new_b<F: Real>(
    params: &mut Params<F>,
    name: &str,
    outputs: usize,
    config: &LoraConfig,
) -> Result<ParamId, AdapterError> {
    place(params, format!("{name}/b"), config.rank, outputs, vec![F::zero(); config.rank * outputs])
}

/// Adds a dense parameter, unless its name is taken.
pub(super) fn place<F: Real>(
    params: &mut Params<F>,
    name: String,
    rows: usize,
    cols: usize,
    value: Vec<F>,
) -> Result<ParamId, AdapterError> {
    match params.id(&name) {
        Some(_) => Err(AdapterError::Name { name }),
        None => Ok(params.add(name, rows, cols, value)),
    }
}
