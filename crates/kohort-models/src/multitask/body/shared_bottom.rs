//! Shared bottom: `y_k = h_k(f(x))`, one stack `f` for all tasks and cohorts. What every other body has to beat, and the base
//! that adapters adapt.

use kohort_core::{Activation, Params, Tape, Var};
use kohort_layers::experts::Mixed;
use kohort_layers::{Mlp, MlpConfig, Mode};
use serde::{Deserialize, Serialize};

use super::{About, Represent, Represented, Sizes, check_widths};
use crate::ModelError;

/// Sizes of a shared bottom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SharedBottomConfig {
    /// Width of each layer.
    pub widths: Vec<usize>,
}

impl Default for SharedBottomConfig {
    fn default() -> Self {
        SharedBottomConfig { widths: vec![128, 64] }
    }
}

#[derive(Clone, Debug)]
pub(super) struct SharedBottom {
    mlp: Mlp,
    width: usize,
    tasks: usize,
}

impl SharedBottomConfig {
    pub(super) fn build(
        &self,
        params: &mut Params,
        sizes: Sizes<'_>,
        dropout: f64,
        seed: u64,
    ) -> Result<SharedBottom, ModelError> {
        check_widths("body.shared-bottom.widths", &self.widths, 1)?;
        let config = MlpConfig {
            widths: self.widths.clone(),
            activation: Activation::Relu,
            dropout,
            layer_norm: false,
        };
        Ok(SharedBottom {
            mlp: Mlp::new(params, "bottom", sizes.inputs, &config, seed),
            width: self.widths.last().copied().unwrap_or(sizes.inputs),
            tasks: sizes.tasks.len(),
        })
    }
}

impl Represent for SharedBottom {
    fn width(&self) -> usize {
        self.width
    }

    fn stack(&self) -> Option<&Mlp> {
        Some(&self.mlp)
    }

    fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        _: &About<'_>,
        mode: &mut Mode,
    ) -> Represented {
        let z = self.mlp.forward(tape, params, x, mode);
        let mixed = Mixed { tasks: vec![z; self.tasks], ..Mixed::default() };
        Represented { mixed, penalty: None }
    }
}
