//! Times MMoE, for the side by side with PyTorch.
//!
//! ```text
//! mmoe_bench prepare <folder> [<ids of each feature>]
//! mmoe_bench train   <folder> <steps> <rows per batch> [<rows per shard>]
//! mmoe_bench touched <folder> <steps> <rows per batch> [<rows per shard>]
//! mmoe_bench score   <folder> <steps> <rows per batch> [<rows per shard>]
//! mmoe_bench profile <folder> <steps> <rows per batch> [<rows per shard>]
//! ```
//!
//! `prepare` writes what both sides read: ids and labels of sixteen batches of 4096 rows (smaller batches take the first of
//! them) and the initial weights as safetensors. Eight features have 1e3 to 1e5 ids unless told otherwise, drawn by a power law
//! (`⌊V^u⌋ − 1`, `u` uniform); labels are 1 with chance 0.2, whatever the ids. With a number of ids the tables begin by a formula that both
//! sides know and are not written: they can be large.
//!
//! `train` steps all rows of the tables, `touched` those of the batch; `score` gives logits only. Each takes ten steps on which both
//! sides have to agree, one round of the sixteen batches that does not count, and then `steps` that do. It prints one JSON object:
//! step_ms (median), check (mean loss of the ten; mean size of the logits of the first batch), start_ms (from the start of the process
//! to the end of the first step), flops, bytes and near_bytes (what a step takes at least; the bytes of weights), peak_mb (largest resident memory, where the system says it), kernels. `profile` trains and prints where the time went.

mod network;
mod words;

use std::fs;
use std::path::Path;
use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::shards::{Shards, on_pool};
use kohort_core::{Layout, LossKind, ParamId, Params, Tape, Var, weights};
use kohort_layers::Mode;
use kohort_random::rand::Rng;
use kohort_random::stream;
use network::{Network, SEED, VOCABULARIES, draw};
use words::column;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const BATCHES: usize = 16;
const LARGEST: usize = 4096;
const CHECK_STEPS: usize = 10;
const TASKS: usize = 2;

fn main() -> Result<(), Failure> {
    on_pool(bench)
}

fn bench() -> Result<(), Failure> {
    let start = Instant::now();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (work, folder, steps, batch, shard) = match words.as_slice() {
        ["prepare", folder] => return prepare(Path::new(folder), None),
        ["prepare", folder, ids] => return prepare(Path::new(folder), Some(ids.parse()?)),
        [work, folder, steps, batch] => (*work, *folder, *steps, *batch, None),
        [work, folder, steps, batch, shard] => (*work, *folder, *steps, *batch, Some(shard.parse()?)),
        _ => return Err(USAGE.into()),
    };
    let (steps, batch): (usize, usize) = (steps.parse()?, batch.parse()?);
    if steps == 0 || !(1..=LARGEST).contains(&batch) || shard == Some(0) {
        return Err(format!("steps = {steps}, rows per batch = {batch}, rows per shard = {shard:?}, allowed are 1 or more, 1 to {LARGEST}, 1 or more").into());
    }
    let work = match work {
        "train" => Work::Train,
        "touched" => Work::Touched,
        "score" => Work::Score,
        "profile" => Work::Profile,
        _ => return Err(USAGE.into()),
    };
    run(work, Path::new(folder), (steps, batch, shard), start)
}

const USAGE: &str = "usage: mmoe_bench prepare <folder> [<ids>] | <train | touched | score | profile> <folder> <steps> <batch> [<shard>]";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Train,
    Touched,
    Score,
    Profile,
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

