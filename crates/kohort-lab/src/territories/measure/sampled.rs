//! Each held-out row beside sampled negatives of the user's territory: PR-AUC, nDCG@10, calibration.

use anyhow::Result;
use kohort_data::RankingCandidates;
use kohort_eval::UnitValues;
use kohort_eval::calibration::{Bins, calibration};
use kohort_eval::ranking::{
    CandidateLists, Candidates, Gain, PerUnit, RankingMetric, RankingProtocol, UNRATED,
};

use super::precision::Pool;
use super::{SAMPLED, What, Yardstick, undefined};
use crate::outcome::{Curve, Drawn, Number, Outcome, PerUser};
use crate::territories::systems::{Fitted, Probabilities};
use crate::territories::world::World;

/// Why a territory without held-out rows has no number.
pub(crate) const NO_POSITIVES: &str = "no positives in the test part";

/// Bins of the reliability curve: equally many candidates each, because only one in a hundred is a positive.
pub(crate) const BINS: Bins = Bins::EqualMass { bins: 15 };

pub(super) fn measure(yardstick: &Yardstick<'_>, fitted: &Fitted, seed: u64) -> Result<Outcome> {
    let Yardstick { world, what, .. } = *yardstick;
    let candidates = world.candidates(yardstick.negatives, seed)?;
    let scores = fitted.ranker.pairs(&candidates.user, &candidates.item);
    let mut outcome = Outcome::default();
    areas(&mut outcome, yardstick, &candidates, &scores);
    lists(&mut outcome, world, &candidates, &scores, what)?;
    if let Some(probabilities) = fitted.probabilities.filter(|_| what.calibration) {
        calibrated(&mut outcome, world, &candidates, &scores, probabilities)?;
    }
    Ok(outcome)
}

/// The span of candidates of each territory's users, as candidate numbers.
fn by_territory(world: &World, candidates: &RankingCandidates) -> Vec<Vec<usize>> {
    let mut own = vec![Vec::new(); world.territories.len()];
    for (at, &user) in candidates.user.iter().enumerate() {
        own[world.territories.of_user()[user as usize] as usize].push(at);
    }
    own
}

fn pick<T: Copy>(all: &[T], at: &[usize]) -> Vec<T> {
    at.iter().map(|&at| all[at]).collect()
}

/// PR-AUC of each territory, and of each group of several.
fn areas(outcome: &mut Outcome, yardstick: &Yardstick<'_>, candidates: &RankingCandidates, scores: &[f32]) {
    let Yardstick { world, what, .. } = *yardstick;
    let own = by_territory(world, candidates);
    let mut add = |cohort: &str, at: &[usize], territory: Option<usize>| {
        let positive = pick(&candidates.positive, at);
        let pool = Pool::new(&pick(&candidates.user, at), &pick(scores, at), &positive);
        outcome.counts.push((format!("{SAMPLED}: users, {cohort}"), pool.users() as f64));
        let Some(value) = pool.weighted(&vec![1; pool.users()]) else {
            outcome.undefined.push(undefined(SAMPLED, "area", cohort, "PR-AUC", NO_POSITIVES));
            return;
        };
        let prevalence = positive.iter().filter(|&&positive| positive).count() as f64 / at.len() as f64;
        let number = Number::new(SAMPLED, "area", "PR-AUC", value);
        outcome.numbers.push(number.of(cohort).between(Some(prevalence), Some(1.0)));
        let drawn = territory.filter(|_| what.draws > 0);
        if let Some(values) = drawn.and_then(|territory| pool.draws(what.draws, territory as u64)) {
            outcome.draws.push(Drawn {
                protocol: SAMPLED.to_owned(),
                cohort: Some(cohort.to_owned()),
                metric: "PR-AUC".to_owned(),
                values,
            });
        }
    };
    for (territory, name) in world.territories.names().iter().enumerate() {
        add(name, &own[territory], Some(territory));
    }
    for (group, members) in yardstick.groups {
        let mut at: Vec<usize> = members.iter().flat_map(|&member| own[member].iter().copied()).collect();
        at.sort_unstable();
        add(group, &at, None);
    }
}

