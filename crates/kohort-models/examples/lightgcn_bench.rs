//! Times training steps of LightGCN, for the side by side with PyTorch.
//!
//! ```text
//! lightgcn_bench prepare <folder>
//! lightgcn_bench run <folder> <steps>
//! ```
//!
//! 30,000 users and 40,000 items with 10⁶ distinct interactions, both drawn by a power law; embeddings of 64, three layers, batches of
//! 2048 rows with a negative each. The whole graph is propagated in every step:
//!
//! ```text
//! X = (1/4) Σ_{k=0..3} Ãᵏ·E        loss = mean softplus(x_u·x_j − x_u·x_i) + (λ/2B) Σ (|e_u|² + |e_i|² + |e_j|²)
//! ```
//!
//! Adam on all of E. `prepare` writes the edges, eight batches and E. `run` prints one JSON object: step_ms (median), check (mean loss
//! of the first ten steps), kernels.

mod words;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::shards::{Shards, on_pool};
use kohort_core::sparse::Symmetric;
use kohort_core::{Init, LossKind, ParamId, Params, Tape, Var, weights};
use kohort_random::rand::Rng;
use kohort_random::stream;
use words::{column, median};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const SEED: u64 = 13;
const USERS: usize = 30_000;
const ITEMS: usize = 40_000;
const EDGES: usize = 1_000_000;
const WIDTH: usize = 64;
const LAYERS: usize = 3;
const BATCH: usize = 2048;
const BATCHES: usize = 8;
const PENALTY: f32 = 1e-4;
const CHECK_STEPS: usize = 10;

fn main() -> Result<(), Failure> {
    on_pool(bench)
}

fn bench() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["run", folder, steps] => run(Path::new(folder), steps.parse()?),
        _ => Err("usage: lightgcn_bench prepare <folder> | run <folder> <steps>".into()),
    }
}

/// `⌊n·u²⌋`: a hundredth of the ids takes a tenth of the draws, and all come.
fn draw(n: usize, numbers: &mut impl Rng) -> u32 {
    let u: f64 = numbers.random();
    ((n as f64 * u * u) as u32).min(n as u32 - 1)
}

fn embedding(params: &mut Params) -> ParamId {
    let start = Init::Normal(0.1).draw(USERS + ITEMS, WIDTH, &mut stream(SEED, "nodes", &[]));
    params.add("nodes", USERS + ITEMS, WIDTH, start)
}

fn prepare(folder: &Path) -> Result<(), Failure> {
    let mut numbers = stream(SEED, "edges", &[]);
    let mut edges: Vec<(u32, u32)> = Vec::with_capacity(EDGES);
    while edges.len() < EDGES {
        let missing = EDGES - edges.len();
        edges.extend((0..missing).map(|_| (draw(USERS, &mut numbers), draw(ITEMS, &mut numbers))));
        edges.sort_unstable();
        edges.dedup();
    }
    let mut numbers = stream(SEED, "batches", &[]);
    let mut triples = Vec::with_capacity(3 * BATCH * BATCHES);
    for _ in 0..BATCH * BATCHES {
        let (user, item) = edges[numbers.random_range(0..edges.len())];
        let other = loop {
            let other = numbers.random_range(0..ITEMS as u32);
            if edges.binary_search(&(user, other)).is_err() {
                break other;
            }
        };
        triples.extend([user, item, other]);
    }
    fs::create_dir_all(folder)?;
    words::write(&folder.join("edges.u32"), edges.iter().flat_map(|&(user, item)| [user, item]))?;
    words::write(&folder.join("triples.u32"), triples)?;
    let mut params = Params::new();
    embedding(&mut params);
    weights::export(&params, &folder.join("weights.safetensors"), "{}")?;
    println!("{}", serde_json::json!({ "edges": edges.len(), "parameters": params.count(false) }));
    Ok(())
}

/// A batch: its distinct nodes, which alone are read, and where each row's three are among them.
struct Batch {
    nodes: Vec<u32>,
    places: Vec<u32>,
}

impl Batch {
    fn of(triples: &[u32]) -> Batch {
        let all: Vec<u32> = triples
            .iter()
            .enumerate()
            .map(|(at, &id)| if at % 3 == 0 { id } else { USERS as u32 + id })
            .collect();
        let mut nodes = all.clone();
        nodes.sort_unstable();
        nodes.dedup();
        let place = |node: &u32| nodes.partition_point(|other| other < node) as u32;
        let places = all.iter().map(place).collect();
        Batch { nodes, places }
    }

    fn record(&self, tape: &mut Tape, params: &Params, e: ParamId, graph: &Arc<Symmetric<f32>>) -> [Var; 2] {
        let [user, item, other] = [0, 1, 2].map(|n| column(&self.places, 3, n));
        let x = tape.propagate(params, e, graph, LAYERS, &self.nodes);
        let liked = tape.pair_dot(x, x, &user, &item);
        let drawn = tape.pair_dot(x, x, &user, &other);
        let margin = tape.sub(liked, drawn);
        let loss =
            tape.loss(LossKind::Logistic, margin, &vec![1.0; user.len()], None, 1.0 / user.len() as f32);
        let own = tape.propagate(params, e, graph, 0, &self.nodes);
        let squares = tape.pair_dot(own, own, &self.places, &self.places);
        let sum = tape.sum(squares);
        [loss, tape.scale(sum, PENALTY / (2.0 * user.len() as f32), 0.0)]
    }
}

fn run(folder: &Path, steps: usize) -> Result<(), Failure> {
    if steps == 0 {
        return Err("steps = 0, allowed are 1 or more".into());
    }
    let edges = words::read(&folder.join("edges.u32"))?;
    let graph = Arc::new(Symmetric::bipartite((USERS, ITEMS), &column(&edges, 2, 0), &column(&edges, 2, 1))?);
    let mut params = Params::new();
    let e = embedding(&mut params);
    weights::import(&mut params, &folder.join("weights.safetensors"))?;
    let triples = words::read(&folder.join("triples.u32"))?;
    let batches: Vec<&[u32]> = triples.chunks_exact(3 * BATCH).collect();
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows);
    // One shard, as each propagates the whole graph; threads share the rows of the products.
    let mut shards = Shards::new(&params, BATCH);
    let mut step = |at: usize| -> Result<f64, Failure> {
        // Finding the distinct nodes is part of the step.
        let batch = Batch::of(batches[at % batches.len()]);
        let recorded = shards.forward(&params, BATCH, |_, tape| {
            let losses = batch.record(tape, &params, e, &graph);
            (losses, losses.iter().map(|&loss| tape.scalar(loss)).sum::<f64>())
        });
        let loss: f64 = recorded.iter().map(|(_, loss)| loss).sum();
        if !loss.is_finite() {
            return Err("not finite".into());
        }
        let grads = shards.backward(|shard, tape, grads| {
            tape.backward(&params, &recorded[shard].0.map(|loss| (loss, 1.0)), grads);
        });
        optimizer.step(&mut params, grads, 1e-3);
        Ok(loss)
    };
    let mut check = 0.0;
    for at in 0..CHECK_STEPS {
        check += step(at)? / CHECK_STEPS as f64;
    }
    let mut times = Vec::new();
    for at in 0..steps {
        let start = Instant::now();
        step(CHECK_STEPS + at)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let line = serde_json::json!({
        "step_ms": median(times),
        "check": check,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
