//! Experts of each cohort's own beside global ones: `z_k = g_k,0·f_c(x) + Σ_e g_k,e·f_e(x)`, `c` the row's cohort.
//!
//! This is the hard mapping: a row reaches its own cohort's expert and the global ones, and a fusion gate for each task,
//! `g_k = softmax([x; e_c]·W_k + prior)`, weighs them. `prior` is a constant on the own expert's logit: with it a row leans on its
//! own cohort from the first step. A row without a known cohort has weight exactly 0 there, so it falls back on the global experts.
//!
//! Experts of other cohorts are not computed for a row, and rows of other cohorts give an expert no gradient; a cohort without
//! training rows keeps the expert it was drawn, and its rows are to be passed as the cohort around it. A cohort with
//! cohorts within it has an expert of its own, for rows that name it; to add the experts of all levels up see
//! [`HierarchicalExperts`](super::HierarchicalExperts).

use kohort_core::{Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use super::error::{at_least_one, require};
use super::{
    Expert, ExpertConfig, ExpertError, Experts, Gate, GateConfig, GateUse, MASKED, Mixed, NO_EXPERT, Outputs,
    RoutedExperts, Routes,
};
use crate::{CohortEmbedding, Hierarchy, Mode};

/// Shape of a mixture over cohorts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CohortConfig {
    /// Number of global experts.
    pub globals: usize,
    /// Shape of an expert, own or global.
    pub expert: ExpertConfig,
    /// Habits of the gates.
    pub gate: GateConfig,
    /// Added to the logit of a row's own cohort's expert.
    pub prior: f64,
    /// Width of the cohort embedding that gates read beside `x`; 0 for none.
    pub embedding: usize,
}

impl Default for CohortConfig {
    fn default() -> Self {
        let (expert, gate) = (ExpertConfig::default(), GateConfig::default());
        CohortConfig { globals: 2, expert, gate, prior: 1.0, embedding: 8 }
    }
}

impl CohortConfig {
    pub(super) fn check(&self, cohorts: usize, tasks: usize) -> Result<(), ExpertError> {
        at_least_one("tasks", tasks)?;
        at_least_one("cohorts", cohorts)?;
        require(self.globals >= 1, "globals", self.globals, "1 or more: rows without a cohort need one")?;
        require(self.prior.is_finite(), "prior", self.prior, "a finite number")
    }

    pub(super) fn embed<F: Real>(
        &self,
        params: &mut Params<F>,
        name: &str,
        hierarchy: &Hierarchy,
        seed: u64,
    ) -> Option<CohortEmbedding> {
        let name = format!("{name}/cohort");
        (self.embedding > 0).then(|| CohortEmbedding::new(params, &name, hierarchy, self.embedding, seed))
    }
}

/// What the gates read: `x`, with the cohort's vector beside it where there is one.
pub(super) fn gate_input<F: Real>(
    tape: &mut Tape<F>,
    params: &Params<F>,
    x: Var,
    embedding: Option<&CohortEmbedding>,
    cohorts: &[u32],
) -> Var {
    let Some(embedding) = embedding else { return x };
    let of_cohort = embedding.forward(tape, params, cohorts);
    tape.concat(&[x, of_cohort])
}

/// One expert for each cohort beside global ones, weighed by a gate for each task. Global experts have the numbers from 0, the
/// cohorts' follow in the cohorts' order.
#[derive(Clone, Debug)]
pub struct CohortExperts {
    own: RoutedExperts,
    globals: Experts,
    gates: Vec<Gate>,
    embedding: Option<CohortEmbedding>,
    prior: f64,
}

impl CohortExperts {
    /// Adds the experts under `name/own/C` and `name/global`, the gates under `name/gate/K` and the embedding `name/cohort`.
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
    ) -> Result<CohortExperts, ExpertError> {
        config.check(hierarchy.len(), tasks)?;
        let CohortConfig { globals: count, expert, gate, prior, .. } = config;
        let own = RoutedExperts::new(params, &format!("{name}/own"), inputs, hierarchy.len(), expert, seed)?;
        let globals = Experts::new(params, &format!("{name}/global"), inputs, *count, expert, seed)?;
        let embedding = config.embed(params, name, hierarchy, seed);
        let width = inputs + config.embedding;
        let new_gate =
            |k: usize| Gate::new(params, &format!("{name}/gate/{k}"), width, 1 + count, gate, seed);
        let gates = (0..tasks).map(new_gate).collect::<Result<_, _>>()?;
        Ok(CohortExperts { own, globals, gates, embedding, prior: *prior })
    }

    /// Width of each task's output.
    pub fn outputs(&self) -> usize {
        self.own.outputs()
    }

    /// The cohorts' own experts, by cohort.
    pub fn own(&self) -> &RoutedExperts {
        &self.own
    }

    /// The global experts.
    pub fn globals(&self) -> &Experts {
        &self.globals
    }

    /// `x [n, in]` and the rows' cohorts to `[n, out]` for each task. Rows may come in any order; ordered by cohort they save a copy.
    /// A cohort that is none, such as [`UNKNOWN`](crate::UNKNOWN), is served by the global experts.
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
        let (count, globals) = (self.own.count(), self.globals.count());
        let known = |&c: &u32| if (c as usize) < count { c } else { NO_EXPERT };
        let experts: Vec<Expert> = cohorts.iter().map(known).collect();
        let own = self.own.forward(tape, params, x, &Routes::of(&experts), mode);
        let h = self.globals.forward(tape, params, x, mode);
        let read = gate_input(tape, params, x, self.embedding.as_ref(), cohorts);
        let prior = tape.input_with(n, 1 + globals, |prior| {
            for (row, &expert) in prior.chunks_exact_mut(1 + globals).zip(&experts) {
                row[0] = F::of(if expert == NO_EXPERT { MASKED } else { self.prior });
            }
        });
        let mut columns: Vec<Expert> = Vec::with_capacity(n * (1 + globals));
        for &expert in &experts {
            columns.push(if expert == NO_EXPERT { NO_EXPERT } else { globals as Expert + expert });
            columns.extend(0..globals as Expert);
        }
        let all = (0..globals as Expert).collect();
        let mut mixed = Mixed { outputs: vec![Outputs { x: h, experts: all }], ..Mixed::default() };
        for (k, gate) in self.gates.iter().enumerate() {
            let gated = gate.forward(tape, params, read, Some(prior), mode);
            let parts = [(own, 0..1), (h, 0..globals)];
            mixed.tasks.push(tape.mix_blocks(gated.gate, &parts, self.outputs()));
            mixed.gates.push(GateUse::new(Some(k), gated, columns.clone()));
        }
        if mode.compares() {
            mixed.compared = Some(self.own.beside(tape, params, x, (h, globals)));
        }
        mixed
    }
}
