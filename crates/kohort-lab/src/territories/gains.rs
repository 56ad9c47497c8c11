//! PR-AUC over the baseline's, in per cent, and how sure that is.
//!
//! Two answers, kept apart. **Over users**: sample n of a territory's users is the same for both systems and all seeds
//! ([`Drawn`](crate::outcome::Drawn)); on each the PR-AUC of both is averaged over the seeds and compared. The interval is
//! between the 2.5 % and 97.5 % quantiles of these gains, p is twice the smaller share of samples on one side of no gain (the
//! data counted as one more), and Holm's correction runs over the territories of a system. **Over seeds**: Student's
//! interval of the gains of single seeds. Where nothing is resampled (planted data, new users for each seed) p is that of
//! a paired t-test over the seeds.

use std::collections::BTreeMap;

use anyhow::Result;
use kohort_eval::binary::RelativeGain;
use kohort_eval::interval::{Alternative, holm, paired_t_test, seed_interval};
use kohort_report::Row;

use crate::grid::{Finished, Key};

/// A system's gain in a territory, or on the mean over territories.
#[derive(Clone, Debug)]
pub(crate) struct Gain {
    pub(crate) key: Key,
    pub(crate) protocol: String,
    pub(crate) cohort: Option<String>,
    /// Per cent, one a seed.
    pub(crate) per_seed: Vec<f64>,
    /// Ends of the interval over users, per cent.
    pub(crate) over_users: Option<(f64, f64)>,
    /// Two-sided; corrected over territories after Holm.
    pub(crate) p: Option<f64>,
}

/// Name of the metric in rows.
pub(crate) const GAIN: &str = "PR-AUC gain";
/// Name of the same rows with the interval over seeds.
pub(crate) const GAIN_SEEDS: &str = "PR-AUC gain, interval over seeds";
const METRIC: &str = "PR-AUC";

impl Gain {
    /// Mean over the seeds, per cent.
    pub(crate) fn mean(&self) -> f64 {
        self.per_seed.iter().sum::<f64>() / self.per_seed.len() as f64
    }

    /// Student's interval of the mean over the seeds.
    pub(crate) fn over_seeds(&self) -> Option<(f64, f64)> {
        let spread = seed_interval(&self.per_seed, 0.95).ok()?.interval;
        Some((spread.low, spread.high))
    }

    /// Over users where there is one, else over seeds.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        self.over_users.or_else(|| self.over_seeds())
    }

    fn row(&self, metric: &str, interval: Option<(f64, f64)>) -> Row {
        let mut row = Row::new(&self.key.experiment, &self.key.dataset, metric)
            .protocol(&self.protocol)
            .system(&self.key.title)
            .task("gain")
            .seeds(self.per_seed.len() as u32)
            .mean(self.mean());
        row.variant.clone_from(&self.key.variant);
        row.cohort.clone_from(&self.cohort);
        if let Some((low, high)) = interval {
            row = row.interval(low, high);
        }
        row
    }

    /// The gain with the interval over users, and again with that over seeds where both exist.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut first = self.row(GAIN, self.interval());
        if let Some(p) = self.p {
            first = first.p_value(p);
        }
        let mut rows = vec![first];
        rows.extend(self.over_users.map(|_| self.row(GAIN_SEEDS, self.over_seeds())));
        rows
    }
}

/// All gains over the system that `is_baseline` knows, in the order of the cells.
pub(crate) fn gains(cells: &[&Finished], is_baseline: &dyn Fn(&Key) -> bool) -> Result<Vec<Gain>> {
    let mut systems: Vec<(&Key, Vec<&Finished>)> = Vec::new();
    for &cell in cells {
        let same = |key: &Key| {
            (&key.experiment, &key.dataset, &key.split, &key.system, &key.variant)
                == (
                    &cell.key.experiment,
                    &cell.key.dataset,
                    &cell.key.split,
                    &cell.key.system,
                    &cell.key.variant,
                )
        };
        match systems.iter_mut().find(|(key, _)| same(key)) {
            Some((_, runs)) => runs.push(cell),
            None => systems.push((&cell.key, vec![cell])),
        }
    }
    let mut all = Vec::new();
    for (key, runs) in &systems {
        let baseline = systems.iter().find(|(other, _)| {
            is_baseline(other)
                && (&other.experiment, &other.dataset, &other.split)
                    == (&key.experiment, &key.dataset, &key.split)
        });
        let Some((other, before)) = baseline.filter(|_| !is_baseline(key)) else { continue };
        debug_assert!(other.dataset == key.dataset);
        // A seed that failed for one of the two is left out for both.
        let pairs: Vec<(&Finished, &Finished)> = runs
            .iter()
            .filter_map(|run| Some((*run, *before.iter().find(|cell| cell.key.seed == run.key.seed)?)))
            .collect();
        all.extend(of_system(key, &pairs)?);
    }
    Ok(all)
}

