//! What mixtures of experts are made of.

use super::*;

#[test]
fn a_grouped_layer_passes_finite_differences() {
    for (n, inputs, outputs, groups) in [(1, 1, 1, 1), (3, 2, 4, 3), (5, 3, 1, 2)] {
        for act in EVERY {
            let shapes =
                [("x", n, groups * inputs), ("w", groups * inputs, outputs), ("b", 1, groups * outputs)];
            check(&shapes, |tape, params, ids| {
                let x = tape.param(params, ids[0]);
                tape.grouped_linear(params, x, ids[1], Some(ids[2]), groups, act)
            });
            check(&shapes, |tape, params, ids| {
                let x = tape.param(params, ids[0]);
                tape.grouped_linear(params, x, ids[1], None, groups, act)
            });
        }
    }
}

/// Each group is a layer of its own: the form with one product, one slice and one copy for each.
#[test]
fn a_grouped_layer_equals_layers_side_by_side_in_values_and_gradients() {
    let (mut params, ids) = params(&[("x", 4, 6), ("w", 6, 3), ("b", 1, 9)]);
    let (w, b) = (params.value(ids[1]).to_vec(), params.value(ids[2]).to_vec());
    let single: Vec<[ParamId; 2]> = (0..3)
        .map(|g| {
            let rows = w[g * 6..(g + 1) * 6].to_vec();
            [
                params.add(format!("w{g}"), 2, 3, rows),
                params.add(format!("b{g}"), 1, 3, b[g * 3..][..3].to_vec()),
            ]
        })
        .collect();
    let run = |grouped: bool| {
        let mut tape = Tape::new();
        let x = tape.param(&params, ids[0]);
        let y = if grouped {
            tape.grouped_linear(&params, x, ids[1], Some(ids[2]), 3, Activation::Tanh)
        } else {
            let part = |g: usize, tape: &mut Tape<f64>| {
                let x = tape.columns(x, 2 * g, 2);
                tape.linear(&params, x, single[g][0], Some(single[g][1]), Activation::Tanh)
            };
            let parts = [part(0, &mut tape), part(1, &mut tape), part(2, &mut tape)];
            tape.concat(&parts)
        };
        let square = tape.mul(y, y);
        let loss = tape.sum(square);
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        (tape.value(y).to_vec(), grads)
    };
    let ((one, grads), (many, apart)) = (run(true), run(false));
    assert!(one.iter().zip(&many).all(|(a, b)| (a - b).abs() < 1e-15));
    let close = |a: Vec<f64>, b: Vec<f64>| {
        assert!(a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-14));
    };
    close(grads.to_dense(ids[0], &params), apart.to_dense(ids[0], &params));
    let of = |at: usize| single.iter().flat_map(|id| apart.to_dense(id[at], &params)).collect::<Vec<_>>();
    close(grads.to_dense(ids[1], &params), of(0));
    close(grads.to_dense(ids[2], &params), of(1));
}

#[test]
fn a_mix_of_blocks_passes_finite_differences_and_equals_the_mix_of_copies() {
    for (n, cols) in [(1, 1), (4, 3), (2, 9)] {
        let shapes = [("gate", n, 4), ("wide", n, 3 * cols), ("one", n, cols)];
        check(&shapes, |tape, params, ids| {
            let v: Vec<Var> = ids.iter().map(|&id| tape.param(params, id)).collect();
            let y = tape.mix_blocks(v[0], &[(v[1], 2..3), (v[2], 0..1), (v[1], 0..2)], cols);
            let copies = [2, 0, 1].map(|block| tape.columns(v[1], block * cols, cols));
            let same = tape.mix(v[0], &[copies[0], v[2], copies[1], copies[2]]);
            assert_eq!(tape.value(y), tape.value(same));
            tape.activate(y, Activation::Tanh)
        });
    }
}

#[test]
fn rows_taken_scattered_and_cells_picked_pass_finite_differences() {
    for cols in [1, 4] {
        check(&[("x", 4, cols), ("gate", 4, 3)], |tape, params, ids| {
            let (x, gate) = (tape.param(params, ids[0]), tape.param(params, ids[1]));
            let rows = [2, 0, 2, 3, 0];
            let taken = tape.take_rows(x, &rows);
            let bent = tape.activate(taken, Activation::Tanh);
            let weight = tape.pick(gate, &[7, 0, 7, 11, 2]);
            let weighted = tape.scatter_rows(bent, Some(weight), &rows, 5);
            assert!(tape.value(weighted)[4 * cols..].iter().all(|&y| y == 0.0), "nothing was sent to row 4");
            let plain = tape.scatter_rows(taken, None, &rows, 5);
            tape.mul(weighted, plain)
        });
    }
}

#[test]
fn a_softmax_over_the_largest_passes_finite_differences() {
    for k in 1..=4 {
        check(&[("x", 5, 4)], |tape, params, ids| {
            let x = tape.param(params, ids[0]);
            let y = tape.top_k_softmax(x, k);
            assert_eq!(tape.value(y).iter().filter(|&&y| y > 0.0).count(), 5 * k);
            y
        });
    }
}

