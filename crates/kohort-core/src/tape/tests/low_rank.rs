//! Low-rank adapters on runs of rows, and the mixtures made of them.

use super::*;

/// Inputs, base, and two adapters of different rank.
const LAYER: [(&str, usize, usize); 7] = [
    ("x", 6, 4),
    ("w", 4, 5),
    ("b", 1, 5),
    ("one/a", 4, 2),
    ("one/b", 2, 5),
    ("two/a", 4, 3),
    ("two/b", 3, 5),
];

fn adapter(ids: &[ParamId], first: usize, scale: f64) -> Option<LowRank> {
    Some(LowRank { a: ids[first], b: ids[first + 1], scale })
}

/// `act(x·W + b)` with adapters on rows 1 to 3 and 5, beside a second level on rows 2 to 5.
fn layer(
    tape: &mut Tape<f64>,
    params: &Params<f64>,
    ids: &[ParamId],
    bias: bool,
    act: Activation,
) -> (Var, Var) {
    let x = tape.param(params, ids[0]);
    let (one, two) = (adapter(ids, 3, 1.5), adapter(ids, 5, -0.5));
    let levels = [
        Adapted { offsets: &[0, 1, 4, 4, 5, 6], adapters: &[None, one, two, None, one] },
        Adapted { offsets: &[0, 2, 6], adapters: &[None, two] },
    ];
    let base = Block { w: ids[1], b: bias.then_some(ids[2]) };
    (x, tape.low_rank(params, x, x, base, act, &levels))
}

#[test]
fn a_layer_with_adapters_passes_finite_differences_with_every_activation() {
    for act in [Activation::Identity, Activation::Relu, Activation::Sigmoid, Activation::Tanh] {
        for bias in [false, true] {
            let shapes: Vec<_> = LAYER.into_iter().filter(|shape| bias || shape.0 != "b").collect();
            if bias {
                check(&shapes, |tape, params, ids| layer(tape, params, ids, true, act).1);
            } else {
                check(&shapes, |tape, params, ids| {
                    let ids = [&ids[..2], &ids[..1], &ids[2..]].concat();
                    layer(tape, params, &ids, false, act).1
                });
            }
        }
    }
}

#[test]
fn frozen_parts_get_no_gradient_and_leave_the_others_theirs() {
    let (mut params, ids) = params(&LAYER);
    let gradient = |params: &Params<f64>| {
        let mut tape = Tape::new();
        let (x, y) = layer(&mut tape, params, &ids, true, Activation::Tanh);
        let mut grads = Grads::new(params);
        tape.backward(params, &[(y, 1.0)], &mut grads);
        (grads, tape.adjoint(x).is_some())
    };
    let (free, visited) = gradient(&params);
    assert!(visited);
    for frozen in [&["w", "b"][..], &["w", "b", "x"], &["one/a", "two/b"]] {
        for slot in params.slots_mut() {
            slot.trainable = !frozen.contains(&slot.name.as_str());
        }
        let (grads, visited) = gradient(&params);
        assert_eq!(visited, !frozen.contains(&"x"), "nothing trainable lies below a frozen input");
        for &id in &ids {
            if params.slot(id).trainable {
                assert_eq!(grads.to_dense(id, &params), free.to_dense(id, &params));
            } else {
                assert!(!touched(&grads, id), "{}", params.slot(id).name);
            }
        }
    }
}

fn touched(grads: &Grads<f64>, id: ParamId) -> bool {
    match grads.slot(id) {
        crate::Grad::Dense { touched, .. } => *touched,
        crate::Grad::Rows(rows) => !rows.ids().is_empty(),
    }
}

