//! Who moves whom: frozen bases, absent cohorts, removed adapters, many adapters.

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::{Grad, Grads, LossKind, ParamId};
use kohort_layers::lora::{Freeze, HierarchicalLora};
use kohort_layers::{Hierarchy, UNKNOWN};

use super::*;

fn touched<F: Real>(grads: &Grads<F>, id: ParamId) -> bool {
    matches!(grads.slot(id), Grad::Dense { touched: true, .. })
}

#[test]
fn below_a_frozen_base_no_gradient_is_computed_and_the_base_gets_none() {
    let (mut params, lora) = stack::<f64>([1, 2]);
    let table = params.add("rows", 4, 5, numbers(20, 3));
    lora.freeze(&mut params, Freeze::All);
    let sweep = |params: &Params<f64>| {
        let mut tape = Tape::new();
        let x = tape.param(params, table);
        let y = lora.forward(&mut tape, params, x, &Segments::of([1, 1, 2, 2]), &mut Mode::score());
        let mut grads = Grads::new(params);
        tape.backward(params, &[(y, 1.0)], &mut grads);
        (grads, tape.adjoint(x).is_some())
    };
    let (grads, below) = sweep(&params);
    assert!(below, "the rows train: the base is crossed, not trained");
    for slot in ["tower/0/w", "tower/0/b", "tower/1/w", "tower/1/b"] {
        assert!(!touched(&grads, params.id(slot).unwrap()), "{slot}");
    }
    params.set_trainable("rows", false);
    let (frozen, below) = sweep(&params);
    assert!(!below, "nothing below the first layer trains");
    for id in params.ids().filter(|&id| params.slot(id).name.contains("adapter")) {
        assert!(touched(&frozen, id));
        assert_eq!(frozen.to_dense(id, &params), grads.to_dense(id, &params));
    }
    // A batch without adapters trains nothing at all.
    let mut tape = Tape::new();
    let x = tape.param(&params, table);
    let y = lora.forward(&mut tape, &params, x, &Segments::of([UNKNOWN; 4]), &mut Mode::score());
    tape.backward(&params, &[(y, 1.0)], &mut Grads::new(&params));
    assert!(tape.adjoint(y).is_none());
}

#[test]
fn values_moments_and_step_counts_of_an_adapter_move_only_with_rows_of_its_cohort() {
    let (mut params, lora) = stack::<f32>([1, 2, 3]);
    lora.freeze(&mut params, Freeze::All);
    params.slots_mut().iter_mut().for_each(|slot| slot.decay = 0.1);
    let rule = Rule::Adam(Adam::default());
    let mut optimizer = Optimizer::new(&params, rule, Tables::AllRows);
    let x = numbers::<f32>(20, 3);
    let mut tape = Tape::new();
    for cohorts in [[1, 1, 2, 2], [1, 1, 1, 1], [2, 1, 2, UNKNOWN], [1, 1, 1, 1]] {
        let before = (params.clone(), optimizer.clone());
        tape.reset();
        let input = tape.input(4, 5, &x);
        let y = lora.forward(&mut tape, &params, input, &Segments::of(cohorts), &mut Mode::score());
        let loss = tape.loss(LossKind::Squared, y, &[0.5; 12], None, 1.0);
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        optimizer.step(&mut params, &grads, 0.01);
        for cohort in 1..=3 {
            let present = cohorts.contains(&cohort);
            for adapter in lora.layers.iter().map(|layer| layer.get(cohort).unwrap()) {
                for id in [adapter.a, adapter.b] {
                    assert_eq!(params.value(id) != before.0.value(id), present);
                    assert_eq!(optimizer.moments(id) != before.1.moments(id), present);
                    assert_eq!(optimizer.steps(id) - before.1.steps(id), u64::from(present));
                }
            }
        }
        for id in params.ids().filter(|&id| !params.slot(id).name.contains("adapter")) {
            assert_eq!(params.value(id), before.0.value(id), "the base is frozen");
        }
    }
    let steps = |cohort: u32| optimizer.steps(lora.layers[0].get(cohort).unwrap().a);
    assert_eq!([steps(1), steps(2), steps(3)], [4, 2, 0]);
}

#[test]
fn removing_a_cohorts_adapter_changes_no_other_cohorts_scores_by_a_bit() {
    let (params, mut lora) = stack::<f32>(0..8);
    let x = numbers::<f32>(200, 3);
    let cohorts: Vec<u32> = (0..40).map(|row| row / 5).collect();
    let before = scores(&params, &lora, &x, &cohorts);
    let base = scores(&params, &lora, &x, &[UNKNOWN; 40]);
    assert!(lora.remove(3) && !lora.remove(3));
    let after = scores(&params, &lora, &x, &cohorts);
    for (row, &cohort) in cohorts.iter().enumerate() {
        let row = row * 3..row * 3 + 3;
        if cohort == 3 {
            assert_ne!(before[row.clone()], after[row.clone()]);
            assert!(after[row.clone()].iter().zip(&base[row]).all(|(x, y)| (x - y).abs() < 1e-6));
        } else {
            assert_eq!(before[row.clone()], after[row]);
        }
    }
}

#[test]
fn a_cohort_that_is_added_again_starts_afresh_in_its_place() {
    let (mut params, mut lora) = stack::<f64>([1, 2]);
    let (count, old) = (params.slots().len(), lora.layers[0].get(1).unwrap());
    lora.remove(1);
    lora.add(&mut params, 1).unwrap();
    assert_eq!((params.slots().len(), lora.layers[0].get(1).unwrap()), (count, old));
    assert!(params.value(old.b).iter().all(|&b| b == 0.0) && params.value(old.a).iter().any(|&a| a != 0.0));
}

