//! Times cohort LoRA: training steps and scoring of mixed batches, for the side by side with PyTorch.
//!
//! ```text
//! lora_bench prepare <folder>
//! lora_bench run <folder> <train | score | merged> <steps> [<rows per shard>]
//! ```
//!
//! A frozen base 256-256-128 with ReLU after both layers, a trained head 128-1, and adapters of rank 8 and scale 2 on both layers
//! for 64 cohorts, which are uniform in a batch of 4096 rows; binary cross-entropy, Adam. Ordering the rows by cohort is part of the
//! step.
//!
//! `prepare` writes what both sides read: eight batches and the initial weights. `run` prints one JSON object: ms (median of a
//! step), check (mean loss of the first ten steps, or the mean size of the first batch's logits), flops, bytes and near_bytes (what it takes
//! at least), kernels. `merged` scores with one cohort's adapter merged; base_ms is the base alone, taken by turns.

use std::fs;
use std::path::Path;
use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::random::{rand::Rng, stream};
use kohort_core::shards::{Shard, Shards, on_pool};
use kohort_core::{Activation, Init, LossKind, Params, Tape, Var, kernels, weights};
use kohort_layers::lora::store::{AdapterStore, Snapshot};
use kohort_layers::lora::{CohortLora, Freeze, LoraConfig, LoraMlp, by_cohort};
use kohort_layers::{Linear, Mlp, MlpConfig, Mode, Segments};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ROWS: usize = 4096;
const WIDTH: usize = 256;
const COHORTS: u32 = 64;
const RANK: usize = 8;
const BATCHES: usize = 8;
const CHECK_STEPS: usize = 10;

struct Batch {
    x: Vec<f32>,
    cohorts: Vec<u32>,
    labels: Vec<f32>,
}

struct Model {
    tower: LoraMlp<CohortLora>,
    head: Linear,
}

impl Model {
    /// Logits of a shard, whose rows are `order`'s.
    fn forward(&self, tape: &mut Tape, params: &Params, batch: &Batch, order: &[u32]) -> Var {
        let x = tape.input_rows(&batch.x, WIDTH, order);
        let segments = Segments::of(order.iter().map(|&row| batch.cohorts[row as usize]));
        let h = self.tower.forward(tape, params, x, &segments, &mut Mode::score());
        self.head.forward(tape, params, h)
    }
}

/// The model with its parameters; the adapters' B are not zero, so that scores tell whether they are used.
fn model() -> Result<(Model, Mlp, Params), Failure> {
    let mut params = Params::<f32>::new();
    let widths = MlpConfig { widths: vec![256, 128], ..MlpConfig::default() };
    let mlp = Mlp::new(&mut params, "tower", WIDTH, &widths, 1);
    let config = LoraConfig { rank: RANK, alpha: 16.0, ..LoraConfig::default() };
    let mut tower = LoraMlp::new(&mut params, &mlp, &config, 1)?;
    for cohort in 0..COHORTS {
        tower.add(&mut params, cohort)?;
    }
    for slot in params.slots_mut().iter_mut().filter(|slot| slot.name.contains("/adapter/")) {
        let name = slot.name.clone();
        slot.value = Init::Normal(0.05).draw(slot.rows, slot.cols, &mut stream(7, &name, &[]));
    }
    tower.freeze(&mut params, Freeze::All);
    let head = Linear::new(&mut params, "head", 128, 1, Activation::Identity, 1);
    Ok((Model { tower, head }, mlp, params))
}

