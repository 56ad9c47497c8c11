//! Adapters of each level of a hierarchy, summed: `y[n] = act(x[n]·W + b + Σ_l s_l·(x[n]·A_{c_l})·B_{c_l})`, where `c_l` is what row n's
//! cohort lies within at level l.
//!
//! What stages of a region have in common is learned by the region's adapter, from all its rows. A row of an unknown stage has
//! the region's adapter, one of an unknown region none. A level may have a rank of its own: more rows, more rank.

use kohort_core::{Adapted, Params, Real, Tape, Var};

use super::{AdapterError, BaseLayer, CohortLora, LoraConfig};
use crate::{Hierarchy, Linear, Mode, Segments};

/// A dense layer with an adapter for each cohort of each level.
#[derive(Clone, Debug)]
pub struct HierarchicalLora {
    levels: Vec<CohortLora>,
    tree: Hierarchy,
}

impl HierarchicalLora {
    /// On a dense layer, with an adapter for every cohort of `tree`, under `NAME/level/LEVEL`. `ranks` holds each level's rank,
    /// the outermost first; all else is the config's.
    ///
    /// # Errors
    /// A rank that is missing or any setting that is out of range.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        linear: &Linear,
        tree: &Hierarchy,
        config: &LoraConfig,
        ranks: &[usize],
        seed: u64,
    ) -> Result<HierarchicalLora, AdapterError> {
        let base = BaseLayer::of(params, linear);
        if ranks.is_empty() || ranks.len() != tree.depth() {
            return Err(AdapterError::Setting {
                layer: base.name,
                field: "ranks",
                value: format!("a list of {}", ranks.len()),
                allowed: format!(
                    "one for each of the tree's {} levels, of which there is one at least",
                    tree.depth()
                ),
            });
        }
        let mut levels = Vec::with_capacity(ranks.len());
        for (level, &rank) in ranks.iter().enumerate() {
            let base = BaseLayer { name: format!("{}/level/{level}", base.name), ..base.clone() };
            let mut lora = CohortLora::on(params, base, &LoraConfig { rank, ..*config }, seed)?;
            for cohort in tree.at_level(level) {
                lora.add(params, cohort)?;
            }
            levels.push(lora);
        }
        Ok(HierarchicalLora { levels, tree: tree.clone() })
    }

    /// Adds a cohort within `parent`, or on the outermost level, with an adapter that changes nothing yet: its rows start as their
    /// parent's. Gives its number. Optimisers have to [grow](kohort_core::optim::Optimizer::grow).
    ///
    /// # Errors
    /// A parent that is not there, or below which there is no level with a rank.
    pub fn add<F: Real>(&mut self, params: &mut Params<F>, parent: Option<u32>) -> Result<u32, AdapterError> {
        let refused = |value: u32, allowed: String| AdapterError::Setting {
            layer: self.levels[0].base().name.clone(),
            field: "parent",
            value: value.to_string(),
            allowed,
        };
        let mut tree = self.tree.clone();
        let cohort = tree
            .add(parent)
            .map_err(|error| refused(error.parent, format!("a cohort below {}", error.cohort)))?;
        let level = tree.level(cohort);
        if level >= self.levels.len() {
            let allowed = format!("a cohort above the last of {} levels", self.levels.len());
            return Err(refused(parent.unwrap_or_default(), allowed));
        }
        self.levels[level].add(params, cohort)?;
        self.tree = tree;
        Ok(cohort)
    }

    /// The cohorts that it has adapters for.
    pub fn tree(&self) -> &Hierarchy {
        &self.tree
    }

    /// The adapters of one level.
    pub fn level(&self, level: usize) -> &CohortLora {
        &self.levels[level]
    }

    /// The adapters of one level, to add to or take from.
    pub fn level_mut(&mut self, level: usize) -> &mut CohortLora {
        &mut self.levels[level]
    }

    /// Runs of rows by level, from the rows' cohorts. The same for every layer, so made once.
    pub fn segments(&self, cohorts: &[u32]) -> Vec<Segments> {
        let level = |level| Segments::at_level(cohorts.iter().copied(), &self.tree, level);
        (0..self.levels.len()).map(level).collect()
    }

    /// `[n, in]` to `[n, out]`; `segments` are [`HierarchicalLora::segments`].
    ///
    /// # Panics
    /// If `segments` is not one for each level.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        segments: &[Segments],
        mode: &mut Mode,
    ) -> Var {
        assert_eq!(segments.len(), self.levels.len(), "hierarchical lora: one list of segments a level");
        let adapters: Vec<_> = self.levels.iter().zip(segments).map(|(l, s)| l.adapters(s)).collect();
        let adapted: Vec<Adapted<'_>> = segments
            .iter()
            .zip(&adapters)
            .map(|(segments, adapters)| Adapted { offsets: &segments.offsets, adapters })
            .collect();
        let Some(first) = self.levels.first() else { panic!("hierarchical lora: a tree without cohorts") };
        let h = mode.dropout(tape, x, first.config().dropout);
        tape.low_rank(params, x, h, first.base().block, first.base().act, &adapted)
    }
}
