//! Experts on every level of cohorts within cohorts: `z_k = Σ_e g_k,e·f_e(x) + Σ_l a_k,l(x)·f_{c_l}(x)`.
//!
//! The first sum is over the global experts, `g_k = softmax(x·W_k)`; in the second, `c_l` is the row's cohort on level `l`, say its
//! region and its stage within the region, and `a_k,l = σ(x·u_{k,l} + b_{k,l})` says how much of that level's expert is added. Any
//! depth. Levels that a row lacks have weight exactly 0: a row of an unknown stage is served by its region's expert and the
//! global ones, one of an unknown region by the global ones.
//!
//! The gates of levels are logistic functions and not one softmax: levels add to each other, they don't compete, and where a level is
//! missing the weights of the others stay what they were.

use kohort_core::{Activation, Params, Real, Tape, Var};

use super::cohort::gate_input;
use super::{
    CohortConfig, Expert, ExpertError, Experts, Gate, GateUse, Gated, MASKED, Mixed, NO_EXPERT, Outputs,
    RoutedExperts, Routes,
};
use crate::{CohortEmbedding, Hierarchy, Linear, Mode};

/// One expert for each cohort of a hierarchy, added up along a row's path, beside global ones. Global experts have the numbers from
/// 0, the cohorts' follow in the cohorts' order.
#[derive(Clone, Debug)]
pub struct HierarchicalExperts {
    own: RoutedExperts,
    globals: Experts,
    /// For each task: the softmax over global experts, and the logits of the levels.
    gates: Vec<(Gate, Linear)>,
    embedding: Option<CohortEmbedding>,
    hierarchy: Hierarchy,
    prior: f64,
}

impl HierarchicalExperts {
    /// Adds the experts under `name/own/C` and `name/global`, the gates under `name/gate/K` (over global experts) and
    /// `name/level/K` (of levels), and the embedding `name/cohort`. `config.prior` is added to the logits of levels: at 0 a level's
    /// expert begins with a weight around ½.
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
    ) -> Result<HierarchicalExperts, ExpertError> {
        config.check(hierarchy.len(), tasks)?;
        let CohortConfig { globals: count, expert, gate, prior, .. } = config;
        let own = RoutedExperts::new(params, &format!("{name}/own"), inputs, hierarchy.len(), expert, seed)?;
        let globals = Experts::new(params, &format!("{name}/global"), inputs, *count, expert, seed)?;
        let embedding = config.embed(params, name, hierarchy, seed);
        let width = inputs + config.embedding;
        let mut gates = Vec::with_capacity(tasks);
        for k in 0..tasks {
            let of_globals = Gate::new(params, &format!("{name}/gate/{k}"), width, *count, gate, seed)?;
            let levels = format!("{name}/level/{k}");
            let levels = Linear::new(params, &levels, width, hierarchy.depth(), Activation::Identity, seed);
            gates.push((of_globals, levels));
        }
        let hierarchy = hierarchy.clone();
        Ok(HierarchicalExperts { own, globals, gates, embedding, hierarchy, prior: *prior })
    }

    /// Width of each task's output.
    pub fn outputs(&self) -> usize {
        self.own.outputs()
    }

    /// The cohorts' own experts, by cohort.
    pub fn own(&self) -> &RoutedExperts {
        &self.own
    }

    /// `x [n, in]` and the rows' cohorts to `[n, out]` for each task. Each row's cohort is the deepest it is known to belong to.
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
        assert!(cohorts.len() == n, "hierarchical experts: {} cohorts for {n} rows", cohorts.len());
        let (depth, globals) = (self.hierarchy.depth(), self.globals.count());
        let h = self.globals.forward(tape, params, x, mode);
        let mut parts = vec![(h, 0..globals)];
        let mut columns: Vec<Expert> = (0..globals as Expert).chain([NO_EXPERT].repeat(depth)).collect();
        columns = columns.repeat(n);
        for level in 0..depth {
            let of_row = |&c: &u32| self.hierarchy.ancestor(c, level).unwrap_or(NO_EXPERT);
            let experts: Vec<Expert> = cohorts.iter().map(of_row).collect();
            let y = self.own.forward(tape, params, x, &Routes::of(&experts), mode);
            parts.push((y, 0..1));
            for (row, &expert) in columns.chunks_exact_mut(globals + depth).zip(&experts) {
                if expert != NO_EXPERT {
                    row[globals + level] = globals as Expert + expert;
                }
            }
        }
        let read = gate_input(tape, params, x, self.embedding.as_ref(), cohorts);
        let start = tape.input_with(n, depth, |start| {
            for (row, &cohort) in start.chunks_exact_mut(depth).zip(cohorts) {
                for (level, start) in row.iter_mut().enumerate() {
                    let known = self.hierarchy.ancestor(cohort, level).is_some();
                    *start = F::of(if known { self.prior } else { MASKED });
                }
            }
        });
        let all = (0..globals as Expert).collect();
        let mut mixed = Mixed { outputs: vec![Outputs { x: h, experts: all }], ..Mixed::default() };
        for (k, (of_globals, of_levels)) in self.gates.iter().enumerate() {
            let Gated { gate, logits, load } = of_globals.forward(tape, params, read, None, mode);
            let levels = of_levels.forward(tape, params, read);
            let levels = tape.add(levels, start);
            let levels = tape.activate(levels, Activation::Sigmoid);
            let gate = tape.concat(&[gate, levels]);
            mixed.tasks.push(tape.mix_blocks(gate, &parts, self.outputs()));
            mixed.gates.push(GateUse::new(Some(k), Gated { gate, logits, load }, columns.clone()));
        }
        if mode.compares() {
            mixed.compared = Some(self.own.beside(tape, params, x, (h, globals)));
        }
        mixed
    }
}
