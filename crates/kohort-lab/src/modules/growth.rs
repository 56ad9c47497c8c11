//! What grows as the tasks of the synthetic experiment part: quartiles over data sets, what each model loses, and the claims
//! about MMoE.
//!
//! With `e(model, p)` the error on a data set at cosine `p`, a claim is about `(e(other, .5) − e(MMoE, .5)) − (e(other, 1) − e(MMoE, 1))`,
//! paired by data set. A few fits get stuck and carry a mean, so there is one claim about the mean, which the paper plots,
//! with Student's interval, and one about the median, with the interval that order statistics give whatever the distribution.

use kohort_eval::interval::{Alternative, median_interval, paired_t_test, quantile, seed_interval};
use kohort_report::{Row, Verdict};

use super::correlation::{self, ERROR, MODELS, PUBLISHED, Settings, dataset, variant};
use super::verdict::{CLAIMS, SEEDS};
use crate::grid::Finished;

/// Metrics of the errors' quartiles over data sets.
pub(crate) const QUARTILES: [(&str, f64); 3] =
    [("lower quartile", 0.25), ("median", 0.5), ("upper quartile", 0.75)];

/// What is said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statistic {
    Mean,
    Median,
}

/// Claims about MMoE: the model that it is compared with, of what, and the claim in words.
pub(crate) const GROWS: [(usize, Statistic, &str); 4] = [
    (0, Statistic::Mean, "growth of MMoE's advantage over the shared bottom, mean"),
    (0, Statistic::Median, "growth of MMoE's advantage over the shared bottom, median"),
    (1, Statistic::Mean, "growth of MMoE's advantage over OMoE, mean"),
    (1, Statistic::Median, "growth of MMoE's advantage over OMoE, median"),
];
/// Position of MMoE among the models.
const MMOE: usize = 2;

/// What is told without a verdict.
pub(crate) const LOST: &str = "error at cosine 0.5 less that at cosine 1, mean";
pub(crate) const LEVEL: &str = "OMoE's error less MMoE's at cosine 1, mean";

/// The rows that summaries over seeds don't have.
pub(super) fn rows(cells: &[&Finished], settings: &Settings) -> Vec<Row> {
    let mut rows = Vec::new();
    for &steepness in &settings.steepness {
        for reading in settings.readings() {
            let found = Errors { cells, dataset: dataset(steepness), reading };
            for &cosine in &settings.cosines {
                rows.extend((0..MODELS.len()).flat_map(|model| found.quartiles(model, cosine)));
            }
            rows.extend((0..MODELS.len()).filter_map(|model| {
                let differences = found.paired(|of| Some(of(model, PUBLISHED.0)? - of(model, PUBLISHED.1)?));
                found.told(LOST, MODELS[model].1, &differences)
            }));
            let level = found.paired(|of| Some(of(1, PUBLISHED.1)? - of(MMOE, PUBLISHED.1)?));
            rows.extend(found.told(LEVEL, MODELS[MMOE].1, &level));
            for claim in GROWS {
                rows.extend(found.judged(claim));
            }
        }
    }
    rows
}

/// Protocol of what is told without a verdict.
pub(crate) const TOLD: &str = "told";

/// A difference by data set, and how many of the report's seeds they come from.
struct Differences {
    values: Vec<f64>,
    seeds: u32,
}

/// How many different seeds there are.
fn distinct(seeds: impl Iterator<Item = u64>) -> u32 {
    seeds.collect::<std::collections::BTreeSet<u64>>().len() as u32
}

/// The errors of one reading on one kind of data.
struct Errors<'a> {
    cells: &'a [&'a Finished],
    dataset: String,
    reading: String,
}

