use super::*;
use crate::random::{rand::Rng, stream};
use crate::{GradCheck, Grads, ParamId, Params};

mod attention;
mod experts;
mod lists;
mod low_rank;
mod propagate;
mod sweeps;

/// Random parameters away from zero, where ReLU and the absolute value have their kinks.
fn params(shapes: &[(&str, usize, usize)]) -> (Params<f64>, Vec<ParamId>) {
    let mut params = Params::new();
    let mut stream = stream(11, "tape tests", &[]);
    let ids = shapes
        .iter()
        .map(|&(name, rows, cols)| {
            let value = (0..rows * cols)
                .map(|_| stream.random_range(0.1..1.0) * if stream.random() { 1.0 } else { -1.0 })
                .collect();
            if name.starts_with("table") {
                params.add_table(name, rows, cols, value)
            } else {
                params.add(name, rows, cols, value)
            }
        })
        .collect();
    (params, ids)
}

#[track_caller]
fn check(
    shapes: &[(&str, usize, usize)],
    mut record: impl FnMut(&mut Tape<f64>, &Params<f64>, &[ParamId]) -> Var,
) {
    let (params, ids) = params(shapes);
    GradCheck::default().run(&params, |tape, params| record(tape, params, &ids)).expect("gradient");
}

/// 1×1, one row, one column, and something in between.
const SHAPES: [(usize, usize); 4] = [(1, 1), (1, 5), (4, 1), (3, 9)];

const EVERY: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::Sigmoid, Activation::Tanh, Activation::Softplus];

#[test]
fn linear_passes_finite_differences_with_every_activation() {
    for (n, inputs) in SHAPES {
        for act in EVERY {
            check(&[("x", n, inputs), ("w", inputs, 3), ("b", 1, 3)], |tape, params, ids| {
                let x = tape.param(params, ids[0]);
                tape.linear(params, x, ids[1], Some(ids[2]), act)
            });
            check(&[("x", n, inputs), ("w", inputs, 2)], |tape, params, ids| {
                let x = tape.param(params, ids[0]);
                tape.linear(params, x, ids[1], None, act)
            });
        }
    }
}

#[test]
fn elementwise_ops_pass_finite_differences() {
    for (n, cols) in SHAPES {
        check(&[("a", n, cols), ("b", n, cols), ("row", 1, cols), ("column", n, 1)], |tape, params, ids| {
            let v: Vec<Var> = ids.iter().map(|&id| tape.param(params, id)).collect();
            let sum = tape.add(v[0], v[1]);
            let shifted = tape.sub(sum, v[2]);
            let product = tape.mul(shifted, v[0]);
            let scaled = tape.mul(product, v[3]);
            let act = tape.activate(scaled, Activation::Tanh);
            tape.scale(act, -1.7, 0.3)
        });
    }
}

#[test]
fn a_learned_scale_passes_finite_differences() {
    for (n, cols) in SHAPES {
        check(&[("x", n, cols), ("s", 1, 1)], |tape, params, ids| {
            let (x, s) = (tape.param(params, ids[0]), tape.param(params, ids[1]));
            let y = tape.scale_by(x, s);
            tape.activate(y, Activation::Tanh)
        });
    }
}

#[test]
fn products_of_pairs_and_of_all_pairs_pass_finite_differences() {
    for (n, cols) in SHAPES {
        check(&[("a", n, cols), ("b", 2, cols)], |tape, params, ids| {
            let (a, b) = (tape.param(params, ids[0]), tape.param(params, ids[1]));
            let last = n as u32 - 1;
            let y = tape.pair_dot(a, b, &[0, last, 0, last], &[1, 1, 0, 1]);
            tape.activate(y, Activation::Tanh)
        });
        check(&[("a", n, cols), ("b", 2, cols)], |tape, params, ids| {
            let (a, b) = (tape.param(params, ids[0]), tape.param(params, ids[1]));
            let y = tape.cross(a, b);
            tape.activate(y, Activation::Tanh)
        });
        // The same matrix on both sides.
        check(&[("a", n, cols)], |tape, params, ids| {
            let a = tape.param(params, ids[0]);
            let all = tape.cross(a, a);
            let own = tape.pair_dot(a, a, &[0], &[n as u32 - 1]);
            let (all, own) = (tape.sum(all), tape.sum(own));
            tape.add(all, own)
        });
    }
}

