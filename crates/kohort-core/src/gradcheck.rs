//! Finite-difference check of gradients, for our ops and yours.
//!
//! Run it in `f64`: with a step of 1e-5 a central difference is good to about 1e-9 there, and to no better than 5e-3 in
//! `f32`. Outputs are reduced by a fixed random projection, not by a sum, which would be blind to a softmax.
//!
//! ```
//! use kohort_core::{Activation, GradCheck, Params};
//!
//! let mut params = Params::<f64>::new();
//! let w = params.add("w", 2, 3, vec![0.3, -0.2, 0.5, 0.1, 0.7, -0.4]);
//! let worst = GradCheck::default()
//!     .run(&params, |tape, params| {
//!         let x = tape.input(2, 2, &[1.0, -0.5, 0.25, 2.0]);
//!         tape.linear(params, x, w, None, Activation::Tanh)
//!     })
//!     .expect("the gradient is right");
//! assert!(worst < 1e-6);
//! ```

use rand::Rng;

use crate::random::rand;
use crate::{Grads, Params, Tape, Var};

/// How to check, and how exactly.
#[derive(Clone, Copy, Debug)]
pub struct GradCheck {
    /// Half the distance between the two points of a central difference.
    pub step: f64,
    /// Allowed difference relative to the larger of the two gradients.
    pub relative: f64,
    /// Allowed difference where both are near zero.
    pub floor: f64,
    /// Seed of the random projection of the output.
    pub seed: u64,
}

impl Default for GradCheck {
    fn default() -> Self {
        GradCheck { step: 1e-5, relative: 1e-6, floor: 1e-9, seed: 0 }
    }
}

/// A gradient that does not agree with its finite difference.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{param}[{row}, {col}]: the tape says {analytic:e}, the finite difference {numeric:e}")]
pub struct Mismatch {
    /// Name of the parameter.
    pub param: String,
    /// Row of the entry.
    pub row: usize,
    /// Column of the entry.
    pub col: usize,
    /// What the backward sweep gives.
    pub analytic: f64,
    /// What the central difference gives.
    pub numeric: f64,
}

impl GradCheck {
    /// Checks the gradient of what `record` returns (any shape) with respect to every entry of every trainable
    /// parameter. Returns the largest relative difference seen, or the first entry that is off.
    pub fn run(
        &self,
        params: &Params<f64>,
        mut record: impl FnMut(&mut Tape<f64>, &Params<f64>) -> Var,
    ) -> Result<f64, Mismatch> {
        let mut tape = Tape::new();
        let mut project = |tape: &mut Tape<f64>, params: &Params<f64>| {
            tape.reset();
            let out = record(tape, params);
            let (rows, cols) = tape.shape(out);
            let mut stream = crate::random::stream(self.seed, "gradcheck projection", &[]);
            let weights: Vec<f64> = (0..rows * cols).map(|_| stream.random_range(0.5..1.5)).collect();
            let weights = tape.input(rows, cols, &weights);
            let product = tape.mul(out, weights);
            tape.sum(product)
        };
        let mut grads = Grads::new(params);
        let loss = project(&mut tape, params);
        tape.backward(params, &[(loss, 1.0)], &mut grads);

        let mut moved = params.clone();
        let mut worst = 0.0f64;
        for id in params.ids().filter(|&id| params.slot(id).trainable) {
            let analytic = grads.to_dense(id, params);
            for (i, &analytic) in analytic.iter().enumerate() {
                let mut at = |shift: f64| {
                    moved.slot_mut(id).value[i] = params.value(id)[i] + shift;
                    let loss = project(&mut tape, &moved);
                    tape.scalar(loss)
                };
                let numeric = (at(self.step) - at(-self.step)) / (2.0 * self.step);
                moved.slot_mut(id).value[i] = params.value(id)[i];
                let size = analytic.abs().max(numeric.abs());
                let off = (analytic - numeric).abs();
                if off.is_nan() || off > self.relative * size + self.floor {
                    let slot = params.slot(id);
                    return Err(Mismatch {
                        param: slot.name.clone(),
                        row: i / slot.cols,
                        col: i % slot.cols,
                        analytic,
                        numeric,
                    });
                }
                if size > 1e-3 {
                    worst = worst.max(off / size);
                }
            }
        }
        Ok(worst)
    }
}
