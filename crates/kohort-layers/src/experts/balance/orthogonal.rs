//! Orthogonality: experts whose outputs point the same way say the same.
//!
//! `mean_b Σ_{i≠j} c_ij²` with `c_ij = ĥ_i·ĥ_j`, `ĥ = h/‖h‖`. The inner sum counts each pair twice, so
//! `∂/∂h_i = 4/(n·‖h_i‖) · Σ_{j≠i} c_ij·(ĥ_j − c_ij·ĥ_i)`. An output of zeros has no direction: its cosines are 0 and it gets no
//! gradient. Over outputs rather than weights, because equal outputs are what wastes an expert.

use kohort_core::kernels::dot;
use kohort_core::{Params, Real, Tape, Var};

use super::penalty::record;

/// Mean over rows of `Σ_{i≠j} cos²(h_i, h_j)`, for `experts` outputs side by side in `x [n, experts·out]`.
///
/// # Panics
/// If the columns can't be cut into as many blocks.
#[track_caller]
pub fn orthogonality<F: Real>(tape: &mut Tape<F>, params: &Params<F>, x: Var, experts: usize) -> Var {
    let (n, wide) = tape.shape(x);
    assert!(
        experts > 0 && wide > 0 && wide % experts == 0,
        "orthogonality: {experts} experts in {wide} columns"
    );
    let width = wide / experts;
    let (mut value, mut gradient) = (0.0, vec![F::zero(); n * wide]);
    let (mut norms, mut unit) = (vec![F::zero(); experts], vec![F::zero(); wide]);
    for (h, d) in tape.value(x).chunks_exact(wide).zip(gradient.chunks_exact_mut(wide)) {
        for ((h, unit), norm) in h.chunks_exact(width).zip(unit.chunks_exact_mut(width)).zip(&mut norms) {
            *norm = dot(h, h).sqrt();
            let inverse = if *norm > F::zero() { F::one() / *norm } else { F::zero() };
            unit.iter_mut().zip(h).for_each(|(u, &h)| *u = inverse * h);
        }
        let of = |e: usize| &unit[e * width..][..width];
        for i in 0..experts {
            for j in i + 1..experts {
                let c = dot(of(i), of(j));
                value += 2.0 * c.f64() * c.f64() / n as f64;
                for (one, other) in [(i, j), (j, i)] {
                    if norms[one] > F::zero() {
                        let factor = F::of(4.0 / n as f64) * c / norms[one];
                        let pairs = of(other).iter().zip(of(one));
                        let into = &mut d[one * width..][..width];
                        into.iter_mut().zip(pairs).for_each(|(d, (&uj, &ui))| *d += factor * (uj - c * ui));
                    }
                }
            }
        }
    }
    record(tape, params, "orthogonality", value, vec![(x, gradient)])
}
