//! Rank, scale, dropout and initial values of adapters.

use kohort_core::random::Stream;
use kohort_core::{Init, Real};
use serde::{Deserialize, Serialize};

use super::{AdapterError, BaseLayer};

/// What `s` is, from `alpha` α and the rank r.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// `α/r`: LoRA as published.
    #[default]
    Rank,
    /// `α/√r`: rsLoRA (Kalajdzievski, arXiv 2312.03732), under which high ranks still learn.
    RootRank,
}

/// How A starts; B starts at zero, so that an adapter changes nothing at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitA {
    /// Uniform between `±1/√in`, which is Kaiming-uniform with a = √5: microsoft/LoRA's code, and PEFT's default.
    #[default]
    KaimingUniform,
    /// Normal. The paper says Gaussian and states no deviation; `1/r` is PEFT's.
    Gaussian,
}

/// Which factor all cohorts have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Neither.
    #[default]
    Private,
    /// A: `W_c = W + s·A·B_c`, the shape of HydraLoRA (Tian et al., NeurIPS 2024) with the cohort in place of its router. An
    /// extra cohort costs `r·out` values instead of `r·(in + out)`.
    SharedA,
    /// B: `W_c = W + s·A_c·B`.
    SharedB,
}

/// Shape and habits of adapters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoraConfig {
    /// Rank r; at most the shorter side of the layer's weights.
    pub rank: usize,
    /// α of the scale.
    pub alpha: f64,
    /// What is made of α and r.
    pub scaling: Scaling,
    /// Dropout of what the adapters read, in [0, 1); the base reads all.
    pub dropout: f64,
    /// How A starts.
    pub init: InitA,
    /// Which factor cohorts share.
    pub sharing: Sharing,
}

impl Default for LoraConfig {
    fn default() -> Self {
        LoraConfig {
            rank: 8,
            alpha: 16.0,
            scaling: Scaling::Rank,
            dropout: 0.0,
            init: InitA::KaimingUniform,
            sharing: Sharing::Private,
        }
    }
}

impl LoraConfig {
    /// `s` at the config's rank.
    pub fn scale(&self) -> f64 {
        match self.scaling {
            Scaling::Rank => self.alpha / self.rank as f64,
            Scaling::RootRank => self.alpha / (self.rank as f64).sqrt(),
        }
    }

    /// Checks all settings against a layer `[inputs, outputs]`.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self, layer: &BaseLayer) -> Result<(), AdapterError> {
        self.check_for(&layer.name, layer.inputs.min(layer.outputs))
    }

    pub(super) fn check_for(&self, layer: &str, most: usize) -> Result<(), AdapterError> {
        if self.rank == 0 || self.rank > most {
            return Err(AdapterError::Rank { layer: layer.to_owned(), rank: self.rank, most });
        }
        let setting = |field, value: f64, allowed: &str| AdapterError::Setting {
            layer: layer.to_owned(),
            field,
            value: value.to_string(),
            allowed: allowed.to_owned(),
        };
        if !self.alpha.is_finite() || self.alpha <= 0.0 {
            return Err(setting("alpha", self.alpha, "a finite number above 0"));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(setting("dropout", self.dropout, "a number in [0, 1)"));
        }
        Ok(())
    }

    /// A fresh A `[inputs, cols]` for adapters of this rank.
    pub(super) fn draw_a<F: Real>(&self, inputs: usize, cols: usize, stream: &mut Stream) -> Vec<F> {
        let init = match self.init {
            InitA::KaimingUniform => Init::Uniform(1.0 / (inputs.max(1) as f64).sqrt()),
            InitA::Gaussian => Init::Normal(1.0 / self.rank as f64),
        };
        init.draw(inputs, cols, stream)
    }
}
