//! Times a training step of cohort LoRA at sizes from the command line, to see how its cost grows.
//!
//! ```text
//! lora_growth <steps> [rows=4096] [cohorts=64] [present=64]
//! ```
//!
//! The model of `lora_bench` (frozen base 256-256-128, adapters of rank 8 on both layers, a trained head) with adapters for `cohorts`
//! cohorts, of which `present` come in each batch. Prints one JSON object: ms (median of a step), flops and bytes (what the step takes at
//! least), kernels. The cost should follow the cohorts present and not those that are absent.

use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::random::{rand::Rng, stream};
use kohort_core::shards::{Shard, Shards, on_pool};
use kohort_core::{Activation, LossKind, Params};
use kohort_layers::lora::{CohortLora, Freeze, LoraConfig, LoraMlp, by_cohort};
use kohort_layers::{Linear, Mlp, MlpConfig, Mode, Segments};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const WIDTHS: [usize; 3] = [256, 256, 128];
const RANK: usize = 8;
const SHARD: usize = 512;
const BATCHES: usize = 4;
const USAGE: &str =
    "usage: lora_growth <steps> [rows=N] [cohorts=N] [present=N], present at most cohorts and rows";

struct Batch {
    x: Vec<f32>,
    cohorts: Vec<u32>,
    labels: Vec<f32>,
}

impl Batch {
    fn drawn((rows, cohorts, present): (usize, usize, usize), numbers: &mut impl Rng) -> Batch {
        let x = (0..rows * WIDTHS[0]).map(|_| numbers.random_range(-1.0..1.0)).collect();
        // Every present cohort comes, spread over those that there are.
        let cohort = |row: usize| ((row % present) * cohorts / present) as u32;
        let labels = (0..rows).map(|_| f32::from(u8::from(numbers.random_bool(0.2)))).collect();
        Batch { x, cohorts: (0..rows).map(cohort).collect(), labels }
    }
}

fn main() -> Result<(), Failure> {
    on_pool(bench)
}

fn bench() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (steps, words) = args.split_first().ok_or(USAGE)?;
    let steps: usize = steps.parse()?;
    let (mut rows, mut cohorts, mut present) = (4096usize, 64usize, 64usize);
    for word in words {
        match word.split_once('=') {
            Some(("rows", value)) => rows = value.parse()?,
            Some(("cohorts", value)) => cohorts = value.parse()?,
            Some(("present", value)) => present = value.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    if steps == 0 || present == 0 || present > cohorts || present > rows {
        return Err(USAGE.into());
    }
    let mut params = Params::<f32>::new();
    let widths = MlpConfig { widths: WIDTHS[1..].to_vec(), ..MlpConfig::default() };
    let mlp = Mlp::new(&mut params, "tower", WIDTHS[0], &widths, 1);
    let config = LoraConfig { rank: RANK, alpha: 2.0 * RANK as f64, ..LoraConfig::default() };
    let mut tower: LoraMlp<CohortLora> = LoraMlp::new(&mut params, &mlp, &config, 1)?;
    for cohort in 0..cohorts as u32 {
        tower.add(&mut params, cohort)?;
    }
    tower.freeze(&mut params, Freeze::All);
    let head = Linear::new(&mut params, "head", WIDTHS[2], 1, Activation::Identity, 1);
    let mut numbers = stream(7, "lora growth", &[]);
    let batches: Vec<Batch> =
        (0..BATCHES).map(|_| Batch::drawn((rows, cohorts, present), &mut numbers)).collect();
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::TouchedRows);
    let mut shards = Shards::new(&params, SHARD);
    let mut times = Vec::with_capacity(steps);
    for at in 0..2 * BATCHES + steps {
        let batch = &batches[at % BATCHES];
        let start = Instant::now();
        let order = by_cohort(&batch.cohorts).0;
        let losses = shards.forward(&params, rows, |Shard { rows: of_shard, .. }, tape| {
            let order = &order[of_shard];
            let x = tape.input_rows(&batch.x, WIDTHS[0], order);
            let segments = Segments::of(order.iter().map(|&row| batch.cohorts[row as usize]));
            let h = tower.forward(tape, &params, x, &segments, &mut Mode::score());
            let logits = head.forward(tape, &params, h);
            let labels: Vec<f32> = order.iter().map(|&row| batch.labels[row as usize]).collect();
            tape.loss(LossKind::Logistic, logits, &labels, None, 1.0 / rows as f32)
        });
        let grads = shards.backward(|shard, tape, grads| {
            tape.backward(&params, &[(losses[shard], 1.0)], grads);
        });
        optimizer.step(&mut params, grads, 1e-3);
        // Two rounds do not count: memory is asked for in them.
        if at >= 2 * BATCHES {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_unstable_by(f64::total_cmp);
    let [inputs, hidden, outputs] = WIDTHS;
    let base = inputs * hidden + hidden * outputs;
    let adapter = RANK * (inputs + 2 * hidden + outputs);
    // The base forward, its second layer backward to the first one's adapters; adapters and the head forward, and backward twice.
    let flops = 2 * rows * (base + hidden * outputs + 3 * (adapter + outputs));
    // The base is read; adapters that are present and the head are stepped by Adam.
    let bytes = 4 * base + 28 * (present * adapter + outputs);
    let line = serde_json::json!({
        "ms": (times[(steps - 1) / 2] + times[steps / 2]) / 2.0,
        "flops": flops as f64,
        "bytes": bytes as f64,
        // Adapters of hundreds of cohorts are more than caches hold, and are counted as if they were not.
        "near_bytes": bytes as f64,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
