//! The result of a ranking evaluation: every unit's values, their means and counts.

use super::list::{Facts, Values};
use super::protocol::RankingProtocol;
use crate::error::Result;
use crate::units::UnitValues;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The metrics of a ranked list, all cut at the protocol's k.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankingMetric {
    /// Relevant candidates in the list over k or min(k, n).
    Precision,
    /// Relevant candidates in the list over the relevant ones.
    Recall,
    /// Discounted gain of the list over that of the best list.
    Ndcg,
    /// 1 if the list has a relevant candidate.
    Hit,
    /// One over the position of the first relevant candidate, 0 if the list has none.
    Mrr,
}

impl RankingMetric {
    /// All of them, in the order reports print them.
    pub const ALL: [Self; 5] = [Self::Precision, Self::Recall, Self::Ndcg, Self::Hit, Self::Mrr];

    /// The usual short name, without the cut-off.
    pub fn name(self) -> &'static str {
        match self {
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Ndcg => "ndcg",
            Self::Hit => "hit",
            Self::Mrr => "mrr",
        }
    }
}

impl fmt::Display for RankingMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Every unit's metrics under one protocol. All vectors are `[units]`, in ascending order of the unit's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerUnit {
    /// The protocol these numbers belong to.
    pub protocol: RankingProtocol,
    /// Ids, ascending.
    pub units: Vec<u32>,
    /// Candidates of each unit.
    pub candidates: Vec<u32>,
    /// Relevant candidates of each unit.
    pub relevant: Vec<u32>,
    /// Precision at k, `None` for skipped units (as in the other metrics).
    pub precision: Vec<Option<f64>>,
    /// Recall at k.
    pub recall: Vec<Option<f64>>,
    /// NDCG at k.
    pub ndcg: Vec<Option<f64>>,
    /// Hit at k (with averaged ties: its probability).
    pub hit: Vec<Option<f64>>,
    /// Reciprocal rank at k.
    pub mrr: Vec<Option<f64>>,
}

/// Means over the evaluated units, with the counts that belong beside them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankingSummary {
    /// Units with candidates.
    pub units: usize,
    /// Units that entered the means.
    pub evaluated: usize,
    /// Units without a relevant candidate: skipped or zero, as the protocol says.
    pub without_relevant: usize,
    /// Mean candidates per unit.
    pub mean_candidates: f64,
    /// Mean precision; `None` when no unit was evaluated (as in the other metrics).
    pub precision: Option<f64>,
    /// Mean recall.
    pub recall: Option<f64>,
    /// Mean NDCG.
    pub ndcg: Option<f64>,
    /// Share of units with a hit.
    pub hit: Option<f64>,
    /// Mean reciprocal rank.
    pub mrr: Option<f64>,
}

impl PerUnit {
    pub(super) fn collect(
        protocol: &RankingProtocol,
        units: &[u32],
        measured: impl IntoIterator<Item = (Facts, Option<Values>)>,
    ) -> Self {
        let mut all = Self {
            protocol: protocol.clone(),
            units: units.to_vec(),
            candidates: Vec::with_capacity(units.len()),
            relevant: Vec::with_capacity(units.len()),
            precision: Vec::with_capacity(units.len()),
            recall: Vec::with_capacity(units.len()),
            ndcg: Vec::with_capacity(units.len()),
            hit: Vec::with_capacity(units.len()),
            mrr: Vec::with_capacity(units.len()),
        };
        for (facts, values) in measured {
            all.candidates.push(facts.candidates as u32);
            all.relevant.push(facts.relevant as u32);
            all.precision.push(values.map(|v| v.precision));
            all.recall.push(values.map(|v| v.recall));
            all.ndcg.push(values.map(|v| v.ndcg));
            all.hit.push(values.map(|v| v.hit));
            all.mrr.push(values.map(|v| v.mrr));
        }
        all
    }

    /// One metric of every unit, `[units]`.
    pub fn values(&self, metric: RankingMetric) -> &[Option<f64>] {
        match metric {
            RankingMetric::Precision => &self.precision,
            RankingMetric::Recall => &self.recall,
            RankingMetric::Ndcg => &self.ndcg,
            RankingMetric::Hit => &self.hit,
            RankingMetric::Mrr => &self.mrr,
        }
    }

    /// Mean of one metric over the units where it is defined.
    pub fn mean(&self, metric: RankingMetric) -> Option<f64> {
        crate::units::mean(self.values(metric).iter().flatten().copied())
    }

    /// One metric with the units' ids, for paired tests.
    ///
    /// # Errors
    /// None for results of this crate; a deserialised or edited value is checked again.
    pub fn unit_values(&self, metric: RankingMetric) -> Result<UnitValues> {
        UnitValues::new(self.units.clone(), self.values(metric).to_vec())
    }

    /// Means and counts.
    pub fn summary(&self) -> RankingSummary {
        let units = self.units.len();
        let candidates: u64 = self.candidates.iter().map(|&n| u64::from(n)).sum();
        RankingSummary {
            units,
            evaluated: self.precision.iter().flatten().count(),
            without_relevant: self.relevant.iter().filter(|&&n| n == 0).count(),
            mean_candidates: candidates as f64 / units.max(1) as f64,
            precision: self.mean(RankingMetric::Precision),
            recall: self.mean(RankingMetric::Recall),
            ndcg: self.mean(RankingMetric::Ndcg),
            hit: self.mean(RankingMetric::Hit),
            mrr: self.mean(RankingMetric::Mrr),
        }
    }

    /// Unit-wise mean of several runs over the same units, added in the order given.
    pub(super) fn average(runs: &[Self]) -> Option<Self> {
        let mut all = runs.first()?.clone();
        let mean = |metric: RankingMetric, unit: usize| {
            runs.iter()
                .map(|run| run.values(metric)[unit])
                .sum::<Option<f64>>()
                .map(|sum| sum / runs.len() as f64)
        };
        for unit in 0..all.units.len() {
            all.precision[unit] = mean(RankingMetric::Precision, unit);
            all.recall[unit] = mean(RankingMetric::Recall, unit);
            all.ndcg[unit] = mean(RankingMetric::Ndcg, unit);
            all.hit[unit] = mean(RankingMetric::Hit, unit);
            all.mrr[unit] = mean(RankingMetric::Mrr, unit);
        }
        Some(all)
    }
}
