//! What a system gains over another on the same splits: by task and cohort, paired over the seeds.
//!
//! A gain is the system's metric less the other's (the other's less the system's where less is better), one a seed, because
//! a seed's split is the same for all systems. The interval is Student's over the seeds; p is that of a paired t-test,
//! corrected after Holm over the cohorts of a task. With five seeds only large and steady gains are found: "no
//! difference found" is not "no difference".

use anyhow::Result;
use kohort_eval::interval::{Alternative, holm, paired_t_test, seed_interval};
use kohort_report::Row;

use super::measure::{MEAN, TEST, WORST, higher_is_better};
use crate::grid::{Finished, Key};

/// A gain on one metric of one task in one cohort.
#[derive(Clone, Debug)]
pub(crate) struct Gain {
    pub(crate) key: Key,
    pub(crate) task: String,
    /// Absent for all rows together.
    pub(crate) cohort: Option<String>,
    pub(crate) metric: String,
    /// One a seed.
    pub(crate) per_seed: Vec<f64>,
    /// Two-sided, corrected over the cohorts of the task.
    pub(crate) p: Option<f64>,
}

/// Below this p a gain counts.
pub(crate) const SIGNIFICANT: f64 = 0.05;

impl Gain {
    /// Mean over the seeds.
    pub(crate) fn mean(&self) -> f64 {
        self.per_seed.iter().sum::<f64>() / self.per_seed.len() as f64
    }

    /// Student's interval over the seeds.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        let spread = seed_interval(&self.per_seed, 0.95).ok()?.interval;
        Some((spread.low, spread.high))
    }

    /// Whether it is about one cohort.
    pub(crate) fn of_one_cohort(&self) -> bool {
        self.cohort.as_deref().is_some_and(|cohort| cohort != MEAN && cohort != WORST)
    }

    /// 1 for a sure gain, -1 for a sure loss, 0 where neither is found.
    pub(crate) fn sign(&self) -> i32 {
        match self.p {
            Some(p) if p < SIGNIFICANT => self.mean().signum() as i32,
            _ => 0,
        }
    }

    /// As a row whose protocol says over whom.
    pub(crate) fn row(&self, over: &str) -> Row {
        let mut row = Row::new(&self.key.experiment, &self.key.dataset, format!("gain in {}", self.metric))
            .protocol(over)
            .system(&self.key.title)
            .task(&self.task)
            .seeds(self.per_seed.len() as u32)
            .mean(self.mean());
        row.cohort.clone_from(&self.cohort);
        if let Some((low, high)) = self.interval() {
            row = row.interval(low, high);
        }
        if let Some(p) = self.p {
            row = row.p_value(p);
        }
        row
    }
}

/// All gains over the system named `other`, in the order of the cells.
pub(crate) fn over(cells: &[&Finished], other: &str) -> Result<Vec<Gain>> {
    let mut gains: Vec<Gain> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.key.system != other) {
        let Key { experiment, dataset, split, seed, .. } = &cell.key;
        let same = |base: &&&Finished| {
            base.key.system == other
                && (&base.key.experiment, &base.key.dataset, &base.key.split, &base.key.seed)
                    == (experiment, dataset, split, seed)
        };
        let Some(base) = cells.iter().find(same) else { continue };
        for number in cell.outcome.numbers.iter().filter(|number| number.protocol == TEST) {
            let theirs = base.outcome.numbers.iter().find(|base| {
                (&base.protocol, &base.task, &base.cohort, &base.metric)
                    == (&number.protocol, &number.task, &number.cohort, &number.metric)
            });
            let Some(theirs) = theirs else { continue };
            let sign = if higher_is_better(&number.metric) { 1.0 } else { -1.0 };
            let gain = sign * (number.value - theirs.value);
            let about = |known: &&mut Gain| {
                (&known.key.experiment, &known.key.dataset, &known.key.system)
                    == (experiment, dataset, &cell.key.system)
                    && (&known.task, &known.cohort, &known.metric)
                        == (&number.task, &number.cohort, &number.metric)
            };
            match gains.iter_mut().find(about) {
                Some(known) => known.per_seed.push(gain),
                None => gains.push(Gain {
                    key: cell.key.clone(),
                    task: number.task.clone(),
                    cohort: number.cohort.clone(),
                    metric: number.metric.clone(),
                    per_seed: vec![gain],
                    p: None,
                }),
            }
        }
    }
    for gain in &mut gains {
        gain.p = paired_t_test(&gain.per_seed, Alternative::TwoSided).ok().map(|test| test.p);
    }
    correct(&mut gains)?;
    Ok(gains)
}

/// Holm's correction over the cohorts of one system, task and metric.
fn correct(gains: &mut [Gain]) -> Result<()> {
    let family = |gain: &Gain| {
        let Key { experiment, dataset, system, .. } = &gain.key;
        (experiment.clone(), dataset.clone(), system.clone(), gain.task.clone(), gain.metric.clone())
    };
    let mut done: Vec<_> = Vec::new();
    for at in 0..gains.len() {
        let name = family(&gains[at]);
        if !gains[at].of_one_cohort() || done.contains(&name) {
            continue;
        }
        let own: Vec<usize> = (at..gains.len())
            .filter(|&n| gains[n].of_one_cohort() && gains[n].p.is_some() && family(&gains[n]) == name)
            .collect();
        let p: Vec<f64> = own.iter().filter_map(|&n| gains[n].p).collect();
        if !p.is_empty() {
            for (n, corrected) in own.into_iter().zip(holm(&p)?) {
                gains[n].p = Some(corrected);
            }
        }
        done.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Number, Outcome};

    fn run(system: &str, seed: u64, values: &[(&str, f64)]) -> Finished {
        let key = Key {
            experiment: "e".into(),
            dataset: "d".into(),
            split: "s".into(),
            seed,
            system: system.into(),
            title: system.into(),
            variant: None,
        };
        let numbers =
            values.iter().map(|(cohort, value)| Number::new(TEST, "task", "RMSE", *value).of(cohort));
        let outcome = Outcome { numbers: numbers.collect(), ..Outcome::default() };
        Finished { key, fingerprint: String::new(), seconds: 0.0, outcome }
    }

    #[test]
    fn a_lower_error_is_a_gain_paired_by_seed_and_corrected_over_cohorts() {
        let runs = [
            run("base", 0, &[("a", 1.0), ("b", 1.0), (MEAN, 1.0)]),
            run("base", 1, &[("a", 3.0), ("b", 2.0), (MEAN, 2.5)]),
            run("base", 2, &[("a", 2.0), ("b", 3.0), (MEAN, 2.5)]),
            run("ours", 0, &[("a", 0.9), ("b", 1.1), (MEAN, 1.0)]),
            run("ours", 1, &[("a", 2.89), ("b", 1.8), (MEAN, 2.4)]),
            run("ours", 2, &[("a", 1.91), ("b", 3.1), (MEAN, 2.5)]),
        ];
        let cells: Vec<&Finished> = runs.iter().collect();
        let found = over(&cells, "base").unwrap();
        assert_eq!(found.len(), 3);
        assert!((found[0].mean() - 0.1).abs() < 1e-12 && found[0].sign() == 1);
        assert_eq!(found[1].sign(), 0, "a gain whose sign changes from seed to seed is none");
        let alone = paired_t_test(&found[0].per_seed, Alternative::TwoSided).unwrap().p;
        assert!((found[0].p.unwrap() - 2.0 * alone).abs() < 1e-12, "two cohorts, not three");
    }
}
