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

/// Two gates over two experts that all rows meet, and a tower each.
const TWO_GATES: [(&str, usize, usize); 7] = [
    ("table", 3, 4),
    ("experts", 4, 6),
    ("gate/0", 4, 2),
    ("gate/1", 4, 2),
    ("tower/0", 3, 1),
    ("tower/1", 3, 1),
    ("unread", 2, 2),
];

/// The encoded rows, the experts' outputs, and the losses.
fn two_gates(tape: &mut Tape<f64>, params: &Params<f64>, ids: &[ParamId]) -> (Var, Var, [Var; 2]) {
    let x = tape.gather(params, ids[0], &[1, 0, 2, 1]);
    let experts = tape.linear(params, x, ids[1], None, Activation::Tanh);
    let losses = [0, 1].map(|k| {
        let logits = tape.linear(params, x, ids[2 + k], None, Activation::Identity);
        let gate = tape.softmax(logits);
        let z = tape.mix_blocks(gate, &[(experts, 0..2)], 3);
        let out = tape.linear(params, z, ids[4 + k], None, Activation::Identity);
        tape.loss(LossKind::Squared, out, &[1.0, 2.0, -1.0, 0.5], None, 0.25)
    });
    (x, experts, losses)
}

#[test]
fn tasks_of_a_mixture_meet_at_the_experts_and_at_what_the_gates_read() {
    let (params, ids) = params(&TWO_GATES);
    let mut tape = Tape::new();
    let (x, experts, losses) = two_gates(&mut tape, &params, &ids);
    let cut = tape.meeting(&losses);
    assert_eq!(cut.0, [x, experts]);
    assert_eq!(tape.params_above(&params, &losses, &cut), ids[2..6], "gates and towers are the tasks' own");
    assert_eq!(tape.layer_at(&params, &cut), ids[1..2], "not the table below the gates");
    let (mut whole, mut parts) = (Grads::new(&params), Grads::new(&params));
    tape.backward(&params, &[(losses[0], 0.7), (losses[1], -2.0)], &mut whole);
    let mut at = Adjoint::default();
    for (k, seed) in [(0, 0.7), (1, -2.0)] {
        let mut own = Adjoint::default();
        tape.backward_to(&params, &[(losses[k], seed)], &cut, &mut own, &mut parts);
        at.add(&own, 1.0);
    }
    tape.backward_from(&params, &cut, &at, &mut parts);
    all_close(&params, &whole, &parts);
}

#[test]
fn tasks_over_a_shared_bottom_meet_at_its_output_and_one_task_meets_nobody() {
    let (mut params, ids) = params(&TWO_TASKS);
    let mut tape = Tape::new();
    let (trunk, a, b) = two_tasks(&mut tape, &params, &ids);
    assert_eq!(tape.meeting(&[a, b]).0, [trunk]);
    assert_eq!(tape.meeting(&[a]).0, []);
    assert_eq!(tape.meeting(&[a, a]).0, [a], "ends that are one value meet there");
    for below in ["table", "w", "b"] {
        params.set_trainable(below, false);
    }
    tape.reset();
    let (_, a, b) = two_tasks(&mut tape, &params, &ids);
    assert_eq!(tape.meeting(&[a, b]).0, [], "nothing trainable in common");
}

#[test]
fn a_sweep_for_some_parameters_gives_theirs_and_visits_nothing_else() {
    let (params, ids) = params(&TWO_GATES);
    let mut tape = Tape::new();
    let (x, experts, losses) = two_gates(&mut tape, &params, &ids);
    let (mut whole, mut some) = (Grads::new(&params), Grads::new(&params));
    tape.backward(&params, &[(losses[0], 1.0)], &mut whole);
    let only: Vec<bool> = params.ids().map(|id| id == ids[1]).collect();
    tape.backward_of(&params, &[(losses[0], 1.0)], &only, &mut some);
    assert_eq!(some.to_dense(ids[1], &params), whole.to_dense(ids[1], &params));
    for id in params.ids().filter(|&id| id != ids[1]) {
        assert!(some.to_dense(id, &params).iter().all(|&g| g == 0.0), "{}", params.slot(id).name);
    }
    assert!(tape.adjoint(experts).is_some());
    assert!(tape.adjoint(x).is_none(), "what lies below is not visited");
}

#[test]
fn the_way_to_a_cut_leaves_its_adjoints_and_no_gradient() {
    let (params, ids) = params(&TWO_GATES);
    let mut tape = Tape::new();
    let (_, _, losses) = two_gates(&mut tape, &params, &ids);
    let cut = tape.meeting(&losses);
    let (mut grads, mut at) = (Grads::new(&params), Adjoint::default());
    tape.backward_to(&params, &[(losses[0], 1.0)], &cut, &mut at, &mut grads);
    let mut unused = Grads::new(&params);
    tape.pull_to(&params, &[(losses[0], 1.0)], &cut, &mut unused);
    for (&var, part) in cut.0.iter().zip(&at.parts) {
        assert_eq!(tape.adjoint(var).unwrap(), part);
    }
    assert!(params.ids().all(|id| unused.to_dense(id, &params).iter().all(|&g| g == 0.0)));
}

/// Whoever comes first overwrites an adjoint, what an earlier sweep left included.
#[test]
fn sweeps_of_entrywise_ops_leave_nothing_for_the_next() {
    let mut params = Params::<f64>::new();
    let values = |count: usize| (0..count).map(|i| 0.3 + (i as f64 * 0.7).sin()).collect::<Vec<_>>();
    let sizes = [("x", 3, 4), ("row", 1, 4), ("column", 3, 1), ("s", 1, 1)];
    let ids = sizes.map(|(name, rows, cols)| params.add(name, rows, cols, values(rows * cols)));
    let mut tape = Tape::new();
    let [x, row, column, s] = ids.map(|id| tape.param(&params, id));
    let added = tape.add(x, row);
    let square = tape.mul(added, added);
    let columned = tape.mul(square, column);
    let scaled = tape.scale_by(columned, s);
    let twice = tape.scale(scaled, 2.0, 0.5);
    let all = tape.sub(twice, x);
    let (mut first, mut second) = (Grads::new(&params), Grads::new(&params));
    tape.backward(&params, &[(all, 1.0)], &mut first);
    tape.backward(&params, &[(all, -3.0)], &mut second);
    second.add(&first, 3.0);
    for id in params.ids() {
        assert!(first.to_dense(id, &params).iter().any(|g| *g != 0.0));
        assert!(second.to_dense(id, &params).iter().all(|g| g.abs() < 1e-12), "{}", params.slot(id).name);
    }
}