fn prepare(folder: &Path, ids: Option<usize>) -> Result<(), Failure> {
    let vocabularies = ids.map_or(VOCABULARIES, |ids| [ids; VOCABULARIES.len()]);
    let mut numbers = stream(SEED, "bench ids", &[]);
    let (mut drawn, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..BATCHES * LARGEST {
        for vocabulary in vocabularies {
            drawn.extend(draw(vocabulary, &mut numbers).to_le_bytes());
        }
        for _ in 0..TASKS {
            labels.extend(f32::from(u8::from(numbers.random_bool(0.2))).to_le_bytes());
        }
    }
    let mut params = Params::new();
    // Streams are named, so that the other weights are those of a network with large tables.
    let written = if ids.is_some() { [1; VOCABULARIES.len()] } else { VOCABULARIES };
    Network::new(&mut params, &written, TASKS)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("ids.u32"), drawn)?;
    fs::write(folder.join("labels.f32"), labels)?;
    fs::write(folder.join("vocabularies.json"), serde_json::to_string(&vocabularies)?)?;
    weights::export(&params, &folder.join("weights.safetensors"), "{}")?;
    println!("{}", serde_json::json!({ "rows": BATCHES * LARGEST, "ids": vocabularies }));
    Ok(())
}

/// The network as it starts; tables that were not written by their formula.
fn start(folder: &Path) -> Result<(Network, Params), Failure> {
    let vocabularies: Vec<usize> =
        serde_json::from_str(&fs::read_to_string(folder.join("vocabularies.json"))?)?;
    let mut params = Params::new();
    if vocabularies == VOCABULARIES {
        let network = Network::new(&mut params, &vocabularies, TASKS)?;
        weights::import(&mut params, &folder.join("weights.safetensors"))?;
        return Ok((network, params));
    }
    let network = Network::new(&mut params, &vocabularies, TASKS)?;
    for slot in params.slots_mut().iter_mut().filter(|slot| slot.layout == Layout::Table) {
        for (at, value) in slot.value.iter_mut().enumerate() {
            *value = (f64::from((at as u32).wrapping_mul(2_654_435_761)) / 2f64.powi(32) * 0.2 - 0.1) as f32;
        }
    }
    Ok((network, params))
}

fn batches(folder: &Path, rows: usize) -> Result<Vec<Batch>, Failure> {
    let (ids, labels) = (words::read(&folder.join("ids.u32"))?, words::read(&folder.join("labels.f32"))?);
    let features = VOCABULARIES.len();
    let batch = |(ids, labels): (&[u32], &[u32])| Batch {
        ids: (0..features).map(|f| column(ids, features, f)).collect(),
        labels: std::array::from_fn(|t| column(labels, TASKS, t).into_iter().map(f32::from_bits).collect()),
    };
    Ok(ids.chunks(rows * features).zip(labels.chunks(rows * TASKS)).take(BATCHES).map(batch).collect())
}

/// A run, step by step as the trainer goes.
struct Run {
    work: Work,
    network: Network,
    params: Params,
    shards: Shards,
    tape: Tape,
    optimizer: Option<Optimizer>,
    batches: Vec<Batch>,
    at: usize,
}

impl Run {
    /// What a step has to move at least of the weights, which caches keep: each with its moments and its gradient, read and written as
    /// Adam does; scoring reads them.
    fn bytes_of_weights(&self) -> f64 {
        let dense = self.params.slots().iter().filter(|slot| slot.layout == Layout::Dense);
        let count = dense.map(|slot| slot.value.len()).sum::<usize>() as f64;
        count * if self.optimizer.is_some() { 28.0 } else { 4.0 }
    }

    /// Likewise of rows of tables: those that have a moment, or the batch's.
    fn bytes_of_tables(&self) -> f64 {
        let Some(optimizer) = &self.optimizer else { return 0.0 };
        let each = self.params.ids().map(|id| {
            let slot = self.params.slot(id);
            let rows = match (slot.layout, self.work) {
                (Layout::Dense, _) => return 0.0,
                (Layout::Table, Work::Touched) => self.distinct(id),
                (Layout::Table, _) => {
                    let moved = |row: &&[f32]| row.iter().any(|&v| v != 0.0);
                    optimizer.moments(id)[1].chunks(slot.cols).filter(moved).count()
                }
            };
            32.0 * (rows * slot.cols) as f64
        });
        each.sum()
    }

    /// Distinct rows of a table in the first batch.
    fn distinct(&self, table: ParamId) -> usize {
        let feature = self.network.tables().position(|other| other == table);
        let mut ids = feature.map_or_else(Vec::new, |f| self.batches[0].ids[f].clone());
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    }

