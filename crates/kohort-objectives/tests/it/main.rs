//! Claims about the crate's public items, in one binary.
#![allow(clippy::unwrap_used)] // what helps tests is a test too, which clippy does not see

mod config;
mod conflict;
mod every;
mod golden;
mod halves;
mod linear;
mod rules;
mod surgery;
mod toys;

use kohort_core::random::{rand::Rng, stream};
use kohort_objectives::{
    BalancerConfig, CagradConfig, DwaConfig, GapConfig, GradNormConfig, GradVacConfig, GroupDroConfig,
    HeadWeights, MetricConfig, Normaliser, Schedule, Target, UncertaintyConfig, UncertaintyForm,
};

/// `K` gradients of length `dim`, `[K, dim]`, and their Gram matrix's.
fn gram(gradients: &[f64], n: usize) -> Vec<f64> {
    let dim = gradients.len() / n;
    let row = |k: usize| &gradients[k * dim..(k + 1) * dim];
    (0..n * n).map(|at| dot(row(at / n), row(at % n))).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `Σ_k c_k·g_k`.
fn combine(c: &[f64], gradients: &[f64]) -> Vec<f64> {
    let dim = gradients.len() / c.len();
    (0..dim).map(|at| (0..c.len()).map(|k| c[k] * gradients[k * dim + at]).sum()).collect()
}

/// Uniform numbers around a mean.
fn uniform(n: usize, mean: f64, name: &str, seed: u64) -> Vec<f64> {
    let mut numbers = stream(seed, name, &[]);
    (0..n).map(|_| mean + numbers.random_range(-1.0..1.0)).collect()
}

#[track_caller]
fn close(got: &[f64], want: &[f64], tolerance: f64) {
    let size = want.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let near =
        got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (g - w).abs() <= tolerance * size);
    assert!(near, "{got:?}\nexpected {want:?}");
}

/// Every method, with settings for `n` objectives.
fn every(n: usize) -> Vec<BalancerConfig> {
    vec![
        BalancerConfig::Equal,
        BalancerConfig::Fixed(vec![0.5; n]),
        BalancerConfig::Uncertainty(UncertaintyConfig {
            forms: vec![UncertaintyForm::Regression; n],
            rate: 0.01,
        }),
        BalancerConfig::Dwa(DwaConfig { period: 3, ..DwaConfig::default() }),
        BalancerConfig::Rlw,
        BalancerConfig::GradNorm(GradNormConfig::default()),
        BalancerConfig::Pcgrad,
        BalancerConfig::GradVac(GradVacConfig { beta: 0.1 }),
        BalancerConfig::Cagrad(CagradConfig::default()),
        BalancerConfig::Mgda(Normaliser::None),
        BalancerConfig::Mgda(Normaliser::LossPlus),
        BalancerConfig::NashMtl,
        BalancerConfig::GroupDro(GroupDroConfig::default()),
        BalancerConfig::Metric(MetricConfig::new(vec![Target::AtLeast(0.7); n])),
        BalancerConfig::Gap(GapConfig::default()),
        BalancerConfig::Scheduled {
            inner: Box::new(BalancerConfig::Rlw),
            schedules: vec![Schedule::Cosine { from: 1.0, to: 0.1, start: 2, steps: 9 }; n],
        },
        BalancerConfig::WithHeads {
            inner: Box::new(BalancerConfig::GradVac(GradVacConfig::default())),
            heads: HeadWeights::AsTrunk,
        },
    ]
}
