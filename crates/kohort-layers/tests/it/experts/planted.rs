//! Two cohorts that want opposites, or the same.

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::{Activation, Grads, LossKind, Params, Tape, Var};
use kohort_layers::experts::{CohortConfig, CohortExperts, ExpertConfig};
use kohort_layers::{Hierarchy, Linear, Mode};

use super::numbers;

/// Rows and their cohorts to a representation of 8 columns.
type Forward = Box<dyn Fn(&mut Tape<f64>, &Params<f64>, Var, &[u32]) -> Var>;

/// Loss after training on rows whose target is `sign_c · x·w`, on rows not trained on.
fn trained(signs: [f64; 2], new: impl FnOnce(&mut Params<f64>) -> Forward) -> f64 {
    let mut params = Params::new();
    let forward = new(&mut params);
    let head = Linear::new(&mut params, "head", 8, 1, Activation::Identity, 1);
    let (n, truth) = (256, numbers("truth", 6));
    let rows = |part: &str| {
        let x = numbers(part, n * 6);
        let cohorts: Vec<u32> = (0..n as u32).map(|row| row % 2).collect();
        let dot = |x: &[f64]| x.iter().zip(&truth).map(|(x, w)| x * w).sum::<f64>();
        let target: Vec<f64> =
            x.chunks_exact(6).zip(&cohorts).map(|(x, &c)| signs[c as usize] * dot(x)).collect();
        (x, cohorts, target)
    };
    let loss = |tape: &mut Tape<f64>,
                params: &Params<f64>,
                (x, cohorts, target): &(Vec<f64>, Vec<u32>, Vec<f64>)| {
        let x = tape.input(n, 6, x);
        let z = forward(tape, params, x, cohorts);
        let y = head.forward(tape, params, z);
        tape.loss(LossKind::Squared, y, target, None, 1.0 / n as f64)
    };
    let (train, test) = (rows("train"), rows("test"));
    let mut optimizer = Optimizer::new(&params, Rule::Adam(Adam::default()), Tables::TouchedRows);
    let (mut tape, mut grads) = (Tape::new(), Grads::new(&params));
    for _ in 0..200 {
        tape.reset();
        grads.clear();
        let out = loss(&mut tape, &params, &train);
        tape.backward(&params, &[(out, 1.0)], &mut grads);
        optimizer.step(&mut params, &grads, 0.02);
    }
    tape.reset();
    let out = loss(&mut tape, &params, &test);
    tape.scalar(out)
}

fn planted() -> CohortConfig {
    let expert = ExpertConfig { widths: vec![8], activation: Activation::Tanh, dropout: 0.0 };
    CohortConfig { globals: 1, expert, embedding: 0, ..CohortConfig::default() }
}

fn by_cohort(params: &mut Params<f64>) -> Forward {
    let layer = CohortExperts::new(params, "m", 6, &Hierarchy::flat(2), 1, &planted(), 1).expect("config");
    Box::new(move |tape, params, x, cohorts| {
        layer.forward(tape, params, x, cohorts, &mut Mode::score()).tasks[0]
    })
}

fn shared(params: &mut Params<f64>) -> Forward {
    let layer = Linear::new(params, "shared", 6, 8, Activation::Tanh, 1);
    Box::new(move |tape, params, x, _| layer.forward(tape, params, x))
}

/// The shared model can say nothing: the two cohorts' targets cancel.
#[test]
fn where_two_cohorts_want_opposites_their_own_experts_win_tenfold_and_where_they_agree_nothing_is_lost() {
    let (own, common) = (trained([1.0, -1.0], by_cohort), trained([1.0, -1.0], shared));
    assert!(own < 0.1 * common, "opposite: {own} with own experts, {common} shared");
    let (own, common) = (trained([1.0, 1.0], by_cohort), trained([1.0, 1.0], shared));
    assert!(own < common + 0.02, "alike: {own} with own experts, {common} shared");
}