#[test]
fn stated_pairs_are_entries_of_all_pairs() {
    let (params, ids) = params(&[("a", 3, 11), ("b", 4, 11)]);
    let mut tape = Tape::new();
    let (a, b) = (tape.param(&params, ids[0]), tape.param(&params, ids[1]));
    let all = tape.cross(a, b);
    let some = tape.pair_dot(a, b, &[2, 0, 2], &[3, 1, 0]);
    for (e, at) in [(0, 2 * 4 + 3), (1, 1), (2, 2 * 4)] {
        assert!((tape.value(some)[e] - tape.value(all)[at]).abs() < 1e-12);
    }
}

#[test]
fn concat_columns_reductions_pass_finite_differences() {
    for (n, cols) in SHAPES {
        check(&[("a", n, cols), ("b", n, 2)], |tape, params, ids| {
            let (a, b) = (tape.param(params, ids[0]), tape.param(params, ids[1]));
            let both = tape.concat(&[a, b, a]);
            let part = tape.columns(both, cols, 2);
            let dot = tape.row_dot(part, b);
            let own = tape.row_dot(a, a);
            let all = tape.concat(&[dot, own]);
            let sum = tape.sum(all);
            tape.add(sum, sum)
        });
    }
}

#[test]
fn softmax_mix_and_layer_norm_pass_finite_differences() {
    for (n, cols) in [(1, 1), (1, 5), (4, 2), (3, 9)] {
        check(&[("x", n, cols)], |tape, params, ids| {
            let x = tape.param(params, ids[0]);
            tape.softmax(x)
        });
        check(&[("gate", n, 2), ("a", n, cols), ("b", n, cols)], |tape, params, ids| {
            let v: Vec<Var> = ids.iter().map(|&id| tape.param(params, id)).collect();
            tape.mix(v[0], &[v[1], v[2]])
        });
    }
    for (n, cols) in [(1, 5), (4, 2), (3, 9)] {
        check(&[("x", n, cols), ("gain", 1, cols), ("shift", 1, cols)], |tape, params, ids| {
            let x = tape.param(params, ids[0]);
            tape.layer_norm(params, x, ids[1], ids[2], 1e-5)
        });
    }
}

#[test]
fn table_ops_pass_finite_differences_with_repeated_rows_and_empty_segments() {
    check(&[("table", 5, 3)], |tape, params, ids| tape.gather(params, ids[0], &[4, 1, 1, 0]));
    check(&[("table", 5, 3), ("weight", 4, 1)], |tape, params, ids| {
        let w = tape.param(params, ids[1]);
        let (rows, offsets) = (tape.list(&[4, 1, 1, 0]), tape.list(&[0, 3, 3, 4]));
        let weighted = tape.bag(params, ids[0], rows, offsets, Some(w));
        let plain = tape.bag(params, ids[0], rows, offsets, None);
        tape.mul(weighted, plain)
    });
    check(&[("table", 5, 3), ("query", 3, 3)], |tape, params, ids| {
        let q = tape.param(params, ids[1]);
        let (rows, offsets) = (tape.list(&[4, 1, 1, 0]), tape.list(&[0, 3, 3, 4]));
        let scores = tape.lookup_dot(params, q, ids[0], rows, offsets);
        let weights = tape.segment_softmax(scores, offsets);
        tape.bag(params, ids[0], rows, offsets, Some(weights))
    });
}