#[test]
fn of_equal_entries_the_lower_index_is_chosen_and_all_of_them_is_the_plain_softmax() {
    let mut tape = Tape::<f64>::new();
    let x = tape.input(2, 3, &[1.0, 1.0, 1.0, 0.0, 2.0, 2.0]);
    let two = tape.top_k_softmax(x, 2);
    assert_eq!(tape.value(two), [0.5, 0.5, 0.0, 0.0, 0.5, 0.5]);
    let one = tape.top_k_softmax(x, 1);
    assert_eq!(tape.value(one), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let (all, plain) = (tape.top_k_softmax(x, 3), tape.softmax(x));
    assert_eq!(tape.value(all), tape.value(plain));
}

#[test]
fn a_softmax_over_the_largest_neither_loses_a_nan_nor_chooses_one_entry_twice() {
    let mut tape = Tape::<f32>::new();
    let x = tape.input(2, 3, &[0.0, f32::NAN, 1.0, 1000.0, -1000.0, -2000.0]);
    let y = tape.top_k_softmax(x, 2);
    assert!(tape.value(y)[..3].iter().any(|y| y.is_nan()));
    assert_eq!(tape.value(y)[3..], [1.0, 0.0, 0.0], "the second weight is too small for its type, and is 0");
}

#[test]
#[should_panic(expected = "top_k_softmax: the 4 largest of 3 columns")]
fn more_than_all_columns_are_refused() {
    let mut tape = Tape::<f32>::new();
    let x = tape.input(1, 3, &[0.0; 3]);
    tape.top_k_softmax(x, 4);
}

#[test]
fn no_rows_pass_through_every_expert_op() {
    let (params, ids) = params(&[("w", 4, 3), ("b", 1, 6)]);
    let mut tape = Tape::new();
    let x = tape.input(0, 4, &[]);
    let y = tape.grouped_linear(&params, x, ids[0], Some(ids[1]), 2, Activation::Relu);
    let gate = tape.input(0, 2, &[]);
    let gate = tape.top_k_softmax(gate, 1);
    let y = tape.mix_blocks(gate, &[(y, 0..2)], 3);
    let none = tape.take_rows(y, &[]);
    let two = tape.scatter_rows(none, None, &[], 2);
    assert_eq!((tape.shape(y), tape.value(two)), ((0, 3), &[0.0; 6][..]));
    let mut grads = Grads::new(&params);
    tape.backward(&params, &[(two, 1.0)], &mut grads);
    assert!(grads.to_dense(ids[0], &params).iter().all(|&g| g == 0.0));
}

#[test]
fn stacks_side_by_side_pass_finite_differences() {
    for (n, inputs, widths, groups) in [(1, 1, &[1][..], 1), (3, 2, &[4, 3], 3), (4, 3, &[2, 3, 1], 2)] {
        for act in EVERY {
            for biases in [true, false] {
                let mut shapes = vec![("x", n, inputs)];
                let mut before = inputs;
                for (l, &width) in widths.iter().enumerate() {
                    let (rows, cols) =
                        if l == 0 { (before, groups * width) } else { (groups * before, width) };
                    shapes.extend([
                        (["w0", "w1", "w2"][l], rows, cols),
                        (["b0", "b1", "b2"][l], 1, groups * width),
                    ]);
                    before = width;
                }
                check(&shapes, |tape, params, ids| {
                    let x = tape.param(params, ids[0]);
                    let stack: Vec<Block> = ids[1..]
                        .chunks(2)
                        .map(|pair| Block { w: pair[0], b: biases.then_some(pair[1]) })
                        .collect();
                    tape.grouped_stack(params, x, &stack, groups, act)
                });
            }
        }
    }
}

/// More rows than go through at a time, and every choice of what trains: the same numbers as layer by layer.
#[test]
fn stacks_side_by_side_equal_their_layers_whatever_trains() {
    let (mut params, ids) =
        params(&[("x", 1100, 2), ("w0", 2, 12), ("b0", 1, 12), ("w1", 12, 3), ("b1", 1, 9)]);
    for frozen in 0..1 << ids.len() {
        for (at, &id) in ids.iter().enumerate() {
            params.slot_mut(id).trainable = frozen >> at & 1 == 0;
        }
        let run = |whole: bool| {
            let mut tape = Tape::new();
            let x = tape.param(&params, ids[0]);
            let y = if whole {
                let stack = [Block { w: ids[1], b: Some(ids[2]) }, Block { w: ids[3], b: Some(ids[4]) }];
                tape.grouped_stack(&params, x, &stack, 3, Activation::Relu)
            } else {
                let h = tape.linear(&params, x, ids[1], Some(ids[2]), Activation::Relu);
                tape.grouped_linear(&params, h, ids[3], Some(ids[4]), 3, Activation::Relu)
            };
            let square = tape.mul(y, y);
            let loss = tape.sum(square);
            let mut grads = Grads::new(&params);
            // The second sweep adds to the first's gradients.
            tape.backward(&params, &[(loss, 1.0)], &mut grads);
            tape.backward(&params, &[(loss, 0.5)], &mut grads);
            let touched =
                ids.iter().map(|&id| matches!(grads.slot(id), crate::Grad::Dense { touched: true, .. }));
            let touched: Vec<bool> = touched.collect();
            (tape.value(y).to_vec(), ids.iter().map(|&id| grads.to_dense(id, &params)).collect(), touched)
        };
        let (one, two): ((Vec<f64>, Vec<Vec<f64>>, _), _) = (run(true), run(false));
        assert_eq!(one.2, two.2, "frozen {frozen:b}");
        let all = |(y, grads, _): (Vec<f64>, Vec<Vec<f64>>, Vec<bool>)| [vec![y], grads].concat().concat();
        for (a, b) in all(one).iter().zip(all(two)) {
            assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} and {b}, frozen {frozen:b}");
        }
    }
}
