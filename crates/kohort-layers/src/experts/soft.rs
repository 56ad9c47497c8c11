//! The soft mapping of cohorts to experts: `z_k = Σ_e g_k,e·f_e(x)` over the global and *all* cohorts' experts,
//! `g_k = softmax([x; e_c]·W_k + prior)`.
//!
//! A cohort leans on its own expert by `prior` and may borrow from any other, which then learns from its rows too. Every expert is
//! computed for every row, side by side. A row without a known cohort uses the global experts alone.

use kohort_core::{Params, Real, Tape, Var};

use super::cohort::gate_input;
use super::{CohortConfig, Expert, ExpertError, Experts, Gate, GateUse, MASKED, Mixed, Outputs};
use crate::{CohortEmbedding, Hierarchy, Mode};

/// Experts of cohorts and global ones, all open to every row. Global experts have the numbers from 0, the cohorts' follow.
#[derive(Clone, Debug)]
pub struct SoftCohortExperts {
    experts: Experts,
    globals: usize,
    gates: Vec<Gate>,
    embedding: Option<CohortEmbedding>,
    prior: f64,
}

impl SoftCohortExperts {
    /// Adds the experts under `name/experts`, the gates under `name/gate/K` and the embedding `name/cohort`.
    ///
    /// # Errors
    /// A setting that is not allowed, no cohort or no task.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        hierarchy: &Hierarchy,
        tasks: usize,
        config: &CohortConfig,
        seed: u64,
    ) -> Result<SoftCohortExperts, ExpertError> {
        config.check(hierarchy.len(), tasks)?;
        let count = config.globals + hierarchy.len();
        let experts = Experts::new(params, &format!("{name}/experts"), inputs, count, &config.expert, seed)?;
        let embedding = config.embed(params, name, hierarchy, seed);
        let width = inputs + config.embedding;
        let new_gate =
            |k: usize| Gate::new(params, &format!("{name}/gate/{k}"), width, count, &config.gate, seed);
        let gates = (0..tasks).map(new_gate).collect::<Result<_, _>>()?;
        let (globals, prior) = (config.globals, config.prior);
        Ok(SoftCohortExperts { experts, globals, gates, embedding, prior })
    }

    /// Width of each task's output.
    pub fn outputs(&self) -> usize {
        self.experts.outputs()
    }

    /// `x [n, in]` and the rows' cohorts to `[n, out]` for each task.
    ///
    /// # Panics
    /// If there is not one cohort for each row.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        cohorts: &[u32],
        mode: &mut Mode,
    ) -> Mixed {
        let n = tape.shape(x).0;
        assert!(cohorts.len() == n, "cohort experts: {} cohorts for {n} rows", cohorts.len());
        let count = self.experts.count();
        let h = self.experts.forward(tape, params, x, mode);
        let read = gate_input(tape, params, x, self.embedding.as_ref(), cohorts);
        let prior = tape.input_with(n, count, |prior| {
            for (row, &cohort) in prior.chunks_exact_mut(count).zip(cohorts) {
                match row[self.globals..].get_mut(cohort as usize) {
                    Some(own) => *own = F::of(self.prior),
                    None => row[self.globals..].fill(F::of(MASKED)),
                }
            }
        });
        let all: Vec<Expert> = (0..count as Expert).collect();
        let mut mixed = Mixed { outputs: vec![Outputs { x: h, experts: all.clone() }], ..Mixed::default() };
        for (k, gate) in self.gates.iter().enumerate() {
            let gated = gate.forward(tape, params, read, Some(prior), mode);
            mixed.tasks.push(tape.mix_blocks(gated.gate, &[(h, 0..count)], self.outputs()));
            mixed.gates.push(GateUse::new(Some(k), gated, all.clone()));
        }
        mixed
    }
}