#[test]
fn segment_ops_pass_finite_differences() {
    check(&[("x", 3, 2), ("y", 4, 2), ("w", 4, 1)], |tape, params, ids| {
        let v: Vec<Var> = ids.iter().map(|&id| tape.param(params, id)).collect();
        let offsets = tape.list(&[0, 1, 1, 4]);
        let repeated = tape.repeat_rows(v[0], offsets);
        let entries = tape.mul(repeated, v[1]);
        let weights = tape.segment_softmax(v[2], offsets);
        let weighted = tape.segment_sum(entries, Some(weights), offsets);
        let plain = tape.segment_sum(entries, None, offsets);
        tape.mul(weighted, plain)
    });
}

#[test]
fn losses_pass_finite_differences_with_weights_and_masked_rows() {
    let target = [0.0, 1.0, f64::NAN, 0.25];
    let weight = [1.0, 2.5, 0.0, 0.5];
    for kind in [LossKind::Squared, LossKind::Absolute, LossKind::Logistic] {
        check(&[("p", 4, 1)], |tape, params, ids| {
            let p = tape.param(params, ids[0]);
            tape.loss(kind, p, &target, Some(&weight), 0.3)
        });
    }
    check(&[("logits", 3, 4)], |tape, params, ids| {
        let x = tape.param(params, ids[0]);
        tape.cross_entropy(x, &[3, 0, 1], Some(&[1.0, 0.0, 2.0]), 0.5)
    });
}

#[test]
fn a_masked_row_has_exactly_zero_influence() {
    let (params, ids) = params(&[("p", 3, 1)]);
    let mut tape = Tape::new();
    let mut gradient = |target: [f64; 3]| {
        tape.reset();
        let p = tape.param(&params, ids[0]);
        let loss = tape.loss(LossKind::Logistic, p, &target, Some(&[1.0, 0.0, 1.0]), 1.0);
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        (tape.scalar(loss), grads.to_dense(ids[0], &params))
    };
    let (loss, g) = gradient([1.0, 0.0, 0.0]);
    assert_eq!((loss, g.clone()), gradient([1.0, f64::INFINITY, 0.0]));
    assert_eq!(g[1], 0.0);
}

#[test]
fn logistic_loss_is_finite_and_exact_for_confident_wrong_logits() {
    let mut tape = Tape::<f32>::new();
    let logits = tape.input(2, 1, &[100.0, -100.0]);
    let loss = tape.loss(LossKind::Logistic, logits, &[0.0, 1.0], None, 1.0);
    assert_eq!(tape.scalar(loss), 200.0);
}

/// A value that went wrong must reach the loss, or training goes on with it.
#[test]
fn no_activation_swallows_a_nan() {
    for act in EVERY {
        let mut tape = Tape::<f32>::new();
        let x = tape.input(1, 2, &[f32::NAN, -1.0]);
        let y = tape.activate(x, act);
        assert!(tape.value(y)[0].is_nan(), "{act:?}");
        assert_eq!(tape.first_non_finite(), Some((x, "input")));
    }
}

#[test]
fn f32_and_f64_forwards_agree() {
    let (params, ids) = params(&TWO_TASKS);
    let mut exact = Tape::new();
    let (_, a, b) = two_tasks(&mut exact, &params, &ids);
    let single: Params<f32> = params.cast();
    let mut tape = Tape::<f32>::new();
    let x = tape.gather(&single, ids[0], &[1, 0, 2, 1]);
    let trunk = tape.linear(&single, x, ids[1], Some(ids[2]), Activation::Tanh);
    let rating = tape.linear(&single, trunk, ids[3], None, Activation::Identity);
    let group = tape.linear(&single, trunk, ids[4], None, Activation::Identity);
    let a32 = tape.loss(LossKind::Squared, rating, &[1.0, 2.0, 3.0, 4.0], None, 0.25);
    let b32 = tape.cross_entropy(group, &[0, 1, 2, 1], None, 0.25);
    assert!((exact.scalar(a) - tape.scalar(a32)).abs() < 1e-4);
    assert!((exact.scalar(b) - tape.scalar(b32)).abs() < 1e-4);
}

