//! Experts of each cohort's own beside global ones: by hard mapping, by a gate over all of them, or level by level of a
//! hierarchy. A row of a cohort without training rows falls back to the cohort it lies within, and then to the global experts.

use kohort_core::{Params, Tape, Var};
use kohort_layers::Mode;
use kohort_layers::experts::{
    CohortConfig, CohortExperts, DynamicExperts, GateConfig, HierarchicalExperts, SoftCohortExperts,
};
use serde::{Deserialize, Serialize};

use super::balance::{self, Penalty};
use super::{About, Learns, Represent, Represented, Sizes};
use crate::ModelError;

/// Cohorts' experts that a row's behaviour chooses. A row whose behaviour is a vector of zeros has shown none, and is served by the
/// global experts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BehaviourConfig {
    /// The experts; their own gates are not used.
    pub experts: CohortConfig,
    /// The gate that reads the column [`Config::gate`](crate::multitask::Config::gate) names; it has to be sparse.
    pub gate: GateConfig,
}

#[derive(Clone, Debug)]
enum Layer {
    Hard(CohortExperts),
    Soft(SoftCohortExperts),
    Levels(HierarchicalExperts),
    Behaviour(DynamicExperts, usize),
}

/// Experts of cohorts.
#[derive(Clone, Debug)]
pub(super) struct OwnExperts {
    layer: Layer,
    names: Vec<String>,
    penalties: Vec<Penalty>,
}

/// Global experts first, then one a cohort.
fn names(globals: usize, sizes: Sizes<'_>) -> Vec<String> {
    let own = (0..sizes.hierarchy.len()).map(|cohort| format!("own {cohort}"));
    (1..=globals).map(|expert| format!("global {expert}")).chain(own).collect()
}

impl OwnExperts {
    pub(super) fn hard(
        params: &mut Params,
        config: &CohortConfig,
        sizes: Sizes<'_>,
        penalties: &[Penalty],
        seed: u64,
    ) -> Result<OwnExperts, ModelError> {
        let (inputs, tasks) = (sizes.inputs, sizes.tasks.len());
        let layer = CohortExperts::new(params, "experts", inputs, sizes.hierarchy, tasks, config, seed)?;
        let names = names(config.globals, sizes);
        Ok(OwnExperts { layer: Layer::Hard(layer), names, penalties: penalties.to_vec() })
    }

    pub(super) fn soft(
        params: &mut Params,
        config: &CohortConfig,
        sizes: Sizes<'_>,
        penalties: &[Penalty],
        seed: u64,
    ) -> Result<OwnExperts, ModelError> {
        let (inputs, tasks) = (sizes.inputs, sizes.tasks.len());
        let layer = SoftCohortExperts::new(params, "experts", inputs, sizes.hierarchy, tasks, config, seed)?;
        let names = names(config.globals, sizes);
        Ok(OwnExperts { layer: Layer::Soft(layer), names, penalties: penalties.to_vec() })
    }

    pub(super) fn behaviour(
        params: &mut Params,
        config: &BehaviourConfig,
        sizes: Sizes<'_>,
        penalties: &[Penalty],
        seed: u64,
    ) -> Result<OwnExperts, ModelError> {
        let (inputs, tasks) = (sizes.inputs, sizes.tasks.len());
        let Some(width) = sizes.gate else {
            let what = "body.behaviour-experts: gate names no column to read behaviour from";
            return Err(ModelError::Config(what.to_owned()));
        };
        let own =
            CohortExperts::new(params, "experts", inputs, sizes.hierarchy, tasks, &config.experts, seed)?;
        let layer = DynamicExperts::over(&own, params, "behaviour", width, tasks, &config.gate, seed)?;
        let names = names(config.experts.globals, sizes);
        let layer = Layer::Behaviour(layer, own.outputs());
        Ok(OwnExperts { layer, names, penalties: penalties.to_vec() })
    }

    pub(super) fn levels(
        params: &mut Params,
        config: &CohortConfig,
        sizes: Sizes<'_>,
        penalties: &[Penalty],
        seed: u64,
    ) -> Result<OwnExperts, ModelError> {
        let (inputs, tasks) = (sizes.inputs, sizes.tasks.len());
        let layer =
            HierarchicalExperts::new(params, "experts", inputs, sizes.hierarchy, tasks, config, seed)?;
        let names = names(config.globals, sizes);
        Ok(OwnExperts { layer: Layer::Levels(layer), names, penalties: penalties.to_vec() })
    }
}

impl Represent for OwnExperts {
    fn width(&self) -> usize {
        match &self.layer {
            Layer::Hard(layer) => layer.outputs(),
            Layer::Soft(layer) => layer.outputs(),
            Layer::Levels(layer) => layer.outputs(),
            Layer::Behaviour(_, outputs) => *outputs,
        }
    }

    /// Unless a penalty looks at how cohorts are spread, for which a shard has to hold several.
    fn by_cohort(&self) -> bool {
        self.penalties.is_empty()
    }

    /// By hard mapping an expert meets only the rows that name its cohort; the others share along the path, or with all.
    fn learns(&self) -> Learns {
        if matches!(self.layer, Layer::Hard(_)) { Learns::Itself } else { Learns::Within }
    }

    fn experts(&self) -> &[String] {
        &self.names
    }

    /// Of a soft mapping every row reaches every expert.
    fn keeps_rows_apart(&self) -> bool {
        !matches!(self.layer, Layer::Soft(_))
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
            Layer::Hard(layer) => layer.forward(tape, params, x, about.cohorts, mode),
            Layer::Soft(layer) => layer.forward(tape, params, x, about.cohorts, mode),
            Layer::Levels(layer) => layer.forward(tape, params, x, about.cohorts, mode),
            Layer::Behaviour(layer, _) => {
                let Some((gate, known)) = &about.gate else {
                    unreachable!("checked when the body was built")
                };
                layer.forward(tape, params, (x, *gate), known, mode)
            }
        };
        let penalty = balance::total(tape, params, &self.penalties, &mixed, about);
        Represented { penalty, mixed }
    }
}
