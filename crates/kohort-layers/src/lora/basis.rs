//! A few adapters of which each cohort has its own mixture: `W_c = W + s·Σ_m π_{c,m}·A_m·B_m`, `π_c = softmax(v_c)`.
//!
//! An extra cohort costs M values a layer. Cohorts start with `v_c = 0`: all the same mixture, from which they part as soon as
//! the B are no longer zero (B = 0 gives `v` no gradient). A row of a cohort that is not known has the even mixture, which is
//! what all cohorts share.
//!
//! Ours, after the mixtures of HydraLoRA and MTL-LoRA (Yang et al., arXiv 2410.09437): there the weights belong to tasks or
//! tokens, here to cohorts.

use std::collections::BTreeMap;

use kohort_core::random::stream;
use kohort_core::{Activation, Block, ParamId, Params, Real, Tape, Var};

use super::cohort::place;
use super::mixture::Mixture;
use super::{AdapterError, BaseLayer, LoraConfig};
use crate::{Linear, Mode, Segments};

/// A dense layer with a basis of adapters and a mixture for each cohort.
#[derive(Clone, Debug)]
pub struct BasisLora {
    mixture: Mixture,
    members: usize,
    weights: BTreeMap<u32, ParamId>,
    dropout: f64,
}

impl BasisLora {
    /// On a dense layer, with `members` adapters of the config's rank under `NAME/basis/a` and `b`, and no cohort yet.
    ///
    /// # Errors
    /// A setting that is out of range or a name that is taken.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        linear: &Linear,
        config: &LoraConfig,
        members: usize,
        seed: u64,
    ) -> Result<BasisLora, AdapterError> {
        let base = BaseLayer::of(params, linear);
        config.check(&base)?;
        if members == 0 {
            return Err(AdapterError::Setting {
                layer: base.name,
                field: "members",
                value: "0".to_owned(),
                allowed: "at least 1".to_owned(),
            });
        }
        let (name, cols) = (format!("{}/basis/a", base.name), members * config.rank);
        let a = config.draw_a(base.inputs, cols, &mut stream(seed, &name, &[]));
        let a = place(params, name, base.inputs, cols, a)?;
        let zero = vec![F::zero(); cols * base.outputs];
        let b = place(params, format!("{}/basis/b", base.name), cols, base.outputs, zero)?;
        let mixture = Mixture { base, a, b, repeat: 1, scale: config.scale() };
        Ok(BasisLora { mixture, members, weights: BTreeMap::new(), dropout: config.dropout })
    }

    /// Adds a cohort's mixture under `NAME/basis/COHORT`, the even one.
    ///
    /// # Errors
    /// A cohort that has one.
    pub fn add<F: Real>(&mut self, params: &mut Params<F>, cohort: u32) -> Result<ParamId, AdapterError> {
        let name = format!("{}/basis/{cohort}", self.mixture.base.name);
        let id = place(params, name, 1, self.members, vec![F::zero(); self.members])?;
        self.weights.insert(cohort, id);
        Ok(id)
    }

    /// A cohort's mixture `π_c`; the even one for a cohort that is not known.
    pub fn weights<F: Real>(&self, params: &Params<F>, cohort: u32) -> Vec<f64> {
        let Some(&id) = self.weights.get(&cohort) else {
            return vec![1.0 / self.members as f64; self.members];
        };
        let v: Vec<f64> = params.value(id).iter().map(|x| x.f64()).collect();
        let top = v.iter().fold(f64::NEG_INFINITY, |top, &x| top.max(x));
        let total: f64 = v.iter().map(|x| (x - top).exp()).sum();
        v.iter().map(|x| (x - top).exp() / total).collect()
    }

    /// What the adapters are on.
    pub fn base(&self) -> &BaseLayer {
        &self.mixture.base
    }

    /// `[n, in]` to `[n, out]`, the rows of each segment with its cohort's mixture.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        segments: &Segments,
        mode: &mut Mode,
    ) -> Var {
        let rows = tape.shape(x).0;
        let block = |cohort| self.weights.get(cohort).map(|&w| Block { w, b: None });
        let blocks: Vec<Option<Block>> = segments.cohorts.iter().map(block).collect();
        // v_c repeated for each row of its cohort is 1·v_c; zeros elsewhere.
        let v = if blocks.iter().any(Option::is_some) {
            let ones = tape.input_with(rows, 1, |ones| ones.fill(F::one()));
            tape.blocks(params, ones, &segments.offsets, &blocks, Activation::Identity)
        } else {
            tape.input_with(rows, self.members, |_| {})
        };
        let gate = tape.softmax(v);
        let h = mode.dropout(tape, x, self.dropout);
        self.mixture.forward(tape, params, x, h, gate)
    }
}
