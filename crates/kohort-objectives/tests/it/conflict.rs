//! The record of a training and its warnings.

use kohort_objectives::conflict::{Record, Snapshot, Warning, WatchConfig};
use kohort_objectives::{Balancer, Equal, Mgda, Normaliser, Pcgrad, Seen, Uncertainty, UncertaintyForm};

fn record(n: usize) -> Record {
    let names = ["rating", "profile", "click"][..n].iter().map(|&name| name.to_owned()).collect();
    Record::new(names, WatchConfig { patience: 20, kept: 0.9, ..WatchConfig::default() }).unwrap()
}

fn run(
    record: &mut Record,
    balancer: &mut dyn Balancer,
    steps: u64,
    shown: impl Fn(u64) -> (Vec<f64>, Vec<bool>),
) {
    let n = record.names().len();
    for step in 0..steps {
        let (gram, present) = shown(step);
        let losses = vec![0.5; n];
        let seen = Seen { losses: &losses, present: &present, gram: Some(&gram), step };
        let chosen = balancer.coefficients(seen);
        record.update(seen, &chosen, balancer);
    }
}

fn messages(record: &Record) -> Vec<String> {
    record.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn two_that_fight_all_the_time_are_named_and_two_that_differ_are_not() {
    let mut fighting = record(3);
    // rating and profile at cosine -0.5; click at ±0.05 to both, as strangers are.
    run(&mut fighting, &mut Pcgrad::new(0), 50, |step| {
        let stray = [-0.05, 0.05, -0.05][step as usize % 3];
        (vec![1.0, -1.0, stray, -1.0, 4.0, stray, stray, stray, 1.0], vec![true; 3])
    });
    assert_eq!(
        messages(&fighting),
        [
            "`rating` and `profile` fight all the time: in 100 % of steps what helps one harms the other (mean cosine -0.50)"
        ]
    );
}

#[test]
fn one_that_takes_over_is_named_by_gradient_and_not_by_weight() {
    let mut loud = record(2);
    let mut watched = Mgda::new(Normaliser::L2);
    run(&mut loud, &mut watched, 50, |_| (vec![10_000.0, 0.0, 0.0, 1.0], vec![true; 2]));
    // Normalised, both pull alike although their weights are 100 apart.
    assert_eq!(messages(&loud), Vec::<String>::new());
    // As PCGrad leaves them, one has 100 of 101 parts.
    let mut loud = record(2);
    run(&mut loud, &mut Pcgrad::new(0), 50, |_| (vec![10_000.0, 0.0, 0.0, 1.0], vec![true; 2]));
    assert_eq!(
        messages(&loud),
        ["`rating` takes over: it has 99 % of the weighted gradient, and the others barely train"]
    );
}

#[test]
fn a_weight_that_stays_at_its_bound_is_named() {
    let mut bound = record(2);
    let mut balancer = Uncertainty::new(vec![UncertaintyForm::Regression; 2], 0.5);
    for step in 0..200 {
        let seen = Seen { losses: &[0.0, 0.5], present: &[true; 2], gram: None, step };
        let chosen = balancer.coefficients(seen);
        bound.update(seen, &chosen, &balancer);
    }
    let of_bound = |w: &Warning| matches!(w, Warning::AtBound { .. });
    let bounds: Vec<String> =
        bound.warnings().iter().filter(|w| of_bound(w)).map(ToString::to_string).collect();
    assert_eq!(
        bounds,
        ["the weight of `rating` is held at its bound in 100 % of steps: the balancer would go further"]
    );
}

#[test]
fn nothing_is_said_before_patience_ends() {
    let mut early = record(2);
    run(&mut early, &mut Pcgrad::new(0), 19, |_| (vec![1.0, -0.9, -0.9, 1.0], vec![true; 2]));
    assert_eq!(early.warnings(), []);
    run(&mut early, &mut Pcgrad::new(0), 1, |_| (vec![1.0, -0.9, -0.9, 1.0], vec![true; 2]));
    assert_eq!(early.warnings().len(), 1);
}

#[test]
fn averages_are_over_the_steps_in_which_an_objective_was_present() {
    let mut sparse = record(2);
    run(&mut sparse, &mut Pcgrad::new(0), 10, |step| {
        let present = step % 5 == 0;
        let own = if present { 9.0 } else { 0.0 };
        (vec![4.0, 0.0, 0.0, own], vec![true, present])
    });
    let Snapshot { step, weights, losses, norms, shares, cosines } = sparse.snapshot();
    assert_eq!(step, 9);
    for (got, want) in
        [(weights, [1.0, 1.0]), (losses, [0.5, 0.5]), (norms, [2.0, 3.0]), (shares, [0.4, 0.6])]
    {
        assert!(got.iter().zip(want).all(|(g, w)| (g.unwrap() - w).abs() < 1e-12), "{got:?} {want:?}");
    }
    assert_eq!(cosines, [[Some(1.0), Some(0.0)], [Some(0.0), Some(1.0)]]);
}

#[test]
fn what_was_not_shown_is_not_invented() {
    let mut blind = record(2);
    run(&mut blind, &mut Equal, 5, |_| (vec![9.0; 4], vec![true, false]));
    let snapshot = blind.snapshot();
    assert_eq!((snapshot.weights, snapshot.norms), (vec![Some(1.0), None], vec![None, None]));
    assert_eq!(snapshot.cosines, [[None, None], [None, None]]);
}

#[test]
fn a_record_goes_on_after_a_checkpoint() {
    let show = |_| (vec![1.0, -0.3, -0.3, 2.0], vec![true; 2]);
    let (mut whole, mut first) = (record(2), record(2));
    run(&mut whole, &mut Pcgrad::new(0), 7, show);
    run(&mut first, &mut Pcgrad::new(0), 7, show);
    let mut second: Record = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
    for record in [&mut whole, &mut second] {
        run(record, &mut Pcgrad::new(0), 30, show);
    }
    assert_eq!(whole.snapshot(), second.snapshot());
}

#[test]
fn bad_thresholds_are_named() {
    let error = Record::new(vec![], WatchConfig { kept: 1.0, ..WatchConfig::default() }).unwrap_err();
    assert_eq!(error.to_string(), "watch: kept is 1, expected a number in [0, 1)");
}
