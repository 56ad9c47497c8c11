//! The ranker on XMarket's seven markets: nDCG@10 of the test item against 99 negatives of the own market, and on demand among
//! all items of the market, or after a global split in time.
//!
//! `cargo run --release -p kohort-models --example crossmarket -- 0 [market] [time] [blind] [config.toml]`: a seed, `market`
//! for full-market ranking, `time` for the split at one moment, `blind` to draw negatives from all items, and a file of
//! settings. Needs `KOHORT_MIRROR`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use kohort_data::read::xmarket;
use kohort_data::territories::Territories;
use kohort_data::{Duplicates, Parts, Queries, ThreeWay};
use kohort_eval::ranking::{
    CandidateLists, Candidates, Catalogue, Exclusions, Gain, PerUnit, RankingProtocol, UNRATED,
};
use kohort_models::baselines::Scorer;
use kohort_models::crossmarket::{self, Config, CrossMarket, History, Input, Time};
use kohort_models::implicit::registry;

/// The best nDCG@10 of any row in the results notebook of Bhargav et al. (ECIR 2023), in the order of the markets' names.
const PUBLISHED: [f64; 7] = [0.3112, 0.3442, 0.3052, 0.4796, 0.2212, 0.5536, 0.4604];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut flag = |name: &str| {
        let before = args.len();
        args.retain(|arg| arg != name);
        args.len() < before
    };
    let (whole_market, by_time, blind) = (flag("market"), flag("time"), flag("blind"));
    let seed: u64 = args.first().map_or(Ok(0), |seed| seed.parse())?;
    let config = match (args.get(1), by_time) {
        (Some(file), _) => Config::from_toml(&std::fs::read_to_string(file)?)?,
        (None, true) => Config { time: Time::OneSided, history: History::Before, ..Config::default() },
        (None, false) => Config::default(),
    };

    let mirror = std::env::var_os("KOHORT_MIRROR").ok_or("KOHORT_MIRROR names no folder")?;
    let folder = PathBuf::from(mirror).join("xmarket");
    let data = xmarket::read_with(&folder, None, &xmarket::MARKETS, Some(Duplicates::Last))?;
    let markets = Territories::of(&data, xmarket::FEATURE)?;
    let way = match by_time {
        true => ThreeWay::GlobalTime { validation: 0.1, test: 0.1 },
        false => ThreeWay::LeaveTwoOut,
    };
    let parts = way.split(&data.interactions)?;

    let start = Instant::now();
    let catalogue = markets.items(&data.interactions)?;
    let input = Input {
        train: &parts.train,
        territories: &markets,
        catalogue: (!blind).then_some(&catalogue[..]),
        validation: Some(&parts.validation),
    };
    let model = crossmarket::fit(input, &config, seed, &mut |epoch| {
        let value = epoch.validation.unwrap_or(f64::NAN);
        println!(
            "epoch {} {:.1} s {:?} validation nDCG {:.4}",
            epoch.epoch,
            epoch.seconds,
            epoch.losses,
            1.0 - value
        );
    })?;
    println!("fit {:.1} s, epoch {} kept", start.elapsed().as_secs_f64(), model.best);
    let result = sampled(&parts, &markets, &model, seed)?;
    println!("fit and test {:.1} s", start.elapsed().as_secs_f64());
    show(&format!("seed {seed} test, 99 negatives"), &result, &markets);
    for entry in registry() {
        let rival = (entry.fit)(&parts.train, &markets)?;
        show(entry.title, &sampled(&parts, &markets, rival.as_ref(), seed)?, &markets);
    }
    if whole_market {
        let start = Instant::now();
        let result = whole(&parts, &markets, &data.interactions, &model)?;
        show(&format!("seed {seed} test, all items of the market"), &result, &markets);
        println!("{:.1} s for {} users", start.elapsed().as_secs_f64(), result.units.len());
    }
    Ok(())
}

fn sampled(
    parts: &Parts,
    markets: &Territories,
    model: &dyn Scorer,
    seed: u64,
) -> Result<PerUnit, Box<dyn Error>> {
    let candidates = parts.test_candidates(markets, 99, seed)?;
    let grades: Vec<f32> = candidates.positive.iter().map(|&p| if p { 1.0 } else { UNRATED }).collect();
    let lists = CandidateLists::sampled(&candidates.user, &candidates.item, &grades, 99, seed)?;
    let protocol = RankingProtocol {
        candidates: Candidates::SampledNegatives { count: 99, seed },
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    let time = vec![0; candidates.user.len()];
    let scores = model.score(Queries { user: &candidates.user, item: &candidates.item, time: &time });
    Ok(lists.evaluate(&protocol, &scores)?)
}

/// Every item of the market is a candidate but those of the user's training and validation rows.
fn whole(
    parts: &Parts,
    markets: &Territories,
    all: &kohort_data::Interactions,
    model: &CrossMarket,
) -> Result<PerUnit, Box<dyn Error>> {
    let test = parts.test.answers();
    let lists = CandidateLists::held_out(&test.user, &test.item, &vec![1.0; test.len()])?;
    let (train, validation) = (parts.train.rows(), parts.validation.rows());
    let known = Exclusions::new(
        &[&train.user[..], &validation.user].concat(),
        &[&train.item[..], &validation.item].concat(),
    )?;
    let catalogue = Catalogue::new(&lists, &known, all.items as u32)?;
    let items = markets.items(all)?;
    let protocol = RankingProtocol {
        candidates: Candidates::WholeCatalogue,
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    Ok(catalogue.evaluate(&protocol, |user, scores| {
        let own = &items[markets.of_user()[user as usize] as usize];
        let mut found = vec![0.0; own.len()];
        model.score_items(user, own, &mut found);
        scores.fill(f32::NEG_INFINITY);
        own.iter().zip(found).for_each(|(&item, score)| scores[item as usize] = score);
    })?)
}

fn show(title: &str, result: &PerUnit, markets: &Territories) {
    let mut line = format!("{title}:");
    let mut means = Vec::new();
    for (market, name) in markets.names().iter().enumerate() {
        let own = result.units.iter().zip(&result.ndcg);
        let own = own.filter(|(user, _)| markets.of_user()[**user as usize] as usize == market);
        let values: Vec<f64> = own.filter_map(|(_, ndcg)| *ndcg).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        line += &format!(" {name} {mean:.4} ({:+.4})", mean - PUBLISHED[market]);
        means.push(mean);
    }
    println!("{line} mean {:.4}", means.iter().sum::<f64>() / means.len() as f64);
}
