//! SASRec on MovieLens-100K: each user's last rating is the test part, the one before it the validation part, and the test item is
//! ranked among it and 99 films that the user never rated.
//!
//! `cargo run --release -p kohort-models --example sequence -- 0 [config.toml]`: a seed and a file of settings. Needs `KOHORT_MIRROR`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use kohort_data::{Queries, ThreeWay, read::movielens, territories::Territories};
use kohort_eval::ranking::{CandidateLists, Candidates, Gain, RankingProtocol, UNRATED};
use kohort_models::baselines::Scorer;
use kohort_models::implicit::popularity::PooledPopularity;
use kohort_models::sequence::{self, Config, Input};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let seed: u64 = args.first().map_or(Ok(0), |seed| seed.parse())?;
    let config = match args.get(1) {
        Some(file) => Config::from_toml(&std::fs::read_to_string(file)?)?,
        None => Config::default(),
    };
    let mirror = std::env::var_os("KOHORT_MIRROR").ok_or("KOHORT_MIRROR names no folder")?;
    let data = movielens::read(&PathBuf::from(mirror).join("ml-100k"), None)?;
    let parts = ThreeWay::LeaveTwoOut.split(&data.interactions)?;
    let everywhere = Territories::new(vec!["everywhere".to_owned()], vec![0; data.interactions.users])?;
    let candidates = parts.test_candidates(&everywhere, 99, seed)?;
    let grades: Vec<f32> = candidates.positive.iter().map(|&p| if p { 1.0 } else { UNRATED }).collect();
    let lists = CandidateLists::sampled(&candidates.user, &candidates.item, &grades, 99, seed)?;
    let protocol = RankingProtocol {
        candidates: Candidates::SampledNegatives { count: 99, seed },
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    let show = |title: &str, model: &dyn Scorer| -> Result<(), Box<dyn Error>> {
        let time = vec![0; candidates.user.len()];
        let scores = model.score(Queries { user: &candidates.user, item: &candidates.item, time: &time });
        let result = lists.evaluate(&protocol, &scores)?;
        let mean = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>() / values.len() as f64;
        println!("{title}: HR@10 {:.4} nDCG@10 {:.4}", mean(&result.hit), mean(&result.ndcg));
        Ok(())
    };

    let start = Instant::now();
    let input = Input { train: &parts.train, validation: Some(&parts.validation) };
    let mut model = sequence::fit(input, &config, seed, &mut |epoch| {
        let ndcg = 1.0 - epoch.validation.unwrap_or(f64::NAN);
        println!("epoch {} {:.2} s {:?} validation nDCG {ndcg:.4}", epoch.epoch, epoch.seconds, epoch.losses);
    })?;
    println!(
        "fit {:.1} s, epoch {} of {} kept",
        start.elapsed().as_secs_f64(),
        model.best,
        model.epochs.len()
    );
    show("SASRec, training history", &model)?;
    model.remember(&parts.train.clone().with(parts.validation.clone()))?;
    show("SASRec, training and validation history", &model)?;
    show("popularity", &PooledPopularity::fit(&parts.train)?)
}
