//! Small trainings whose outcome a method promises.

use kohort_objectives::{
    Balancer, BalancerConfig, Equal, GapConfig, GradNorm, GradNormConfig, GroupDro, GroupDroConfig, Seen,
};

use crate::linear::{Linear, Rows};
use crate::{combine, dot, gram, uniform};

/// Full-batch gradient descent; `watch` sees the step, weights of the trunk and losses.
fn train(
    model: &mut Linear,
    rows: &Rows,
    balancer: &mut dyn Balancer,
    (steps, rate): (u64, f64),
    mut watch: impl FnMut(u64, &[f64], &[f64], &[f64]),
) {
    let k = model.v.len();
    let (denominators, present) = (rows.counts(k), rows.present(k));
    for step in 0..steps {
        let swept = model.sweep(rows, &denominators);
        let gram = gram(&swept.trunk, k);
        let seen = Seen { losses: &swept.losses, present: &present, gram: Some(&gram), step };
        let coefficients = balancer.coefficients(seen);
        let norms: Vec<f64> = (0..k).map(|i| gram[i * k + i].sqrt()).collect();
        watch(step, &coefficients.trunk, &norms, &swept.losses);
        let update = combine(&coefficients.trunk, &swept.trunk);
        model.descend(&update, &coefficients.heads, &swept, rate);
    }
}

/// The paper's toy, linear: `y_k = σ_k·(B + E_k)·x`, tasks alike but for σ = 1 and 10.
fn scales() -> Rows {
    let count = 100;
    let x: Vec<Vec<f64>> = uniform(count * 6, 0.0, "x", 3).chunks(6).map(<[f64]>::to_vec).collect();
    let shared = uniform(6, 0.0, "B", 3);
    let own: Vec<Vec<f64>> = (0..2)
        .map(|k| {
            let own = uniform(6, 0.0, "E", k);
            shared.iter().zip(own).map(|(b, e)| [1.0, 10.0][k as usize] * (b + 0.3 * e)).collect()
        })
        .collect();
    let objective: Vec<usize> = (0..count).map(|n| n % 2).collect();
    let y = (0..count).map(|n| dot(&own[objective[n]], &x[n])).collect();
    Rows { objective, x, y }
}

#[test]
fn gradnorm_evens_out_the_gradients_of_tasks_that_differ_in_scale_only() {
    let config = GradNormConfig { alpha: 0.12, ..GradNormConfig::default() };
    let mut balancer = GradNorm::new(2, config).unwrap();
    let (mut apart, mut before, mut weights) = (Vec::new(), 0.0, Vec::new());
    let mut model = Linear::new(2, 6, 2, 1);
    model.v[1] = model.v[0].clone();
    train(&mut model, &scales(), &mut balancer, (400, 0.001), |step, w, norms, _| {
        let ratio = w[1] * norms[1] / (w[0] * norms[0]);
        if step == 0 {
            before = ratio;
        }
        if step >= 300 {
            apart.push(ratio);
        }
        weights = w.to_vec();
    });
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    assert!(before > 8.0, "the task of the larger scale starts with most of the gradient: {before}");
    assert!((0.7..1.4).contains(&mean), "weighted gradients are {mean} apart, were {before}");
    assert!(weights[1] < 0.3 && (weights[0] + weights[1] - 2.0).abs() < 1e-9, "{weights:?}");
}

/// Three groups of one regression, of which two nearly agree and outvote the third.
fn groups() -> (Rows, Vec<Vec<f64>>) {
    let count = 90;
    let x: Vec<Vec<f64>> = uniform(count * 4, 0.0, "x", 8).chunks(4).map(<[f64]>::to_vec).collect();
    let truth: Vec<Vec<f64>> =
        vec![vec![1.0, 1.0, 0.0, 0.0], vec![1.0, 0.8, 0.1, 0.0], vec![-0.5, 1.0, 1.0, 0.0]];
    let objective: Vec<usize> = (0..count).map(|n| n % 3).collect();
    let y = (0..count).map(|n| dot(&truth[objective[n]], &x[n])).collect();
    (Rows { objective, x, y }, truth)
}

fn group_losses(balancer: &mut dyn Balancer) -> Vec<f64> {
    let (rows, _) = groups();
    // Heads that stay at (1) turn the model into one regression for all groups.
    let mut model = Linear { width: 1, dim: 4, w: vec![0.0; 4], v: vec![vec![1.0]; 3] };
    let denominators = rows.counts(3);
    let mut losses = Vec::new();
    for step in 0..3000 {
        let swept = model.sweep(&rows, &denominators);
        losses = swept.losses.clone();
        let seen = Seen { losses: &losses, present: &[true; 3], gram: None, step };
        let update = combine(&balancer.coefficients(seen).trunk, &swept.trunk);
        model.descend(&update, &[0.0; 3], &swept, 0.02);
    }
    losses
}

fn worst(losses: &[f64]) -> f64 {
    losses.iter().copied().fold(0.0, f64::max)
}

#[test]
fn groupdros_worst_group_improves_to_the_minimax_regression() {
    let equal = group_losses(&mut Equal);
    let robust = group_losses(
        &mut GroupDro::new(3, GroupDroConfig { rate: 0.05, ..GroupDroConfig::default() }).unwrap(),
    );
    assert!(worst(&robust) < 0.8 * worst(&equal), "{robust:?} {equal:?}");
    // At the minimax the two worst groups are level.
    let mut sorted = robust.clone();
    sorted.sort_by(f64::total_cmp);
    assert!(sorted[2] - sorted[1] < 0.05 * sorted[2], "{robust:?}");
}

#[test]
fn gap_driven_weights_bring_the_worst_gap_within_tolerance() {
    let gap = |losses: &[f64]| worst(losses) - losses.iter().sum::<f64>() / 3.0;
    let equal = group_losses(&mut Equal);
    let config = GapConfig { tolerance: 0.05, ..GapConfig::default() };
    let fair = group_losses(&mut *BalancerConfig::Gap(config).build(3, 0).unwrap());
    assert!(gap(&equal) > 0.15, "{equal:?}");
    assert!(gap(&fair) < 0.06, "{fair:?}, from {equal:?}");
}