#[test]
fn blocks_pass_finite_differences_with_an_empty_segment_and_a_shared_block() {
    for act in [Activation::Identity, Activation::Relu, Activation::Tanh] {
        let shapes = [("x", 5, 3), ("w1", 3, 2), ("b1", 1, 2), ("w2", 3, 2), ("b2", 1, 2)];
        check(&shapes, |tape, params, ids| {
            let x = tape.param(params, ids[0]);
            let one = Some(Block { w: ids[1], b: Some(ids[2]) });
            let two = Some(Block { w: ids[3], b: Some(ids[4]) });
            tape.blocks(params, x, &[0, 2, 2, 4, 5], &[one, two, two, one], act)
        });
    }
}

#[test]
fn rows_without_a_block_give_zeros_and_a_block_may_lack_a_bias() {
    for act in [Activation::Identity, Activation::Sigmoid] {
        check(&[("x", 5, 3), ("w1", 3, 2), ("w2", 3, 2), ("b2", 1, 2)], |tape, params, ids| {
            let x = tape.param(params, ids[0]);
            let one = Some(Block { w: ids[1], b: None });
            let two = Some(Block { w: ids[2], b: Some(ids[3]) });
            let y = tape.blocks(params, x, &[0, 2, 4, 5], &[one, None, two], act);
            assert_eq!(tape.value(y)[4..8], [0.0; 4]);
            y
        });
    }
}

/// The form that computes every block for every row and takes the row's own by a mask.
#[test]
fn blocks_equal_the_full_form_in_values_and_gradients() {
    let (params, ids) = params(&[("x", 5, 3), ("w1", 3, 2), ("b1", 1, 2), ("w2", 3, 2), ("b2", 1, 2)]);
    let one = Some(Block { w: ids[1], b: Some(ids[2]) });
    let two = Some(Block { w: ids[3], b: Some(ids[4]) });
    let run = |full: bool| {
        let mut tape = Tape::new();
        let x = tape.param(&params, ids[0]);
        let y = if full {
            let mut of = |w, b| tape.linear(&params, x, w, Some(b), Activation::Tanh);
            let both = [of(ids[1], ids[2]), of(ids[3], ids[4])];
            let gate = tape.input(5, 2, &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
            tape.mix(gate, &both)
        } else {
            tape.blocks(&params, x, &[0, 2, 5], &[one, two], Activation::Tanh)
        };
        let square = tape.mul(y, y);
        let loss = tape.sum(square);
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        (tape.scalar(loss), grads)
    };
    let ((loss, grads), (full_loss, full_grads)) = (run(false), run(true));
    assert!((loss - full_loss).abs() < 1e-14);
    all_close(&params, &grads, &full_grads);
}

/// `y = x²`, as somebody outside would add it.
struct Square {
    x: [Var; 1],
}

impl Custom<f64> for Square {
    fn name(&self) -> &'static str {
        "square"
    }
    fn inputs(&self) -> &[Var] {
        &self.x
    }
    fn backward(&self, flow: &mut Flow<'_, f64>) {
        let x = flow.value(self.x[0]);
        if let Some((own, into)) = flow.into_input(self.x[0]) {
            into.iter_mut().zip(own).zip(x).for_each(|((d, &g), &x)| *d += 2.0 * x * g);
        }
    }
}

#[test]
fn a_custom_op_passes_finite_differences() {
    check(&[("x", 2, 3)], |tape, params, ids| {
        let x = tape.param(params, ids[0]);
        let squared: Vec<f64> = tape.value(x).iter().map(|x| x * x).collect();
        tape.custom(params, Box::new(Square { x: [x] }), 2, 3, &squared)
    });
}

