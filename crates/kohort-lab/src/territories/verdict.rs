//! What the paper and the published table claim, and whether this run agrees: by rules, from its numbers.

use kohort_report::{Row, Verdict};

use super::experiments::{markets, planted, published};
use super::gains::Gain;
use super::measure::SAMPLED;
use super::measure::sampled::NDCG;
use super::quoted;
use super::systems::{Model, Sample, tower_name, tower_title};

/// The rules in words.
pub(crate) const RULES: [&str; 7] = [
    "“MTL + active beats the global model” is reproduced if its PR-AUC is higher with p < 0.05 (paired bootstrap over users, \
     averaged over the seeds, Holm's correction over the markets) in all markets but at most one.",
    "“No market loses” is reproduced if in no market the whole interval over users of that gain lies below zero.",
    "“Most in the small markets” is reproduced if the two markets with the fewest training rows have the two largest relative \
     gains; the reason names the place of each.",
    "The best relative gain stands beside the paper's 65.27 % and is not comparable with it: the data are others.",
    "The ranker's nDCG@10 on the published protocol is reproduced in a market if its mean over the seeds is above the best \
     published row of any kind and above the market's own popularity, and its mean over the markets if it is at least 0.44.",
    "On planted territories the gain is reproduced if its interval over the seeds contains zero where territories are identical \
     and lies above zero where they differ, and the local titles if MTL's share of them is nearer to the truth than the \
     global model's, in the mean over territories and seeds.",
    "Runs of fewer than five seeds are not judged: an interval over two seeds says nothing, and India has 239 users.",
];

/// The best gain that the paper prints, per cent.
const BEST_OF_PAPER: f64 = 65.27;
const SIGNIFICANT: f64 = 0.05;

/// Protocol of rows that count or compare markets.
pub(crate) const CLAIMS: &str = "claims";
pub(crate) const WINS: &str = "Markets where MTL + active beats the global model";
pub(crate) const LOSSES: &str = "Markets that lose";
pub(crate) const BEST: &str = "Best relative gain";
pub(crate) const SMALL: &str = "The two smallest markets among the two largest gains";

/// Fewer seeds than these are not judged.
const SEEDS: u32 = 5;

fn verdict(holds: bool, seeds: Option<u32>) -> Verdict {
    match (holds, seeds) {
        (_, Some(seeds)) if seeds < SEEDS => Verdict::NotComparable,
        (true, _) => Verdict::Reproduced,
        (false, _) => Verdict::NotReproduced,
    }
}

