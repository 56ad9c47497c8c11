//! Softmax cross-entropy of lists of candidates whose first one is right.
//!
//! Logits `x [rows·k, 1]`, list r in the entries `r·k .. (r + 1)·k`:
//!
//! `y = scale · Σ_r w_r (ln Σ_j e^{x_rj} − x_r0)`, `dx_rj = dy · scale · w_r (softmax(x_r)_j − [j = 0])`.

use kohort_core::{Custom, Flow, Params, Real, Tape, Var};

struct ListLoss<F> {
    logits: [Var; 1],
    size: usize,
    weight: Option<Vec<F>>,
    scale: F,
}

/// `ln Σ e^x`, without overflow.
fn log_sum_exp<F: Real>(x: &[F]) -> F {
    let top = x.iter().fold(x[0], |top, &x| top.max(x));
    top + x.iter().map(|&x| (x - top).exp()).sum::<F>().ln()
}

impl<F: Real> Custom<F> for ListLoss<F> {
    fn name(&self) -> &'static str {
        "list_loss"
    }

    fn inputs(&self) -> &[Var] {
        &self.logits
    }

    fn backward(&self, flow: &mut Flow<'_, F>) {
        let x = flow.value(self.logits[0]);
        if let Some((dy, into)) = flow.into_input(self.logits[0]) {
            let factor = dy[0] * self.scale;
            for (r, (d, x)) in into.chunks_exact_mut(self.size).zip(x.chunks_exact(self.size)).enumerate() {
                let factor = factor * self.weight.as_ref().map_or(F::one(), |w| w[r]);
                let total = log_sum_exp(x);
                d.iter_mut().zip(x).for_each(|(d, &x)| *d += factor * (x - total).exp());
                d[0] -= factor;
            }
        }
    }
}

/// The loss of lists of `size` candidates each, `[1, 1]`; weights `[rows]`, 1 without.
pub(super) fn list_loss<F: Real>(
    tape: &mut Tape<F>,
    params: &Params<F>,
    logits: Var,
    size: usize,
    weight: Option<Vec<F>>,
    scale: F,
) -> Var {
    let mut total = F::zero();
    for (r, x) in tape.value(logits).chunks_exact(size).enumerate() {
        total += weight.as_ref().map_or(F::one(), |w| w[r]) * (log_sum_exp(x) - x[0]);
    }
    let op = ListLoss { logits: [logits], size, weight, scale };
    tape.custom(params, Box::new(op), 1, 1, &[scale * total])
}
