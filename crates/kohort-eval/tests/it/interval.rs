use kohort_eval::interval::{
    Alternative, Draws, WilcoxonMethod, bootstrap, bootstrap_mean, compare_runs, holm, paired_bootstrap,
    paired_t_test, seed_interval, sign_flip_test, wilcoxon_signed_rank,
};
use kohort_eval::{EvalError, UnitValues};
use kohort_random::rand::Rng;
use kohort_random::stream;

/// Sums of twelve uniforms: close to standard normal.
fn noise(n: usize, name: u64) -> Vec<f64> {
    let mut numbers = stream(11, "test noise", &[name]);
    (0..n).map(|_| (0..12).map(|_| numbers.random::<f64>()).sum::<f64>() - 6.0).collect()
}

#[test]
fn bootstrap_intervals_have_the_width_of_the_standard_error() {
    let values = noise(400, 0);
    let units = UnitValues::new((0..400).collect(), values.iter().copied().map(Some).collect()).unwrap();
    let result = bootstrap_mean(&units, &Draws { draws: 4000, ..Draws::default() }).unwrap();
    let half = 0.5 * (result.interval.high - result.interval.low);
    assert!((half - 1.96 / 20.0).abs() < 0.01, "{half}");
    assert_eq!((result.defined, result.undefined), (4000, 0));
    assert_eq!(result.interval.estimate, values.iter().sum::<f64>() / 400.0);
}

#[test]
fn ninety_percent_intervals_cover_the_truth_about_nine_times_in_ten() {
    let covered = (0..300)
        .filter(|&trial| {
            let values = noise(60, 1000 + trial);
            let units = UnitValues::new((0..60).collect(), values.into_iter().map(Some).collect()).unwrap();
            let draws = Draws { draws: 300, level: 0.9, seed: trial };
            let interval = bootstrap_mean(&units, &draws).unwrap().interval;
            interval.low <= 0.0 && 0.0 <= interval.high
        })
        .count();
    // Four standard deviations of a binomial around 270.
    assert!((249..=291).contains(&covered), "{covered} of 300");
}

#[test]
fn draws_without_a_value_are_counted_and_left_out() {
    let first_and_second = |sample: &[u32]| (sample.contains(&0) && sample.contains(&1)).then_some(1.0);
    let result = bootstrap(2, &Draws { draws: 1000, ..Draws::default() }, first_and_second).unwrap();
    assert_eq!(result.defined + result.undefined, 1000);
    assert!((400..600).contains(&result.undefined), "{}", result.undefined);
    let never = bootstrap(2, &Draws::default(), |_| None).unwrap_err();
    assert!(matches!(never, EvalError::Undefined { .. }));
}

#[test]
fn the_tests_agree_where_their_assumptions_hold() {
    let differences: Vec<f64> = noise(300, 1).iter().map(|d| d + 0.1).collect();
    let two = Alternative::TwoSided;
    let t = paired_t_test(&differences, two).unwrap().p;
    let flips = sign_flip_test(&differences, two, 20_000, 3).unwrap().p;
    let (_, boot) = paired_bootstrap(&differences, &Draws { draws: 20_000, ..Draws::default() }).unwrap();
    let wilcoxon = wilcoxon_signed_rank(&differences, two, WilcoxonMethod::Auto).unwrap().p;
    assert!((0.005..0.5).contains(&t), "{t} shows nothing");
    assert!((flips - t).abs() < 0.015, "{flips} {t}");
    assert!((boot - t).abs() < 0.03, "{boot} {t}");
    assert!((wilcoxon - t).abs() < 0.15, "{wilcoxon} {t}");
}

#[test]
fn without_a_difference_five_percent_of_tests_reject() {
    let trials = 600;
    let rejected = |test: &dyn Fn(&[f64]) -> f64| {
        (0..trials).filter(|&trial| test(&noise(25, 5000 + trial)) < 0.05).count()
    };
    let two = Alternative::TwoSided;
    // Four standard deviations of a binomial around 30.
    let allowed = 9..=51;
    let t = rejected(&|d| paired_t_test(d, two).unwrap().p);
    let flips = rejected(&|d| sign_flip_test(d, two, 500, 1).unwrap().p);
    let wilcoxon = rejected(&|d| wilcoxon_signed_rank(d, two, WilcoxonMethod::Auto).unwrap().p);
    assert!([t, flips, wilcoxon].iter().all(|n| allowed.contains(n)), "{t} {flips} {wilcoxon}");
}

#[test]
fn few_differences_are_flipped_exactly() {
    // Of the 8 sign patterns two reach |sum| = 6; for "greater" one does.
    let differences = [1.0, 2.0, 3.0];
    assert_eq!(sign_flip_test(&differences, Alternative::TwoSided, 1000, 0).unwrap().p, 0.25);
    assert_eq!(sign_flip_test(&differences, Alternative::Greater, 1000, 0).unwrap().p, 0.125);
    assert_eq!(sign_flip_test(&differences, Alternative::Less, 1000, 0).unwrap().p, 1.0);
}

