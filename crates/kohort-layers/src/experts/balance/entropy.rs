//! Entropy `H(p) = −Σ_e p_e·ln p_e`, in both directions: of the mean gate, which should be high where experts are to be in even
//! use, and the mean over rows, which should be low where each row is to choose. `∂H/∂p_e = −ln p_e − 1`; a weight of exactly 0
//! (an expert not chosen, or masked) takes no part.

use kohort_core::{Params, Real, Tape, Var};

use super::penalty::record;

/// `−H(mean_b p_b)` of `gate [n, E]`: smallest, `−ln E`, where experts are in even use over all rows.
pub fn evenness<F: Real>(tape: &mut Tape<F>, params: &Params<F>, gate: Var) -> Var {
    let (n, experts) = tape.shape(gate);
    let rows = n.max(1) as f64;
    let mut mean = vec![0.0; experts];
    for row in tape.value(gate).chunks_exact(experts) {
        mean.iter_mut().zip(row).for_each(|(mean, p)| *mean += p.f64() / rows);
    }
    let value = mean.iter().map(|&p| -entropy(p)).sum();
    let slope: Vec<F> = mean.iter().map(|&p| F::of(-slope(p) / rows)).collect();
    record(tape, params, "evenness", value, vec![(gate, slope.repeat(n))])
}

/// `mean_b H(p_b)` of `gate [n, E]`: 0 where each row uses one expert.
pub fn sharpness<F: Real>(tape: &mut Tape<F>, params: &Params<F>, gate: Var) -> Var {
    let rows = tape.shape(gate).0.max(1) as f64;
    let value = tape.value(gate).iter().map(|p| entropy(p.f64()) / rows).sum();
    let slope = tape.value(gate).iter().map(|p| F::of(slope(p.f64()) / rows)).collect();
    record(tape, params, "sharpness", value, vec![(gate, slope)])
}

fn entropy(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

fn slope(p: f64) -> f64 {
    if p > 0.0 { -p.ln() - 1.0 } else { 0.0 }
}
