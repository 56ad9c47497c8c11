//! Times an epoch of DMTL on MovieLens-100K, for the side by side with PyTorch.
//!
//! ```text
//! dmtl_bench prepare <folder> <folder with ml-100k in it>
//! dmtl_bench run <folder> <epochs> <rows per batch> [<rows per shard>]
//! ```
//!
//! The network is the paper's and nothing more, so that the other side is a page long:
//!
//! ```text
//! h_u, h_i [n, 64]    α = softmax(W·[h_u; h_i])    z = ReLU(S·[h_u; α ⊙ h_i] + b) [n, 128]
//! loss = mean (r·z + b − rating)² + ½ · mean cross-entropy(P·z + b, the user's group of ten)
//! ```
//!
//! Adam on all rows of both tables. `prepare` writes the ratings, a group for each user (its number modulo ten: what is timed does not
//! depend on it), four orders of the rows, which epochs take in turn, and the initial weights. `run` prints one JSON object: epoch_ms
//! (median), check (mean loss of the first ten steps of the first epoch), flops, bytes and near_bytes (what an epoch takes at least), kernels.

mod words;

use std::fs;
use std::path::Path;
use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::shards::{Shards, on_pool};
use kohort_core::{Activation, Init, LossKind, ParamId, Params, Tape, Var, weights};
use kohort_layers::{Embedding, Linear};
use kohort_random::{permutation, stream};
use words::median;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const SEED: u64 = 11;
const USERS: usize = 943;
const ITEMS: usize = 1682;
const WIDTH: usize = 64;
const GROUPS: usize = 10;
const SHARE_OF_GROUPS: f32 = 0.5;
const ORDERS: u64 = 4;
const CHECK_STEPS: usize = 10;

fn main() -> Result<(), Failure> {
    on_pool(bench)
}

fn bench() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", folder, mirror] => prepare(Path::new(folder), Path::new(mirror)),
        ["run", folder, epochs, batch] => run(Path::new(folder), epochs.parse()?, batch.parse()?, None),
        ["run", folder, epochs, batch, shard] => {
            run(Path::new(folder), epochs.parse()?, batch.parse()?, Some(shard.parse()?))
        }
        _ => {
            Err("usage: dmtl_bench prepare <folder> <mirror> | run <folder> <epochs> <batch> [<shard>]"
                .into())
        }
    }
}

struct Network {
    users: Embedding,
    items: Embedding,
    attention: ParamId,
    shared: Linear,
    rating: Linear,
    groups: Linear,
}

impl Network {
    fn new(params: &mut Params) -> Network {
        let users = Embedding::new(params, "user", USERS, WIDTH, Init::Normal(0.1), SEED);
        let items = Embedding::new(params, "item", ITEMS, WIDTH, Init::Normal(0.1), SEED);
        let start = Init::Glorot.draw(2 * WIDTH, WIDTH, &mut stream(SEED, "attention", &[]));
        let attention = params.add("attention", 2 * WIDTH, WIDTH, start);
        let mut linear = |name: &str, outputs: usize, act: Activation| {
            Linear::new(params, name, 2 * WIDTH, outputs, act, SEED)
        };
        Network {
            users,
            items,
            attention,
            shared: linear("shared", 2 * WIDTH, Activation::Relu),
            rating: linear("rating", 1, Activation::Identity),
            groups: linear("groups", GROUPS, Activation::Identity),
        }
    }

    /// Both losses of a shard's rows; `scale` is one over the batch's rows.
    fn record(&self, tape: &mut Tape, params: &Params, rows: &Rows, scale: f32) -> [Var; 2] {
        let user = self.users.forward(tape, params, &rows.user);
        let item = self.items.forward(tape, params, &rows.item);
        let both = tape.concat(&[user, item]);
        let scores = tape.linear(params, both, self.attention, None, Activation::Identity);
        let alpha = tape.softmax(scores);
        let attended = tape.mul(alpha, item);
        let both = tape.concat(&[user, attended]);
        let z = self.shared.forward(tape, params, both);
        let rating = self.rating.forward(tape, params, z);
        let groups = self.groups.forward(tape, params, z);
        [
            tape.loss(LossKind::Squared, rating, &rows.rating, None, scale),
            tape.cross_entropy(groups, &rows.group, None, SHARE_OF_GROUPS * scale),
        ]
    }
}

struct Rows {
    user: Vec<u32>,
    item: Vec<u32>,
    rating: Vec<f32>,
    group: Vec<u32>,
}

impl Rows {
    fn read(folder: &Path) -> Result<Rows, Failure> {
        let column = |name: &str| words::read(&folder.join(name));
        Ok(Rows {
            user: column("user.u32")?,
            item: column("item.u32")?,
            rating: words::read_numbers(&folder.join("rating.f32"))?,
            group: column("group.u32")?,
        })
    }