/// The claims about the grid of models and samples; `by_size` names the markets, the smallest first.
pub(super) fn of_markets(gains: &[Gain], dataset: &str, by_size: &[(String, usize)]) -> Vec<Row> {
    let after = tower_name(markets::AFTER.0, markets::AFTER.1);
    let own: Vec<&Gain> = gains
        .iter()
        .filter(|gain| {
            let key = &gain.key;
            key.experiment == markets::NAME && key.dataset == dataset && key.system == after
        })
        .filter(|gain| gain.cohort.as_ref().is_some_and(|c| by_size.iter().any(|(name, _)| name == c)))
        .collect();
    if own.is_empty() {
        return Vec::new();
    }
    let title = tower_title(markets::AFTER.0, markets::AFTER.1);
    let row = |metric: &str, mean: f64| {
        Row::new(markets::NAME, dataset, metric)
            .protocol(CLAIMS)
            .system(&title)
            .task("claim")
            .seeds(own[0].per_seed.len() as u32)
            .mean(mean)
    };
    let names = |gains: &[&&Gain]| -> String {
        let names: Vec<&str> = gains.iter().filter_map(|gain| gain.cohort.as_deref()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    let many = own.len();
    let seeds = Some(own[0].per_seed.len() as u32);
    let wins: Vec<&&Gain> =
        own.iter().filter(|gain| gain.mean() > 0.0 && gain.p.is_some_and(|p| p < SIGNIFICANT)).collect();
    let losses: Vec<&&Gain> =
        own.iter().filter(|gain| gain.interval().is_some_and(|(_, high)| high < 0.0)).collect();
    let others: Vec<&&Gain> =
        own.iter().filter(|gain| !wins.iter().any(|win| win.cohort == gain.cohort)).collect();
    let mut rows = vec![
        row(WINS, wins.len() as f64).between(0.0, many as f64).verdict(
            verdict(wins.len() + 1 >= many, seeds),
            format!("of {many}; not in: {}", names(&others)),
        ),
        row(LOSSES, losses.len() as f64)
            .between(0.0, many as f64)
            .verdict(verdict(losses.is_empty(), seeds), format!("of {many}; {}", names(&losses))),
    ];
    if let Some(best) = own.iter().max_by(|a, b| a.mean().total_cmp(&b.mean())) {
        let (low, high) = best.interval().unwrap_or((f64::NAN, f64::NAN));
        rows.push(
            row(BEST, best.mean()).interval(low, high).published(BEST_OF_PAPER).verdict(
                Verdict::NotComparable,
                format!(
                    "per cent, in market {}; the paper prints 65.27 % on private data, and other territories and baselines give other gains",
                    best.cohort.as_deref().unwrap_or_default()
                ),
            ),
        );
    }
    let mut ranked: Vec<&&Gain> = own.iter().collect();
    ranked.sort_by(|a, b| b.mean().total_cmp(&a.mean()));
    // Where a market has no number, it cannot be among the small ones that are asked for.
    let known = |name: &&String| own.iter().any(|gain| gain.cohort.as_ref() == Some(*name));
    let small: Vec<&String> = by_size.iter().map(|(name, _)| name).filter(known).take(2).collect();
    let places: Vec<(&String, usize, f64)> = small
        .iter()
        .filter_map(|&name| {
            let at = ranked.iter().position(|gain| gain.cohort.as_ref() == Some(name))?;
            Some((name, at + 1, ranked[at].mean()))
        })
        .collect();
    let top = places.iter().filter(|(_, place, _)| *place <= places.len()).count();
    let said: Vec<String> = places
        .iter()
        .map(|(name, place, gain)| format!("{name} {gain:+.1} %, place {place} of {many}"))
        .collect();
    rows.push(
        row(SMALL, top as f64)
            .between(0.0, places.len() as f64)
            .verdict(verdict(top == places.len(), seeds), said.join("; ")),
    );
    rows
}

/// Adds the best published value and the verdict to the ranker's rows on the published protocol.
pub(super) fn judge_published(rows: &mut [Row], dataset: &str, ranker: &str, popularity: &str) {
    let is = |row: &Row| {
        row.experiment == published::NAME
            && row.dataset == dataset
            && row.protocol.as_deref() == Some(SAMPLED)
            && row.metric == NDCG
            && row.variant.is_none()
    };
    let popular: Vec<(Option<String>, Option<f64>)> = rows
        .iter()
        .filter(|row| is(row) && row.system.as_deref() == Some(popularity))
        .map(|row| (row.cohort.clone(), row.mean))
        .collect();
    for row in rows.iter_mut().filter(|row| is(row) && row.system.as_deref() == Some(ranker)) {
        let Some(mean) = row.mean else { continue };
        let judged = match row.cohort.as_deref() {
            None => {
                let best = quoted::best_mean();
                let reason =
                    format!("wanted {}; the best published rows have {best:.3}", quoted::WANTED_MEAN);
                row.clone().published(best).verdict(verdict(mean >= quoted::WANTED_MEAN, row.seeds), reason)
            }
            Some(market) => {
                let Some(best) = quoted::best(market) else { continue };
                let own = popular.iter().find(|(cohort, _)| cohort.as_deref() == Some(market));
                let own = own.and_then(|(_, mean)| *mean).unwrap_or(f64::NAN);
                let reason = format!("best published {best:.4}, popularity of the market {own:.4}");
                row.clone().published(best).verdict(verdict(mean > best && mean > own, row.seeds), reason)
            }
        };
        *row = judged;
    }
}

/// Adds verdicts to the gains and local shares on planted data.
pub(super) fn judge_planted(rows: &mut [Row]) {
    let title = |(model, sample): (Model, Sample)| tower_title(model, sample);
    let (before, after) = (title(planted::BEFORE), title(planted::AFTER));
    let of = |rows: &[Row], dataset: &str, metric: &str, system: &str| {
        let found = rows.iter().position(|row| {
            row.experiment == planted::NAME
                && row.dataset == dataset
                && row.metric == metric
                && row.cohort.is_none()
                && row.system.as_deref() == Some(system)
        });
        found.filter(|&at| rows[at].mean.is_some())
    };
    for (dataset, difference) in planted::WORLDS {
        if let Some(at) = of(rows, dataset, super::gains::GAIN, &after)
            && let (Some(low), Some(high)) = (rows[at].low, rows[at].high)
        {
            let (holds, wanted) = match difference > 0.0 {
                true => (low > 0.0, "above zero"),
                false => (low <= 0.0 && high >= 0.0, "around zero"),
            };
            let reason = format!("interval over the seeds from {low:+.2} % to {high:+.2} %, wanted {wanted}");
            rows[at] = rows[at].clone().verdict(verdict(holds, rows[at].seeds), reason);
        }
        let distance = |system: &str| of(rows, dataset, planted::DISTANCE, system);
        if let (true, Some(ours), Some(theirs)) = (difference > 0.0, distance(&after), distance(&before))
            && let (Some(near), Some(far)) = (rows[ours].mean, rows[theirs].mean)
        {
            let reason = format!("{near:.4} from the truth against {far:.4} of the global model");
            rows[ours] = rows[ours].clone().verdict(verdict(near < far, rows[ours].seeds), reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Key;

    fn gain(market: &str, percent: f64, interval: (f64, f64), p: f64) -> Gain {
        Gain {
            key: Key {
                experiment: "markets".into(),
                dataset: "xmarket".into(),
                split: "s".into(),
                seed: 0,
                system: "mtl-active".into(),
                title: "MTL, random + active".into(),
                variant: None,
            },
            protocol: SAMPLED.into(),
            cohort: Some(market.into()),
            per_seed: vec![percent; 5],
            over_users: Some(interval),
            p: Some(p),
        }
    }

    fn claims(gains: &[Gain]) -> Vec<(String, f64, Option<Verdict>)> {
        let sizes = ["in", "jp", "mx"].map(|name| (name.to_owned(), 1));
        let rows = of_markets(gains, "xmarket", &sizes);
        rows.into_iter().map(|row| (row.metric.clone(), row.mean.unwrap(), row.verdict)).collect()
    }

    #[test]
    fn all_markets_but_one_must_win_and_none_may_lose() {
        let good = [
            gain("in", 30.0, (10.0, 50.0), 0.01),
            gain("jp", 20.0, (5.0, 40.0), 0.01),
            gain("mx", 1.0, (-2.0, 4.0), 0.5),
        ];
        let found = claims(&good);
        assert_eq!(found[0], (WINS.to_owned(), 2.0, Some(Verdict::Reproduced)));
        assert_eq!(found[1], (LOSSES.to_owned(), 0.0, Some(Verdict::Reproduced)));
        assert_eq!(found[2], (BEST.to_owned(), 30.0, Some(Verdict::NotComparable)));
        assert_eq!(found[3], (SMALL.to_owned(), 2.0, Some(Verdict::Reproduced)));
        let mut bad = good.to_vec();
        bad[1] = gain("jp", -5.0, (-9.0, -1.0), 0.02);
        let found = claims(&bad);
        assert_eq!(found[0].2, Some(Verdict::NotReproduced));
        assert_eq!((found[1].1, found[1].2), (1.0, Some(Verdict::NotReproduced)));
        assert_eq!(
            (found[3].1, found[3].2),
            (1.0, Some(Verdict::NotReproduced)),
            "one may not hide the other"
        );
    }

    #[test]
    fn two_seeds_are_not_judged() {
        let mut few = [gain("in", -30.0, (-50.0, -10.0), 0.01), gain("jp", 20.0, (5.0, 40.0), 0.01)];
        few.iter_mut().for_each(|gain| gain.per_seed.truncate(2));
        assert!(claims(&few).iter().all(|claim| claim.2 == Some(Verdict::NotComparable)));
        let mut rows = vec![
            Row::new("planted", "planted-different", crate::territories::gains::GAIN)
                .system(tower_title(Model::Mtl, Sample::Everybody))
                .seeds(2)
                .mean(3.0)
                .interval(-13.0, 20.0),
        ];
        judge_planted(&mut rows);
        assert_eq!(rows[0].verdict, Some(Verdict::NotComparable));
    }

    #[test]
    fn the_ranker_must_beat_the_best_published_row_and_the_markets_popularity() {
        let row = |market: Option<&str>, system: &str, mean: f64| {
            let mut row = Row::new("published", "xmarket", NDCG).protocol(SAMPLED).system(system).mean(mean);
            row.cohort = market.map(str::to_owned);
            row
        };
        let mut rows = vec![
            row(Some("jp"), "popular", 0.20),
            row(Some("jp"), "ours", 0.23),
            row(Some("in"), "popular", 0.49),
            row(Some("in"), "ours", 0.485),
            row(None, "ours", 0.45),
            row(None, "ours", 0.46).variant("another"),
        ];
        judge_published(&mut rows, "xmarket", "ours", "popular");
        assert_eq!(rows[1].verdict, Some(Verdict::Reproduced));
        assert_eq!(rows[3].verdict, Some(Verdict::NotReproduced), "popularity is better");
        assert_eq!(rows[4].verdict, Some(Verdict::Reproduced));
        assert_eq!((rows[0].verdict, rows[5].verdict), (None, None), "the claim is about the main setting");
    }

    #[test]
    fn identical_territories_must_show_no_gain_and_different_ones_a_clear_one() {
        let row = |dataset: &str, low: f64, high: f64| {
            Row::new("planted", dataset, crate::territories::gains::GAIN)
                .system(tower_title(Model::Mtl, Sample::Everybody))
                .mean(0.5 * (low + high))
                .interval(low, high)
        };
        let mut rows = vec![row("planted-identical", -0.5, 0.4), row("planted-different", 3.0, 5.0)];
        judge_planted(&mut rows);
        assert!(rows.iter().all(|row| row.verdict == Some(Verdict::Reproduced)));
        let mut rows = vec![row("planted-identical", 0.1, 0.4), row("planted-different", -1.0, 5.0)];
        judge_planted(&mut rows);
        assert!(rows.iter().all(|row| row.verdict == Some(Verdict::NotReproduced)));
    }
}
