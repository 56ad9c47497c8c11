//! Several sweeps over one recording.

use super::*;

#[test]
fn two_sweeps_equal_one_joint_sweep() {
    let (params, ids) = params(&TWO_TASKS);
    let mut tape = Tape::new();
    let (_, a, b) = two_tasks(&mut tape, &params, &ids);
    let (mut joint, mut apart) = (Grads::new(&params), Grads::new(&params));
    tape.backward(&params, &[(a, 0.7), (b, -2.0)], &mut joint);
    tape.backward(&params, &[(a, 0.7)], &mut apart);
    tape.backward(&params, &[(b, -2.0)], &mut apart);
    all_close(&params, &joint, &apart);
}

#[test]
fn sweeps_to_a_cut_and_on_from_it_equal_one_sweep() {
    let (params, ids) = params(&TWO_TASKS);
    let mut tape = Tape::new();
    let (trunk, a, b) = two_tasks(&mut tape, &params, &ids);
    let cut = Cut(vec![trunk]);
    let (mut whole, mut parts) = (Grads::new(&params), Grads::new(&params));
    tape.backward(&params, &[(a, 0.7), (b, -2.0)], &mut whole);
    let (mut at_a, mut at_b) = (Adjoint::default(), Adjoint::default());
    tape.backward_to(&params, &[(a, 0.7)], &cut, &mut at_a, &mut parts);
    assert!(parts.to_dense(ids[1], &params).iter().all(|&g| g == 0.0), "below the cut");
    tape.backward_to(&params, &[(b, -2.0)], &cut, &mut at_b, &mut parts);
    at_a.add(&at_b, 1.0);
    tape.backward_from(&params, &cut, &at_a, &mut parts);
    all_close(&params, &whole, &parts);
}

#[test]
fn a_frozen_parameter_gets_no_gradient_and_leaves_the_others_theirs() {
    let (mut params, ids) = params(&TWO_TASKS);
    let gradient = |params: &Params<f64>| {
        let mut tape = Tape::new();
        let (trunk, a, _) = two_tasks(&mut tape, params, &ids);
        let mut grads = Grads::new(params);
        tape.backward(params, &[(a, 1.0)], &mut grads);
        (grads, tape.adjoint(trunk).is_some())
    };
    let (free, visited) = gradient(&params);
    assert!(visited);
    params.set_trainable("table", false);
    params.set_trainable("w", false);
    params.set_trainable("b", false);
    let (frozen, visited) = gradient(&params);
    assert!(!visited, "nothing trainable lies below the trunk");
    assert!(frozen.to_dense(ids[1], &params).iter().all(|&g| g == 0.0));
    assert_eq!(free.to_dense(ids[3], &params), frozen.to_dense(ids[3], &params));
}
