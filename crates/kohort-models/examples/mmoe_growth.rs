//! Times a training step of MMoE at sizes from the command line, to see how its cost grows.
//!
//! ```text
//! mmoe_growth <steps> [rows=1024] [ids=10000] [tasks=2] [experts=8] [touched=0]
//! ```
//!
//! The network of `mmoe_bench` with eight tables of `ids` rows each, ids by the same power law, made in memory. `touched=1` steps the rows
//! of the batch only. Prints one JSON object: ms (median of a step), flops, bytes and near_bytes (what the step takes at least; bytes of weights
//! that caches keep), kernels.

mod network;
mod words;

use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::shards::{Shards, on_pool};
use kohort_core::{Layout, LossKind, Params};
use kohort_layers::Mode;
use kohort_random::rand::Rng;
use kohort_random::stream;
use network::{Network, SEED, VOCABULARIES, draw};
use words::median;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const FEATURES: usize = VOCABULARIES.len();
const BATCHES: usize = 4;
const MEANINGLESS: &str = "usage: mmoe_growth <steps> [rows=N] [ids=N] [tasks=N] [experts=N] [touched=0|1]";

struct Sizes {
    rows: usize,
    ids: usize,
    tasks: usize,
    experts: usize,
    touched: bool,
}

impl Sizes {
    fn of(words: &[String]) -> Result<Sizes, Failure> {
        let mut sizes = Sizes { rows: 1024, ids: 10_000, tasks: 2, experts: 8, touched: false };
        for word in words {
            let (key, value) = word.split_once('=').ok_or(MEANINGLESS)?;
            let value: usize = value.parse()?;
            match key {
                "rows" => sizes.rows = value,
                "ids" => sizes.ids = value,
                "tasks" => sizes.tasks = value,
                "experts" => sizes.experts = value,
                "touched" => sizes.touched = value == 1,
                _ => return Err(MEANINGLESS.into()),
            }
        }
        match [sizes.rows, sizes.ids, sizes.tasks, sizes.experts].contains(&0) {
            true => Err(MEANINGLESS.into()),
            false => Ok(sizes),
        }
    }
}

struct Batch {
    /// `[features][rows]`.
    ids: Vec<Vec<u32>>,
    /// `[tasks][rows]`.
    labels: Vec<Vec<f32>>,
}

impl Batch {
    fn drawn(sizes: &Sizes, numbers: &mut impl Rng) -> Batch {
        let ids = |_| (0..sizes.rows).map(|_| draw(sizes.ids, numbers)).collect();
        let ids = (0..FEATURES).map(ids).collect();
        let labels = |_| (0..sizes.rows).map(|_| f32::from(u8::from(numbers.random_bool(0.2)))).collect();
        Batch { ids, labels: (0..sizes.tasks).map(labels).collect() }
    }

    /// Distinct rows of all tables.
    fn distinct(&self) -> usize {
        let of_feature = |ids: &Vec<u32>| {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        };
        self.ids.iter().map(of_feature).sum()
    }
}

fn main() -> Result<(), Failure> {
    on_pool(bench)
}

fn bench() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (steps, words) = args.split_first().ok_or(MEANINGLESS)?;
    let (steps, sizes): (usize, _) = (steps.parse()?, Sizes::of(words)?);
    let mut params = Params::new();
    let network = Network::with_experts(&mut params, &[sizes.ids; FEATURES], sizes.tasks, sizes.experts)?;
    let mut numbers = stream(SEED, "growth", &[]);
    let batches: Vec<Batch> = (0..BATCHES).map(|_| Batch::drawn(&sizes, &mut numbers)).collect();
    let tables = if sizes.touched { Tables::TouchedRows } else { Tables::AllRows };
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), tables);
    // As `mmoe_bench` cuts them.
    let mut shards = Shards::new(&params, sizes.rows.div_ceil(2).min(512));
    let mut step = |batch: &Batch| -> Result<(), Failure> {
        let scale = 1.0 / sizes.rows as f32;
        let recorded = shards.forward(&params, sizes.rows, |shard, tape| {
            let ids: Vec<&[u32]> = batch.ids.iter().map(|column| &column[shard.rows.clone()]).collect();
            let mode = &mut Mode::train(stream(SEED, "dropout", &[0, 0]));
            let (logits, _) = network.forward(tape, &params, &ids, mode);
            let each = logits.iter().zip(&batch.labels);
            let loss = |(&x, labels): (_, &Vec<f32>)| {
                (tape.loss(LossKind::Logistic, x, &labels[shard.rows.clone()], None, scale), 1.0)
            };
            each.map(loss).collect::<Vec<_>>()
        });
        let grads = shards.backward(|shard, tape, grads| tape.backward(&params, &recorded[shard], grads));
        if grads.first_non_finite(&params).is_some() {
            return Err("not finite".into());
        }
        optimizer.step(&mut params, grads, 1e-3);
        Ok(())
    };
    // Two rounds that do not count: memory is asked for in the first.
    for at in 0..2 * BATCHES {
        step(&batches[at % BATCHES])?;
    }
    let mut times = Vec::new();
    for at in 0..steps {
        let start = Instant::now();
        step(&batches[at % BATCHES])?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let dense = params.slots().iter().filter(|slot| slot.layout == Layout::Dense);
    let dense: usize = dense.map(|slot| slot.value.len()).sum();
    let rows: usize = match sizes.touched {
        true => batches[0].distinct(),
        // Rows that have a moment are moved in every step, those that never had one are not.
        false => network
            .tables()
            .map(|id| optimizer.moments(id)[1].chunks(params.slot(id).cols))
            .map(|moments| moments.filter(|row| row.iter().any(|&v| v != 0.0)).count())
            .sum(),
    };
    let width = network.tables().next().map_or(0, |id| params.slot(id).cols);
    let line = serde_json::json!({
        "ms": median(times),
        "flops": 3.0 * network.flops() * sizes.rows as f64,
        "bytes": 28.0 * dense as f64 + 32.0 * (rows * width) as f64,
        "near_bytes": 28.0 * dense as f64,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
