//! What holds for every method.

use kohort_objectives::{Balancer, BalancerConfig, CagradConfig, Coefficients, Normaliser, Seen};

use crate::{every, gram, uniform};

struct Step {
    losses: Vec<f64>,
    present: Vec<bool>,
    gram: Vec<f64>,
}

impl Step {
    fn new(n: usize, seed: u64, present: impl Fn(usize) -> bool) -> Step {
        let present: Vec<bool> = (0..n).map(present).collect();
        let mut losses = uniform(n, 1.5, "losses", seed);
        let mut gradients = uniform(n * 40, 0.2, "gradients", seed);
        for k in (0..n).filter(|&k| !present[k]) {
            losses[k] = 0.0;
            gradients[k * 40..(k + 1) * 40].fill(0.0);
        }
        Step { losses, present, gram: gram(&gradients, n) }
    }

    fn show(&self, balancer: &mut dyn Balancer, step: u64) -> Coefficients {
        balancer.coefficients(Seen {
            losses: &self.losses,
            present: &self.present,
            gram: Some(&self.gram),
            step,
        })
    }
}

#[track_caller]
fn sound(config: &BalancerConfig, coefficients: &Coefficients, n: usize) {
    assert_eq!((coefficients.trunk.len(), coefficients.heads.len()), (n, n), "{config:?}");
    let all = coefficients.trunk.iter().chain(&coefficients.heads);
    assert!(all.clone().all(|c| c.is_finite() && *c >= 0.0), "{config:?}: {coefficients:?}");
}

#[test]
fn a_hundred_objectives_are_weighed() {
    for config in every(100) {
        let mut balancer = config.build(100, 1).unwrap();
        for step in 0..4 {
            let shown = Step::new(100, step, |k| !(k as u64 + step).is_multiple_of(5));
            sound(&config, &shown.show(&mut *balancer, step), 100);
        }
    }
}

/// But for fixed weights and plans, and for methods that weigh by scale: uncertainty, and MGDA with a normaliser.
#[test]
fn one_objective_alone_is_left_as_it_is() {
    for config in every(1) {
        let mut balancer = config.build(1, 1).unwrap();
        for step in 0..5 {
            let coefficients = Step::new(1, step, |_| true).show(&mut *balancer, step);
            sound(&config, &coefficients, 1);
            match config {
                BalancerConfig::Fixed(_)
                | BalancerConfig::Uncertainty(_)
                | BalancerConfig::Mgda(Normaliser::LossPlus)
                | BalancerConfig::Scheduled { .. } => {}
                _ => assert!((coefficients.trunk[0] - 1.0).abs() < 1e-12, "{config:?}: {coefficients:?}"),
            }
        }
    }
}

#[test]
fn zero_gradients_and_zero_losses_leave_numbers() {
    for config in every(3) {
        let mut balancer = config.build(3, 1).unwrap();
        let zero = Step { losses: vec![0.0; 3], present: vec![true; 3], gram: vec![0.0; 9] };
        let tiny = Step { losses: vec![1e-300; 3], present: vec![true; 3], gram: vec![1e-300; 9] };
        for step in 0..6 {
            sound(&config, &[&zero, &tiny][step as usize % 2].show(&mut *balancer, step), 3);
        }
        sound(&config, &Step::new(3, 9, |_| true).show(&mut *balancer, 6), 3);
        let nobody = Step { losses: vec![0.0; 3], present: vec![false; 3], gram: vec![0.0; 9] };
        sound(&config, &nobody.show(&mut *balancer, 7), 3);
    }
}

/// As in a system that never had it. PCGrad with two live ones has but one order.
#[test]
fn methods_on_gradients_see_an_absent_objective_as_no_objective() {
    let gradients = uniform(3 * 10, 0.0, "gradients", 4);
    let of_two: Vec<f64> = [&gradients[..10], &gradients[20..]].concat();
    let mut with_zero = gradients.clone();
    with_zero[10..20].fill(0.0);
    for config in [
        BalancerConfig::Cagrad(CagradConfig::default()),
        BalancerConfig::Mgda(Normaliser::None),
        BalancerConfig::NashMtl,
        BalancerConfig::Pcgrad,
    ] {
        let three =
            Step { losses: vec![1.0, 0.0, 2.0], present: vec![true, false, true], gram: gram(&with_zero, 3) };
        let two = Step { losses: vec![1.0, 2.0], present: vec![true; 2], gram: gram(&of_two, 2) };
        let a = three.show(&mut *config.build(3, 1).unwrap(), 0).trunk;
        let b = two.show(&mut *config.build(2, 1).unwrap(), 0).trunk;
        assert_eq!((a[0], a[1], a[2]), (b[0], 0.0, b[1]), "{config:?}");
    }
}

#[test]
fn a_restored_balancer_goes_on_to_the_bit() {
    for config in every(4) {
        let build = || config.build(4, 1).unwrap();
        let (mut whole, mut first) = (build(), build());
        let show = |balancer: &mut dyn Balancer, step: u64| {
            if step.is_multiple_of(3) {
                let metrics = [Some(0.5), None, Some(0.9), Some(0.7)];
                balancer.observe(&metrics).unwrap();
            }
            Step::new(4, step, |k| !(k as u64 + step).is_multiple_of(6)).show(balancer, step)
        };
        for step in 0..12 {
            show(&mut *first, step);
            show(&mut *whole, step);
        }
        let mut second = build();
        second.restore(&first.state()).unwrap();
        for step in 12..24 {
            assert_eq!(show(&mut *whole, step), show(&mut *second, step), "{config:?}, step {step}");
        }
        assert_eq!(whole.state(), second.state(), "{config:?}");
        let mut broken = first.state();
        broken.push(0.0);
        assert!(build().restore(&broken).is_err(), "{config:?}");
        if !first.state().is_empty() {
            broken.pop();
            broken[0] = f64::NAN;
            assert!(build().restore(&broken).is_err(), "{config:?}");
        }
    }
}
