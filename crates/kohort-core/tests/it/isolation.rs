//! What gets no gradient does not move: values, moments, step counts, weight decay included.

use kohort_core::optim::{Adam, AdamW, Optimizer, Rule, Sgd, Tables};
use kohort_core::{Activation, Block, Grads, Params, Tape};

#[test]
fn an_absent_cohorts_weights_and_moments_stay_bit_identical() {
    for rule in [Rule::Sgd(Sgd { momentum: 0.9 }), Rule::Adam(Adam::default()), Rule::AdamW(AdamW::default())]
    {
        let mut params = Params::<f32>::new();
        let present = params.add("present", 2, 2, vec![1.0, 2.0, 3.0, 4.0]);
        let absent = params.add("absent", 2, 2, vec![1.0, 2.0, 3.0, 4.0]);
        params.slots_mut().iter_mut().for_each(|s| s.decay = 0.1);
        let mut optimizer = Optimizer::new(&params, rule, Tables::AllRows);
        let mut tape = Tape::new();
        let mut step = |params: &mut Params<f32>, which| {
            tape.reset();
            let x = tape.input(1, 2, &[1.0, -1.0]);
            let y = tape.linear(params, x, which, None, Activation::Identity);
            let loss = tape.sum(y);
            let mut grads = Grads::new(params);
            tape.backward(params, &[(loss, 1.0)], &mut grads);
            optimizer.step(params, &grads, 0.1);
            (optimizer.steps(absent), optimizer.moments(absent).clone())
        };
        let state = step(&mut params, absent);
        let value = params.value(absent).to_vec();
        for _ in 0..5 {
            assert_eq!(step(&mut params, present), state);
        }
        assert_eq!(params.value(absent), value);
    }
}

#[test]
fn untouched_rows_stay_bit_identical_under_touched_rows_treatment() {
    let mut params = Params::<f32>::new();
    let table = params.add_table("t", 4, 2, (0..8).map(|x| x as f32).collect());
    params.slot_mut(table).decay = 0.1;
    let before = params.value(table).to_vec();
    let mut optimizer = Optimizer::new(&params, Rule::AdamW(AdamW::default()), Tables::TouchedRows);
    let mut tape = Tape::new();
    for _ in 0..3 {
        tape.reset();
        let x = tape.gather(&params, table, &[2]);
        let loss = tape.sum(x);
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        optimizer.step(&mut params, &grads, 0.1);
    }
    for row in [0, 1, 3] {
        assert_eq!(params.row(table, row), &before[row * 2..row * 2 + 2]);
    }
    assert_ne!(params.row(table, 2), &before[4..6]);
}

/// Rows outside a cohort leave that cohort's block and its optimiser state, weight decay included, bit-identical.
#[test]
fn rows_of_other_cohorts_leave_a_cohorts_block_and_moments_bit_identical() {
    let mut params = Params::<f32>::new();
    let mut block = |name: &str| Block {
        w: params.add(format!("{name}/w"), 2, 2, vec![1.0, 2.0, 3.0, 4.0]),
        b: Some(params.add(format!("{name}/b"), 1, 2, vec![0.5, -0.5])),
    };
    let (home, away) = (block("home"), block("away"));
    params.slots_mut().iter_mut().for_each(|s| s.decay = 0.1);
    let mut optimizer = Optimizer::new(&params, Rule::AdamW(AdamW::default()), Tables::AllRows);
    let mut tape = Tape::new();
    let mut step = |params: &mut Params<f32>, home_rows: u32| {
        tape.reset();
        let x = tape.input(3, 2, &[1.0, -1.0, 2.0, 0.5, 0.0, 1.0]);
        let y = tape.blocks(params, x, &[0, home_rows, 3], &[Some(home), Some(away)], Activation::Tanh);
        let loss = tape.sum(y);
        let mut grads = Grads::new(params);
        tape.backward(params, &[(loss, 1.0)], &mut grads);
        optimizer.step(params, &grads, 0.1);
        [Some(home.w), home.b]
            .map(|id| id.unwrap())
            .map(|id| (optimizer.steps(id), optimizer.moments(id).clone(), params.value(id).to_vec()))
    };
    let state = step(&mut params, 2);
    for _ in 0..5 {
        assert_eq!(step(&mut params, 0), state);
    }
    assert_ne!(step(&mut params, 1), state);
}
