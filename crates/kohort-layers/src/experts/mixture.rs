//! Mixtures whose experts are all shared (Ma et al., KDD 2018): `z_k = Σ_e g_k(x)_e · f_e(x)`.
//!
//! **MMoE** has a gate for each task; with one gate for all tasks it is **OMoE**, or the plain mixture of experts. Towers on top are
//! the caller's.

use kohort_core::{Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use super::error::at_least_one;
use super::{Expert, ExpertConfig, ExpertError, Experts, Gate, GateConfig, GateUse, Mixed, Outputs};
use crate::Mode;

/// Shape of a [`Mixture`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixtureConfig {
    /// Number of experts.
    pub experts: usize,
    /// Their shape.
    pub expert: ExpertConfig,
    /// Habits of the gates.
    pub gate: GateConfig,
    /// One gate for all tasks (OMoE) instead of one for each (MMoE).
    pub one_gate: bool,
}

impl Default for MixtureConfig {
    fn default() -> Self {
        let (expert, gate) = (ExpertConfig::default(), GateConfig::default());
        MixtureConfig { experts: 8, expert, gate, one_gate: false }
    }
}

/// Shared experts under a gate for each task, or one for all.
#[derive(Clone, Debug)]
pub struct Mixture {
    experts: Experts,
    gates: Vec<Gate>,
    tasks: usize,
}

impl Mixture {
    /// Adds the experts under `name/experts` and the gates under `name/gate/K`, where `K` is the task's number.
    ///
    /// # Errors
    /// A setting that is not allowed, or no task.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        tasks: usize,
        config: &MixtureConfig,
        seed: u64,
    ) -> Result<Mixture, ExpertError> {
        at_least_one("tasks", tasks)?;
        let experts =
            Experts::new(params, &format!("{name}/experts"), inputs, config.experts, &config.expert, seed)?;
        let gates = (0..if config.one_gate { 1 } else { tasks })
            .map(|k| {
                Gate::new(params, &format!("{name}/gate/{k}"), inputs, config.experts, &config.gate, seed)
            })
            .collect::<Result<_, _>>()?;
        Ok(Mixture { experts, gates, tasks })
    }

    /// Width of each task's output.
    pub fn outputs(&self) -> usize {
        self.experts.outputs()
    }

    /// The experts.
    pub fn experts(&self) -> &Experts {
        &self.experts
    }

    /// `x [n, in]` to `[n, out]` for each task. With one gate all tasks get the same value.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var, mode: &mut Mode) -> Mixed {
        let count = self.experts.count();
        let all: Vec<Expert> = (0..count as Expert).collect();
        let h = self.experts.forward(tape, params, x, mode);
        let mut mixed = Mixed { outputs: vec![Outputs { x: h, experts: all.clone() }], ..Mixed::default() };
        for (k, gate) in self.gates.iter().enumerate() {
            let task = (self.gates.len() == self.tasks).then_some(k);
            let gated = gate.forward(tape, params, x, None, mode);
            mixed.tasks.push(tape.mix_blocks(gated.gate, &[(h, 0..count)], self.outputs()));
            mixed.gates.push(GateUse::new(task, gated, all.clone()));
        }
        mixed.tasks.resize(self.tasks, mixed.tasks[0]);
        mixed
    }
}
