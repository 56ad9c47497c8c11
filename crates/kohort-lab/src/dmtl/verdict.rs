//! Whether a published number was met: by rules, from the numbers, never written down beforehand.

use kohort_report::{Row, Verdict};

use crate::dmtl::protocols::{Protocol, SURPRISE_BAND, published_errors, published_pair, splits};
use crate::dmtl::systems::UNDER_TEST;
use crate::grid::Key;

/// The rules in words, for the report.
pub(crate) const RULES: [&str; 4] = [
    "A baseline's RMSE or MAE on MovieLens-100K under (a) is reproduced if its mean over the seeds is within 0.01 of \
     the figure that scikit-surprise publishes for five folds with the same settings; else it is not reproduced.",
    "DMTL's P@10 and R@10 are compared with the paper only under the one reading that can give the published pair: \
     (b) on MovieLens-100K, (b') on ITM-Rec. The number is reproduced if the mean over the seeds is at least the published one \
     less 0.01 (MovieLens-100K) or 0.02 (ITM-Rec), so that reaching more counts as reproduced.",
    "Under every other protocol the published pair stands beside ours and is not comparable, because the paper does \
     not state its protocol.",
    "A number for which nothing was published has no verdict.",
];

/// Adds the published number and the verdict, where there is one.
pub(super) fn judge(row: Row, key: &Key) -> Row {
    let Some(mean) = row.mean.filter(|_| key.experiment == "main" && row.cohort.is_none()) else {
        return row;
    };
    let splits = splits(&key.dataset);
    let named = |protocol: &&Protocol| row.protocol.as_deref() == Some(protocol.name);
    let Some(protocol) = splits.iter().flat_map(|plan| &plan.protocols).find(named) else { return row };
    if let Some((rmse, mae)) = published_errors(&key.dataset, &key.system) {
        let published = match row.metric.as_str() {
            "RMSE" => rmse,
            "MAE" => mae,
            _ => return row,
        };
        return if protocol.name == "a" { judge_error(row, mean, published) } else { row };
    }
    if key.system == UNDER_TEST && key.variant.is_none() {
        return judge_list(row, mean, protocol, &key.dataset);
    }
    row
}

fn judge_error(row: Row, mean: f64, published: f64) -> Row {
    let (verdict, word) = if (mean - published).abs() <= SURPRISE_BAND {
        (Verdict::Reproduced, "within")
    } else {
        (Verdict::NotReproduced, "not within")
    };
    row.published(published).verdict(verdict, format!("{word} {SURPRISE_BAND} of Surprise's five folds"))
}

fn judge_list(row: Row, mean: f64, protocol: &Protocol, dataset: &str) -> Row {
    let Some(pair) = published_pair(dataset) else { return row };
    let published = match row.metric.as_str() {
        "P@10" => pair.precision,
        "R@10" => pair.recall,
        _ => return row,
    };
    if protocol.published.is_none() {
        // Variants would repeat the same sentence under every table.
        if !protocol.main {
            return row;
        }
        return row.published(published).verdict(Verdict::NotComparable, UNSTATED);
    }
    let difference = mean - published;
    let (verdict, word) = if difference >= -pair.band {
        (Verdict::Reproduced, "at most")
    } else {
        (Verdict::NotReproduced, "more than")
    };
    let mut reason = format!("{difference:+.4} against the paper, {word} {} short", pair.band);
    if let Some(floor) = row.floor.filter(|floor| (floor - published).abs() <= pair.band) {
        reason.push_str(&format!("; but a random order gets {floor:.4}, so this says nothing about a model"));
    }
    row.published(published).verdict(verdict, reason)
}

/// Why most protocols have nothing to be held against.
const UNSTATED: &str = "the paper does not state its protocol";

/// Where the published pair would lie between nothing and the oracle of a protocol that may not be the paper's: one
/// sentence for both numbers, so that a table shows it once.
pub(super) fn place_under_oracle(rows: &mut [Row]) {
    let unstated = |row: &Row| row.reason.as_deref() == Some(UNSTATED);
    for at in 0..rows.len() {
        if !unstated(&rows[at]) {
            continue;
        }
        let (dataset, protocol) = (rows[at].dataset.clone(), rows[at].protocol.clone());
        let pair: Vec<usize> = (at..rows.len())
            .filter(|&i| unstated(&rows[i]) && (&rows[i].dataset, &rows[i].protocol) == (&dataset, &protocol))
            .collect();
        let shares: Vec<String> = pair
            .iter()
            .filter_map(|&i| {
                let (published, ceiling) = (rows[i].published?, rows[i].ceiling?);
                let share = 100.0 * published / ceiling;
                Some(format!("{} {published:.4} would be {share:.0} % of {ceiling:.4}", rows[i].metric))
            })
            .collect();
        let place = match shares.is_empty() {
            true => String::new(),
            false => format!("; of what an oracle gets under this one, its {}", shares.join(", its ")),
        };
        pair.into_iter().for_each(|i| rows[i].reason = Some(format!("{UNSTATED}{place}")));
    }
}

