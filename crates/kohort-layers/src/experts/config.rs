//! The shape that all experts of a layer share.

use kohort_core::random::stream;
use kohort_core::{Activation, Init, Real};
use serde::{Deserialize, Serialize};

use super::error::{at_least_one, require};
use super::{Expert, ExpertError};

/// Shape of an expert: a stack of dense layers. All experts of a layer have the same, which is what lets them be computed
/// side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpertConfig {
    /// Width of each layer's output.
    pub widths: Vec<usize>,
    /// Applied after each layer.
    pub activation: Activation,
    /// Dropout rate after each layer, in [0, 1).
    pub dropout: f64,
}

impl Default for ExpertConfig {
    fn default() -> Self {
        ExpertConfig { widths: vec![64], activation: Activation::Relu, dropout: 0.0 }
    }
}

impl ExpertConfig {
    pub(super) fn check(&self) -> Result<(), ExpertError> {
        require(!self.widths.is_empty(), "widths", "empty", "one width or more")?;
        self.widths.iter().try_for_each(|&width| at_least_one("widths", width))?;
        let dropout = self.dropout;
        require((0.0..1.0).contains(&dropout), "dropout", dropout, "0 or more, below 1")
    }

    /// Width of an expert's output.
    pub(super) fn outputs(&self) -> usize {
        self.widths.last().copied().unwrap_or(0)
    }

    /// Inputs and outputs of each layer.
    pub(super) fn layers(&self, inputs: usize) -> impl Iterator<Item = (usize, usize)> {
        let before = std::iter::once(inputs).chain(self.widths.iter().copied());
        before.zip(self.widths.iter().copied())
    }

    /// Initial weights `[inputs, outputs]` of one expert's layer `name`, from a stream of its own: He's for ReLU and Glorot's
    /// otherwise.
    pub(super) fn draw<F: Real>(
        &self,
        name: &str,
        expert: Expert,
        (inputs, outputs): (usize, usize),
        seed: u64,
    ) -> Vec<F> {
        let init = if self.activation == Activation::Relu { Init::He } else { Init::Glorot };
        init.draw(inputs, outputs, &mut stream(seed, name, &[u64::from(expert)]))
    }
}
