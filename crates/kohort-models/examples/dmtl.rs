//! Trains DMTL on a real data set: first with validation rows, to see how many epochs it wants, then on the whole training
//! part; prints its test error beside two baselines. A bar shows the losses, `target/dmtl.jsonl` gets a line per epoch.
//!
//! `cargo run --release -p kohort-models --example dmtl -- ml-100k 0 [key=value …]`, where a value is TOML and a key may be dotted:
//! `context.time=false`, `train.epochs=4`. `ml-100k:paper` starts from the paper's inputs. Needs `KOHORT_MIRROR`, or network.

use std::error::Error;
use std::path::Path;

use kohort_cohorts::Points;
use kohort_cohorts::kmeans::KMeansConfig;
use kohort_data::fetch::{Places, open};
use kohort_data::learned::{Standardise, Weighting, user_profile};
use kohort_data::{Duplicates, Way};
use kohort_models::baselines::predict;
use kohort_models::dmtl::{self, Config, Input};
use kohort_models::trainer::{JsonLines, Progress};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "ml-100k".to_owned());
    let seed: u64 = args.next().map_or(Ok(0), |s| s.parse())?;
    let preset = match name.strip_suffix(":paper") {
        Some(_) => Config::paper(),
        None => Config::for_dataset(&name),
    };
    let name = name.trim_end_matches(":paper").to_owned();
    let mut settings: toml::Table = toml::from_str(&toml::to_string(&preset)?)?;
    for pair in args {
        let (key, value) = pair.split_once('=').ok_or("settings are key=value")?;
        let mut at = &mut settings;
        let (path, last) = key.rsplit_once('.').map_or((None, key), |(p, l)| (Some(p), l));
        for part in path.into_iter().flat_map(|p| p.split('.')) {
            at = at.get_mut(part).and_then(|v| v.as_table_mut()).ok_or("no such table")?;
        }
        if value.is_empty() {
            at.remove(last);
        } else {
            let parsed: toml::Table = toml::from_str(&format!("v = {value}"))?;
            at.insert(last.to_owned(), parsed["v"].clone());
        }
    }
    let config = Config::from_toml(&toml::to_string(&settings)?)?;

    let dataset = open(&name, &Places::from_env(Path::new("target/data")), &mut |_| {})?;
    let dataset = dataset.merge_duplicates(Duplicates::Mean)?;
    let split = Way::RandomRows { share: 0.2 }.split(&dataset.interactions, seed)?;
    let (part, validation) = split.train.hold_out(0.1, seed)?;
    let fit = |train: &kohort_data::Train, validation| -> Result<_, Box<dyn Error>> {
        let profile = user_profile(train, dataset.item_features.column("genre"), Weighting::default())?;
        let scaled = Standardise::fit(&profile).apply(&profile);
        let points = Points::new(&scaled.values, scaled.names.len())?;
        let groups = KMeansConfig { seed, ..KMeansConfig::new(8) }.fit(&points)?;
        let input = Input {
            dataset: &dataset,
            train,
            validation,
            groups: &groups.labels,
            group_count: 8,
            labelled: None,
        };
        let bar = Progress::new(
            if validation.is_some() { "with validation" } else { "all rows" },
            config.train.epochs,
        );
        let mut log =
            JsonLines::new(std::fs::File::options().create(true).append(true).open("target/dmtl.jsonl")?);
        let model = dmtl::fit(input, &config, seed, &mut |epoch| {
            bar.observe(epoch);
            log.write(epoch);
        })?;
        bar.finish();
        log.finish()?;
        Ok(model)
    };
    let chosen = fit(&part, Some(&validation))?;
    let values: Vec<f64> = chosen.epochs.iter().filter_map(|e| e.validation).collect();
    println!("validation {:.4} after {} epochs", values[chosen.best - 1], chosen.best);
    let model = fit(&split.train, None)?;
    let answers = split.test.answers();
    let predicted = predict(&model, split.test.queries(), dataset.scale).ok_or("rates")?;
    for name in ["bias", "svd++"] {
        let entry = kohort_models::baselines::registry().into_iter().find(|e| e.name == name).ok_or(name)?;
        let rival = (entry.fit)(&split.train, seed)?;
        let predicted = predict(rival.as_ref(), split.test.queries(), dataset.scale).ok_or("rates")?;
        println!("{name} test {:.4}", kohort_eval::rating::rmse(&predicted, &answers.rating)?);
    }
    println!("test {:.4}", kohort_eval::rating::rmse(&predicted, &answers.rating)?);
    Ok(())
}
