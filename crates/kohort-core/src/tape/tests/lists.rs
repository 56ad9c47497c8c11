//! Losses within lists, and the focal loss.

use super::*;

const KINDS: [ListLoss; 6] = [
    ListLoss::Softmax,
    ListLoss::Sigmoid,
    ListLoss::ListMle,
    ListLoss::Bpr,
    ListLoss::Hinge,
    ListLoss::Lambda,
];

/// Graded targets; the third list has equal ones, the fourth no row, and a row is in two lists.
const TARGET: [f64; 7] = [0.0, 2.0, 1.0, 1.0, 0.0, 0.0, 3.0];
const ROWS: [u32; 9] = [6, 1, 0, 2, 3, 4, 5, 0, 6];
const OFFSETS: [u32; 6] = [0, 4, 5, 7, 7, 9];

#[test]
fn losses_within_lists_pass_finite_differences() {
    for kind in KINDS {
        check(&[("s", 7, 1)], |tape, params, ids| {
            let s = tape.param(params, ids[0]);
            let weight = [1.0, 2.0, 0.5, 1.0, 0.7];
            tape.list_loss(kind, s, &TARGET, &ROWS, &OFFSETS, Some(&weight), 0.3)
        });
        check(&[("s", 7, 1)], |tape, params, ids| {
            let s = tape.param(params, ids[0]);
            tape.list_loss(kind, s, &TARGET, &[4, 0, 3, 2], &[0, 4], None, 1.0)
        });
    }
}

#[test]
fn a_focal_loss_passes_finite_differences_and_is_half_of_bce_without_focus() {
    let target = [0.0, 1.0, f64::NAN, 1.0];
    let weight = [1.0, 2.5, 0.0, 0.5];
    for focal in [Focal::default(), Focal { gamma: 0.0, alpha: 0.5 }, Focal { gamma: 0.7, alpha: 0.9 }] {
        check(&[("x", 4, 1)], |tape, params, ids| {
            let x = tape.param(params, ids[0]);
            tape.focal(focal, x, &target, Some(&weight), 0.3)
        });
    }
    let mut tape = Tape::<f64>::new();
    let x = tape.input(3, 1, &[2.0, -100.0, 100.0]);
    let target = [0.0, 1.0, 0.0];
    let focal = tape.focal(Focal { gamma: 0.0, alpha: 0.5 }, x, &target, None, 2.0);
    let plain = tape.loss(LossKind::Logistic, x, &target, None, 1.0);
    assert!((tape.scalar(focal) - tape.scalar(plain)).abs() < 1e-12);
}

#[test]
fn a_list_without_order_and_a_list_of_weight_zero_have_exactly_no_influence() {
    let (params, ids) = params(&[("s", 4, 1)]);
    for kind in KINDS {
        let mut tape = Tape::new();
        let s = tape.param(&params, ids[0]);
        let target = [1.0, 1.0, 0.0, 1.0];
        let loss = tape.list_loss(kind, s, &target, &[0, 1, 2, 3], &[0, 2, 4], Some(&[1.0, 0.0]), 1.0);
        assert_eq!(tape.scalar(loss), 0.0, "{kind:?}");
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        assert_eq!(grads.to_dense(ids[0], &params), [0.0; 4], "{kind:?}");
    }
    assert!(!ListLoss::says::<f64>(&[]) && !ListLoss::says(&[2.0, 2.0]) && ListLoss::says(&[0.0, 1.0]));
}

#[test]
fn steps_down_each_list_loss_put_the_targets_in_their_order() {
    for kind in KINDS {
        let mut params = Params::<f64>::new();
        let id = params.add("s", 4, 1, vec![0.3, 0.2, 0.1, 0.0]);
        let target = [0.0, 1.0, 0.0, 2.0];
        for _ in 0..400 {
            let mut tape = Tape::new();
            let s = tape.param(&params, id);
            let loss = tape.list_loss(kind, s, &target, &[0, 1, 2, 3], &[0, 4], None, 1.0);
            let mut grads = Grads::new(&params);
            tape.backward(&params, &[(loss, 1.0)], &mut grads);
            let slope = grads.to_dense(id, &params);
            params.slot_mut(id).value.iter_mut().zip(slope).for_each(|(s, d)| *s -= 0.5 * d);
        }
        let s = params.value(id);
        assert!(s[3] > s[1] && s[1] > s[0] && s[1] > s[2], "{kind:?}: {s:?}");
    }
}

#[test]
fn very_low_and_very_high_scores_stay_finite_and_a_nan_reaches_the_loss() {
    for kind in KINDS {
        let mut tape = Tape::<f32>::new();
        let value = |tape: &mut Tape<f32>, scores: &[f32]| {
            let s = tape.input(3, 1, scores);
            let loss = tape.list_loss(kind, s, &[1.0, 0.0, 0.0], &[0, 1, 2], &[0, 3], None, 1.0);
            tape.value(loss)[0]
        };
        assert!(value(&mut tape, &[-300.0, -200.0, 250.0]).is_finite(), "{kind:?}");
        assert!(value(&mut tape, &[f32::NAN, 0.0, 1.0]).is_nan(), "{kind:?}");
    }
}
