//! Cohorts' experts chosen by what a row does instead of by its cohort: `z_k = Σ_e g_k,e·f_e(x)`, `g_k` a sparse gate over the
//! cohorts' and the global experts that reads behaviour, say the mean of the last items, and no cohort.
//!
//! The experts are those of a [`CohortExperts`]: trained with cohorts, they serve rows whose cohort is not known at inference, or
//! both ways may be trained together. A cohort's expert that no row of a shard chooses costs nothing and gets no gradient. A row without
//! behaviour is served by the global experts.

use kohort_core::{Params, Real, Tape, Var};

use super::error::{at_least_one, require};
use super::{
    CohortExperts, Expert, ExpertError, Experts, Gate, GateConfig, GateUse, MASKED, Mixed, Outputs,
    RoutedExperts,
};
use crate::Mode;

/// Gates that choose cohorts' experts by behaviour. Experts are numbered as in [`CohortExperts`]: global ones first.
#[derive(Clone, Debug)]
pub struct DynamicExperts {
    own: RoutedExperts,
    globals: Experts,
    gates: Vec<Gate>,
}

impl DynamicExperts {
    /// Adds gates `name/gate/K` that read `behaviour` columns, over the experts that `cohorts` made. The columns are the cohorts'
    /// experts, then the global ones.
    ///
    /// # Errors
    /// No task, or a gate that is dense or not allowed: a dense gate would compute every cohort's expert for every row, which
    /// [`SoftCohortExperts`](super::SoftCohortExperts) does faster.
    pub fn over<F: Real>(
        cohorts: &CohortExperts,
        params: &mut Params<F>,
        name: &str,
        behaviour: usize,
        tasks: usize,
        gate: &GateConfig,
        seed: u64,
    ) -> Result<DynamicExperts, ExpertError> {
        at_least_one("tasks", tasks)?;
        require(gate.routing.k().is_some(), "routing", "dense", "top-k or noisy top-k")?;
        let (own, globals) = (cohorts.own().clone(), cohorts.globals().clone());
        let columns = own.count() + globals.count();
        let gates = (0..tasks)
            .map(|k| Gate::new(params, &format!("{name}/gate/{k}"), behaviour, columns, gate, seed))
            .collect::<Result<_, _>>()?;
        Ok(DynamicExperts { own, globals, gates })
    }

    /// `x [n, in]` and `behaviour [n, d]` to `[n, out]` for each task. Rows for which `known` is false have no behaviour.
    ///
    /// # Panics
    /// If `known` is not as long as there are rows.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        (x, behaviour): (Var, Var),
        known: &[bool],
        mode: &mut Mode,
    ) -> Mixed {
        let n = tape.shape(x).0;
        assert!(known.len() == n, "dynamic experts: {} flags for {n} rows", known.len());
        let (own, globals) = (self.own.count(), self.globals.count());
        let h = self.globals.forward(tape, params, x, mode);
        let prior = tape.input_with(n, own + globals, |prior| {
            for (row, _) in prior.chunks_exact_mut(own + globals).zip(known).filter(|(_, known)| !**known) {
                row[..own].fill(F::of(MASKED));
            }
        });
        let numbers = (globals..globals + own).chain(0..globals).map(|e| e as Expert);
        let columns: Vec<Expert> = numbers.collect();
        let all = (0..globals as Expert).collect();
        let mut mixed = Mixed { outputs: vec![Outputs { x: h, experts: all }], ..Mixed::default() };
        for (k, gate) in self.gates.iter().enumerate() {
            let gated = gate.forward(tape, params, behaviour, Some(prior), mode);
            let of_cohorts = self.own.weighed(tape, params, x, gated.gate, mode);
            let of_globals = tape.columns(gated.gate, own, globals);
            let of_globals = tape.mix_blocks(of_globals, &[(h, 0..globals)], self.globals.outputs());
            mixed.tasks.push(tape.add(of_cohorts, of_globals));
            mixed.gates.push(GateUse::new(Some(k), gated, columns.clone()));
        }
        if mode.compares() {
            mixed.compared = Some(self.own.beside(tape, params, x, (h, globals)));
        }
        mixed
    }
}