/// nDCG@10 with a gain of 1 for the held-out row, as published; ties count their mean.
pub(super) fn protocol(candidates: Candidates) -> RankingProtocol {
    RankingProtocol { candidates, relevant_from: 1.0, gain: Gain::Binary, ..RankingProtocol::default() }
}

fn lists(
    outcome: &mut Outcome,
    world: &World,
    candidates: &RankingCandidates,
    scores: &[f32],
    what: What,
) -> Result<()> {
    let RankingCandidates { user, item, count, seed, .. } = candidates;
    let grades: Vec<f32> =
        candidates.positive.iter().map(|&positive| if positive { 1.0 } else { UNRATED }).collect();
    let lists = CandidateLists::sampled(user, item, &grades, *count, *seed)?;
    let protocol = protocol(Candidates::SampledNegatives { count: *count, seed: *seed });
    let found = lists.evaluate(&protocol, scores)?;
    let (floor, ceiling) = (lists.floor(&protocol)?, lists.ceiling(&protocol)?);
    by_users(outcome, world, SAMPLED, &found, &floor, &ceiling, what.per_user)
}

/// nDCG@10 of each territory from that of its users.
pub(super) fn by_users(
    outcome: &mut Outcome,
    world: &World,
    protocol: &str,
    found: &PerUnit,
    floor: &PerUnit,
    ceiling: &PerUnit,
    keep: bool,
) -> Result<()> {
    const METRIC: RankingMetric = RankingMetric::Ndcg;
    for (territory, name) in (0u32..).zip(world.territories.names()) {
        let lives = |user: &u32| world.territories.of_user()[*user as usize] == territory;
        let mean = |of: &PerUnit| -> Option<f64> {
            let own = of.units.iter().zip(of.values(METRIC)).filter(|(user, _)| lives(user));
            let values: Vec<f64> = own.filter_map(|(_, value)| *value).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let Some(value) = mean(found) else {
            let why = NO_POSITIVES;
            outcome.undefined.push(undefined(protocol, "ranking", name, NDCG, why));
            continue;
        };
        let number = Number::new(protocol, "ranking", NDCG, value);
        outcome.numbers.push(number.of(name).between(mean(floor), mean(ceiling)));
        if keep {
            let own = found.units.iter().zip(found.values(METRIC)).filter(|(user, _)| lives(user));
            let (units, values) = own.map(|(&user, &value)| (user, value)).unzip();
            outcome.per_user.push(PerUser {
                protocol: protocol.to_owned(),
                cohort: Some(name.clone()),
                metric: NDCG.to_owned(),
                values: UnitValues::new(units, values)?,
            });
        }
    }
    Ok(())
}

/// The ranking metric of tables.
pub(crate) const NDCG: &str = "NDCG@10";

/// Whether probabilities come true, before and after the shift from the training rate of positives to that of the
/// candidates.
fn calibrated(
    outcome: &mut Outcome,
    world: &World,
    candidates: &RankingCandidates,
    scores: &[f32],
    probabilities: Probabilities,
) -> Result<()> {
    let own = by_territory(world, candidates);
    for (when, shift) in
        [("before", 0.0), ("after", probabilities.shift(1.0 / (1.0 + f64::from(candidates.count)))?)]
    {
        let all: Vec<f32> = scores.iter().map(|&logit| sigmoid(f64::from(logit) + shift) as f32).collect();
        for (at, name) in own.iter().zip(world.territories.names()) {
            if at.is_empty() {
                for metric in ["ECE", "PCOC"] {
                    let metric = format!("{metric}, {when}");
                    outcome.undefined.push(undefined(SAMPLED, "calibration", name, &metric, NO_POSITIVES));
                }
                continue;
            }
            let found = calibration(&pick(&all, at), &pick(&candidates.positive, at), BINS)?;
            let mut push = |metric: &str, value: Option<f64>| {
                let number = |value| Number::new(SAMPLED, "calibration", format!("{metric}, {when}"), value);
                outcome.numbers.extend(value.map(|value| number(value).of(name)));
            };
            push("ECE", Some(found.ece));
            push("PCOC", found.pcoc);
        }
        let found = calibration(&all, &candidates.positive, BINS)?;
        let points = found.curve.iter().map(|point| (point.predicted, point.observed)).collect();
        outcome.curves.push(Curve { name: format!("reliability, {when}"), points });
    }
    Ok(())
}

pub(super) fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
