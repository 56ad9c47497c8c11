//! Adam (Kingma and Ba, ICLR 2015) and AdamW (Loshchilov and Hutter, ICLR 2019).
//!
//! `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `p ← p − rate · (m/(1 − β₁ᵗ)) / (sqrt(v/(1 − β₂ᵗ)) + ε)`.
//! Adam adds `decay·p` to `g` first; AdamW leaves `g` alone and takes `rate·decay·p` from the weight.

use serde::{Deserialize, Serialize};

use super::{At, Update};
use crate::{Real, kernels};

/// Adam's constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Decay of the mean, β₁.
    pub beta1: f64,
    /// Decay of the uncentred variance, β₂.
    pub beta2: f64,
    /// Added to the root, ε.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// AdamW's constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdamW(pub Adam);

/// Values that are stepped at a time.
const LANES: usize = 16;

impl Adam {
    /// `1/(1 − β₁ᵗ)` and `1/sqrt(1 − β₂ᵗ)`.
    fn corrections<F: Real>(&self, t: u64) -> [F; 2] {
        let power = |base: f64| 1.0 - base.powf(t as f64);
        [F::of(1.0 / power(self.beta1)), F::of(1.0 / power(self.beta2).sqrt())]
    }

    #[inline]
    fn run<F: Real>(&self, p: &mut [F], g: &[F], m: &mut [F], v: &mut [F], at: &At<F>, decoupled: bool) {
        let (b1, b2, epsilon) = (F::of(self.beta1), F::of(self.beta2), F::of(self.epsilon));
        let (c1, c2) = (F::one() - b1, F::one() - b2);
        let [size, inv_root] = at.corrections;
        let size = at.rate * size;
        let (l2, shrink) =
            if decoupled { (F::zero(), F::one() - at.rate * at.decay) } else { (at.decay, F::one()) };
        // A row of a table is often a vector or two: pieces of a known length need no preparations.
        let ((p, p_rest), (g, g_rest)) = (p.as_chunks_mut::<LANES>(), g.as_chunks::<LANES>());
        let ((m, m_rest), (v, v_rest)) = (m.as_chunks_mut::<LANES>(), v.as_chunks_mut::<LANES>());
        kernels::wide(
            #[inline(always)]
            || {
                let one = |p: F, g: F, m: F, v: F| {
                    let g = g + l2 * p;
                    let (m, v) = (b1 * m + c1 * g, b2 * v + c2 * g * g);
                    (shrink * p - size * m / (v.sqrt() * inv_root + epsilon), m, v)
                };
                for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                    // Copies, which no other can be: the compiler makes vectors of them.
                    let (mut own_p, mut own_m, mut own_v) = (*p, *m, *v);
                    for i in 0..LANES {
                        (own_p[i], own_m[i], own_v[i]) = one(own_p[i], g[i], own_m[i], own_v[i]);
                    }
                    (*p, *m, *v) = (own_p, own_m, own_v);
                }
                for (((p, &g), m), v) in p_rest.iter_mut().zip(g_rest).zip(m_rest).zip(v_rest) {
                    (*p, *m, *v) = one(*p, g, *m, *v);
                }
            },
        );
    }
}

impl<F: Real> Update<F> for Adam {
    fn moments(&self) -> [bool; 2] {
        [true, true]
    }

    fn corrections(&self, t: u64) -> [F; 2] {
        Adam::corrections(self, t)
    }

    fn rests(&self, at: &At<F>) -> bool {
        at.decay == F::zero() && F::of(self.epsilon) > F::zero()
    }

    fn step(&self, p: &mut [F], g: &[F], m: &mut [F], v: &mut [F], at: &At<F>) {
        self.run(p, g, m, v, at, false);
    }
}

impl<F: Real> Update<F> for AdamW {
    fn moments(&self) -> [bool; 2] {
        [true, true]
    }

    fn corrections(&self, t: u64) -> [F; 2] {
        self.0.corrections(t)
    }

    fn rests(&self, at: &At<F>) -> bool {
        Update::<F>::rests(&self.0, at)
    }

    fn step(&self, p: &mut [F], g: &[F], m: &mut [F], v: &mut [F], at: &At<F>) {
        self.0.run(p, g, m, v, at, true);
    }
}
