//! Balance, against finite differences and known values.

use kohort_core::random::stream;
use kohort_core::{GradCheck, Params, Tape, Var};
use kohort_layers::experts::{Gate, GateConfig, Routing, balance};
use kohort_layers::{Mode, UNKNOWN};

use super::numbers;

/// A penalty on a softmax of free logits.
#[track_caller]
fn check(n: usize, experts: usize, penalty: impl Fn(&mut Tape<f64>, &Params<f64>, Var, Var) -> Var) {
    let mut params = Params::new();
    let logits = params.add("logits", n, experts, numbers("logits", n * experts));
    GradCheck::default()
        .run(&params, |tape, params| {
            let logits = tape.param(params, logits);
            let gate = tape.softmax(logits);
            penalty(tape, params, gate, logits)
        })
        .expect("gradient");
}

#[test]
fn penalties_on_gates_pass_finite_differences() {
    for (n, experts) in [(1, 1), (1, 3), (6, 4)] {
        check(n, experts, |tape, params, gate, _| balance::importance(tape, params, gate));
        check(n, experts, |tape, params, gate, _| balance::switch(tape, params, gate));
        check(n, experts, |tape, params, _, logits| balance::router_z(tape, params, logits));
        check(n, experts, |tape, params, gate, _| balance::evenness(tape, params, gate));
        check(n, experts, |tape, params, gate, _| balance::sharpness(tape, params, gate));
        check(n, experts, |tape, params, gate, logits| {
            let other = tape.scale(logits, -0.5, 0.1);
            let other = tape.softmax(other);
            balance::task_information(tape, params, &[gate, other])
        });
    }
    check(6, 4, |tape, params, gate, _| {
        balance::cohort_information(tape, params, gate, &[7, 2, UNKNOWN, 7, 7, 2])
    });
}

#[test]
fn orthogonality_passes_finite_differences_and_is_zero_for_outputs_at_right_angles() {
    let mut params = Params::new();
    let h = params.add("h", 3, 4 * 2, numbers("h", 24));
    GradCheck::default()
        .run(&params, |tape, params| {
            let h = tape.param(params, h);
            balance::orthogonality(tape, params, h, 4)
        })
        .expect("gradient");
    let mut tape = Tape::<f64>::new();
    let none = Params::new();
    for (h, want) in [([2.0, 0.0, 0.0, 3.0], 0.0), ([1.0, 2.0, 2.0, 4.0], 2.0), ([0.0, 0.0, 1.0, 1.0], 0.0)] {
        let h = tape.input(1, 4, &h);
        let penalty = balance::orthogonality(&mut tape, &none, h, 2);
        assert!((tape.scalar(penalty) - want).abs() < 1e-12);
    }
}

#[test]
fn the_expected_load_passes_finite_differences_in_logits_and_noise() {
    let config = GateConfig { routing: Routing::NoisyTopK { k: 2 }, bias: true, dropout: 0.0 };
    let mut params = Params::<f64>::new();
    let gate = Gate::new(&mut params, "g", 3, 4, &config, 1).unwrap();
    for slot in params.slots_mut() {
        slot.value = numbers(&slot.name, slot.value.len());
    }
    let x = numbers("x", 18);
    let record = |tape: &mut Tape<f64>, params: &Params<f64>| {
        let x = tape.input(6, 3, &x);
        let mode = &mut Mode::train(stream(2, "noise", &[]));
        gate.forward(tape, params, x, None, mode).load.expect("training")
    };
    GradCheck::default().run(&params, record).expect("gradient of the load");
    let penalty = |tape: &mut Tape<f64>, params: &Params<f64>| {
        let load = record(tape, params);
        balance::load(tape, params, load)
    };
    GradCheck::default().run(&params, penalty).expect("gradient of its variation");
}

#[test]
fn even_gates_have_the_smallest_penalties_and_one_expert_has_none() {
    let none = Params::<f64>::new();
    let mut tape = Tape::new();
    let even = tape.input(3, 4, &[0.25; 12]);
    let mut value = |record: fn(&mut Tape<f64>, &Params<f64>, Var) -> Var, gate| {
        let penalty = record(&mut tape, &none, gate);
        tape.scalar(penalty)
    };
    let near = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got}, not {want}");
    near(value(balance::importance, even), 0.0);
    near(value(balance::switch, even), 1.0);
    near(value(balance::evenness, even), -(4f64.ln()));
    near(value(balance::sharpness, even), 4f64.ln());
    let mut tape = Tape::new();
    let one = tape.input(3, 1, &[1.0; 3]);
    let penalty = balance::importance(&mut tape, &none, one);
    assert_eq!(tape.scalar(penalty), 0.0, "CV² of one expert");
    // All on one of four: Var = 3/16 of the sum's square, mean = 1/4.
    let all = tape.input(2, 4, &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let penalty = balance::importance(&mut tape, &none, all);
    near(tape.scalar(penalty), 3.0);
    let no_rows = tape.input(0, 4, &[]);
    for record in
        [balance::importance, balance::switch, balance::evenness, balance::sharpness, balance::router_z]
    {
        let penalty = record(&mut tape, &none, no_rows);
        assert_eq!(tape.scalar(penalty), 0.0, "no rows, no penalty");
    }
}

#[test]
fn information_is_that_of_a_fair_choice_where_each_cohort_has_its_expert_and_zero_where_all_are_alike() {
    let none = Params::<f64>::new();
    let mut tape = Tape::new();
    let apart = tape.input(4, 2, &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    let penalty = balance::cohort_information(&mut tape, &none, apart, &[3, 9, 3, 9]);
    assert!((tape.scalar(penalty) + 2f64.ln()).abs() < 1e-12);
    let penalty = balance::cohort_information(&mut tape, &none, apart, &[3, 3, 9, 9]);
    assert!(tape.scalar(penalty).abs() < 1e-12);
}
