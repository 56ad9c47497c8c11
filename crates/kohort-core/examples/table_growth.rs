//! Times a training step that is almost nothing but a large table: rows are looked up, get a gradient, and are stepped alone.
//!
//! ```text
//! table_growth <steps> [ids=1000000] [touched=16384] [among=ids]
//! ```
//!
//! Rows of 16, `touched` distinct ones in each step, spread over the first `among`; one linear layer and a loss. Prints one JSON object: ms
//! (median), flops and bytes (what the step takes at least), kernels. The cost should follow the rows touched and not the rows that are
//! there. Rows spread over more than caches hold take longer to fetch, which is the memory's doing: `among` keeps that the same.

use std::time::Instant;

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::shards::{Shards, on_pool};
use kohort_core::{Activation, LossKind, Params};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const WIDTH: usize = 16;
const SHARD: usize = 4096;
const BATCHES: usize = 4;
const USAGE: &str =
    "usage: table_growth <steps> [ids=N] [touched=N] [among=N], among at most ids, touched at most among / 4";

/// `touched` of `among`, none twice: every `among / touched`th, from another one on in each batch.
fn spread(among: usize, touched: usize, batch: usize) -> Vec<u32> {
    let stride = among / touched;
    let at = |n: usize| (n * stride + batch % stride) as u32;
    // Out of order, as real ids come: from both ends by turns.
    (0..touched).map(|n| if n % 2 == 0 { at(n / 2) } else { at(touched - 1 - n / 2) }).collect()
}

fn main() -> Result<(), Failure> {
    on_pool(bench)
}

fn bench() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (steps, words) = args.split_first().ok_or(USAGE)?;
    let (steps, mut ids, mut touched): (usize, usize, usize) = (steps.parse()?, 1_000_000, 16_384);
    let mut among = None;
    for word in words {
        match word.split_once('=') {
            Some(("ids", value)) => ids = value.parse()?,
            Some(("touched", value)) => touched = value.parse()?,
            Some(("among", value)) => among = Some(value.parse()?),
            _ => return Err(USAGE.into()),
        }
    }
    let among: usize = among.unwrap_or(ids);
    if steps == 0 || touched == 0 || among > ids || among / touched < BATCHES {
        return Err(USAGE.into());
    }
    let mut params = Params::<f32>::new();
    let start = (0..ids * WIDTH).map(|at| ((at % 101) as f32 - 50.0) * 1e-3).collect();
    let table = params.add_table("table", ids, WIDTH, start);
    let head = params.add("head", WIDTH, 1, vec![0.1; WIDTH]);
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::TouchedRows);
    let mut shards = Shards::new(&params, SHARD);
    let batches: Vec<Vec<u32>> = (0..BATCHES).map(|batch| spread(among, touched, batch)).collect();
    let labels: Vec<f32> = (0..touched).map(|at| (at % 2) as f32).collect();
    let mut times = Vec::with_capacity(steps);
    for at in 0..2 * BATCHES + steps {
        let rows = &batches[at % BATCHES];
        let start = Instant::now();
        let losses = shards.forward(&params, touched, |shard, tape| {
            let x = tape.gather(&params, table, &rows[shard.rows.clone()]);
            let y = tape.linear(&params, x, head, None, Activation::Identity);
            tape.loss(LossKind::Logistic, y, &labels[shard.rows], None, 1.0 / touched as f32)
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
    let line = serde_json::json!({
        "ms": (times[(steps - 1) / 2] + times[steps / 2]) / 2.0,
        "flops": (6 * touched * WIDTH) as f64,
        // Read and written: a value and both moments; the gradient is made and read.
        "bytes": (32 * touched * WIDTH) as f64,
        "kernels": kohort_core::kernels::backend(),
    });
    println!("{line}");
    Ok(())
}
