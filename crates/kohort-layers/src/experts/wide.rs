//! Experts that read every row, computed as one network: `h_e = f_e(x)` for all `e`, side by side in `[n, E·out]`.
//!
//! The first layer of `E` experts is one product `[n, in]·[in, E·h]`; each further layer is block-diagonal
//! ([`Tape::grouped_linear`]). Gates then weigh the blocks where they lie ([`Tape::mix_blocks`]).

use kohort_core::{Activation, Block, Params, Real, Tape, Var};

use super::error::at_least_one;
use super::{Expert, ExpertConfig, ExpertError};
use crate::Mode;

/// Experts of equal shape that read every row.
#[derive(Clone, Debug)]
pub struct Experts {
    /// Weights and bias of each layer: `[in, E·out]` for the first, `[E·in, out]` for the others; bias `[1, E·out]`.
    layers: Vec<Block>,
    count: usize,
    outputs: usize,
    activation: Activation,
    dropout: f64,
}

impl Experts {
    /// Adds the experts' parameters under `name/0`, `name/1`, …, one for each layer. Each expert's initial weights are its own
    /// draw; biases start at 0.
    ///
    /// # Errors
    /// No expert, no layer, a width of 0, or a dropout rate outside [0, 1).
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        count: usize,
        config: &ExpertConfig,
        seed: u64,
    ) -> Result<Experts, ExpertError> {
        at_least_one("experts", count)?;
        config.check()?;
        let mut layers = Vec::with_capacity(config.widths.len());
        for (i, (inputs, outputs)) in config.layers(inputs).enumerate() {
            let (name_w, name_b) = (format!("{name}/{i}/w"), format!("{name}/{i}/b"));
            let (rows, cols) = if i == 0 { (inputs, count * outputs) } else { (count * inputs, outputs) };
            let mut w = vec![F::zero(); rows * cols];
            for expert in 0..count {
                let own: Vec<F> = config.draw(&name_w, expert as Expert, (inputs, outputs), seed);
                let (from, to) = if i == 0 { (0, expert * outputs) } else { (expert * inputs, 0) };
                for (row, own) in own.chunks_exact(outputs).enumerate() {
                    w[(from + row) * cols + to..][..outputs].copy_from_slice(own);
                }
            }
            let b = vec![F::zero(); count * outputs];
            let w = params.add(name_w, rows, cols, w);
            layers.push(Block { w, b: Some(params.add(name_b, 1, count * outputs, b)) });
        }
        let (activation, dropout) = (config.activation, config.dropout);
        Ok(Experts { layers, count, outputs: config.outputs(), activation, dropout })
    }

    /// Number of experts.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Width of one expert's output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `[n, in]` to the outputs of all experts side by side, `[n, E·out]`.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        mut x: Var,
        mode: &mut Mode,
    ) -> Var {
        if self.dropout == 0.0 || mode.stream().is_none() {
            return tape.grouped_stack(params, x, &self.layers, self.count, self.activation);
        }
        // Dropout between layers takes them one by one.
        for (i, &Block { w, b }) in self.layers.iter().enumerate() {
            x = match i {
                0 => tape.linear(params, x, w, b, self.activation),
                _ => tape.grouped_linear(params, x, w, b, self.count, self.activation),
            };
            x = mode.dropout(tape, x, self.dropout);
        }
        x
    }

    /// Pairs of experts whose parameters are the same numbers. Under one gate such experts get the same gradients, stay equal,
    /// and are one expert at the price of two: a constant initial value does that.
    pub fn symmetric<F: Real>(&self, params: &Params<F>) -> Vec<(usize, usize)> {
        let pairs = (0..self.count).flat_map(|a| (a + 1..self.count).map(move |b| (a, b)));
        pairs
            .filter(|&(a, b)| self.layers.iter().enumerate().all(|(i, _)| self.equal(params, i, a, b)))
            .collect()
    }

    /// Whether two experts have the same numbers in one layer.
    fn equal<F: Real>(&self, params: &Params<F>, layer: usize, a: usize, b: usize) -> bool {
        let Block { w, b: bias } = self.layers[layer];
        let equal = |values: &[F], width: usize| values[a * width..][..width] == values[b * width..][..width];
        let slot = params.slot(w);
        let weights = if layer == 0 {
            let width = slot.cols / self.count;
            slot.value.chunks_exact(slot.cols).all(|row| equal(row, width))
        } else {
            equal(&slot.value, slot.value.len() / self.count)
        };
        weights && bias.is_none_or(|bias| equal(params.value(bias), params.slot(bias).cols / self.count))
    }
}
