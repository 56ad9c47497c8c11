//! The list of balancers, for configs. A system takes a [`BalancerConfig`] and knows no method by name.

use serde::{Deserialize, Serialize};

use super::{
    Balancer, Cagrad, CagradConfig, Dwa, DwaConfig, Equal, Fixed, Gap, GapConfig, GradNorm, GradNormConfig,
    GradVac, GradVacConfig, GroupDro, GroupDroConfig, HeadWeights, MetricConfig, MetricDriven, Mgda, NashMtl,
    Normaliser, Pcgrad, Rlw, Schedule, Scheduled, UncertaintyConfig, WithHeads, support,
};
use crate::ObjectiveError;

/// Any balancer, with its settings.
///
/// ```
/// use kohort_objectives::{BalancerConfig, CagradConfig, Seen};
///
/// // In TOML: `balancer = "equal"`, or `[balancer.cagrad]` with `c = 0.4`.
/// let config = BalancerConfig::Cagrad(CagradConfig { c: 0.4, ..CagradConfig::default() });
/// let mut balancer = config.build(2, 7)?;
/// let gram = [1.0, -0.5, -0.5, 4.0];
/// let seen = Seen { losses: &[0.9, 2.0], present: &[true, true], gram: Some(&gram), step: 0 };
/// assert_eq!(balancer.coefficients(seen).heads, [1.0, 1.0]);
/// # Ok::<(), kohort_objectives::ObjectiveError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BalancerConfig {
    /// [`Equal`].
    #[default]
    Equal,
    /// [`Fixed`], one weight per objective.
    Fixed(Vec<f64>),
    /// [`Uncertainty`](super::Uncertainty).
    Uncertainty(UncertaintyConfig),
    /// [`Dwa`].
    Dwa(DwaConfig),
    /// [`Rlw`].
    Rlw,
    /// [`GradNorm`].
    GradNorm(GradNormConfig),
    /// [`Pcgrad`].
    Pcgrad,
    /// [`GradVac`].
    GradVac(GradVacConfig),
    /// [`Cagrad`].
    Cagrad(CagradConfig),
    /// [`Mgda`].
    Mgda(Normaliser),
    /// [`NashMtl`].
    NashMtl,
    /// [`GroupDro`].
    GroupDro(GroupDroConfig),
    /// [`MetricDriven`].
    Metric(MetricConfig),
    /// [`Gap`].
    Gap(GapConfig),
    /// [`Scheduled`].
    Scheduled {
        /// Whose coefficients are multiplied.
        #[serde(default)]
        inner: Box<BalancerConfig>,
        /// One plan per objective.
        schedules: Vec<Schedule>,
    },
    /// [`WithHeads`].
    WithHeads {
        /// Who chooses the trunk's coefficients.
        inner: Box<BalancerConfig>,
        /// The heads'.
        heads: HeadWeights,
    },
}

impl BalancerConfig {
    /// A balancer for so many objectives; `seed` names the streams of those that draw.
    ///
    /// # Errors
    /// If a setting is out of range, or a list has not one entry per objective.
    pub fn build(&self, objectives: usize, seed: u64) -> Result<Box<dyn Balancer>, ObjectiveError> {
        Ok(match self {
            BalancerConfig::Equal => Box::new(Equal),
            BalancerConfig::Fixed(weights) => {
                support::length("fixed weights", weights.len(), objectives)?;
                Box::new(Fixed::new(weights.clone())?)
            }
            BalancerConfig::Uncertainty(config) => Box::new(config.build(objectives)?),
            BalancerConfig::Dwa(config) => Box::new(Dwa::new(objectives, *config)?),
            BalancerConfig::Rlw => Box::new(Rlw::new(seed)),
            BalancerConfig::GradNorm(config) => Box::new(GradNorm::new(objectives, config.clone())?),
            BalancerConfig::Pcgrad => Box::new(Pcgrad::new(seed)),
            BalancerConfig::GradVac(config) => Box::new(GradVac::new(objectives, *config, seed)?),
            BalancerConfig::Cagrad(config) => Box::new(Cagrad::new(*config)?),
            BalancerConfig::Mgda(normaliser) => Box::new(Mgda::new(*normaliser)),
            BalancerConfig::NashMtl => Box::new(NashMtl),
            BalancerConfig::GroupDro(config) => Box::new(GroupDro::new(objectives, config.clone())?),
            BalancerConfig::Metric(config) => Box::new(MetricDriven::new(objectives, config.clone())?),
            BalancerConfig::Gap(config) => Box::new(Gap::new(objectives, config.clone())?),
            BalancerConfig::Scheduled { inner, schedules } => {
                Box::new(Scheduled::over(inner.build(objectives, seed)?, objectives, schedules.clone())?)
            }
            BalancerConfig::WithHeads { inner, heads } => {
                Box::new(WithHeads::over(inner.build(objectives, seed)?, objectives, heads.clone())?)
            }
        })
    }
}
