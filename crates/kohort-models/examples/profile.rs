//! Where the time of a model's training goes: `cargo run --release -p kohort-models --example profile -- [config.toml] [rows]`.
//!
//! The file holds the settings of a `multitask` model (without one: MMoE with eight experts); the rows are planted, two tasks on 100
//! numbers. In your own program set [`TrainConfig::profile`] and print [`Profile::whole`] of the epochs you observed.

use std::error::Error;

use kohort_data::records::RecordShares;
use kohort_data::synthetic::MmoeRecipe;
use kohort_layers::Hierarchy;
use kohort_layers::experts::{ExpertConfig, MixtureConfig};
use kohort_models::multitask::{self, Body, Config, Input};
use kohort_models::trainer::{Profile, TrainConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut config = match args.first() {
        Some(file) => Config::from_toml(&std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?)?,
        None => {
            let expert = ExpertConfig { widths: vec![256, 128], ..ExpertConfig::default() };
            let body = Body::Mixture(MixtureConfig { experts: 8, expert, ..MixtureConfig::default() });
            let train = TrainConfig { epochs: 3, batch: 1024, ..TrainConfig::default() };
            Config { body, train, ..Config::default() }
        }
    };
    config.train.profile = true;
    let rows = args.get(1).map_or(Ok(20_000), |rows| rows.parse())?;
    let (records, _) = MmoeRecipe { rows, ..MmoeRecipe::published(0.5) }.generate(0)?;
    let split = RecordShares::default().split(&records, 0)?;
    let (hierarchy, cohorts) = (Hierarchy::flat(1), vec![0; records.len()]);
    let input = Input {
        train: &split.train,
        cohorts: &cohorts[..split.train.len()],
        hierarchy: &hierarchy,
        validation: Some((&split.validation, &cohorts[..split.validation.len()])),
    };
    let mut epochs = Vec::new();
    multitask::fit(input, &config, 0, &mut |epoch| epochs.push(epoch.clone()))?;
    match Profile::whole(&epochs) {
        Some(profile) => print!("{profile}"),
        None => println!("no epoch was run"),
    }
    Ok(())
}