fn of_system(key: &Key, pairs: &[(&Finished, &Finished)]) -> Result<Vec<Gain>> {
    let mut cohorts: Vec<(&str, Option<&str>)> = Vec::new();
    for number in pairs.iter().flat_map(|(ours, _)| &ours.outcome.numbers) {
        let about = (number.protocol.as_str(), number.cohort.as_deref());
        if number.metric == METRIC && !cohorts.contains(&about) {
            cohorts.push(about);
        }
    }
    let mut gains: Vec<Gain> = Vec::new();
    for (protocol, cohort) in cohorts {
        let value = |cell: &Finished| {
            let numbers = cell.outcome.numbers.iter();
            let mut own = numbers
                .filter(|n| n.metric == METRIC && n.protocol == protocol && n.cohort.as_deref() == cohort);
            own.next().map(|number| number.value)
        };
        let values: Vec<(f64, f64)> =
            pairs.iter().filter_map(|(ours, theirs)| Some((value(ours)?, value(theirs)?))).collect();
        let per_seed: Vec<f64> = values
            .iter()
            .filter_map(|&(ours, theirs)| {
                RelativeGain { model: Some(ours), baseline: Some(theirs), prevalence: 0.0 }.percent()
            })
            .collect();
        if per_seed.is_empty() {
            continue;
        }
        let resampled = resampled(pairs, protocol, cohort);
        let p = match &resampled {
            Some((_, p)) => Some(*p),
            None => {
                let differences: Vec<f64> = values.iter().map(|(ours, theirs)| ours - theirs).collect();
                paired_t_test(&differences, Alternative::TwoSided).ok().map(|test| test.p)
            }
        };
        gains.push(Gain {
            key: key.clone(),
            protocol: protocol.to_owned(),
            cohort: cohort.map(str::to_owned),
            per_seed,
            over_users: resampled.map(|(interval, _)| interval),
            p,
        });
    }
    // Groups of territories repeat their members' users: only what was resampled by territory is a family.
    let family: Vec<usize> = (0..gains.len())
        .filter(|&at| gains[at].cohort.is_some() && gains[at].over_users.is_some() && gains[at].p.is_some())
        .collect();
    let p: Vec<f64> = family.iter().filter_map(|&at| gains[at].p).collect();
    if !p.is_empty() {
        for (at, corrected) in family.into_iter().zip(holm(&p)?) {
            gains[at].p = Some(corrected);
        }
    }
    Ok(gains)
}

