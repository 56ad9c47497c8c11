//! Times training epochs of the two towers, for the side by side with PyTorch.
//!
//! ```text
//! towers_bench prepare <folder> [<mirror>]
//! towers_bench run <folder> <repeats> <rows per batch> [<rows per shard>]
//! ```
//!
//! `prepare` writes what both sides read: the training rows of XMarket's seven markets (leave-two-out), or made-up rows of
//! the same sizes without a mirror; made-up user and title vectors, whose values change no time; the initial weights as
//! safetensors; and the first ten batches of a short run with their negatives, on which both sides have to agree.
//!
//! `run` trains for one epoch that does not count and then `repeats` that do, negatives drawn and batches assembled included. It
//! prints one JSON object: epoch_ms (median), examples_per_second, check (mean loss over the ten batches of the short run),
//! and rss_mb, the resident memory after each epoch.

use std::fs;
use std::path::Path;

use kohort_data::read::xmarket;
use kohort_data::territories::Territories;
use kohort_data::{Duplicates, Interactions, ThreeWay, Train, TrainNegatives, Vectors};
use kohort_models::towers::{self, Blocks, Config, Groups, Input, UserInput};
use kohort_models::trainer::TrainConfig;
use kohort_random::rand::Rng;
use kohort_random::{permutation, stream};

type Failure = Box<dyn std::error::Error>;

const SEED: u64 = 7;
const STEPS: usize = 10;
/// Groups of territories: large and small ones mixed.
const GROUP_OF_MARKET: [u32; 7] = [0, 2, 3, 3, 2, 1, 1];

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", folder] => prepare(Path::new(folder), None),
        ["prepare", folder, mirror] => prepare(Path::new(folder), Some(Path::new(mirror))),
        ["run", folder, repeats, batch] => run(Path::new(folder), repeats.parse()?, batch.parse()?, None),
        ["run", folder, repeats, batch, shard] => {
            run(Path::new(folder), repeats.parse()?, batch.parse()?, Some(shard.parse()?))
        }
        _ => {
            Err("usage: towers_bench prepare <folder> [<mirror>] | run <folder> <repeats> <batch> [<shard>]"
                .into())
        }
    }
}

/// What both sides work on.
struct Work {
    train: Train,
    markets: Territories,
    groups: Vec<u32>,
    users: Vectors,
    titles: Vectors,
}

impl Work {
    fn input<'a>(&'a self, train: &'a Train) -> Input<'a> {
        Input {
            train,
            known: Some(&self.train),
            users: UserInput::Given(&self.users),
            titles: &self.titles,
            territories: &self.markets,
            groups: Some(Groups { of_user: &self.groups, count: 4 }),
            weights: None,
            validation: None,
        }
    }

    /// As many rows as ten batches have, in row order.
    fn short(&self, batch: usize) -> Result<Train, Failure> {
        let rows = self.train.rows();
        let mut chosen = permutation(rows.len(), &mut stream(SEED, "bench short", &[]));
        chosen.truncate(STEPS * batch);
        chosen.sort_unstable();
        Ok(Train::new(rows.select(&chosen))?)
    }
}

fn config(batch: usize, shard_rows: usize, epochs: usize) -> Config {
    Config {
        user: vec![256, 128],
        title: vec![256, 128],
        blocks: Blocks { hidden: vec![128], relu_first: false, ..Blocks::default() },
        train: TrainConfig { epochs, batch, shard_rows, ..TrainConfig::default() },
        ..Config::default()
    }
}

fn prepare(folder: &Path, mirror: Option<&Path>) -> Result<(), Failure> {
    let (rows, market, source) =
        match mirror.map(|mirror| mirror.join("xmarket")).filter(|path| path.is_dir()) {
            Some(path) => {
                let data = xmarket::read_with(&path, None, &xmarket::MARKETS, Some(Duplicates::KeepFirst))?;
                let parts = ThreeWay::LeaveTwoOut.split(&data.interactions)?;
                let markets = Territories::of(&data, xmarket::FEATURE)?;
                (parts.train.rows().clone(), markets.of_user().to_vec(), "XMarket")
            }
            None => {
                let (rows, market) = made_up();
                (rows, market, "made-up rows of XMarket's sizes")
            }
        };
    let mut numbers = stream(SEED, "bench vectors", &[]);
    let mut vectors = |rows: usize, width: usize| -> Vec<f32> {
        let limit = (3.0 / width as f32).sqrt();
        (0..rows * width).map(|_| numbers.random_range(-limit..limit)).collect()
    };
    let (users, titles) = (vectors(rows.users, 512), vectors(rows.items, 768));
    let pairs: Vec<u32> = rows.user.iter().zip(&rows.item).flat_map(|(&u, &i)| [u, i]).collect();
    let bytes = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    fs::create_dir_all(folder)?;
    fs::write(folder.join("rows.u32"), bytes(&pairs))?;
    fs::write(folder.join("market.u32"), bytes(&market))?;
    fs::write(folder.join("users.f32"), floats(&users))?;
    fs::write(folder.join("titles.f32"), floats(&titles))?;

    let work = read(folder)?;
    let batch = 820;
    let short = work.short(batch)?;
    let params = towers::initial(work.input(&short), &config(batch, 205, 1), SEED)?;
    kohort_core::weights::export(&params, &folder.join("weights.safetensors"), "{}")?;
    // What the first epoch of the short run will look at: the trainer's order and the towers' negatives.
    let negatives = TrainNegatives::new(&work.train, &work.markets)?;
    let mut check = Vec::new();
    for row in permutation(short.rows().len(), &mut stream(SEED, "order", &[0])) {
        let (user, item) = (short.rows().user[row as usize], short.rows().item[row as usize]);
        check.extend([user, item]);
        let mut numbers = stream(SEED, "tower negatives", &[0, u64::from(row)]);
        check.extend((0..4).filter_map(|_| negatives.draw(user, &mut numbers)));
    }
    fs::write(folder.join("check.u32"), bytes(&check))?;
    let line = serde_json::json!({
        "source": source, "rows": rows.len(), "users": rows.users, "items": rows.items, "check_batch": batch,
    });
    println!("{line}");
    Ok(())
}

