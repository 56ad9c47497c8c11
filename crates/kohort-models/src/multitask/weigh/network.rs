//! The network of weights.
//!
//! ```text
//! w_b = 1 + bound·tanh(mlp([columns of b; vector of b's cohort]))      ŵ_b = w_b / mean(w)
//! ```

use kohort_core::{Activation, Params, Tape, Var};
use kohort_layers::{CohortEmbedding, Encoder, Hierarchy, Linear, Mlp, MlpConfig, Mode, Table};

use super::WeighConfig;

#[derive(Debug)]
pub(super) struct Network {
    encoder: Encoder,
    cohorts: CohortEmbedding,
    mlp: Mlp,
    out: Linear,
    bound: f32,
}

impl Network {
    pub(super) fn new(
        params: &mut Params,
        config: &WeighConfig,
        table: &Table,
        hierarchy: &Hierarchy,
        seed: u64,
    ) -> Network {
        let encoder = Encoder::new(params, "weigh/row", table, &config.encoder, seed);
        let cohorts = CohortEmbedding::new(params, "weigh/cohort", hierarchy, config.cohort, seed);
        let inputs = encoder.width() + cohorts.width();
        let mlp_config =
            MlpConfig { widths: config.hidden.clone(), activation: Activation::Tanh, ..MlpConfig::default() };
        let mlp = Mlp::new(params, "weigh/mlp", inputs, &mlp_config, seed);
        let last = config.hidden.last().copied().unwrap_or(inputs);
        let out = Linear::new(params, "weigh/out", last, 1, Activation::Identity, seed);
        // Every weight starts at 1.
        params.slot_mut(out.w).value = vec![0.0; last];
        Network { encoder, cohorts, mlp, out, bound: config.bound as f32 }
    }

    /// `w` of the rows `ids`, `[ids, 1]`.
    pub(super) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        table: &Table,
        ids: &[u32],
        cohorts: &[u32],
    ) -> Var {
        let cohort = self.cohorts.forward(tape, params, cohorts);
        let x = match self.encoder.forward(tape, params, table, ids) {
            Some(x) => tape.concat(&[x, cohort]),
            None => cohort,
        };
        let h = self.mlp.forward(tape, params, x, &mut Mode::score());
        let a = self.out.forward(tape, params, h);
        let t = tape.activate(a, Activation::Tanh);
        tape.scale(t, self.bound, 1.0)
    }
}

/// `d/dw` from `d/dŵ`, where `ŵ = w / mean(w)`: `(d_b − mean_j(d_j·ŵ_j)) / mean(w)`.
pub(super) fn through_mean(slope: &[f64], weight: &[f32]) -> Vec<f64> {
    let rows = weight.len().max(1) as f64;
    let mean = weight.iter().map(|&w| f64::from(w)).sum::<f64>() / rows;
    let along = slope.iter().zip(weight).map(|(d, &w)| d * f64::from(w) / mean).sum::<f64>() / rows;
    slope.iter().map(|d| (d - along) / mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_through_the_mean_is_that_of_finite_differences() {
        let (weight, coefficient) = ([0.4f32, 1.3, 1.9, 0.7], [0.3, -1.0, 0.5, 2.0]);
        let value = |w: &[f64]| -> f64 {
            let mean = w.iter().sum::<f64>() / 4.0;
            w.iter().zip(coefficient).map(|(w, c)| c * w / mean).sum()
        };
        let exact = through_mean(&coefficient, &weight);
        let w: Vec<f64> = weight.iter().map(|&w| w.into()).collect();
        for at in 0..4 {
            let moved = |by: f64| {
                let mut w = w.clone();
                w[at] += by;
                value(&w)
            };
            let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (numeric - exact[at]).abs() < 1e-6 * (1.0 + numeric.abs()),
                "{at}: {numeric}, {}",
                exact[at]
            );
        }
    }
}
