//! Experts of each task's own beside shared ones (Tang et al., "Progressive layered extraction: a novel multi-task learning
//! model for personalized recommendations", RecSys 2020).
//!
//! One level is **CGC**: `z_k = g_k(x) · [own experts of k; shared experts]`, `g_k = softmax(x·W_k)`.
//! Several are **PLE**, with `x` below level 1 and, on level `j`:
//! `z_k^j = g_k^j(z_k^{j−1}) · [own(z_k^{j−1}); shared(z_s^{j−1})]`, and, on all but the last,
//! `z_s^j = g_s^j(z_s^{j−1}) · [all tasks' own experts; shared experts]`.

use std::ops::Range;

use kohort_core::{Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use super::error::at_least_one;
use super::{Expert, ExpertConfig, ExpertError, Experts, Gate, GateConfig, GateUse, Mixed, Outputs};
use crate::Mode;

/// Shape of a [`Ple`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PleConfig {
    /// Number of levels; one is CGC.
    pub levels: usize,
    /// Number of each task's own experts on each level.
    pub own: usize,
    /// Number of shared experts on each level.
    pub shared: usize,
    /// Shape of an expert.
    pub expert: ExpertConfig,
    /// Habits of the gates.
    pub gate: GateConfig,
}

impl Default for PleConfig {
    fn default() -> Self {
        let (expert, gate) = (ExpertConfig::default(), GateConfig::default());
        PleConfig { levels: 1, own: 2, shared: 2, expert, gate }
    }
}

/// Own and shared experts, level on level. The experts of a level are numbered task by task, the shared ones last, and on from level
/// to level.
#[derive(Clone, Debug)]
pub struct Ple {
    levels: Vec<Level>,
    tasks: usize,
    own: usize,
    shared: usize,
}

#[derive(Clone, Debug)]
struct Level {
    banks: Banks,
    gates: Vec<Gate>,
    /// None on the last level.
    shared_gate: Option<Gate>,
}

#[derive(Clone, Debug)]
enum Banks {
    /// The first level: all read the same input, so they are one wide network.
    One(Experts),
    /// Each task's own experts, then the shared ones.
    Each(Vec<Experts>),
}

impl Ple {
    /// Adds level `J`'s experts under `name/J/experts` (on higher levels `name/J/experts/K`, the shared ones under
    /// `name/J/experts/shared`) and its gates under `name/J/gate/K` and `name/J/gate/shared`.
    ///
    /// # Errors
    /// A setting that is not allowed, or no task.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        tasks: usize,
        config: &PleConfig,
        seed: u64,
    ) -> Result<Ple, ExpertError> {
        let PleConfig { levels: count, own, shared, expert, gate } = config;
        let (count, own, shared) = (*count, *own, *shared);
        for (field, value) in [("tasks", tasks), ("levels", count), ("own", own), ("shared", shared)] {
            at_least_one(field, value)?;
        }
        let mut levels = Vec::with_capacity(count);
        let mut width = inputs;
        for level in 0..count {
            let name = format!("{name}/{level}");
            let mut bank = |part: &str, experts: usize| {
                Experts::new(params, &format!("{name}/experts{part}"), width, experts, expert, seed)
            };
            let banks = if level == 0 {
                Banks::One(bank("", tasks * own + shared)?)
            } else {
                let each = (0..tasks).map(|k| bank(&format!("/{k}"), own)).collect::<Result<Vec<_>, _>>();
                let mut each = each?;
                each.push(bank("/shared", shared)?);
                Banks::Each(each)
            };
            let mut new_gate = |part: &str, experts: usize| {
                Gate::new(params, &format!("{name}/gate/{part}"), width, experts, gate, seed)
            };
            let gates =
                (0..tasks).map(|k| new_gate(&k.to_string(), own + shared)).collect::<Result<_, _>>()?;
            let last = level + 1 == count;
            let shared_gate = if last { None } else { Some(new_gate("shared", tasks * own + shared)?) };
            levels.push(Level { banks, gates, shared_gate });
            width = expert.outputs();
        }
        Ok(Ple { levels, tasks, own, shared })
    }

    /// Width of each task's output.
    pub fn outputs(&self) -> usize {
        match &self.levels[self.levels.len() - 1].banks {
            Banks::One(all) => all.outputs(),
            Banks::Each(each) => each[0].outputs(),
        }
    }

    /// `x [n, in]` to `[n, out]` for each task.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, x: Var, mode: &mut Mode) -> Mixed {
        let (tasks, own, shared) = (self.tasks, self.own, self.shared);
        let (mut mixed, mut inputs) = (Mixed::default(), vec![x; tasks + 1]);
        for (level, Level { banks, gates, shared_gate }) in self.levels.iter().enumerate() {
            let first = (level * (tasks * own + shared)) as Expert;
            // Where the experts of task `k` lie, the shared ones at `k = tasks`, and their numbers.
            let places: Vec<(Var, Range<usize>)> = match banks {
                Banks::One(all) => {
                    let h = all.forward(tape, params, x, mode);
                    let numbers = (first..).take(all.count()).collect();
                    mixed.outputs.push(Outputs { x: h, experts: numbers });
                    let range = |k: usize| k * own..k * own + if k == tasks { shared } else { own };
                    (0..=tasks).map(|k| (h, range(k))).collect()
                }
                Banks::Each(each) => {
                    let banks = each.iter().zip(&inputs).enumerate();
                    let place = |(k, (bank, &x)): (usize, (&Experts, &Var))| {
                        let h = bank.forward(tape, params, x, mode);
                        let numbers = (first + (k * own) as Expert..).take(bank.count()).collect();
                        mixed.outputs.push(Outputs { x: h, experts: numbers });
                        (h, 0..bank.count())
                    };
                    banks.map(place).collect()
                }
            };
            let numbers =
                |k: usize| (first + (k * own) as Expert..).take(if k == tasks { shared } else { own });
            let width = tape.shape(places[0].0).1 / if level == 0 { tasks * own + shared } else { own };
            let mut next = Vec::with_capacity(tasks + 1);
            for (k, gate) in gates.iter().enumerate() {
                let gated = gate.forward(tape, params, inputs[k], None, mode);
                let parts = [places[k].clone(), places[tasks].clone()];
                next.push(tape.mix_blocks(gated.gate, &parts, width));
                let experts = numbers(k).chain(numbers(tasks)).collect();
                mixed.gates.push(GateUse::new(Some(k), gated, experts));
            }
            if let Some(gate) = shared_gate {
                let gated = gate.forward(tape, params, inputs[tasks], None, mode);
                next.push(tape.mix_blocks(gated.gate, &places, width));
                let experts = (0..=tasks).flat_map(numbers).collect();
                mixed.gates.push(GateUse::new(None, gated, experts));
            }
            inputs = next;
        }
        mixed.tasks = inputs;
        mixed
    }
}
