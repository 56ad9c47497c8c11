use kohort_core::GradCheck;

use super::*;
use crate::crossmarket::loss::list_loss;

#[test]
fn the_gradient_of_the_list_loss_is_its_finite_difference() {
    let mut params = Params::<f64>::new();
    let x = params.add("x", 6, 1, vec![0.3, -0.8, 1.5, 2.0, 0.1, -30.0]);
    for weight in [None, Some(vec![0.5, 2.0])] {
        GradCheck::default()
            .run(&params, |tape, params| {
                let x = tape.param(params, x);
                list_loss(tape, params, x, 3, weight.clone(), 0.7)
            })
            .unwrap();
    }
}

#[test]
fn the_list_loss_is_the_cross_entropy_of_class_0() {
    let values = [0.3f32, -0.8, 1.5, 2.0, 0.1, -1e4];
    let (mut tape, params) = (Tape::new(), Params::new());
    let (column, rows) = (tape.input(6, 1, &values), tape.input(2, 3, &values));
    let ours = list_loss(&mut tape, &params, column, 3, Some(vec![0.5, 2.0]), 0.7);
    let theirs = tape.cross_entropy(rows, &[0, 0], Some(&[0.5, 2.0]), 0.7);
    assert_eq!(tape.scalar(ours), tape.scalar(theirs));
}
