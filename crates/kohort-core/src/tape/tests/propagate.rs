//! Propagation: its gradient, the mean over layers it stands for, and its bits.

use std::sync::Arc;

use super::*;
use crate::sparse::Symmetric;

/// 4 users, 5 items (the last without a user), a repeated pair.
fn graph<F: Real>() -> Arc<Symmetric<F>> {
    let (user, item) = ([0, 0, 1, 1, 1, 2, 3, 3, 0], [0, 1, 1, 2, 3, 0, 3, 0, 0]);
    Arc::new(Symmetric::bipartite((4, 5), &user, &item).unwrap())
}

/// The layers one by one, as in the paper.
fn by_layers(graph: &Symmetric<f64>, layers: usize, e: &[f64], width: usize) -> Vec<f64> {
    let (mut mean, mut layer) = (e.to_vec(), e.to_vec());
    for _ in 0..layers {
        layer = graph.matrix().times(&layer, width);
        mean.iter_mut().zip(&layer).for_each(|(mean, x)| *mean += x);
    }
    mean.iter().map(|sum| sum / (layers + 1) as f64).collect()
}

#[test]
fn propagation_passes_finite_differences_with_repeated_rows_and_any_number_of_layers() {
    let graph = graph();
    for width in [1, 3] {
        for layers in 0..5 {
            check(&[("e", 9, width)], |tape, params, ids| {
                let y = tape.propagate(params, ids[0], &graph, layers, &[8, 0, 4, 4, 2]);
                tape.activate(y, Activation::Tanh)
            });
            check(&[("e", 9, width)], |tape, params, ids| {
                let near = tape.propagate(params, ids[0], &graph, 0, &[1, 5]);
                let far = tape.propagate(params, ids[0], &graph, layers, &[3, 5]);
                tape.mul(near, far)
            });
        }
    }
}

#[test]
fn propagated_rows_are_the_mean_of_the_layers() {
    let graph = graph();
    let (params, ids) = params(&[("e", 9, 37)]);
    let e = params.value(ids[0]);
    let mut tape = Tape::new();
    for layers in 0..5 {
        let expected = by_layers(&graph, layers, e, 37);
        let whole = graph.propagated(layers, e, 37);
        let rows = [8, 1, 1, 4, 0];
        tape.reset();
        let y = tape.propagate(&params, ids[0], &graph, layers, &rows);
        for (&row, y) in rows.iter().zip(tape.value(y).chunks_exact(37)) {
            assert_eq!(y, &whole[row as usize * 37..][..37], "a row alone is the row among all");
        }
        whole.iter().zip(&expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{a} {b}"));
    }
}

#[test]
fn propagation_gives_the_same_bits_for_any_number_of_threads() {
    let mut numbers = stream(5, "edges", &[]);
    let (users, items) = (300usize, 500usize);
    let user: Vec<u32> = (0..4_000).map(|_| numbers.random_range(0..users as u32)).collect();
    let item: Vec<u32> = (0..4_000).map(|_| numbers.random_range(0..items as u32)).collect();
    let graph = Arc::new(Symmetric::<f32>::bipartite((users, items), &user, &item).unwrap());
    let mut params = Params::<f32>::new();
    let e = (0..(users + items) * 40).map(|_| numbers.random_range(-1.0..1.0)).collect();
    let e = params.add("e", users + items, 40, e);
    let rows: Vec<u32> = (0..700).map(|_| numbers.random_range(0..(users + items) as u32)).collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut tape, mut grads) = (Tape::new(), Grads::new(&params));
            let y = tape.propagate(&params, e, &graph, 3, &rows);
            let y = tape.activate(y, Activation::Tanh);
            tape.backward(&params, &[(y, 1.0)], &mut grads);
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            (bits(tape.value(y)), bits(&grads.to_dense(e, &params)))
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

#[test]
fn without_layers_no_other_row_moves_and_a_frozen_matrix_gets_nothing() {
    let graph = graph();
    let (mut params, ids) = params(&[("e", 9, 2)]);
    let mut grads = Grads::new(&params);
    let mut tape = Tape::new();
    let y = tape.propagate(&params, ids[0], &graph, 0, &[3]);
    tape.backward(&params, &[(y, 1.0)], &mut grads);
    let found = grads.to_dense(ids[0], &params);
    assert!(found.iter().enumerate().all(|(at, &g)| g == f64::from(u8::from(at / 2 == 3))), "{found:?}");

    params.set_trainable("e", false);
    grads.clear();
    tape.reset();
    let y = tape.propagate(&params, ids[0], &graph, 2, &[3]);
    tape.backward(&params, &[(y, 1.0)], &mut grads);
    assert!(grads.to_dense(ids[0], &params).iter().all(|&g| g == 0.0));
}

#[test]
#[should_panic(expected = "every row gets a gradient, so it is no table")]
fn a_table_is_not_propagated() {
    let (params, ids) = params(&[("table", 9, 2)]);
    Tape::new().propagate(&params, ids[0], &graph(), 1, &[0]);
}