impl Errors<'_> {
    /// The errors of a model, in the order of the cells: the cell's seed, the data set's, and the error.
    fn of(&self, model: usize, cosine: f64) -> Vec<(u64, f64, f64)> {
        let (system, variant) = (MODELS[model].0, variant(cosine));
        let own = self.cells.iter().filter(|cell| {
            let key = &cell.key;
            key.experiment == correlation::NAME
                && key.dataset == self.dataset
                && key.system == system
                && key.variant.as_deref() == Some(&variant)
        });
        let curves = own.filter_map(|cell| Some((cell.key.seed, cell.outcome.curve(&self.reading)?)));
        curves
            .flat_map(|(seed, curve)| curve.points.iter().map(move |&(set, error)| (seed, set, error)))
            .collect()
    }

    /// A difference for each data set that has all of its errors.
    fn paired(&self, difference: impl Fn(&dyn Fn(usize, f64) -> Option<f64>) -> Option<f64>) -> Differences {
        let one = |set: f64| {
            difference(&|model, cosine| {
                self.of(model, cosine).into_iter().find(|&(_, own, _)| own == set).map(|(.., error)| error)
            })
        };
        let sets = self.of(MMOE, PUBLISHED.1).into_iter();
        let found: Vec<(u64, f64)> = sets.filter_map(|(seed, set, _)| Some((seed, one(set)?))).collect();
        let seeds = distinct(found.iter().map(|(seed, _)| *seed));
        Differences { values: found.into_iter().map(|(_, value)| value).collect(), seeds }
    }

    fn row(&self, metric: &str, system: &str, protocol: &str, seeds: u32) -> Row {
        Row::new(correlation::NAME, &self.dataset, metric)
            .system(system)
            .task("both")
            .seeds(seeds)
            .variant(&self.reading)
            .protocol(protocol)
    }

    fn quartiles(&self, model: usize, cosine: f64) -> Vec<Row> {
        let found = self.of(model, cosine);
        let seeds = distinct(found.iter().map(|(seed, ..)| *seed));
        let mut errors: Vec<f64> = found.into_iter().map(|(.., error)| error).collect();
        errors.sort_unstable_by(f64::total_cmp);
        let row = |(name, share): (&str, f64)| {
            let row = self.row(&format!("{ERROR}, {name}"), MODELS[model].1, &self.reading, seeds);
            Some(row.variant(variant(cosine)).mean(quantile(&errors, share)?))
        };
        QUARTILES.into_iter().filter_map(row).collect()
    }

    /// A mean with its interval and no verdict.
    fn told(&self, metric: &str, system: &str, differences: &Differences) -> Option<Row> {
        let (mean, interval) = estimate(Statistic::Mean, &differences.values)?;
        let row = self.row(metric, system, TOLD, differences.seeds).mean(mean);
        let mut row = interval.map_or(row.clone(), |(low, high)| row.interval(low, high));
        row.reason = Some(format!("over {} data sets", differences.values.len()));
        Some(row)
    }

    fn judged(&self, (other, statistic, claim): (usize, Statistic, &str)) -> Option<Row> {
        let growth = self.paired(|of| {
            let advantage = |cosine: f64| Some(of(other, cosine)? - of(MMOE, cosine)?);
            Some(advantage(PUBLISHED.0)? - advantage(PUBLISHED.1)?)
        });
        let grows = &growth.values;
        let (found, interval) = estimate(statistic, grows)?;
        let mut row = self.row(claim, MODELS[MMOE].1, CLAIMS, growth.seeds).mean(found);
        if let Some((low, high)) = interval {
            row = row.interval(low, high);
        }
        if let (Statistic::Mean, Ok(test)) = (statistic, paired_t_test(grows, Alternative::TwoSided)) {
            row = row.p_value(test.p);
        }
        let verdict = match interval {
            Some((low, _)) if growth.seeds >= SEEDS && low > 0.0 => Verdict::Reproduced,
            Some(_) if growth.seeds >= SEEDS => Verdict::NotReproduced,
            _ => Verdict::NotComparable,
        };
        let (low, high) = PUBLISHED;
        let reason = format!(
            "{}: cosine {low} against {high} over {} data sets; published as curves only",
            self.reading,
            grows.len()
        );
        Some(row.verdict(verdict, reason))
    }
}

