//! Stochastic gradient descent with heavy-ball momentum: `m ← μ·m + g + decay·p`, `p ← p − rate·m` (PyTorch's form,
//! dampening 0). Without momentum, `p ← p − rate·(g + decay·p)` and no moment is kept.

use serde::{Deserialize, Serialize};

use super::{At, Update};
use crate::Real;

/// SGD's constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Momentum μ, in [0, 1).
    pub momentum: f64,
}

impl<F: Real> Update<F> for Sgd {
    fn moments(&self) -> [bool; 2] {
        [self.momentum != 0.0, false]
    }

    fn rests(&self, at: &At<F>) -> bool {
        at.decay == F::zero()
    }

    fn step(&self, p: &mut [F], g: &[F], m: &mut [F], _: &mut [F], at: &At<F>) {
        if m.is_empty() {
            for (p, &g) in p.iter_mut().zip(g) {
                *p -= at.rate * (g + at.decay * *p);
            }
            return;
        }
        let momentum = F::of(self.momentum);
        for ((p, &g), m) in p.iter_mut().zip(g).zip(m) {
            *m = momentum * *m + g + at.decay * *p;
            *p -= at.rate * *m;
        }
    }
}