fn prepare(folder: &Path) -> Result<(), Failure> {
    let (_, _, params) = model()?;
    let mut numbers = stream(7, "lora bench", &[]);
    let (mut x, mut cohorts, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..BATCHES * ROWS {
        (0..WIDTH).for_each(|_| x.extend(numbers.random_range(-1.0f32..1.0).to_le_bytes()));
        cohorts.extend(numbers.random_range(0..COHORTS).to_le_bytes());
        labels.extend(f32::from(u8::from(numbers.random_bool(0.2))).to_le_bytes());
    }
    fs::create_dir_all(folder)?;
    for (name, bytes) in [("x.f32", x), ("cohorts.u32", cohorts), ("labels.f32", labels)] {
        fs::write(folder.join(name), bytes)?;
    }
    weights::export(&params, &folder.join("weights.safetensors"), "{}")?;
    println!("{}", serde_json::json!({ "rows": BATCHES * ROWS, "parameters": params.count(false) }));
    Ok(())
}

fn batches(folder: &Path) -> Result<Vec<Batch>, Failure> {
    let words = |name: &str| -> Result<Vec<u32>, Failure> {
        let bytes = fs::read(folder.join(name))?;
        Ok(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    let floats = |words: &[u32]| words.iter().map(|&w| f32::from_bits(w)).collect();
    let (x, cohorts, labels) = (words("x.f32")?, words("cohorts.u32")?, words("labels.f32")?);
    let each = x.chunks_exact(ROWS * WIDTH).zip(cohorts.chunks_exact(ROWS)).zip(labels.chunks_exact(ROWS));
    Ok(each.map(|((x, c), y)| Batch { x: floats(x), cohorts: c.to_vec(), labels: floats(y) }).collect())
}

/// Median of `steps` times of `step` in milliseconds, after some that don't count.
fn time(batches: &[Batch], steps: usize, mut step: impl FnMut(&Batch)) -> f64 {
    let mut times = Vec::with_capacity(steps);
    for round in 0..steps + BATCHES {
        let start = Instant::now();
        step(&batches[round % batches.len()]);
        if round >= BATCHES {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    times[steps / 2]
}

fn train(folder: &Path, steps: usize, shard_rows: usize) -> Result<(f64, f64), Failure> {
    let (model, _, mut params) = model()?;
    weights::import(&mut params, &folder.join("weights.safetensors"))?;
    let batches = batches(folder)?;
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::TouchedRows);
    let mut shards = Shards::new(&params, shard_rows);
    let mut step = |batch: &Batch| {
        let order = by_cohort(&batch.cohorts).0;
        let losses = shards.forward(&params, ROWS, |Shard { rows, .. }, tape| {
            let order = &order[rows];
            let logits = model.forward(tape, &params, batch, order);
            let labels: Vec<f32> = order.iter().map(|&row| batch.labels[row as usize]).collect();
            let loss = tape.loss(LossKind::Logistic, logits, &labels, None, 1.0 / ROWS as f32);
            (loss, tape.scalar(loss))
        });
        let grads = shards.backward(|shard, tape, grads| {
            tape.backward(&params, &[(losses[shard].0, 1.0)], grads);
        });
        optimizer.step(&mut params, grads, 1e-3);
        losses.iter().map(|loss| loss.1).sum::<f64>()
    };
    let check = (0..CHECK_STEPS).map(|at| step(&batches[at % BATCHES])).sum::<f64>() / CHECK_STEPS as f64;
    let ms = time(&batches, steps, |batch| {
        step(batch);
    });
    Ok((ms, check))
}

fn score(folder: &Path, steps: usize, shard_rows: usize) -> Result<(f64, f64), Failure> {
    let (model, _, mut params) = model()?;
    weights::import(&mut params, &folder.join("weights.safetensors"))?;
    let batches = batches(folder)?;
    let mut shards = Shards::new(&params, shard_rows);
    let mut logits = vec![0.0f32; ROWS];
    let mut step = |batch: &Batch| {
        let order = by_cohort(&batch.cohorts).0;
        let parts = shards.forward(&params, ROWS, |Shard { rows, .. }, tape| {
            let y = model.forward(tape, &params, batch, &order[rows]);
            tape.value(y).to_vec()
        });
        for (&row, y) in order.iter().zip(parts.concat()) {
            logits[row as usize] = y;
        }
        logits.iter().map(|y| f64::from(y.abs())).sum::<f64>() / ROWS as f64
    };
    let check = step(&batches[0]);
    let ms = time(&batches, steps, |batch| {
        step(batch);
    });
    Ok((ms, check))
}

/// Multiplications and additions of a batch's products, and the bytes of weights that have to be moved, which caches keep: the base is
/// read, and an adapter's values are read or, in training, stepped with their moments.
fn least(trains: bool) -> (f64, f64) {
    // Base, A and B of both layers, and the head.
    let base = [WIDTH * 256, 256 * 128];
    let low = [[WIDTH * RANK, RANK * 256], [256 * RANK, RANK * 128]];
    let (head, adapter) = (128, low.iter().flatten().sum::<usize>());
    let forward = base.iter().sum::<usize>() + adapter + head;
    // Back: the upper layer's input through its base and A, all that leads to A, and the gradients of A, B and the head.
    let back = base[1] + low[1][0] + low[0][1] + low[1][1] + head + adapter + head;
    let values = |each: usize| (COHORTS as usize * adapter + head) as f64 * each as f64;
    let bytes = base.iter().sum::<usize>() as f64 * 4.0 + values(if trains { 28 } else { 4 });
    ((2 * ROWS * (forward + if trains { back } else { 0 })) as f64, bytes)
}

/// Milliseconds with an adapter merged, and of the base alone.
fn merged(folder: &Path, steps: usize, shard_rows: usize) -> Result<(f64, f64), Failure> {
    let (model, mlp, mut params) = model()?;
    weights::import(&mut params, &folder.join("weights.safetensors"))?;
    let batches = batches(folder)?;
    let mut shards = Shards::new(&params, shard_rows);
    let store = AdapterStore::new(params.clone(), &mlp);
    store.add("merged", model.tower.adapter(&params, 3)?)?;
    let base = store.snapshot();
    store.merge("merged")?;
    let mut plain = |snapshot: &Snapshot<f32>, name: Option<&str>| {
        time(&batches, steps, |batch| {
            shards.forward(snapshot.params(), ROWS, |Shard { rows, .. }, tape| {
                let x = tape.input(rows.len(), WIDTH, &batch.x[rows.start * WIDTH..rows.end * WIDTH]);
                let h = snapshot.forward(tape, x, &[(name, rows.len())]).expect("an adapter that is there");
                let y = model.head.forward(tape, snapshot.params(), h);
                tape.value(y).to_vec()
            });
        })
    };
    // By turns, so that a busy machine slows both.
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        with.push(plain(&store.snapshot(), Some("merged")));
        without.push(plain(&base, None));
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    Ok((median(with), median(without)))
}

fn main() -> Result<(), Failure> {
    on_pool(bench)
}

fn bench() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let usage =
        "usage: lora_bench prepare <folder> | run <folder> <train | score | merged> <steps> [<shard>]";
    let (folder, what, steps, shard) = match words.as_slice() {
        ["prepare", folder] => return prepare(Path::new(folder)),
        ["run", folder, what, steps] => (Path::new(folder), *what, steps.parse()?, 512),
        ["run", folder, what, steps, shard] => (Path::new(folder), *what, steps.parse()?, shard.parse()?),
        _ => return Err(usage.into()),
    };
    if steps == 0 || shard == 0 {
        return Err(format!("steps = {steps}, rows per shard = {shard}, allowed are 1 or more").into());
    }
    let line = match what {
        "train" | "score" => {
            let run = if what == "train" { train } else { score };
            let (ms, check) = run(folder, steps, shard)?;
            let (flops, bytes) = least(what == "train");
            serde_json::json!({
                "ms": ms,
                "check": check,
                "flops": flops,
                "bytes": bytes,
                "near_bytes": bytes,
                "kernels": kernels::backend(),
            })
        }
        "merged" => {
            let (ms, base_ms) = merged(folder, steps, shard)?;
            serde_json::json!({ "ms": ms, "base_ms": base_ms, "kernels": kernels::backend() })
        }
        _ => return Err(usage.into()),
    };
    println!("{line}");
    Ok(())
}
