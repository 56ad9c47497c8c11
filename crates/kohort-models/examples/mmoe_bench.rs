//! Times training steps of MMoE, for the side by side with PyTorch.
//!
//! ```text
//! mmoe_bench prepare <folder>
//! mmoe_bench run <folder> <steps> <rows per batch> [<rows per shard>]
//! ```
//!
//! `prepare` writes what both sides read: ids and labels of sixteen batches of 4096 rows (smaller batches take the first of
//! them) and the initial weights as safetensors. Eight features have 1e3 to 1e5 ids, drawn by a power law (`⌊V^u⌋ − 1`, `u`
//! uniform); labels are 1 with chance 0.2, whatever the ids.
//!
//! `run` takes ten steps on which both sides have to agree, one round of the sixteen batches that does not count, and then
//! `steps` that do. It prints one JSON object: step_ms (median), check (mean loss of the ten), kernels, and with `profile` in
//! place of the rows per shard nothing else.

mod network;

use std::fs;
use std::path::Path;
use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::shards::Shards;
use kohort_core::{LossKind, Params, Tape, Var, weights};
use kohort_layers::Mode;
use kohort_random::rand::Rng;
use kohort_random::stream;
use network::{Network, SEED, VOCABULARIES, column, draw, words};

type Failure = Box<dyn std::error::Error>;

const BATCHES: usize = 16;
const LARGEST: usize = 4096;
const CHECK_STEPS: usize = 10;
const TASKS: usize = 2;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["run", folder, steps, batch] => run(Path::new(folder), steps.parse()?, batch.parse()?, None),
        ["run", folder, steps, batch, shard] => {
            run(Path::new(folder), steps.parse()?, batch.parse()?, Some(shard.parse()?))
        }
        _ => Err("usage: mmoe_bench prepare <folder> | run <folder> <steps> <batch> [<shard>]".into()),
    }
}

/// The loss of each task on the rows of a shard; `scale` is one over the batch's rows.
fn record(network: &Network, tape: &mut Tape, params: &Params, rows: &Rows<'_>, scale: f32) -> [Var; TASKS] {
    let mode = &mut Mode::train(stream(SEED, "dropout", &[0, 0]));
    let (logits, _) = network.forward(tape, params, &rows.ids, mode);
    std::array::from_fn(|t| tape.loss(LossKind::Logistic, logits[t], rows.labels[t], None, scale))
}

/// Rows of a shard, by column.
struct Rows<'a> {
    ids: Vec<&'a [u32]>,
    labels: [&'a [f32]; TASKS],
}

/// A batch, by column.
struct Batch {
    ids: Vec<Vec<u32>>,
    labels: [Vec<f32>; TASKS],
}

impl Batch {
    fn rows(&self, rows: std::ops::Range<usize>) -> Rows<'_> {
        Rows {
            ids: self.ids.iter().map(|column| &column[rows.clone()]).collect(),
            labels: std::array::from_fn(|t| &self.labels[t][rows.clone()]),
        }
    }
}

fn prepare(folder: &Path) -> Result<(), Failure> {
    let mut numbers = stream(SEED, "bench ids", &[]);
    let (mut ids, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..BATCHES * LARGEST {
        for vocabulary in VOCABULARIES {
            ids.extend(draw(vocabulary, &mut numbers).to_le_bytes());
        }
        for _ in 0..TASKS {
            labels.extend(f32::from(u8::from(numbers.random_bool(0.2))).to_le_bytes());
        }
    }
    let mut params = Params::new();
    Network::new(&mut params, TASKS)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("ids.u32"), ids)?;
    fs::write(folder.join("labels.f32"), labels)?;
    weights::export(&params, &folder.join("weights.safetensors"), "{}")?;
    println!("{}", serde_json::json!({ "rows": BATCHES * LARGEST, "parameters": params.count(false) }));
    Ok(())
}

fn batches(folder: &Path, rows: usize) -> Result<Vec<Batch>, Failure> {
    let (ids, labels) = (words(&folder.join("ids.u32"))?, words(&folder.join("labels.f32"))?);
    let features = VOCABULARIES.len();
    let batch = |(ids, labels): (&[u32], &[u32])| Batch {
        ids: (0..features).map(|f| column(ids, features, f)).collect(),
        labels: std::array::from_fn(|t| column(labels, TASKS, t).into_iter().map(f32::from_bits).collect()),
    };
    Ok(ids.chunks(rows * features).zip(labels.chunks(rows * TASKS)).take(BATCHES).map(batch).collect())
}

/// A training run, step by step as the trainer goes.
struct Run {
    network: Network,
    params: Params,
    shards: Shards,
    optimizer: Optimizer,
    batches: Vec<Batch>,
    at: usize,
}

impl Run {
    fn step(&mut self) -> Result<f64, Failure> {
        let batch = &self.batches[self.at % BATCHES];
        self.at += 1;
        let (network, params) = (&self.network, &self.params);
        let rows = batch.labels[0].len();
        let recorded = self.shards.forward(params, rows, |shard, tape| {
            record(network, tape, params, &batch.rows(shard.rows), 1.0 / rows as f32)
        });
        let each = self.shards.tapes().zip(&recorded);
        let loss: f64 = each.flat_map(|(tape, losses)| losses.iter().map(|&x| tape.scalar(x))).sum();
        let grads = self.shards.backward(|shard, tape, grads| {
            tape.backward(params, &recorded[shard].map(|loss| (loss, 1.0)), grads);
        });
        if !loss.is_finite() || grads.first_non_finite(params).is_some() {
            return Err("not finite".into());
        }
        self.optimizer.step(&mut self.params, grads, 1e-3);
        Ok(loss)
    }
}

fn run(folder: &Path, steps: usize, batch: usize, shard: Option<usize>) -> Result<(), Failure> {
    if steps == 0 || !(1..=LARGEST).contains(&batch) {
        return Err(
            format!("steps = {steps}, batch = {batch}, allowed are 1 or more and 1 to {LARGEST}").into()
        );
    }
    let mut params = Params::new();
    let network = Network::new(&mut params, TASKS)?;
    weights::import(&mut params, &folder.join("weights.safetensors"))?;
    let mut run = Run {
        shards: Shards::new(&params, shard.unwrap_or(batch.div_ceil(2))),
        optimizer: Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows),
        batches: batches(folder, batch)?,
        network,
        params,
        at: 0,
    };
    let mut check = 0.0;
    for _ in 0..CHECK_STEPS {
        check += run.step()? / CHECK_STEPS as f64;
    }
    let mut times = Vec::new();
    for counted in 0..BATCHES + steps {
        let start = Instant::now();
        run.step()?;
        if counted >= BATCHES {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_unstable_by(f64::total_cmp);
    let line = serde_json::json!({
        "step_ms": (times[(steps - 1) / 2] + times[steps / 2]) / 2.0,
        "fastest_ms": times[0],
        "check": check,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
