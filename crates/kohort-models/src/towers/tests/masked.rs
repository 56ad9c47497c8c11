//! The paper's form computes all K scores of a row and masks: the block of the row's own group alone must give the same.

use kohort_core::{GradCheck, Grads, LossKind, Tape, Var};

use super::net::Net;
use super::*;
use kohort_core::Params;

const GROUPS: usize = 4;
const ROWS: usize = 9;
/// Ordered, and group 2 is absent.
const GROUP: [u32; ROWS] = [0, 0, 1, 1, 1, 1, 3, 3, 3];

fn net(blocks: Blocks) -> (Net, Params<f64>) {
    let config = Config { user: vec![6, 4], title: vec![5, 4], blocks, ..small() };
    let mut params = Params::new();
    let net = Net::new(&mut params, &config, (5, 3), GROUPS, 1);
    let mut params: Params<f64> = params.cast();
    let mut numbers = stream(4, "masked", &[]);
    // Off the start, where the residual blocks' last layers are all zero.
    for slot in params.slots_mut() {
        slot.value.iter_mut().for_each(|x| *x += numbers.random_range(-0.3..0.3));
    }
    (net, params)
}

fn data(name: &str, count: usize) -> Vec<f64> {
    let mut numbers = stream(5, name, &[]);
    (0..count).map(|_| numbers.random_range(-1.0..1.0)).collect()
}

fn towers(net: &Net, tape: &mut Tape<f64>, params: &Params<f64>) -> (Var, Var) {
    let x = tape.input(ROWS, 5, &data("x", ROWS * 5));
    let t = tape.input(ROWS, 3, &data("t", ROWS * 3));
    let z = net.shared(tape, params, x, &mut Mode::score());
    (z, net.titles(tape, params, t, &mut Mode::score()))
}

fn pairs() -> Vec<u32> {
    (0..ROWS as u32).collect()
}

fn targets() -> Vec<f64> {
    (0..ROWS).map(|row| (row % 2) as f64).collect()
}

/// Only the own block: `(1/B) Σ_b BCE(s_b)`.
fn gathered(net: &Net, tape: &mut Tape<f64>, params: &Params<f64>) -> Var {
    let (z, v) = towers(net, tape, params);
    let segments = Segments::of(GROUP);
    let z = net.grouped(tape, params, z, &segments, &mut Mode::score());
    let logits = net.logits(tape, params, (z, v), (&pairs(), &pairs()));
    tape.loss(LossKind::Logistic, logits, &targets(), None, 1.0 / ROWS as f64)
}

/// All blocks for all rows: `(1/B) Σ_b Σ_k m_bk·BCE(s_bk)`.
fn full(net: &Net, tape: &mut Tape<f64>, params: &Params<f64>) -> Var {
    let (z, v) = towers(net, tape, params);
    let mut total = None;
    for k in 0..GROUPS as u32 {
        let segments = Segments { offsets: vec![0, ROWS as u32], cohorts: vec![k] };
        let z = net.grouped(tape, params, z, &segments, &mut Mode::score());
        let logits = net.logits(tape, params, (z, v), (&pairs(), &pairs()));
        let masked = tape.loss(LossKind::Logistic, logits, &targets(), Some(&mask(k)), 1.0 / ROWS as f64);
        total = Some(total.map_or(masked, |sum| tape.add(sum, masked)));
    }
    total.unwrap()
}

fn mask(k: u32) -> Vec<f64> {
    GROUP.iter().map(|&g| if g == k { 1.0 } else { 0.0 }).collect()
}

#[test]
fn masking_all_scores_and_computing_the_own_one_give_the_same_loss_and_gradients() {
    for blocks in [
        Blocks { hidden: vec![3], ..Blocks::default() },
        Blocks { hidden: vec![], ..Blocks::default() },
        Blocks { residual: false, own_layers: 1, ..Blocks::default() },
        Blocks { hidden: vec![3, 2], own_layers: 2, relu_first: false, ..Blocks::default() },
    ] {
        let (net, params) = net(blocks.clone());
        let run = |record: fn(&Net, &mut Tape<f64>, &Params<f64>) -> Var| {
            let (mut tape, mut grads) = (Tape::new(), Grads::new(&params));
            let loss = record(&net, &mut tape, &params);
            tape.backward(&params, &[(loss, 1.0)], &mut grads);
            (tape.scalar(loss), grads)
        };
        let ((own, own_grads), (all, all_grads)) = (run(gathered), run(full));
        assert!((own - all).abs() < 1e-12, "{blocks:?}: {own} and {all}");
        for id in params.ids() {
            let name = &params.slot(id).name;
            let (own, all) = (own_grads.to_dense(id, &params), all_grads.to_dense(id, &params));
            for (a, b) in own.iter().zip(&all) {
                assert!((a - b).abs() < 1e-12, "{name}: {a} and {b}");
            }
            if name.starts_with("group2/") {
                assert!(all.iter().all(|&g| g == 0.0), "{name} of an absent group has a gradient");
                let touched = matches!(own_grads.slot(id), kohort_core::Grad::Dense { touched: true, .. });
                assert!(!touched, "{name} of an absent group was touched");
            }
        }
    }
}

/// `∂s_b/∂g_j = 0` for `j ≠ k(b)`, row by row and without a loss in between.
#[test]
fn a_row_gives_other_groups_no_gradient() {
    let (net, params) = net(Blocks { hidden: vec![3], own_layers: 1, ..Blocks::default() });
    for row in 0..ROWS as u32 {
        let (mut tape, mut grads) = (Tape::new(), Grads::new(&params));
        let (z, v) = towers(&net, &mut tape, &params);
        let segments = Segments::of(GROUP);
        let z = net.grouped(&mut tape, &params, z, &segments, &mut Mode::score());
        let logit = net.logits(&mut tape, &params, (z, v), (&[row], &[row]));
        tape.backward(&params, &[(logit, 1.0)], &mut grads);
        for id in params.ids().filter(|&id| params.slot(id).name.starts_with("group")) {
            let own = params.slot(id).name.starts_with(&format!("group{}/", GROUP[row as usize]));
            let zero = grads.to_dense(id, &params).iter().all(|&g| g == 0.0);
            assert!(own || zero, "row {row} reaches {}", params.slot(id).name);
        }
    }
}

#[test]
fn the_network_passes_finite_differences() {
    for blocks in
        [Blocks { hidden: vec![3], ..Blocks::default() }, Blocks { own_layers: 1, ..Blocks::default() }]
    {
        let (net, params) = net(blocks);
        GradCheck::default().run(&params, |tape, params| gathered(&net, tape, params)).expect("gradient");
    }
}