#[test]
fn exact_wilcoxon_of_three_differences_is_a_count_of_eight() {
    let p = |alternative| {
        wilcoxon_signed_rank(&[1.0, 2.0, -3.0, 0.0], alternative, WilcoxonMethod::Exact).unwrap().p
    };
    // Rank sums of subsets of {1, 2, 3}: 0 1 2 3 3 4 5 6; the data has 3.
    assert_eq!(p(Alternative::Greater), 5.0 / 8.0);
    assert_eq!(p(Alternative::Less), 5.0 / 8.0);
    assert_eq!(p(Alternative::TwoSided), 1.0);
}

#[test]
fn tests_without_spread_or_data_are_undefined_not_zero() {
    let two = Alternative::TwoSided;
    assert!(matches!(paired_t_test(&[0.5, 0.5], two), Err(EvalError::Undefined { .. })));
    assert!(matches!(paired_t_test(&[0.5], two), Err(EvalError::TooFew { .. })));
    assert!(matches!(
        wilcoxon_signed_rank(&[0.0, 0.0], two, WilcoxonMethod::Auto),
        Err(EvalError::Undefined { .. })
    ));
    assert!(matches!(
        wilcoxon_signed_rank(&[1.0, -1.0], two, WilcoxonMethod::Exact),
        Err(EvalError::Undefined { .. })
    ));
    assert!(sign_flip_test(&[1.0, f64::NAN], two, 10, 0).is_err());
    assert!(sign_flip_test(&[1.0], two, 0, 0).is_err());
    assert!(seed_interval(&[1.0], 0.95).is_err());
    assert!(seed_interval(&[1.0, 2.0], 1.0).is_err());
    assert!(bootstrap(0, &Draws::default(), |_| Some(1.0)).is_err());
}

#[test]
fn holm_multiplies_keeps_order_and_stops_at_one() {
    let close = |got: Vec<f64>, expected: &[f64]| {
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{got:?}");
    };
    close(holm(&[0.01, 0.04, 0.03, 0.005]).unwrap(), &[0.03, 0.06, 0.06, 0.02]);
    close(holm(&[0.6, 0.7]).unwrap(), &[1.0, 1.0]);
    assert!(holm(&[]).unwrap().is_empty());
    assert!(holm(&[0.1, f64::NAN]).is_err());
}

fn run(units: &[u32], values: &[Option<f64>]) -> UnitValues {
    UnitValues::new(units.to_vec(), values.to_vec()).unwrap()
}

#[test]
fn runs_are_averaged_over_seeds_before_units_are_tested() {
    // Units differ between seeds, as with random splits; unit 2 is undefined for `b` in the first seed.
    let a = [run(&[1, 2], &[Some(0.5), Some(0.9)]), run(&[1, 2, 3], &[Some(0.7), Some(0.6), Some(0.4)])];
    let b = [run(&[1, 2], &[Some(0.25), None]), run(&[1, 2, 3], &[Some(0.2), Some(0.5), Some(0.2)])];
    let result = compare_runs(&a, &b, Alternative::TwoSided).unwrap();
    assert_eq!(result.per_unit.units(), [1, 2, 3]);
    let expected = [0.375, 0.1, 0.2];
    assert!(result.per_unit.defined().iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-12));
    assert!((result.per_seed[0] - 0.25).abs() < 1e-12);
    assert!((result.per_seed[1] - 0.8 / 3.0).abs() < 1e-12);
    assert_eq!(result.undefined, 1);
    let direct = paired_t_test(&result.per_unit.defined(), Alternative::TwoSided).unwrap();
    assert_eq!(result.over_units, Some(direct));
    assert_eq!(result.over_seeds.unwrap().n, 2);
}

#[test]
fn more_seeds_of_the_same_noise_do_not_make_a_difference_significant() {
    let values = noise(40, 9);
    let units: Vec<u32> = (0..40).collect();
    let a = run(&units, &values.iter().copied().map(Some).collect::<Vec<_>>());
    let b = run(&units, &vec![Some(0.0); 40]);
    let p = |seeds: usize| {
        compare_runs(&vec![a.clone(); seeds], &vec![b.clone(); seeds], Alternative::TwoSided)
            .unwrap()
            .over_units
            .unwrap()
            .p
    };
    assert!((p(1) - p(8)).abs() < 1e-9);
}

#[test]
fn runs_on_different_units_are_refused() {
    let a = [run(&[1, 2], &[Some(1.0), Some(2.0)])];
    let b = [run(&[1, 3], &[Some(1.0), Some(2.0)])];
    let error = compare_runs(&a, &b, Alternative::TwoSided).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`units` is different for seed 0; allowed: the same units in both runs of a seed"
    );
    assert!(UnitValues::new(vec![2, 1], vec![None, None]).is_err());
    assert!(UnitValues::new(vec![1], vec![Some(f64::NAN)]).is_err());
}