/// A mean or a median and, where there are enough values, its 95 % interval.
fn estimate(statistic: Statistic, values: &[f64]) -> Option<(f64, Option<(f64, f64)>)> {
    match statistic {
        Statistic::Mean if values.is_empty() => None,
        Statistic::Mean => {
            let interval = seed_interval(values, 0.95).ok().map(|spread| spread.interval);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            Some((mean, interval.map(|interval| (interval.low, interval.high))))
        }
        Statistic::Median => {
            let mut sorted = values.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            let interval = median_interval(values, 0.95).ok().flatten();
            Some((quantile(&sorted, 0.5)?, interval.map(|interval| (interval.low, interval.high))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Key;
    use crate::modules::settings::Settings as All;
    use crate::outcome::{Curve, Outcome};

    fn settings() -> Settings {
        Settings {
            cosines: vec![0.5, 1.0],
            steepness: vec![1.0],
            marks: Vec::new(),
            ..All::read().unwrap().correlation
        }
    }

    /// Cells of two data sets a seed with these errors by model, cosine and data set.
    fn planted(seeds: u64, error: impl Fn(&str, f64, usize) -> f64) -> Vec<Finished> {
        let mut cells = Vec::new();
        for cosine in settings().cosines {
            for (name, title) in MODELS {
                for seed in 0..seeds {
                    let point = |run: u64| {
                        let at = 2 * seed + run;
                        (at as f64, error(name, cosine, at as usize))
                    };
                    let curve = Curve { name: correlation::STOPPED.into(), points: vec![point(0), point(1)] };
                    let key = Key {
                        experiment: correlation::NAME.into(),
                        dataset: dataset(1.0),
                        split: "60-20-20".into(),
                        seed,
                        system: name.into(),
                        title: title.into(),
                        variant: Some(variant(cosine)),
                    };
                    let outcome = Outcome { curves: vec![curve], ..Outcome::default() };
                    cells.push(Finished { key, fingerprint: String::new(), seconds: 0.0, outcome });
                }
            }
        }
        cells
    }

    fn judged(cells: &[Finished]) -> Vec<(Option<f64>, Option<Verdict>)> {
        let cells: Vec<&Finished> = cells.iter().collect();
        let rows = rows(&cells, &settings());
        let claims = GROWS.iter().map(|(.., claim)| {
            let row = rows.iter().find(|row| row.metric == *claim).unwrap();
            (row.mean, row.verdict)
        });
        claims.collect()
    }

    /// Data sets differ in how hard they are, which pairing takes out, and a little in what a model loses.
    fn base(at: usize) -> f64 {
        at as f64 + 0.001 * (at % 3) as f64
    }

    #[test]
    fn growth_is_reproduced_where_it_is_and_not_where_it_is_not() {
        let lose = |name: &str, cosine: f64, at: usize| match name {
            "shared-bottom" => base(at) + 0.2 * (1.0 - cosine) * (1.0 + 0.1 * (at % 4) as f64),
            "omoe" => base(at) + 0.01 * (at % 2) as f64 * (1.0 - cosine) - 0.01 * (1.0 - cosine),
            _ => base(at),
        };
        let found = judged(&planted(5, lose));
        let verdicts: Vec<_> = found.iter().map(|(_, verdict)| verdict.unwrap()).collect();
        let (yes, no) = (Verdict::Reproduced, Verdict::NotReproduced);
        assert_eq!(verdicts, [yes, yes, no, no]);
        // 0.1, and a hundredth times 0, 1, 2 and 3 in turn, whose mean over ten data sets is 1.3.
        assert!((found[0].0.unwrap() - 0.113).abs() < 1e-9, "{found:?}");
        // Fewer than five seeds are not judged, whatever they say; nor a fifth that lacks one of its cells.
        let unjudged =
            |cells: &[Finished]| judged(cells).iter().all(|(_, v)| *v == Some(Verdict::NotComparable));
        assert!(unjudged(&planted(4, lose)));
        let mut cells = planted(5, lose);
        cells.retain(|cell| {
            cell.key.seed < 4 || cell.key.system != "mmoe" || cell.key.variant != Some(variant(0.5))
        });
        assert!(unjudged(&cells));
    }

    #[test]
    fn a_stuck_fit_hides_growth_from_the_mean_and_not_from_the_median() {
        let lose = |name: &str, cosine: f64, at: usize| match name {
            "shared-bottom" if at == 3 && cosine == 1.0 => 9.0,
            "shared-bottom" => 0.2 * (1.0 - cosine),
            _ => 0.0,
        };
        let found = judged(&planted(5, lose));
        assert_eq!(found[0].1, Some(Verdict::NotReproduced));
        assert_eq!(found[1], (Some(0.1), Some(Verdict::Reproduced)));
    }

    #[test]
    fn what_models_lose_is_told_without_a_verdict() {
        let cells = planted(5, |name, cosine, at| base(at) + if name == "omoe" { 1.0 - cosine } else { 0.0 });
        let cells: Vec<&Finished> = cells.iter().collect();
        let rows = rows(&cells, &settings());
        let named =
            |metric: &str| rows.iter().filter(|row| row.metric == metric).cloned().collect::<Vec<Row>>();
        assert!(named(GROWS[2].2)[0].reason.as_deref().unwrap().contains("10 data sets"));
        let lost: Vec<_> = named(LOST).iter().map(|row| (row.mean.unwrap(), row.verdict)).collect();
        assert_eq!(lost, [(0.0, None), (0.5, None), (0.0, None)]);
        assert_eq!(named(LEVEL).iter().map(|row| row.mean).collect::<Vec<_>>(), [Some(0.0)]);
        let median = rows.iter().find(|row| row.metric == format!("{ERROR}, median")).unwrap();
        assert!((median.mean.unwrap() - 4.5).abs() < 0.01 && median.verdict.is_none());
    }
}