/// Interval and p of the gain over samples of users; the mean over territories is resampled within each of them.
fn resampled(
    pairs: &[(&Finished, &Finished)],
    protocol: &str,
    cohort: Option<&str>,
) -> Option<((f64, f64), f64)> {
    let sums = |pick: fn(&(&Finished, &Finished)) -> Vec<crate::outcome::Drawn>| {
        let mut sums: BTreeMap<String, (Vec<f64>, usize)> = BTreeMap::new();
        for pair in pairs {
            for drawn in pick(pair) {
                let name = drawn.cohort.clone().unwrap_or_default();
                if drawn.metric != METRIC || drawn.protocol != protocol || cohort.is_some_and(|c| c != name) {
                    continue;
                }
                let (sum, seeds) = sums.entry(name).or_insert_with(|| (vec![0.0; drawn.values.len()], 0));
                sum.iter_mut().zip(&drawn.values).for_each(|(sum, &value)| *sum += f64::from(value));
                *seeds += 1;
            }
        }
        sums
    };
    let ours = sums(|pair| pair.0.outcome.draws.clone());
    let theirs = sums(|pair| pair.1.outcome.draws.clone());
    if ours.is_empty() || !ours.keys().eq(theirs.keys()) {
        return None;
    }
    let complete =
        |sums: &BTreeMap<String, (Vec<f64>, usize)>| sums.values().all(|(_, seeds)| *seeds == pairs.len());
    if !complete(&ours) || !complete(&theirs) {
        return None;
    }
    let total = |sums: &BTreeMap<String, (Vec<f64>, usize)>, draw: usize| -> f64 {
        sums.values().map(|(sum, _)| sum[draw]).sum()
    };
    let draws = ours.values().chain(theirs.values()).map(|(sum, _)| sum.len()).min()?;
    let mut gains: Vec<f64> = (0..draws)
        .map(|draw| (total(&ours, draw), total(&theirs, draw)))
        .filter(|(_, theirs)| *theirs > 0.0)
        .map(|(ours, theirs)| 100.0 * (ours / theirs - 1.0))
        .collect();
    gains.sort_unstable_by(f64::total_cmp);
    let last = gains.len().checked_sub(1)?;
    let quantile = |share: f64| {
        let place = share * last as f64;
        let below = place.floor() as usize;
        gains[below] + (gains[(below + 1).min(last)] - gains[below]) * (place - below as f64)
    };
    let share = |count: usize| (count + 1) as f64 / (gains.len() + 1) as f64;
    let losses = share(gains.iter().filter(|&&gain| gain <= 0.0).count());
    let wins = share(gains.iter().filter(|&&gain| gain >= 0.0).count());
    Some(((quantile(0.025), quantile(0.975)), (2.0 * losses.min(wins)).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Drawn, Number, Outcome};

    fn run(system: &str, seed: u64, values: [(&str, f64, &[f32]); 2]) -> Finished {
        let mut outcome = Outcome::default();
        for (market, value, draws) in values {
            outcome.numbers.push(Number::new("sampled", "area", METRIC, value).of(market));
            outcome.draws.push(Drawn {
                protocol: "sampled".into(),
                cohort: Some(market.into()),
                metric: METRIC.into(),
                values: draws.to_vec(),
            });
        }
        let key = Key {
            experiment: "markets".into(),
            dataset: "d".into(),
            split: "s".into(),
            seed,
            system: system.into(),
            title: system.into(),
            variant: None,
        };
        Finished { key, fingerprint: String::new(), seconds: 0.0, outcome }
    }

    #[test]
    fn a_gain_is_over_the_baseline_of_its_seed_and_users_are_resampled_for_both() {
        let up: Vec<f32> = (0..99).map(|n| 0.22 + 0.0001 * n as f32).collect();
        let base: Vec<f32> = (0..99).map(|n| 0.20 + 0.0001 * n as f32).collect();
        let mixed: Vec<f32> = (0..99).map(|n| if n % 2 == 0 { 0.19 } else { 0.21 }).collect();
        let flat = vec![0.2f32; 99];
        let runs = [
            run("base", 0, [("in", 0.2, &base), ("jp", 0.2, &flat)]),
            run("ours", 0, [("in", 0.22, &up), ("jp", 0.2, &mixed)]),
            run("base", 1, [("in", 0.2, &base), ("jp", 0.2, &flat)]),
            run("ours", 1, [("in", 0.23, &up), ("jp", 0.2, &mixed)]),
        ];
        let cells: Vec<&Finished> = runs.iter().collect();
        let found = gains(&cells, &|key| key.system == "base").unwrap();
        assert_eq!(found.len(), 2, "the baseline has no gain over itself");
        assert!((found[0].per_seed[0] - 10.0).abs() < 1e-9 && (found[0].mean() - 12.5).abs() < 1e-9);
        let (low, high) = found[0].over_users.unwrap();
        assert!(low > 9.0 && high < 10.1 && low < high);
        // 1 of 100 on the other side, two-sided, times the two markets.
        assert!((found[0].p.unwrap() - 0.04).abs() < 1e-12);
        assert!(found[1].p.unwrap() > 0.9);
    }
}
