//! Signals whose right answer is known.

use kohort_core::optim::{Adam, Optimizer, Rule, Tables};
use kohort_core::{Grads, LossKind};
use kohort_layers::UNKNOWN;
use kohort_layers::lora::{Freeze, Start};

use super::*;

/// Trains what is trainable on rows `x [n, 5]` with targets `[n, 1]`; returns the last mean squared error.
fn train(
    params: &mut Params<f32>,
    lora: &LoraMlp<CohortLora>,
    x: &[f32],
    target: &[f32],
    cohorts: &[u32],
) -> f64 {
    let mut optimizer = Optimizer::new(params, Rule::Adam(Adam::default()), Tables::AllRows);
    let (mut tape, mut grads) = (Tape::new(), Grads::new(params));
    let segments = Segments::of(cohorts.iter().copied());
    let mut last = f64::NAN;
    for _ in 0..400 {
        tape.reset();
        grads.clear();
        let input = tape.input(cohorts.len(), 5, x);
        let y = lora.forward(&mut tape, params, input, &segments, &mut Mode::score());
        let loss = tape.loss(LossKind::Squared, y, target, None, 1.0 / cohorts.len() as f32);
        tape.backward(params, &[(loss, 1.0)], &mut grads);
        optimizer.step(params, &grads, 0.01);
        last = tape.scalar(loss);
    }
    last
}

fn tower(params: &mut Params<f32>) -> LoraMlp<CohortLora> {
    let widths = MlpConfig { widths: vec![16, 1], activation: Activation::Tanh, ..MlpConfig::default() };
    let mlp = Mlp::new(params, "tower", 5, &widths, 1);
    LoraMlp::new(params, &mlp, &LoraConfig { rank: 1, alpha: 2.0, ..LoraConfig::default() }, 1).unwrap()
}

/// Targets ±0.5·x_0, plus for cohort 0 and minus for cohort 1, first half and second half of the rows.
fn opposite(rows: usize, seed: u64) -> (Vec<f32>, Vec<f32>, Vec<u32>) {
    let x = numbers::<f32>(rows * 5, seed);
    let cohorts: Vec<u32> = (0..rows).map(|row| u32::from(row >= rows / 2)).collect();
    let sign = |cohort: u32| if cohort == 0 { 0.5 } else { -0.5 };
    let target = x.chunks_exact(5).zip(&cohorts).map(|(x, &cohort)| sign(cohort) * x[0]).collect();
    (x, target, cohorts)
}

fn error(
    params: &Params<f32>,
    lora: &LoraMlp<CohortLora>,
    x: &[f32],
    target: &[f32],
    cohorts: &[u32],
) -> f64 {
    let y = scores(params, lora, x, cohorts);
    y.iter().zip(target).map(|(y, t)| f64::from((y - t) * (y - t))).sum::<f64>() / target.len() as f64
}

/// The shared base can only predict 0, an error of 0.25·E[x²] = 1/12. An adapter of rank 1 for each cohort has to get below a
/// tenth of it on rows it never saw.
#[test]
fn cohorts_of_opposite_preferences_are_told_apart_on_a_frozen_shared_base() {
    let mut params = Params::<f32>::new();
    let mut lora = tower(&mut params);
    let (x, target, cohorts) = opposite(512, 3);
    let (x_new, target_new, cohorts_new) = opposite(512, 4);
    train(&mut params, &lora, &x, &target, &[UNKNOWN; 512]);
    let shared = error(&params, &lora, &x_new, &target_new, &cohorts_new);
    assert!(shared > 0.07, "the base cannot know who is who: {shared}");
    for cohort in [0, 1] {
        lora.add(&mut params, cohort).unwrap();
    }
    assert_eq!(error(&params, &lora, &x_new, &target_new, &cohorts_new), shared);
    lora.freeze(&mut params, Freeze::All);
    train(&mut params, &lora, &x, &target, &cohorts);
    let adapted = error(&params, &lora, &x_new, &target_new, &cohorts_new);
    assert!(adapted < 0.1 * shared, "{adapted} against {shared}");
    let own = lora.layers[0].factors(&params, 0).unwrap();
    assert!(own.relative_norm(&params, lora.layers[0].base().block.w) > 0.05);
}

/// A third cohort that behaves like cohort 0 gets its neighbour's adapter without a step.
#[test]
fn a_new_cohort_started_from_its_neighbour_is_good_before_it_is_trained() {
    let mut params = Params::<f32>::new();
    let mut lora = tower(&mut params);
    let (x, target, cohorts) = opposite(512, 3);
    for cohort in [0, 1] {
        lora.add(&mut params, cohort).unwrap();
    }
    train(&mut params, &lora, &x, &target, &cohorts);
    let start = Start { parent: None, neighbours: vec![(0, 1.0)], samples: 40, prior: 1.0 };
    lora.add_from(&mut params, 2, &start).unwrap();
    lora.add(&mut params, 3).unwrap();
    let (x, target) = (&x[..1280], &target[..256]);
    let [own, cold] = [2, 3].map(|cohort| error(&params, &lora, x, target, &[cohort; 256]));
    assert!(own < 0.2 * cold, "{own} against {cold}");
    assert_eq!(lora.nearest(&params, 2, 1).unwrap()[0].0, 0);
}