/// A pair that half the baselines reach is no achievement: says so beside the verdict of the system under test.
pub(super) fn name_others_who_reach_it(rows: &mut [Row]) {
    let reached: Vec<usize> = (0..rows.len())
        .filter(|&at| {
            let row = &rows[at];
            row.verdict == Some(Verdict::Reproduced) && matches!(row.metric.as_str(), "P@10" | "R@10")
        })
        .collect();
    for at in reached {
        let (own, Some(published)) = (rows[at].clone(), rows[at].published) else { continue };
        let Some(pair) = published_pair(&own.dataset) else { continue };
        let others: Vec<f64> = rows
            .iter()
            .filter(|row| {
                (&row.experiment, &row.dataset, &row.protocol, &row.metric)
                    == (&own.experiment, &own.dataset, &own.protocol, &own.metric)
                    && row.system != own.system
            })
            .filter_map(|row| row.mean)
            .collect();
        let as_good = others.iter().filter(|&&mean| mean >= published - pair.band).count();
        if let Some(reason) = rows[at].reason.as_mut().filter(|_| as_good > 0) {
            reason.push_str(&format!("; {as_good} of {} baselines reach it too", others.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(dataset: &str, system: &str) -> Key {
        Key {
            experiment: "main".into(),
            dataset: dataset.into(),
            split: "random-20".into(),
            seed: 0,
            system: system.into(),
            title: system.into(),
            variant: None,
        }
    }

    fn judged(dataset: &str, system: &str, protocol: &str, metric: &str, mean: f64) -> Row {
        let row = Row::new("main", dataset, metric).protocol(protocol).system(system).mean(mean);
        judge(row.between(0.3, 0.8), &key(dataset, system))
    }

    #[test]
    fn a_baseline_is_reproduced_within_the_band_and_not_outside() {
        let verdict = |mean| judged("ml-100k", "svd++", "a", "RMSE", mean).verdict;
        assert_eq!(verdict(0.919 + 0.0099), Some(Verdict::Reproduced));
        assert_eq!(verdict(0.919 - 0.0101), Some(Verdict::NotReproduced));
        assert_eq!(judged("ml-100k", "svd++", "b", "RMSE", 0.919).verdict, None, "another share of rows");
        assert_eq!(judged("itm-rec", "svd++", "a", "RMSE", 0.919).verdict, None, "another data set");
    }

    #[test]
    fn only_the_reading_that_can_give_the_pair_is_compared_with_it() {
        let verdict = |protocol, mean| judged("ml-100k", "dmtl", protocol, "P@10", mean).verdict;
        assert_eq!(verdict("b", 0.6768), Some(Verdict::Reproduced));
        assert_eq!(verdict("b", 0.6766), Some(Verdict::NotReproduced));
        assert_eq!(verdict("b", 0.75), Some(Verdict::Reproduced), "more counts as reached");
        assert_eq!(verdict("a", 0.6867), Some(Verdict::NotComparable));
        assert_eq!(verdict("a, zeros", 0.6867), None);
    }

    #[test]
    fn an_incomparable_pair_is_placed_under_the_oracle_in_one_sentence() {
        let mut rows = vec![
            judged("ml-100k", "dmtl", "a", "P@10", 0.65),
            judged("ml-100k", "dmtl", "a", "R@10", 0.70),
            judged("ml-100k", "dmtl", "b", "P@10", 0.65),
        ];
        let compared = rows[2].reason.clone();
        place_under_oracle(&mut rows);
        let reason = rows[0].reason.clone().unwrap();
        assert!(
            reason.ends_with(
                "its P@10 0.6867 would be 86 % of 0.8000, its R@10 0.8063 would be 101 % of 0.8000"
            ),
            "{reason}"
        );
        assert_eq!(rows[0].reason, rows[1].reason);
        assert_eq!(rows[2].reason, compared);
    }

    #[test]
    fn baselines_that_reach_the_pair_too_are_counted() {
        let mut rows = vec![
            judged("ml-100k", "dmtl", "b", "P@10", 0.69),
            judged("ml-100k", "svd++", "b", "P@10", 0.68),
            judged("ml-100k", "random", "b", "P@10", 0.60),
        ];
        name_others_who_reach_it(&mut rows);
        assert!(rows[0].reason.as_ref().unwrap().ends_with("; 1 of 2 baselines reach it too"));
        assert_eq!(rows[1].verdict, None);
    }

    #[test]
    fn a_pair_that_chance_reaches_is_said_to_prove_nothing() {
        let row = judged("itm-rec", "dmtl", "b'", "P@10", 0.32);
        assert_eq!(row.verdict, Some(Verdict::Reproduced));
        assert!(row.reason.unwrap().contains("random order"));
    }
}
