//! Times cohort LoRA: training steps and scoring of mixed batches. `lora_bench.py` times PyTorch's usual variants of the same.
//!
//! ```text
//! RAYON_NUM_THREADS=2 cargo run --release -p kohort-layers --features openblas --example lora_bench -- [rows per shard]
//! ```
//!
//! A frozen base 256-256-128 with ReLU after both layers, a trained head 128-1, and adapters of rank 8 and scale 2 on both layers
//! for 64 cohorts, which are uniform in a batch of 4096 rows; binary cross-entropy, Adam. Ordering the rows by cohort is part of the
//! step. Prints medians as one JSON object: `train_ms`, `score_ms`, `merged_ms` (one cohort's adapter merged) and `base_ms`.

use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::random::{rand::Rng, stream};
use kohort_core::shards::{Shard, Shards};
use kohort_core::{Activation, LossKind, Params, Tape, Var, kernels};
use kohort_layers::lora::store::{AdapterStore, Snapshot};
use kohort_layers::lora::{CohortLora, Freeze, LoraConfig, LoraMlp, by_cohort};
use kohort_layers::{Linear, Mlp, MlpConfig, Mode, Segments};

type Failure = Box<dyn std::error::Error>;

const ROWS: usize = 4096;
const WIDTH: usize = 256;
const COHORTS: u32 = 64;
const ROUNDS: usize = 60;

struct Batch {
    x: Vec<f32>,
    cohorts: Vec<u32>,
    labels: Vec<f32>,
}

fn batch(index: u64) -> Batch {
    let mut numbers = stream(7, "lora bench", &[index]);
    Batch {
        x: (0..ROWS * WIDTH).map(|_| numbers.random_range(-1.0..1.0)).collect(),
        cohorts: (0..ROWS).map(|_| numbers.random_range(0..COHORTS)).collect(),
        labels: (0..ROWS).map(|_| f32::from(u8::from(numbers.random_bool(0.2)))).collect(),
    }
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

/// Median of the time that `step` takes, in milliseconds.
fn time(batches: &[Batch], mut step: impl FnMut(&Batch)) -> f64 {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + 10 {
        let start = Instant::now();
        step(&batches[round % batches.len()]);
        if round >= 10 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn main() -> Result<(), Failure> {
    let shard_rows: usize = std::env::args().nth(1).map_or(Ok(512), |rows| rows.parse())?;
    let mut params = Params::<f32>::new();
    let widths = MlpConfig { widths: vec![256, 128], ..MlpConfig::default() };
    let mlp = Mlp::new(&mut params, "tower", WIDTH, &widths, 1);
    let config = LoraConfig { rank: 8, alpha: 16.0, ..LoraConfig::default() };
    let mut tower = LoraMlp::new(&mut params, &mlp, &config, 1)?;
    for cohort in 0..COHORTS {
        tower.add(&mut params, cohort)?;
    }
    tower.freeze(&mut params, Freeze::All);
    let head = Linear::new(&mut params, "head", 128, 1, Activation::Identity, 1);
    let model = Model { tower, head };
    let batches: Vec<Batch> = (0..8).map(batch).collect();
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::TouchedRows);
    let mut shards = Shards::new(&params, shard_rows);

    let mut last = 0.0;
    let train_ms = time(&batches, |batch| {
        let order = by_cohort(&batch.cohorts).0;
        let losses = shards.forward(&params, ROWS, |Shard { rows, .. }, tape| {
            let order = &order[rows];
            let logits = model.forward(tape, &params, batch, order);
            let labels: Vec<f32> = order.iter().map(|&row| batch.labels[row as usize]).collect();
            let loss = tape.loss(LossKind::Logistic, logits, &labels, None, 1.0 / ROWS as f32);
            (loss, tape.scalar(loss))
        });
        last = losses.iter().map(|loss| loss.1).sum();
        let grads = shards.backward(|shard, tape, grads| {
            tape.backward(&params, &[(losses[shard].0, 1.0)], grads);
        });
        optimizer.step(&mut params, grads, 1e-3);
    });
    let mut logits = vec![0.0f32; ROWS];
    let mut scoring = Shards::new(&params, shard_rows);
    let score_ms = time(&batches, |batch| {
        let order = by_cohort(&batch.cohorts).0;
        let parts = scoring.forward(&params, ROWS, |Shard { rows, .. }, tape| {
            let y = model.forward(tape, &params, batch, &order[rows]);
            tape.value(y).to_vec()
        });
        for (&row, y) in order.iter().zip(parts.concat()) {
            logits[row as usize] = y;
        }
    });
    let store = AdapterStore::new(params.clone(), &mlp);
    store.add("merged", model.tower.adapter(&params, 3)?)?;
    let mut plain = |snapshot: &Snapshot<f32>, name: Option<&str>| {
        time(&batches, |batch| {
            scoring.forward(snapshot.params(), ROWS, |Shard { rows, .. }, tape| {
                let x = tape.input(rows.len(), WIDTH, &batch.x[rows.start * WIDTH..rows.end * WIDTH]);
                let h = snapshot.forward(tape, x, &[(name, rows.len())]).expect("an adapter that is there");
                let y = model.head.forward(tape, snapshot.params(), h);
                tape.value(y).to_vec()
            });
        })
    };
    let base_ms = plain(&store.snapshot(), None);
    store.merge("merged")?;
    let merged_ms = plain(&store.snapshot(), Some("merged"));
    println!(
        "{{\"train_ms\": {train_ms:.2}, \"score_ms\": {score_ms:.2}, \"merged_ms\": {merged_ms:.2}, \
         \"base_ms\": {base_ms:.2}, \"loss\": {last:.4}, \"kernels\": \"{}\"}}",
        kernels::backend()
    );
    Ok(())
}