/// Values are drawn anew; what an optimiser keeps has to be forgotten, or the first steps go where the old cohort went.
#[test]
fn an_optimiser_forgets_one_parameter_and_no_other() {
    let (mut params, lora) = stack::<f64>([1, 2]);
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows);
    let mut grads = Grads::new(&params);
    let (one, two) = (lora.layers[0].get(1).unwrap().a, lora.layers[0].get(2).unwrap().a);
    for id in [one, two] {
        let many = params.value(id).len();
        grads.dense_mut(id, many).fill(0.5);
    }
    optimizer.step(&mut params, &grads, 0.1);
    let fresh = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows);
    optimizer.forget(one);
    assert_eq!((optimizer.steps(one), optimizer.moments(one)), (0, fresh.moments(one)));
    assert_eq!(optimizer.steps(two), 1);
    assert!(optimizer.moments(two).iter().all(|moment| moment.iter().all(|&x| x != 0.0)));
}

/// One that is added later starts as its parent, and learns apart from it.
#[test]
fn a_cohort_is_added_to_a_trained_hierarchy() {
    let mut params = Params::<f64>::new();
    let widths = MlpConfig { widths: vec![7, 3], activation: Activation::Tanh, ..MlpConfig::default() };
    let mlp = Mlp::new(&mut params, "tower", 5, &widths, 1);
    let tree = Hierarchy::new(vec![None, None, Some(0)]).unwrap();
    let mut lora = LoraMlp::hierarchical(&mut params, &mlp, &tree, &config(2), &[2, 1], 1).unwrap();
    shake(&mut params, "adapter");
    let scores = |params: &Params<f64>, lora: &LoraMlp<HierarchicalLora>, cohort: u32| {
        let mut tape = Tape::new();
        let x = tape.input(2, 5, &numbers::<f64>(10, 3));
        let y = lora.forward(&mut tape, params, x, &[cohort; 2], &mut Mode::score());
        tape.value(y).to_vec()
    };
    let before: Vec<_> = (0..3).map(|cohort| scores(&params, &lora, cohort)).collect();
    assert_eq!(lora.add(&mut params, Some(1)).unwrap(), Some(3));
    assert_eq!(lora.layers[0].tree().path(3), [1, 3]);
    assert_eq!(scores(&params, &lora, 3), before[1]);
    params.slot_mut(lora.layers[1].level(1).get(3).unwrap().b).value.fill(0.5);
    assert_ne!(scores(&params, &lora, 3), before[1]);
    assert_eq!((0..3).map(|cohort| scores(&params, &lora, cohort)).collect::<Vec<_>>(), before);

    let many = params.slots().len();
    let said = lora.add(&mut params, Some(9)).unwrap_err().to_string();
    assert_eq!(said, "tower/0/level/0: parent is 9, expected a cohort below 4");
    let said = lora.add(&mut params, Some(3)).unwrap_err().to_string();
    assert_eq!(said, "tower/0/level/0: parent is 3, expected a cohort above the last of 2 levels");
    assert_eq!(params.slots().len(), many);
}

#[test]
fn two_hundred_adapters_train_and_score_in_one_batch() {
    let (mut params, lora) = stack::<f32>(0..200);
    lora.freeze(&mut params, Freeze::All);
    // Three rows a cohort, in an order that makes each row a segment of its own.
    let cohorts: Vec<u32> = (0..600).map(|row| row % 200).collect();
    let x = numbers::<f32>(600 * 5, 3);
    let target = numbers::<f32>(600 * 3, 4);
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows);
    let (mut tape, mut grads) = (Tape::new(), Grads::new(&params));
    let mut losses = Vec::new();
    for _ in 0..30 {
        tape.reset();
        grads.clear();
        let input = tape.input(600, 5, &x);
        let y = lora.forward(&mut tape, &params, input, &Segments::of(cohorts.clone()), &mut Mode::score());
        let loss = tape.loss(LossKind::Squared, y, &target, None, 1.0 / 600.0);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        optimizer.step(&mut params, &grads, 0.03);
        losses.push(tape.scalar(loss));
    }
    assert!(losses[29] < 0.3 * losses[0], "{losses:?}");
    for cohort in 0..200 {
        assert_eq!(optimizer.steps(lora.layers[1].get(cohort).unwrap().b), 30);
    }
}

#[test]
fn an_optimiser_that_grew_steps_a_new_adapter_and_keeps_what_the_others_had() {
    let (mut params, mut lora) = stack::<f64>([1]);
    lora.freeze(&mut params, Freeze::All);
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::AllRows);
    let step = |params: &mut Params<f64>, lora: &LoraMlp<CohortLora>, optimizer: &mut Optimizer<f64>| {
        let mut tape = Tape::new();
        let x = tape.input(2, 5, &numbers::<f64>(10, 3));
        let y = lora.forward(&mut tape, params, x, &Segments::of([1, 2]), &mut Mode::score());
        let mut grads = Grads::new(params);
        tape.backward(params, &[(y, 1.0)], &mut grads);
        optimizer.step(params, &grads, 0.1);
    };
    step(&mut params, &lora, &mut optimizer);
    lora.add(&mut params, 2).unwrap();
    optimizer.grow(&params);
    step(&mut params, &lora, &mut optimizer);
    let steps = |cohort: u32| optimizer.steps(lora.layers[0].get(cohort).unwrap().b);
    assert_eq!((steps(1), steps(2)), (2, 1));
    assert!(optimizer.fits(&params, Rule::Adam(Adam::default()), Tables::AllRows));
}