fn read(folder: &Path) -> Result<Work, Failure> {
    let words = |name: &str| -> Result<Vec<u32>, Failure> {
        let bytes = fs::read(folder.join(name))?;
        Ok(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    let floats = |name: &str| -> Result<Vec<f32>, Failure> {
        Ok(words(name)?.into_iter().map(f32::from_bits).collect())
    };
    let (pairs, market) = (words("rows.u32")?, words("market.u32")?);
    let (users, titles) =
        (Vectors::new(floats("users.f32")?, 512)?, Vectors::new(floats("titles.f32")?, 768)?);
    let train = Train::new(Interactions {
        user: pairs.iter().step_by(2).copied().collect(),
        item: pairs.iter().skip(1).step_by(2).copied().collect(),
        rating: vec![1.0; pairs.len() / 2],
        time: vec![0; pairs.len() / 2],
        users: users.rows(),
        items: titles.rows(),
    })?;
    let groups = market.iter().map(|&market| GROUP_OF_MARKET[market as usize]).collect();
    let markets = Territories::new(xmarket::MARKETS.map(str::to_owned).to_vec(), market)?;
    Ok(Work { train, markets, groups, users, titles })
}

fn run(folder: &Path, repeats: usize, batch: usize, shard: Option<usize>) -> Result<(), Failure> {
    if repeats == 0 {
        return Err("repeats = 0, allowed is 1 or more".into());
    }
    let work = read(folder)?;
    // Half a batch: a shard for each of two threads. A title goes through its tower once a shard, so larger shards spare
    // products; one alone leaves a thread idle outside of them.
    let shard = shard.unwrap_or(batch.div_ceil(2));
    let short = work.short(820)?;
    let model = towers::fit(work.input(&short), &config(820, shard, 1), SEED, &mut |_| {})?;
    let check: f64 = model.epochs[0].losses.iter().map(|(_, loss)| loss).sum();

    let mut memory = Vec::new();
    let mut times = Vec::new();
    towers::fit(work.input(&work.train), &config(batch, shard, 1 + repeats), SEED, &mut |epoch| {
        times.push(epoch.seconds * 1e3);
        memory.extend(resident_mb());
    })?;
    let mut counted = times.split_off(1);
    counted.sort_unstable_by(f64::total_cmp);
    let median = (counted[(counted.len() - 1) / 2] + counted[counted.len() / 2]) / 2.0;
    let examples = work.train.rows().len() * 5;
    let line = serde_json::json!({
        "epoch_ms": median,
        "examples_per_second": examples as f64 / median * 1e3,
        "examples": examples,
        "check": check,
        "rss_mb": memory,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}

/// Resident memory of this process, where the system says it as Linux does.
fn resident_mb() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some((pages * 4096.0 / 1e6).round())
}

/// Rows with XMarket's numbers of users and items a market, and items popular by a power law.
fn made_up() -> (Interactions, Vec<u32>) {
    // Training rows, users and items of ca, de, fr, in, jp, mx, uk.
    const SIZES: [(usize, usize, usize); 7] = [
        (42_741, 5_675, 5_321),
        (16_773, 2_373, 1_974),
        (17_584, 2_396, 1_752),
        (1_495, 239, 391),
        (3_381, 487, 818),
        (13_179, 1_878, 1_491),
        (34_096, 4_847, 3_015),
    ];
    const ITEMS: usize = 8_354;
    let mut numbers = stream(SEED, "bench rows", &[]);
    let (mut rows, mut market, mut first) = (Interactions::default(), Vec::new(), 0);
    for (at, (count, users, items)) in (0u64..).zip(SIZES) {
        market.resize(market.len() + users, at as u32);
        let pool = &permutation(ITEMS, &mut stream(SEED, "bench pool", &[at]))[..items];
        let mut pairs: Vec<(u32, u32)> = (0..count + count / 8)
            .map(|n| {
                let rank = ((items as f64 + 1.0).powf(numbers.random::<f64>()) - 1.0) as usize;
                ((first + n % users) as u32, pool[rank.min(items - 1)])
            })
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        for pair in pairs {
            rows.user.push(pair.0);
            rows.item.push(pair.1);
        }
        first += users;
    }
    let len = rows.user.len();
    (rows.rating, rows.time, rows.users, rows.items) = (vec![1.0; len], vec![0; len], first, ITEMS);
    (rows, market)
}