#[test]
fn a_wrong_gradient_is_caught() {
    struct Wrong(Square);
    impl Custom<f64> for Wrong {
        fn name(&self) -> &'static str {
            "wrong"
        }
        fn inputs(&self) -> &[Var] {
            self.0.inputs()
        }
        fn backward(&self, flow: &mut Flow<'_, f64>) {
            if let Some((own, into)) = flow.into_input(self.0.x[0]) {
                into.iter_mut().zip(own).for_each(|(d, &g)| *d += 2.000_01 * g);
            }
        }
    }
    let (params, ids) = params(&[("x", 1, 2)]);
    let found = GradCheck::default().run(&params, |tape, params| {
        let x = tape.param(params, ids[0]);
        let squared: Vec<f64> = tape.value(x).iter().map(|x| x * x).collect();
        tape.custom(params, Box::new(Wrong(Square { x: [x] })), 1, 2, &squared)
    });
    assert_eq!(found.expect_err("2.00001 is not 2x").param, "x");
}

#[test]
fn dropout_keeps_the_mean_and_its_stream_decides_the_mask() {
    let mut tape = Tape::<f64>::new();
    let ones = vec![1.0; 40_000];
    let x = tape.input(200, 200, &ones);
    let a = tape.dropout(x, 0.3, &mut stream(1, "dropout", &[]));
    let b = tape.dropout(x, 0.3, &mut stream(1, "dropout", &[]));
    assert_eq!(tape.value(a), tape.value(b));
    let mean = tape.value(a).iter().sum::<f64>() / 40_000.0;
    assert!((mean - 1.0).abs() < 0.02, "{mean}");
    let kept = tape.value(a).iter().filter(|&&v| v != 0.0).count() as f64 / 40_000.0;
    assert!((kept - 0.7).abs() < 0.01, "{kept}");
}

#[test]
fn zero_rows_are_no_trouble() {
    let (params, ids) = params(&[("table", 3, 4), ("w", 4, 2)]);
    let mut tape = Tape::new();
    let x = tape.gather(&params, ids[0], &[]);
    let y = tape.linear(&params, x, ids[1], None, Activation::Relu);
    let p = tape.softmax(y);
    let loss = tape.sum(p);
    let mut grads = Grads::new(&params);
    tape.backward(&params, &[(loss, 1.0)], &mut grads);
    assert_eq!(tape.shape(p), (0, 2));
    assert!(grads.to_dense(ids[1], &params).iter().all(|&g| g == 0.0));
}

#[test]
fn a_steady_step_reuses_the_tape() {
    let (params, ids) = params(&TWO_TASKS);
    let mut tape = Tape::new();
    two_tasks(&mut tape, &params, &ids);
    let (values, capacity) = (tape.value.as_ptr(), tape.value.capacity());
    tape.reset();
    two_tasks(&mut tape, &params, &ids);
    assert_eq!((tape.value.as_ptr(), tape.value.capacity()), (values, capacity));
}

/// A little two-task model over one trunk: what balancers work on.
fn two_tasks(tape: &mut Tape<f64>, params: &Params<f64>, ids: &[ParamId]) -> (Var, Var, Var) {
    let x = tape.gather(params, ids[0], &[1, 0, 2, 1]);
    let trunk = tape.linear(params, x, ids[1], Some(ids[2]), Activation::Tanh);
    let rating = tape.linear(params, trunk, ids[3], None, Activation::Identity);
    let group = tape.linear(params, trunk, ids[4], None, Activation::Identity);
    let a = tape.loss(LossKind::Squared, rating, &[1.0, 2.0, 3.0, 4.0], None, 0.25);
    let b = tape.cross_entropy(group, &[0, 1, 2, 1], None, 0.25);
    (trunk, a, b)
}

const TWO_TASKS: [(&str, usize, usize); 5] =
    [("table", 3, 4), ("w", 4, 6), ("b", 1, 6), ("rating", 6, 1), ("group", 6, 3)];

fn all_close(params: &Params<f64>, a: &Grads<f64>, b: &Grads<f64>) {
    for id in params.ids() {
        for (x, y) in a.to_dense(id, params).iter().zip(b.to_dense(id, params)) {
            assert!((x - y).abs() <= 1e-14 * (1.0 + x.abs()), "{}: {x} and {y}", params.slot(id).name);
        }
    }
}
