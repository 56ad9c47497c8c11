//! Mutual information between whose row it is and which expert it uses (Chen et al., "Mod-Squad: designing mixtures of experts as
//! modular multi-task learners", CVPR 2023): `I = Σ_{t,e} P(t,e)·ln( P(t,e) / (P(t)·P(e)) )`.
//!
//! `P(t)` is the share of rows of `t`, `P(t,e)` that share times the mean weight of `e` on them, `P(e) = Σ_t P(t,e)`. With `P(t)` a
//! constant, `∂I/∂P(t,e) = ln( P(t,e) / (P(t)·P(e)) )`: the terms of the outer derivative cancel. The paper's `t` is a task; a cohort
//! does as well.

use kohort_core::{Params, Real, Tape, Var};

use super::penalty::record;
use crate::UNKNOWN;

/// `−I(cohort; expert)` of `gate [n, E]`, whose rows belong to `cohorts [n]`; rows of [`UNKNOWN`] take no part.
///
/// # Panics
/// If there is not one cohort for each row.
#[track_caller]
pub fn cohort_information<F: Real>(
    tape: &mut Tape<F>,
    params: &Params<F>,
    gate: Var,
    cohorts: &[u32],
) -> Var {
    let (n, experts) = tape.shape(gate);
    assert!(cohorts.len() == n, "cohort_information: {} cohorts for {n} rows", cohorts.len());
    // Cohorts that are there, ascending: a table of all of them could be large.
    let mut present: Vec<u32> = cohorts.iter().copied().filter(|&c| c != UNKNOWN).collect();
    let rows = present.len().max(1) as f64;
    present.sort_unstable();
    present.dedup();
    let place = |cohort: u32| present.binary_search(&cohort).ok();
    let mut joint = Joint::new(present.len(), experts);
    for (row, &cohort) in tape.value(gate).chunks_exact(experts).zip(cohorts) {
        if let Some(t) = place(cohort) {
            joint.add(t, row, 1.0 / rows);
        }
    }
    let (value, slopes) = joint.information();
    let mut gradient = vec![F::zero(); n * experts];
    for (into, &cohort) in gradient.chunks_exact_mut(experts).zip(cohorts) {
        if let Some(t) = place(cohort) {
            let slopes = &slopes[t * experts..][..experts];
            into.iter_mut().zip(slopes).for_each(|(d, s)| *d = F::of(-s / rows));
        }
    }
    record(tape, params, "cohort_information", -value, vec![(gate, gradient)])
}

/// `−I(task; expert)` of one gate `[n, E]` for each task, over the same experts. Tasks with more rows count more.
///
/// # Panics
/// If the gates differ in their numbers of experts, or there is none.
#[track_caller]
pub fn task_information<F: Real>(tape: &mut Tape<F>, params: &Params<F>, gates: &[Var]) -> Var {
    let experts = gates.first().map_or(0, |&gate| tape.shape(gate).1);
    let rows = gates.iter().map(|&gate| tape.shape(gate).0).sum::<usize>().max(1) as f64;
    let mut joint = Joint::new(gates.len(), experts);
    for (t, &gate) in gates.iter().enumerate() {
        let own = tape.shape(gate).1;
        assert!(own == experts && own > 0, "task_information: gates of {experts} and of {own} experts");
        tape.value(gate).chunks_exact(experts).for_each(|row| joint.add(t, row, 1.0 / rows));
    }
    let (value, slopes) = joint.information();
    let part = |(t, &gate): (usize, &Var)| {
        let slope: Vec<F> = slopes[t * experts..][..experts].iter().map(|s| F::of(-s / rows)).collect();
        (gate, slope.repeat(tape.shape(gate).0))
    };
    let parts = gates.iter().enumerate().map(part).collect();
    record(tape, params, "task_information", -value, parts)
}

/// `P(t,e)` and `P(t)`.
struct Joint {
    of_both: Vec<f64>,
    of_whose: Vec<f64>,
    experts: usize,
}

impl Joint {
    fn new(whose: usize, experts: usize) -> Joint {
        Joint { of_both: vec![0.0; whose * experts], of_whose: vec![0.0; whose], experts }
    }

    fn add<F: Real>(&mut self, t: usize, gate: &[F], share: f64) {
        self.of_whose[t] += share;
        let into = &mut self.of_both[t * self.experts..][..self.experts];
        into.iter_mut().zip(gate).for_each(|(sum, p)| *sum += share * p.f64());
    }

    /// `I` and `∂I/∂P(t,e)`; 0 where `P(t,e)` is.
    fn information(&self) -> (f64, Vec<f64>) {
        let mut of_expert = vec![0.0; self.experts];
        for row in self.of_both.chunks_exact(self.experts.max(1)) {
            of_expert.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
        }
        let ratio = |(i, &p): (usize, &f64)| {
            let (t, e) = (i / self.experts, i % self.experts);
            if p > 0.0 { (p / (self.of_whose[t] * of_expert[e])).ln() } else { 0.0 }
        };
        let slopes: Vec<f64> = self.of_both.iter().enumerate().map(ratio).collect();
        (self.of_both.iter().zip(&slopes).map(|(p, s)| p * s).sum(), slopes)
    }
}
