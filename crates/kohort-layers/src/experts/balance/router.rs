//! Switch's balance (Fedus, Zoph and Shazeer, "Switch transformers: scaling to trillion parameter models with simple and efficient
//! sparsity", JMLR 2022) and the router z-loss (Zoph et al., "ST-MoE: designing stable and transferable sparse expert models",
//! arXiv 2202.08906).

use kohort_core::{Params, Real, Tape, Var};

use super::penalty::record;

/// `E·Σ_e f_e·P_e` of `gate [n, E]`: `f_e` is the share of rows whose largest weight is on `e` (the lower index of equal ones),
/// `P_e` the mean weight. 1 at an even gate. The gradient runs through `P` only: `E·f_e/n`.
pub fn switch<F: Real>(tape: &mut Tape<F>, params: &Params<F>, gate: Var) -> Var {
    let (n, experts) = tape.shape(gate);
    let (mut first, mut mean) = (vec![0.0; experts], vec![0.0; experts]);
    let rows = n.max(1) as f64;
    for row in tape.value(gate).chunks_exact(experts) {
        let best = (1..experts).fold(0, |best, e| if row[e] > row[best] { e } else { best });
        first[best] += 1.0 / rows;
        mean.iter_mut().zip(row).for_each(|(mean, p)| *mean += p.f64() / rows);
    }
    let value = experts as f64 * first.iter().zip(&mean).map(|(f, p)| f * p).sum::<f64>();
    let slope: Vec<F> = first.iter().map(|f| F::of(experts as f64 * f / rows)).collect();
    record(tape, params, "switch", value, vec![(gate, slope.repeat(n))])
}

/// `mean_b (ln Σ_e exp l_{b,e})²` of `logits [n, E]`; gradient `2/n · lse_b · softmax(l_b)`.
pub fn router_z<F: Real>(tape: &mut Tape<F>, params: &Params<F>, logits: Var) -> Var {
    let (n, experts) = tape.shape(logits);
    let (mut value, mut slope) = (0.0, Vec::with_capacity(n * experts));
    for row in tape.value(logits).chunks_exact(experts) {
        let top = row.iter().fold(f64::NEG_INFINITY, |top, l| top.max(l.f64()));
        let lse = top + row.iter().map(|l| (l.f64() - top).exp()).sum::<f64>().ln();
        value += lse * lse / n as f64;
        slope.extend(row.iter().map(|l| F::of(2.0 * lse / n as f64 * (l.f64() - lse).exp())));
    }
    record(tape, params, "router_z", value, vec![(logits, slope)])
}