    fn take(&self, rows: &[u32]) -> Rows {
        let pick = |column: &[u32]| -> Vec<u32> { rows.iter().map(|&row| column[row as usize]).collect() };
        Rows {
            user: pick(&self.user),
            item: pick(&self.item),
            rating: rows.iter().map(|&row| self.rating[row as usize]).collect(),
            group: pick(&self.group),
        }
    }
}

fn prepare(folder: &Path, mirror: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(mirror.join("ml-100k").join("u.data"))?;
    let (mut user, mut item, mut rating) = (Vec::new(), Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate() {
        let mut cells = line.split('\t').map(str::parse::<u32>);
        let mut next = || cells.next().ok_or_else(|| format!("u.data, line {}: too few columns", at + 1));
        // Ids begin at 1.
        user.push(next()??.checked_sub(1).filter(|&id| id < USERS as u32).ok_or("a user out of range")?);
        item.push(next()??.checked_sub(1).filter(|&id| id < ITEMS as u32).ok_or("an item out of range")?);
        rating.push((next()?? as f32).to_bits());
    }
    fs::create_dir_all(folder)?;
    let write = |name: &str, column: &[u32]| words::write(&folder.join(name), column.iter().copied());
    let group: Vec<u32> = user.iter().map(|user| user % GROUPS as u32).collect();
    for (name, column) in
        [("user.u32", &user), ("item.u32", &item), ("rating.f32", &rating), ("group.u32", &group)]
    {
        write(name, column)?;
    }
    let orders = (0..ORDERS).flat_map(|epoch| permutation(user.len(), &mut stream(SEED, "order", &[epoch])));
    write("orders.u32", &orders.collect::<Vec<_>>())?;
    let mut params = Params::new();
    Network::new(&mut params);
    weights::export(&params, &folder.join("weights.safetensors"), "{}")?;
    println!("{}", serde_json::json!({ "rows": user.len(), "parameters": params.count(false) }));
    Ok(())
}

/// Multiplications and additions that a row takes in products, forward and back: attention, shared layer and both heads.
const FLOPS: f64 = 6.0 * (2 * WIDTH * (WIDTH + 2 * WIDTH + 1 + GROUPS)) as f64;

/// What a step has to move at least of parameters, which caches keep: each with its moments and its gradient, read and written as Adam
/// does; all rows of the tables soon have a moment.
fn bytes_of_step(params: &Params) -> f64 {
    28.0 * params.count(false) as f64
}

struct Run {
    network: Network,
    params: Params,
    shards: Shards,
    optimizer: Optimizer,
    rows: Rows,
}

impl Run {
    fn step(&mut self, order: &[u32]) -> Result<f64, Failure> {
        let (network, params, rows) = (&self.network, &self.params, &self.rows);
        let scale = 1.0 / order.len() as f32;
        let recorded = self.shards.forward(params, order.len(), |shard, tape| {
            let losses = network.record(tape, params, &rows.take(&order[shard.rows]), scale);
            (losses, losses.iter().map(|&loss| tape.scalar(loss)).sum::<f64>())
        });
        let loss: f64 = recorded.iter().map(|(_, loss)| loss).sum();
        if !loss.is_finite() {
            return Err("not finite".into());
        }
        let grads = self.shards.backward(|shard, tape, grads| {
            tape.backward(params, &recorded[shard].0.map(|loss| (loss, 1.0)), grads);
        });
        self.optimizer.step(&mut self.params, grads, 1e-3);
        Ok(loss)
    }
}

fn run(folder: &Path, epochs: usize, batch: usize, shard: Option<usize>) -> Result<(), Failure> {
    if epochs == 0 || batch == 0 || shard == Some(0) {
        return Err(
            format!("epochs = {epochs}, batch = {batch}, shard = {shard:?}, allowed are 1 or more").into()
        );
    }
    let mut params = Params::new();
    let network = Network::new(&mut params);
    weights::import(&mut params, &folder.join("weights.safetensors"))?;
    let orders = words::read(&folder.join("orders.u32"))?;
    let mut run = Run {
        // Two threads have a shard each.
        shards: Shards::new(&params, shard.unwrap_or(batch.div_ceil(2).min(512))),
        optimizer: Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows),
        rows: Rows::read(folder)?,
        network,
        params,
    };
    let (mut check, mut times) = (0.0, Vec::new());
    let orders: Vec<&[u32]> = orders.chunks_exact(run.rows.user.len()).collect();
    // The first epoch warms up and gives the losses that both sides agree on.
    for epoch in 0..=epochs {
        let start = Instant::now();
        for (at, rows) in orders[epoch % orders.len()].chunks(batch).enumerate() {
            let loss = run.step(rows)?;
            if epoch == 0 && at < CHECK_STEPS {
                check += loss / CHECK_STEPS as f64;
            }
        }
        if epoch > 0 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    let (rows, bytes) = (run.rows.user.len(), bytes_of_step(&run.params));
    let bytes = bytes * rows.div_ceil(batch) as f64;
    let line = serde_json::json!({
        "epoch_ms": median(times),
        "check": check,
        "flops": FLOPS * rows as f64,
        "bytes": bytes,
        "near_bytes": bytes,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
