//! The same bits for 1, 2 and 5 threads, and for a run that was stopped and resumed.

use kohort_core::optim::{Adam, Average, Optimizer, Rule, Tables};
use kohort_core::random::stream;
use kohort_core::shards::Shards;
use kohort_core::{Activation, Init, LossKind, ParamId, Params, checkpoint};

#[derive(serde::Serialize, serde::Deserialize)]
struct State {
    params: Params,
    optimizer: Optimizer,
    average: Average,
}

fn fresh() -> (State, [ParamId; 4]) {
    let mut params = Params::new();
    let init = |rows, cols, name: &str| Init::Glorot.draw(rows, cols, &mut stream(3, name, &[]));
    let ids = [
        params.add_table("table", 50, 16, init(50, 16, "table")),
        params.add("w", 16, 32, init(16, 32, "w")),
        params.add("b", 1, 32, init(1, 32, "b")),
        params.add("head", 32, 1, init(32, 1, "head")),
    ];
    let optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows);
    let average = Average::new(&params, 0.9);
    (State { params, optimizer, average }, ids)
}

/// Steps `from .. to` of a small model with dropout on batches of 333 rows in shards of 64.
fn train(state: &mut State, [table, w, b, head]: [ParamId; 4], steps: std::ops::Range<u64>) {
    const ROWS: usize = 333;
    let mut shards = Shards::new(&state.params, 64);
    for step in steps {
        let params = &state.params;
        let losses = shards.forward(params, ROWS, |shard, tape| {
            let row = |n: usize| (n as u64 * 7 + step) as u32 % 50;
            let rows: Vec<u32> = shard.rows.clone().map(row).collect();
            let target: Vec<f32> = rows.iter().map(|&r| r as f32 / 50.0).collect();
            let x = tape.gather(params, table, &rows);
            let mut masks = stream(3, "dropout", &[step, shard.index as u64]);
            let h = tape.linear(params, x, w, Some(b), Activation::Relu);
            let h = tape.dropout(h, 0.2, &mut masks);
            let y = tape.linear(params, h, head, None, Activation::Identity);
            tape.loss(LossKind::Squared, y, &target, None, 1.0 / ROWS as f32)
        });
        let grads =
            shards.backward(|shard, tape, grads| tape.backward(params, &[(losses[shard], 1.0)], grads));
        state.optimizer.step(&mut state.params, grads, 0.01);
        state.average.update(&state.params);
    }
}

fn fingerprint(state: &State) -> (u64, u64) {
    (state.params.fingerprint(), state.average.params(&state.params).fingerprint())
}

#[test]
fn one_two_and_five_threads_give_the_same_bits() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let (mut state, ids) = fresh();
            train(&mut state, ids, 0..5);
            fingerprint(&state)
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}

#[test]
fn resume_equals_continue_to_the_bit() {
    let (mut whole, ids) = fresh();
    train(&mut whole, ids, 0..6);

    let (mut first, ids) = fresh();
    train(&mut first, ids, 0..3);
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("half.ckpt");
    checkpoint::write(&path, &first).expect("written");
    let mut second: State = checkpoint::read(&path).expect("read");
    train(&mut second, ids, 3..6);

    assert_eq!(fingerprint(&whole), fingerprint(&second));
}