#[test]
fn rows_without_an_adapter_are_the_bases_to_the_bit_and_an_absent_adapter_is_not_touched() {
    let (params, ids) = params(&LAYER);
    let mut tape = Tape::new();
    let x = tape.param(&params, ids[0]);
    let plain = tape.linear(&params, x, ids[1], Some(ids[2]), Activation::Relu);
    let base = Block { w: ids[1], b: Some(ids[2]) };
    let (one, two) = (adapter(&ids, 3, 2.0), adapter(&ids, 5, 1.0));
    let adapted = Adapted { offsets: &[0, 2, 2, 4, 6], adapters: &[None, two, one, None] };
    let y = tape.low_rank(&params, x, x, base, Activation::Relu, &[adapted]);
    let none = tape.low_rank(&params, x, x, base, Activation::Relu, &[]);
    assert_eq!(tape.value(none), tape.value(plain));
    for rows in [0..10, 20..30] {
        assert_eq!(tape.value(y)[rows.clone()], tape.value(plain)[rows]);
    }
    assert_ne!(tape.value(y)[10..20], tape.value(plain)[10..20]);
    let mut grads = Grads::new(&params);
    tape.backward(&params, &[(y, 1.0)], &mut grads);
    assert!(touched(&grads, ids[3]) && touched(&grads, ids[4]));
    assert!(!touched(&grads, ids[5]) && !touched(&grads, ids[6]), "its segment has no rows");
}

#[test]
fn an_adapter_is_the_product_it_stands_for() {
    let (mut params, ids) = params(&LAYER);
    let mut tape = Tape::new();
    let x = tape.param(&params, ids[0]);
    let base = Block { w: ids[1], b: Some(ids[2]) };
    let adapted = Adapted { offsets: &[0, 6], adapters: &[adapter(&ids, 3, 1.5)] };
    let y = tape.low_rank(&params, x, x, base, Activation::Tanh, &[adapted]);
    for i in 0..4 {
        for j in 0..5 {
            let product: f64 =
                (0..2).map(|k| params.row(ids[3], i)[k] * params.row(ids[4], k)[j]).sum::<f64>();
            params.slot_mut(ids[1]).value[i * 5 + j] += 1.5 * product;
        }
    }
    let merged = tape.linear(&params, x, ids[1], Some(ids[2]), Activation::Tanh);
    for (y, merged) in tape.value(y).iter().zip(tape.value(merged)) {
        assert!((y - merged).abs() < 1e-14);
    }
}

#[test]
fn adapters_with_an_input_of_their_own_pass_finite_differences() {
    check(&[LAYER[0], LAYER[1], ("h", 6, 4), LAYER[3], LAYER[4]], |tape, params, ids| {
        let (x, h) = (tape.param(params, ids[0]), tape.param(params, ids[2]));
        let adapted = Adapted { offsets: &[0, 4, 6], adapters: &[adapter(ids, 3, 0.7), None] };
        tape.low_rank(params, x, h, Block { w: ids[1], b: None }, Activation::Tanh, &[adapted])
    });
}

#[test]
fn blocks_weighed_by_a_gate_pass_finite_differences() {
    for (n, blocks, width) in [(1, 1, 1), (3, 4, 2), (2, 1, 9), (4, 3, 1)] {
        check(&[("t", n, blocks * width), ("g", n, blocks)], |tape, params, ids| {
            let (t, g) = (tape.param(params, ids[0]), tape.param(params, ids[1]));
            let y = tape.scale_blocks(t, g);
            tape.activate(y, Activation::Tanh)
        });
    }
}

#[test]
fn table_rows_with_adapters_pass_finite_differences() {
    let shapes = [("table", 4, 3), ("table/a", 4, 2), ("b", 2, 3), ("table/c", 4, 1), ("d", 1, 3)];
    check(&shapes, |tape, params, ids| {
        let (one, two) = (adapter(ids, 1, 1.5), adapter(ids, 3, -0.5));
        let adapted = Adapted { offsets: &[0, 3, 4, 6, 6], adapters: &[one, None, two, one] };
        let y = tape.low_rank_rows(params, ids[0], &[1, 3, 1, 0, 1, 2], adapted);
        tape.activate(y, Activation::Tanh)
    });
}

#[test]
#[should_panic(expected = "low_rank: adapter: [4, 3] and [4, 2] should be equal")]
fn factors_of_two_ranks_are_refused() {
    let (params, ids) = params(&LAYER);
    let mut tape = Tape::new();
    let x = tape.param(&params, ids[0]);
    let mixed = Some(LowRank { a: ids[5], b: ids[4], scale: 1.0 });
    let adapted = Adapted { offsets: &[0, 6], adapters: &[mixed] };
    tape.low_rank(&params, x, x, Block { w: ids[1], b: None }, Activation::Relu, &[adapted]);
}
