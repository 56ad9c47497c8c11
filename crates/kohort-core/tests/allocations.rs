//! What a step asks of the allocator, counted by one of our own. Alone in its binary: nothing else may allocate meanwhile.
#![allow(unsafe_code)] // an allocator can't be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::random::rand::Rng;
use kohort_core::random::stream;
use kohort_core::shards::Shards;
use kohort_core::{Activation, Block, Init, LossKind, ParamId, Params, Tape, Var};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: likewise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// A small MMoE of one task.
struct Network {
    table: ParamId,
    stack: [Block; 2],
    gate: ParamId,
    head: ParamId,
    bias: ParamId,
}

impl Network {
    fn new(params: &mut Params) -> Network {
        let mut add = |name: &str, rows: usize, cols: usize| {
            let values = Init::Glorot.draw(rows, cols, &mut stream(1, name, &[]));
            if name == "table" {
                params.add_table(name, rows, cols, values)
            } else {
                params.add(name, rows, cols, values)
            }
        };
        let table = add("table", 500, 16);
        let stack = [("w0", 16, 4 * 32), ("w1", 4 * 32, 8)].map(|(name, rows, cols)| add(name, rows, cols));
        let (gate, head, bias) = (add("gate", 16, 4), add("head", 8, 1), add("bias", 1, 1));
        Network { table, stack: stack.map(|w| Block { w, b: None }), gate, head, bias }
    }

    /// Logits of these ids, `[ids, 1]`.
    fn record(&self, tape: &mut Tape, params: &Params, ids: &[u32]) -> Var {
        let x = tape.gather(params, self.table, ids);
        let h = tape.grouped_stack(params, x, &self.stack, 4, Activation::Relu);
        let logits = tape.linear(params, x, self.gate, None, Activation::Identity);
        let weights = tape.softmax(logits);
        let z = tape.mix_blocks(weights, &[(h, 0..4)], 8);
        tape.linear(params, z, self.head, Some(self.bias), Activation::Identity)
    }
}

/// Calls and bytes so far.
fn counted() -> (usize, usize) {
    (CALLS.load(Relaxed), BYTES.load(Relaxed))
}

/// Calls and bytes of a training step, once all buffers are there.
fn steady_step(rows: usize, tables: Tables) -> (usize, usize) {
    let mut params = Params::<f32>::new();
    let network = Network::new(&mut params);
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), tables);
    let mut shards = Shards::new(&params, rows / 2);
    let mut numbers = stream(1, "rows", &[]);
    let ids: Vec<u32> = (0..rows).map(|_| numbers.random_range(0..500)).collect();
    let targets: Vec<f32> = (0..rows).map(|_| f32::from(u8::from(numbers.random_bool(0.3)))).collect();
    let mut last = (0, 0);
    for _ in 0..4 {
        let before = counted();
        let losses = shards.forward(&params, rows, |shard, tape| {
            let y = network.record(tape, &params, &ids[shard.rows.clone()]);
            tape.loss(LossKind::Logistic, y, &targets[shard.rows], None, 1.0 / rows as f32)
        });
        let grads =
            shards.backward(|shard, tape, grads| tape.backward(&params, &[(losses[shard], 1.0)], grads));
        assert!(grads.first_non_finite(&params).is_none());
        optimizer.step(&mut params, grads, 1e-3);
        last = (counted().0 - before.0, counted().1 - before.1);
    }
    last
}

/// Whoever scores a row at a time keeps a tape.
fn scoring_allocates_nothing() {
    let mut params = Params::<f32>::new();
    let network = Network::new(&mut params);
    let mut tape = Tape::new();
    for rows in [1, 64] {
        let ids: Vec<u32> = (0..rows).collect();
        let mut last = (0, 0);
        for _ in 0..3 {
            let before = counted();
            tape.reset();
            let y = network.record(&mut tape, &params, &ids);
            assert!(tape.value(y).iter().all(|y| y.is_finite()));
            last = (counted().0 - before.0, counted().1 - before.1);
        }
        assert_eq!(last, (0, 0), "scoring {rows} rows");
    }
}

/// Values, adjoints, gradients and packed blocks are kept; what is left are lists of a few words for each shard and parameter.
#[test]
fn a_steady_step_allocates_nothing_that_grows_with_the_batch_and_scoring_nothing_at_all() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        for tables in [Tables::AllRows, Tables::TouchedRows] {
            let (small, large) = (steady_step(64, tables), steady_step(1024, tables));
            println!("{tables:?}: {} calls, {} bytes", large.0, large.1);
            assert_eq!(small, large, "{tables:?}");
            assert!(large.0 <= 60 && large.1 <= 8 << 10, "{tables:?}: {} calls, {} bytes", large.0, large.1);
        }
        scoring_allocates_nothing();
    });
}
