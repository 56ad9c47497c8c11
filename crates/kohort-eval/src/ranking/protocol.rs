//! What a ranking number means, as a value.

use crate::error::{Result, setting};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Everything that changes a top-k number besides the scores. Numbers with different protocols are not comparable.
///
/// The default is the field's most common reading of "P@10 on held-out ratings": relevant from 4, division by k,
/// units without a relevant item left out, ties averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankingProtocol {
    /// What is ranked.
    pub candidates: Candidates,
    /// Whose lists these are.
    pub unit: Unit,
    /// Length of the list that counts, at least 1.
    pub k: usize,
    /// A candidate whose grade is at least this is relevant.
    pub relevant_from: f32,
    /// What precision divides by.
    pub precision: PrecisionDenominator,
    /// What recall divides by.
    pub recall: RecallDenominator,
    /// What happens to units without a relevant candidate.
    pub without_relevant: WithoutRelevant,
    /// In which order tied candidates stand.
    pub ties: Ties,
    /// What NDCG adds up.
    pub gain: Gain,
}

impl Default for RankingProtocol {
    fn default() -> Self {
        Self {
            candidates: Candidates::HeldOutRated,
            unit: Unit::User,
            k: 10,
            relevant_from: 4.0,
            precision: PrecisionDenominator::K,
            recall: RecallDenominator::AllRelevant,
            without_relevant: WithoutRelevant::Skip,
            ties: Ties::Average,
            gain: Gain::Exponential,
        }
    }
}

impl RankingProtocol {
    pub(super) fn check(&self) -> Result<()> {
        setting("k", self.k, "at least 1", self.k >= 1)?;
        setting("relevant_from", self.relevant_from, "a finite number", self.relevant_from.is_finite())
    }
}

/// The set of items that a unit's list is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Candidates {
    /// Only the items the unit rated in the held-out part. Easy: a random order scores high, so print the floor.
    HeldOutRated,
    /// The held-out items and a sample of items the unit never rated. Such numbers can rank models differently from
    /// the whole catalogue (Krichene and Rendle, "On sampled metrics for item recommendation", KDD 2020).
    SampledNegatives {
        /// Unrated items added for each unit.
        count: u32,
        /// Seed of the sample.
        seed: u64,
    },
    /// Every item except those excluded for the unit (usually its training items).
    WholeCatalogue,
}

/// Whose list is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One list per user.
    User,
    /// One list per group of users.
    Group,
}

/// What the hits are divided by to give precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrecisionDenominator {
    /// `k`, also for units with fewer candidates.
    K,
    /// `min(k, n)` with `n` the unit's candidates.
    MinKN,
}

/// What the hits are divided by to give recall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecallDenominator {
    /// All relevant candidates of the unit.
    AllRelevant,
    /// `min(k, relevant candidates)`: "capped recall", which reaches 1 for every unit.
    MinKRelevant,
}

/// What happens to a unit that has no relevant candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutRelevant {
    /// Its metrics are undefined and it does not enter the means.
    Skip,
    /// Its metrics are zero and it does.
    Zero,
}

/// How candidates with equal scores are ordered. No rule lets the order of the input decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The exact expectation over all orders of the tied candidates.
    Average,
    /// One random order, the same for the same seed, unit and items.
    Random {
        /// Seed of the order.
        seed: u64,
    },
    /// The worst order: irrelevant before relevant.
    Pessimistic,
}

/// The gain of a candidate in NDCG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gain {
    /// 1 for relevant candidates, 0 for others.
    Binary,
    /// The grade itself, whether relevant or not.
    Linear,
    /// `2^grade − 1`, whether relevant or not.
    Exponential,
}

/// The protocol as one sentence.
impl fmt::Display for RankingProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { k, relevant_from, .. } = self;
        let unit = match self.unit {
            Unit::User => "user",
            Unit::Group => "group",
        };
        write!(f, "Top {k} of ")?;
        match self.candidates {
            Candidates::HeldOutRated => write!(f, "each {unit}'s held-out rated items")?,
            Candidates::SampledNegatives { count, seed } => {
                write!(f, "each {unit}'s held-out items and {count} sampled unrated items (seed {seed})")?;
            }
            Candidates::WholeCatalogue => write!(f, "the whole catalogue for each {unit}")?,
        }
        write!(f, ", relevant from grade {relevant_from}; precision over ")?;
        match self.precision {
            PrecisionDenominator::K => write!(f, "{k}")?,
            PrecisionDenominator::MinKN => write!(f, "min({k}, candidates)")?,
        }
        write!(f, ", recall over ")?;
        match self.recall {
            RecallDenominator::AllRelevant => write!(f, "all relevant")?,
            RecallDenominator::MinKRelevant => write!(f, "min({k}, relevant)")?,
        }
        let gain = match self.gain {
            Gain::Binary => "binary gain",
            Gain::Linear => "the grade as gain",
            Gain::Exponential => "gain 2^grade − 1",
        };
        write!(f, ", NDCG with {gain}; ties ")?;
        match self.ties {
            Ties::Average => write!(f, "averaged over all orders")?,
            Ties::Random { seed } => write!(f, "in random order (seed {seed})")?,
            Ties::Pessimistic => write!(f, "with irrelevant items first")?,
        }
        match self.without_relevant {
            WithoutRelevant::Skip => write!(f, "; {unit}s without a relevant item left out"),
            WithoutRelevant::Zero => write!(f, "; {unit}s without a relevant item count as 0"),
        }
    }
}
