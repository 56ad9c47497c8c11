//! Low-rank adapters.

mod analysis;
mod forms;
mod golden;
mod isolation;
mod planted;
mod store;

use kohort_core::random::{rand::Rng, stream};
use kohort_core::{Activation, Params, Real, Tape, Var};
use kohort_layers::lora::{CohortLora, LoraConfig, LoraMlp};
use kohort_layers::{Linear, Mlp, MlpConfig, Mode, Segments};

/// `count` numbers in (−1, 1).
fn numbers<F: Real>(count: usize, seed: u64) -> Vec<F> {
    let mut stream = stream(seed, "lora tests", &[]);
    (0..count).map(|_| F::of(stream.random_range(-1.0..1.0))).collect()
}

/// Overwrites every parameter whose name contains `part`: B starts at zero, where half of the gradients vanish.
fn shake<F: Real>(params: &mut Params<F>, part: &str) {
    for (seed, slot) in (100u64..).zip(params.slots_mut()).filter(|(_, slot)| slot.name.contains(part)) {
        slot.value = numbers(slot.value.len(), seed);
    }
}

fn config(rank: usize) -> LoraConfig {
    LoraConfig { rank, alpha: 1.5 * rank as f64, ..LoraConfig::default() }
}

/// A frozen-able stack 5 → 7 → 3 with adapters of rank 2 for these cohorts, not at their start.
fn stack<F: Real>(cohorts: impl IntoIterator<Item = u32>) -> (Params<F>, LoraMlp<CohortLora>) {
    let mut params = Params::new();
    let widths = MlpConfig { widths: vec![7, 3], activation: Activation::Tanh, ..MlpConfig::default() };
    let mlp = Mlp::new(&mut params, "tower", 5, &widths, 1);
    let mut lora = LoraMlp::new(&mut params, &mlp, &config(2), 1).unwrap();
    for cohort in cohorts {
        lora.add(&mut params, cohort).unwrap();
    }
    shake(&mut params, "adapter");
    (params, lora)
}

/// Scores of rows `x [n, 5]` of these cohorts.
fn scores<F: Real>(params: &Params<F>, lora: &LoraMlp<CohortLora>, x: &[F], cohorts: &[u32]) -> Vec<F> {
    let mut tape = Tape::new();
    let x = tape.input(cohorts.len(), 5, x);
    let segments = Segments::of(cohorts.iter().copied());
    let y = lora.forward(&mut tape, params, x, &segments, &mut Mode::score());
    tape.value(y).to_vec()
}

/// A dense layer `[inputs, outputs]` with a non-zero bias.
fn linear<F: Real>(params: &mut Params<F>, inputs: usize, outputs: usize, act: Activation) -> Linear {
    let linear = Linear::new(params, "layer", inputs, outputs, act, 1);
    params.slot_mut(linear.b).value = numbers(outputs, 9);
    linear
}

fn close(tape: &Tape<f64>, got: Var, want: &[f64], most: f64) {
    assert_eq!(tape.value(got).len(), want.len());
    for (got, want) in tape.value(got).iter().zip(want) {
        assert!((got - want).abs() <= most, "{got} {want}");
    }
}
