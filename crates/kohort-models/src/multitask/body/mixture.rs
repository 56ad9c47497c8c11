//! Shared experts: MoE and OMoE with one gate, MMoE with a gate for each task, and PLE with experts of a task's own.

use kohort_core::{Params, Tape, Var};
use kohort_layers::Mode;
use kohort_layers::experts::{Mixture, MixtureConfig, Ple, PleConfig};

use super::balance::{self, Penalty};
use super::{About, Represent, Represented, Sizes};
use crate::ModelError;

#[derive(Clone, Debug)]
enum Layer {
    Mixture(Mixture),
    Ple(Ple),
}

/// Experts that know tasks and no cohort.
#[derive(Clone, Debug)]
pub(super) struct TaskExperts {
    layer: Layer,
    names: Vec<String>,
    penalties: Vec<Penalty>,
}

impl TaskExperts {
    pub(super) fn mixture(
        params: &mut Params,
        config: &MixtureConfig,
        sizes: Sizes<'_>,
        penalties: &[Penalty],
        seed: u64,
    ) -> Result<TaskExperts, ModelError> {
        let layer = Mixture::new(params, "experts", sizes.inputs, sizes.tasks.len(), config, seed)?;
        let names = (1..=config.experts).map(|expert| format!("expert {expert}")).collect();
        Ok(TaskExperts { layer: Layer::Mixture(layer), names, penalties: penalties.to_vec() })
    }

    pub(super) fn ple(
        params: &mut Params,
        config: &PleConfig,
        sizes: Sizes<'_>,
        penalties: &[Penalty],
        seed: u64,
    ) -> Result<TaskExperts, ModelError> {
        let layer = Ple::new(params, "experts", sizes.inputs, sizes.tasks.len(), config, seed)?;
        let mut names = Vec::new();
        for level in 1..=config.levels {
            let at = if config.levels > 1 { format!("level {level}, ") } else { String::new() };
            for task in sizes.tasks {
                names.extend((1..=config.own).map(|expert| format!("{at}{task} {expert}")));
            }
            names.extend((1..=config.shared).map(|expert| format!("{at}shared {expert}")));
        }
        Ok(TaskExperts { layer: Layer::Ple(layer), names, penalties: penalties.to_vec() })
    }
}

impl Represent for TaskExperts {
    fn width(&self) -> usize {
        match &self.layer {
            Layer::Mixture(layer) => layer.outputs(),
            Layer::Ple(layer) => layer.outputs(),
        }
    }

    fn experts(&self) -> &[String] {
        &self.names
    }

    fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        about: &About<'_>,
        mode: &mut Mode,
    ) -> Represented {
        let mixed = match &self.layer {
            Layer::Mixture(layer) => layer.forward(tape, params, x, mode),
            Layer::Ple(layer) => layer.forward(tape, params, x, mode),
        };
        let penalty = balance::total(tape, params, &self.penalties, &mixed, about);
        Represented { penalty, mixed }
    }
}
