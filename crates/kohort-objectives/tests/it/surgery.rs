//! PCGrad on coefficients against PCGrad on vectors, over many random gradients.

use kohort_core::random::{permutation, stream};
use kohort_objectives::{Balancer, Pcgrad, Seen};

use crate::{close, combine, dot, gram, uniform};

/// Algorithm 1 of the paper, in the orders of the balancer's stream.
fn on_vectors(gradients: &[f64], n: usize, seed: u64, step: u64) -> (Vec<f64>, usize) {
    let dim = gradients.len() / n;
    let g = |k: usize| &gradients[k * dim..(k + 1) * dim];
    let mut numbers = stream(seed, "pcgrad", &[step]);
    let (mut sum, mut projections) = (vec![0.0; dim], 0);
    for i in 0..n {
        let mut x = g(i).to_vec();
        for j in permutation(n, &mut numbers).into_iter().map(|j| j as usize).filter(|&j| j != i) {
            let product = dot(&x, g(j));
            if product < 0.0 {
                projections += 1;
                let share = product / dot(g(j), g(j));
                x.iter_mut().zip(g(j)).for_each(|(x, g)| *x -= share * g);
            }
        }
        sum.iter_mut().zip(x).for_each(|(s, x)| *s += x);
    }
    (sum, projections)
}

fn on_coefficients(gradients: &[f64], n: usize, seed: u64, step: u64) -> Vec<f64> {
    let (losses, present, gram) = (vec![1.0; n], vec![true; n], gram(gradients, n));
    let seen = Seen { losses: &losses, present: &present, gram: Some(&gram), step };
    combine(&Pcgrad::new(seed).coefficients(seen).trunk, gradients)
}

#[test]
fn coefficients_give_the_vector_algorithms_update() {
    let mut projections = 0;
    for seed in 0..100 {
        let n = [2, 3, 4, 8, 20][seed as usize % 5];
        let gradients = uniform(n * 30, 0.0, "gradients", seed);
        let (want, count) = on_vectors(&gradients, n, seed, seed + 1);
        projections += count;
        close(&on_coefficients(&gradients, n, seed, seed + 1), &want, 1e-10);
    }
    assert!(projections > 1000, "{projections} projections don't test much");
}

#[test]
fn after_surgery_on_two_neither_is_in_conflict_with_the_update() {
    for seed in 0..200 {
        let gradients = uniform(2 * 6, 0.0, "gradients", seed);
        let update = on_coefficients(&gradients, 2, seed, 0);
        for g in gradients.chunks_exact(6) {
            assert!(dot(&update, g) >= -1e-12, "seed {seed}");
        }
    }
}

/// A published implementation loses the result of its shuffle.
#[test]
fn the_order_differs_between_steps_and_matters() {
    let gradients = uniform(4 * 5, 0.0, "gradients", 5);
    let updates: Vec<Vec<f64>> = (0..10).map(|step| on_coefficients(&gradients, 4, 1, step)).collect();
    assert!(updates.iter().any(|update| update != &updates[0]));
}
