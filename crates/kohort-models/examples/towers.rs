//! The two towers on XMarket's seven markets: PR-AUC of the held-out item against 99 negatives of the own market, for one global
//! model and for blocks per market, on a random sample of users and on that with active ones added.
//!
//! `cargo run --release -p kohort-models --example towers -- 0 [test] [config.toml]`: a seed, `test` for the test items instead of
//! the validation items (look at them once), and a file of settings. Needs `KOHORT_MIRROR`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use kohort_data::read::xmarket;
use kohort_data::territories::Territories;
use kohort_data::upsample::{Active, Quota, Shortfall, Upsampling};
use kohort_data::{Duplicates, Queries, RankingCandidates, ThreeWay};
use kohort_eval::binary::average_precision;
use kohort_models::baselines::Scorer;
use kohort_models::inputs;
use kohort_models::towers::{self, Config, Groups, Input, UserInput};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let on_test = args.iter().any(|arg| arg == "test");
    args.retain(|arg| arg != "test");
    let seed: u64 = args.first().map_or(Ok(0), |seed| seed.parse())?;
    let config = match args.get(1) {
        Some(file) => Config::from_toml(&std::fs::read_to_string(file)?)?,
        None => Config::xmarket(),
    };

    let mirror = std::env::var_os("KOHORT_MIRROR").ok_or("KOHORT_MIRROR names no folder")?;
    let folder = PathBuf::from(mirror).join("xmarket");
    let data = xmarket::read_with(&folder, None, &xmarket::MARKETS, Some(Duplicates::Last))?;
    let markets = Territories::of(&data, xmarket::FEATURE)?;
    let parts = ThreeWay::LeaveTwoOut.split(&data.interactions)?;
    let candidates = match on_test {
        true => parts.test_candidates(&markets, 99, seed)?,
        false => parts.validation_candidates(&markets, 99, seed)?,
    };
    let start = Instant::now();
    let vectors = inputs::of_train(&parts.train, &inputs::Config::default(), seed)?;
    println!("vectors in {:.1} s; PR-AUC, prevalence 0.01", start.elapsed().as_secs_f64());
    println!("{:24} {}  mean", "", markets.names().join("     "));

    let upsampling = Upsampling {
        random: 0.2,
        active: Active::TopShare { share: 0.4 },
        quota: Quota::Equal,
        shortfall: Shortfall::Others,
        ..Upsampling::default()
    };
    for (sample, ratio) in [("random", 0.0), ("random + active", 1.0)] {
        let drawn = Upsampling { ratio, ..upsampling }.draw(&parts.train, &markets, seed)?;
        for (system, blocks) in [("global", false), ("blocks", true)] {
            let input = Input {
                train: &drawn.train,
                known: Some(&parts.train),
                users: UserInput::Folded(&vectors.factors),
                titles: &vectors.titles,
                territories: &markets,
                groups: blocks.then_some(Groups { of_user: markets.of_user(), count: markets.len() }),
                weights: None,
                validation: None,
            };
            let start = Instant::now();
            let model = towers::fit(input, &config, seed, &mut |_| {})?;
            let seconds = start.elapsed().as_secs_f64();
            let values = per_market(&model, &candidates, &markets)?;
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let shown: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
            println!("{system:6} {sample:17} {}  {mean:.4}  {seconds:.0} s", shown.join(" "));
        }
    }
    Ok(())
}

fn per_market(
    model: &dyn Scorer,
    candidates: &RankingCandidates,
    markets: &Territories,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let times = vec![0; candidates.user.len()];
    let scores = model.score(Queries { user: &candidates.user, item: &candidates.item, time: &times });
    (0..markets.len() as u32)
        .map(|market| {
            let own = || {
                (0..scores.len()).filter(move |&at| markets.of_user()[candidates.user[at] as usize] == market)
            };
            let scores: Vec<f32> = own().map(|at| scores[at]).collect();
            let labels: Vec<bool> = own().map(|at| candidates.positive[at]).collect();
            Ok(average_precision(&scores, &labels)?.ok_or("a market without a positive")?)
        })
        .collect()
}