    /// The batch's loss, or the mean size of its logits.
    fn step(&mut self) -> Result<f64, Failure> {
        let batch = &self.batches[self.at % BATCHES];
        self.at += 1;
        let (network, params) = (&self.network, &self.params);
        let rows = batch.labels[0].len();
        let Some(optimizer) = &mut self.optimizer else {
            if rows == 1 {
                // Whoever scores a single row keeps a tape and asks no other thread.
                self.tape.reset();
                let (logits, _) =
                    network.forward(&mut self.tape, params, &batch.rows(0..1).ids, &mut Mode::score());
                return Ok(logits.iter().map(|&x| self.tape.scalar(x).abs()).sum::<f64>() / TASKS as f64);
            }
            let logits = self.shards.forward(params, rows, |shard, tape| {
                network.forward(tape, params, &batch.rows(shard.rows).ids, &mut Mode::score()).0
            });
            let all = self.shards.tapes().zip(&logits);
            let all = all.flat_map(|(tape, logits)| logits.iter().flat_map(|&x| tape.value(x)));
            return Ok(all.map(|x| f64::from(x.abs())).sum::<f64>() / (rows * TASKS) as f64);
        };
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
        optimizer.step(&mut self.params, grads, 1e-3);
        Ok(loss)
    }
}

/// The loss of each task on the rows of a shard; `scale` is one over the batch's rows.
fn record(network: &Network, tape: &mut Tape, params: &Params, rows: &Rows<'_>, scale: f32) -> [Var; TASKS] {
    let mode = &mut Mode::train(stream(SEED, "dropout", &[0, 0]));
    let (logits, _) = network.forward(tape, params, &rows.ids, mode);
    std::array::from_fn(|t| tape.loss(LossKind::Logistic, logits[t], rows.labels[t], None, scale))
}

fn run(
    work: Work,
    folder: &Path,
    (steps, batch, shard): (usize, usize, Option<usize>),
    began: Instant,
) -> Result<(), Failure> {
    let (network, params) = start(folder)?;
    let tables = if work == Work::Touched { Tables::TouchedRows } else { Tables::AllRows };
    // Two threads have a shard each; more rows than these leave a core's caches.
    let rows = shard.unwrap_or(batch.div_ceil(2).min(512));
    let mut run = Run {
        work,
        shards: Shards::new(&params, rows),
        tape: Tape::new(),
        optimizer: (work != Work::Score)
            .then(|| Optimizer::new(&params, Rule::Adam(Adam::default()), tables)),
        batches: batches(folder, batch)?,
        network,
        params,
        at: 0,
    };
    let first = run.step()?;
    let start_ms = since_start().unwrap_or_else(|| began.elapsed().as_secs_f64() * 1e3);
    let mut check = first / CHECK_STEPS as f64;
    for _ in 1..CHECK_STEPS {
        check += run.step()? / CHECK_STEPS as f64;
    }
    if work == Work::Score {
        check = first;
    }
    for _ in 0..BATCHES {
        run.step()?;
    }
    run.shards.profile(work == Work::Profile);
    let mut times = Vec::new();
    for _ in 0..steps {
        let start = Instant::now();
        run.step()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    if run.work == Work::Profile {
        eprint!("{}", run.shards.take_profile(&run.params));
    }
    times.sort_unstable_by(f64::total_cmp);
    let line = serde_json::json!({
        "step_ms": (times[(steps - 1) / 2] + times[steps / 2]) / 2.0,
        "fastest_ms": times[0],
        "check": check,
        "flops": run.network.flops() * batch as f64 * if work == Work::Score { 1.0 } else { 3.0 },
        "bytes": run.bytes_of_weights() + run.bytes_of_tables(),
        "near_bytes": run.bytes_of_weights(),
        "start_ms": start_ms,
        "peak_mb": peak_mb(),
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}

/// Milliseconds since the process began, as Linux says it, in hundredths of a second.
fn since_start() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: f64 = stat.rsplit_once(") ")?.1.split_whitespace().nth(19)?.parse().ok()?;
    let uptime: f64 = fs::read_to_string("/proc/uptime").ok()?.split_whitespace().next()?.parse().ok()?;
    Some((uptime - ticks / 100.0) * 1e3)
}

/// Largest resident memory so far, as Linux says it.
fn peak_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}
