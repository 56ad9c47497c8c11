//! Adagrad (Duchi, Hazan and Singer, JMLR 2011): `v ← v + g²`, `p ← p − rate·g / (sqrt(v) + ε)`, with `decay·p` added
//! to `g` first. An absent table row has `g = 0`, so without decay both treatments of tables are one algorithm.

use serde::{Deserialize, Serialize};

use super::{At, Update};
use crate::Real;

/// Adagrad's constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adagrad {
    /// Added to the root, ε.
    pub epsilon: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad { epsilon: 1e-10 }
    }
}

impl<F: Real> Update<F> for Adagrad {
    fn moments(&self) -> [bool; 2] {
        [false, true]
    }

    fn rests(&self, at: &At<F>) -> bool {
        at.decay == F::zero() && F::of(self.epsilon) > F::zero()
    }

    fn step(&self, p: &mut [F], g: &[F], _: &mut [F], v: &mut [F], at: &At<F>) {
        let epsilon = F::of(self.epsilon);
        for ((p, &g), v) in p.iter_mut().zip(g).zip(v) {
            let g = g + at.decay * *p;
            *v += g * g;
            *p -= at.rate * g / (v.sqrt() + epsilon);
        }
    }
}
