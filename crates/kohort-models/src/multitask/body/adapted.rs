//! A trained shared bottom whose layers low-rank adapters change for each cohort: `W_c = W + s·A_c·B_c`, in all their forms.
//!
//! The base stays frozen, so nothing below the first adapted layer is computed backward. A row of a cohort without an adapter
//! is the base's.

use kohort_core::{Params, Tape, Var};
use kohort_layers::experts::Mixed;
use kohort_layers::lora::{
    BasisLora, CohortLora, HierarchicalLora, InstanceConfig, InstanceGate, InstanceLora, LoraConfig, LoraMlp,
};
use kohort_layers::{Hierarchy, Mlp, Mode, Segments};
use serde::{Deserialize, Serialize};

use super::{About, Represent, Represented};
use crate::ModelError;

/// Which adapters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterKind {
    /// One for each cohort; factors may be shared, as the config says.
    Cohort(LoraConfig),
    /// One for each cohort of each level, summed along a row's path; the same rank on all levels.
    Hierarchical(LoraConfig),
    /// A few for all, of which each cohort learns a mixture.
    Basis {
        /// Their shape.
        lora: LoraConfig,
        /// How many.
        members: usize,
    },
    /// A few for all, mixed for each row by a gate (iLoRA). The gate reads the column that
    /// [`Config::gate`](crate::multitask::Config::gate) names, or the encoded row without one.
    Instance(InstanceConfig),
}

/// The adapters of all layers.
#[derive(Clone, Debug)]
pub(in crate::multitask) enum Adapters {
    Cohort(LoraMlp<CohortLora>),
    Hierarchical(LoraMlp<HierarchicalLora>),
    Basis(LoraMlp<BasisLora>),
    Instance(LoraMlp<InstanceLora>, InstanceGate),
}

/// A stack with adapters.
#[derive(Clone, Debug)]
pub(in crate::multitask) struct Adapted {
    adapters: Adapters,
    width: usize,
    tasks: usize,
}

impl Adapted {
    /// Adds adapters on every layer of `stack`, whose rows are `inputs` wide; `gate` is the width of what a gate reads.
    pub(in crate::multitask) fn new(
        params: &mut Params,
        kind: &AdapterKind,
        stack: &Mlp,
        hierarchy: &Hierarchy,
        (width, tasks, gate): (usize, usize, usize),
        seed: u64,
    ) -> Result<Adapted, ModelError> {
        let cohorts = 0..hierarchy.len() as u32;
        let adapters = match kind {
            AdapterKind::Cohort(lora) => {
                let mut layers = LoraMlp::new(params, stack, lora, seed)?;
                for cohort in cohorts {
                    layers.add(params, cohort)?;
                }
                Adapters::Cohort(layers)
            }
            AdapterKind::Hierarchical(lora) => {
                let ranks = vec![lora.rank; hierarchy.depth()];
                Adapters::Hierarchical(LoraMlp::hierarchical(params, stack, hierarchy, lora, &ranks, seed)?)
            }
            AdapterKind::Basis { lora, members } => {
                let mut layers = LoraMlp::basis(params, stack, lora, *members, seed)?;
                for cohort in cohorts {
                    layers.add(params, cohort)?;
                }
                Adapters::Basis(layers)
            }
            AdapterKind::Instance(instance) => {
                let layers = LoraMlp::instance(params, stack, instance, seed)?;
                let gate = InstanceGate::new(params, "adapter gate", (gate, instance.count), None, seed)?;
                Adapters::Instance(layers, gate)
            }
        };
        Ok(Adapted { adapters, width, tasks })
    }
}

impl Represent for Adapted {
    fn width(&self) -> usize {
        self.width
    }

    fn by_cohort(&self) -> bool {
        !matches!(self.adapters, Adapters::Instance(..))
    }

    fn adapters(&self) -> Option<&Adapters> {
        Some(&self.adapters)
    }

    fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        about: &About<'_>,
        mode: &mut Mode,
    ) -> Represented {
        let segments = || Segments::of(about.cohorts.iter().copied());
        let z = match &self.adapters {
            Adapters::Cohort(layers) => layers.forward(tape, params, x, &segments(), mode),
            Adapters::Hierarchical(layers) => layers.forward(tape, params, x, about.cohorts, mode),
            Adapters::Basis(layers) => layers.forward(tape, params, x, &segments(), mode),
            Adapters::Instance(layers, gate) => {
                let weights = gate.forward(tape, params, about.gate.as_ref().map_or(x, |(read, _)| *read));
                layers.forward(tape, params, x, weights, mode)
            }
        };
        let mixed = Mixed { tasks: vec![z; self.tasks], ..Mixed::default() };
        Represented { mixed, penalty: None }
    }
}
