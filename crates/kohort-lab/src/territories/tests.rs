//! The whole way on tiny markets: every experiment, its rows, its page, the same bits on any number of threads, and what
//! becomes of a market without positives.

use kohort_data::synthetic::MarketRecipe;
use kohort_data::{Dataset, read::xmarket};
use kohort_models::{crossmarket, towers};
use kohort_report::{Report, Row, render_html};

use super::*;
use crate::grid::{End, Progress, Store, run};
use crate::study::Provenance;
use experiments::planted::Planted;

/// Seven markets of the real names; nobody in "in" has a third row, so its test part is empty.
fn tiny_markets() -> Dataset {
    let recipe = MarketRecipe {
        users: 210,
        items: 60,
        territories: 7,
        zipf: 0.3,
        median_rows: 8,
        ..MarketRecipe::small()
    };
    let (mut data, truth) = recipe.generate(3).unwrap();
    let without = xmarket::MARKETS.iter().position(|market| *market == "in").unwrap() as u32;
    let mut seen = vec![0u32; data.users.len()];
    let kept: Vec<u32> = (0u32..)
        .zip(&data.interactions.user)
        .filter(|&(_, &user)| {
            seen[user as usize] += 1;
            truth.territory[user as usize] != without || seen[user as usize] == 1
        })
        .map(|(row, _)| row)
        .collect();
    data.interactions = data.interactions.select(&kept);
    // One of the windows of activity begins in 2017.
    data.interactions.time.iter_mut().for_each(|time| *time += 600_000_000);
    data
}

fn tiny_world(name: &str, split: (&'static str, ThreeWay)) -> World {
    let data = tiny_markets();
    let places = Places::of(&data, "market").unwrap();
    let names = xmarket::MARKETS.map(str::to_owned).to_vec();
    let places = Places::new(names, places.of_user().to_vec()).unwrap();
    let provenance = Provenance {
        source: "synthetic".into(),
        folder: String::new(),
        citation: String::new(),
        licence: String::new(),
        files: Vec::new(),
    };
    let mut world = World::new(&data, "Tiny markets".into(), provenance, places, split).unwrap();
    world.name = name.to_owned();
    world
}

fn tiny(scope: &Scope) -> WithData {
    let mut settings = Settings::of_paper().unwrap();
    settings.negatives = 9;
    (settings.inputs.titles, settings.inputs.factors) = (12, 8);
    (settings.towers.user, settings.towers.title) = (vec![12, 8], vec![12, 8]);
    settings.towers.train.epochs = 1;
    settings.planted = towers::Config { labels: settings.planted.labels, ..settings.towers.clone() };
    settings.crossmarket =
        crossmarket::Config { negatives: 5, width: 8, tower: 8, hidden: 8, ..settings.crossmarket };
    settings.crossmarket.train.epochs = 1;
    WithData {
        wanted: EXPERIMENTS.map(|experiment| experiment.name).to_vec(),
        settings,
        xmarket: Some(tiny_world("xmarket", LEAVE_TWO_OUT)),
        in_time: Some(tiny_world("xmarket, global time", IN_TIME)),
        movielens: Some(tiny_world("ml-100k", LEAVE_TWO_OUT)),
        planted: Some(Planted::new(scope)),
        skipped: Vec::new(),
    }
}

fn summarised(threads: usize) -> (Vec<Row>, String) {
    let scope = Scope { seeds: vec![0, 1], quick: true };
    // Quick leaves variants out, but only planted data are too large to be run in full here.
    let paper = tiny(&scope);
    let cells = paper.cells(&Scope { quick: false, ..scope.clone() });
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "code".into()).unwrap();
    let ends = run(&cells, &store, threads, &Progress::silent()).unwrap();
    let finished: Vec<&Finished> = ends
        .iter()
        .map(|end| match end {
            End::Done { finished, .. } => finished.as_ref(),
            End::Failed { key, why } => panic!("{key}: {why}"),
        })
        .collect();
    let summary = paper.summarise(&finished).unwrap();
    let chapter = paper.chapter(&scope, &finished, &summary);
    let mut report = Report::new("Tiny", "now", "kernels");
    report.lead = chapter.lead;
    report.highlights = chapter.highlights;
    report.sections = chapter.sections;
    assert!(!paper.record(&scope).is_empty() && !paper.headlines(&summary.rows).is_empty());
    (summary.rows, render_html(&report))
}

/// One run feeds several claims, because it is the slow part.
#[test]
fn every_experiment_leaves_rows_and_sections_and_threads_change_no_bit() {
    let (rows, page) = summarised(2);
    let find = |experiment: &str, system: &str, metric: &str, cohort: Option<&str>| {
        let found = rows.iter().find(|row| {
            row.experiment == experiment
                && row.system.as_deref() == Some(system)
                && row.metric == metric
                && row.cohort.as_deref() == cohort
        });
        found.unwrap_or_else(|| panic!("no row {experiment}, {system}, {metric}, {cohort:?}"))
    };

    let area = find("markets", "MTL, random + active", "PR-AUC", Some("ca"));
    assert!((area.floor.unwrap() - 0.1).abs() < 0.01, "the floor is the share of positives");
    assert!(area.mean.unwrap() > 0.0 && area.seeds == Some(2));
    let gain = find("markets", "MTL, random + active", "PR-AUC gain", Some("ca"));
    assert!(gain.low.unwrap() <= gain.high.unwrap() && gain.p_value.is_some());
    for metric in ["NDCG@10", "ECE, before", "ECE, after"] {
        assert!(find("markets", "One model per market, random", metric, Some("ca")).mean.is_some());
    }
    for metric in measure::whole::BIAS {
        find("markets", "Popularity, own market", metric, Some("ca"));
    }

    // A market without positives has no number, and says why; means leave it out.
    for (metric, protocol) in [("PR-AUC", "sampled"), ("NDCG@10", "sampled"), ("ARP", "whole market")] {
        let row = rows
            .iter()
            .find(|row| {
                row.experiment == "markets"
                    && row.metric == metric
                    && row.cohort.as_deref() == Some("in")
                    && row.protocol.as_deref() == Some(protocol)
            })
            .unwrap();
        assert_eq!(row.mean, None);
        assert_eq!(row.reason.as_deref(), Some("undefined: no positives in the test part"));
    }
    assert!(page.contains(">undefined<"));

    let wins = rows.iter().find(|row| row.metric == verdict::WINS).unwrap();
    assert!(
        wins.verdict.is_some() && wins.ceiling == Some(6.0),
        "the market without positives is not counted"
    );
    assert!(find("published", page::RANKER, "NDCG@10", Some("ca")).verdict.is_some());
    let quoted = find("published", "GMF, one market (quoted)", "NDCG@10", Some("ca"));
    assert_eq!((quoted.mean, quoted.published), (None, Some(0.2566)));
    assert!(rows.iter().any(|row| row.variant.as_deref() == Some("groups: 4 by viewing")));
    let planted = find("planted", "MTL", "PR-AUC gain", None);
    assert!(planted.verdict.is_some() && planted.dataset == "planted-identical");
    let local = find("planted", "One global model", experiments::planted::LOCAL, None);
    assert!(local.ceiling.is_some() && local.floor.is_some());

    for part in [
        "Who is with whom, and why",
        "Realised samples",
        "published table",
        "weak cohort",
        "most promoted",
        "Planted, different territories",
        "reliability",
        "65.27",
    ] {
        assert!(page.contains(part), "the page does not say {part:?}");
    }
    let (again, _) = summarised(1);
    assert_eq!(again, rows);
}
