//! Objectives over tasks, cohorts and pairs under every balancer, at every site; rules; what hybrids pay.

use kohort_objectives::rules::WeightRule;
use kohort_objectives::{BalancerConfig, GradNormConfig, MetricConfig, Normaliser, Target};

use super::*;

fn world() -> World {
    World::new(&CohortRecipe { rows: 600, ..CohortRecipe::small() }, 3)
}

fn quick(body: Body, balance: BalanceConfig) -> Config {
    Config { balance, train: train_config(2), ..with(body) }
}

fn every_method() -> Vec<BalancerConfig> {
    use BalancerConfig::*;
    vec![
        Equal,
        Uncertainty(kohort_objectives::UncertaintyConfig { forms: Vec::new(), rate: 0.01 }),
        Dwa(Default::default()),
        Rlw,
        GradNorm(GradNormConfig::default()),
        Pcgrad,
        GradVac(Default::default()),
        Cagrad(Default::default()),
        Mgda(Normaliser::L2),
        NashMtl,
        GroupDro(Default::default()),
        Gap(Default::default()),
    ]
}

#[test]
fn every_balancer_trains_over_tasks_cohorts_and_pairs() {
    let world = world();
    for over in [Over::Tasks, Over::Cohorts, Over::Pairs] {
        for method in every_method() {
            let balance =
                BalanceConfig { over, level: Some(0), method: method.clone(), ..Default::default() };
            let model = fit(world.input(), &quick(mixture(false), balance), 1, &mut |_| {}).unwrap();
            let last = model.epochs.last().unwrap();
            let objectives = last.losses.len();
            assert_eq!(last.weighting.weights.len(), objectives, "{over:?}, {method:?}");
            assert!(last.weighting.weights.iter().all(Option::is_some), "{over:?}, {method:?}");
            assert!(last.losses.iter().all(|(_, loss)| loss.is_finite()), "{over:?}, {method:?}");
        }
    }
}

#[test]
fn every_site_gives_balancers_something_to_see() {
    let world = world();
    for (over, sites) in [
        (Over::Tasks, &[At::Representation, At::LastLayer, At::Shared, At::SharedWithTables][..]),
        (Over::Pairs, &[At::LastLayer, At::Shared, At::SharedWithTables]),
    ] {
        for (name, body) in bodies() {
            for &site in sites {
                let balance =
                    BalanceConfig { over, level: Some(0), site: Some(site), method: BalancerConfig::Pcgrad };
                let config = Config { train: train_config(1), ..quick(body.clone(), balance) };
                let model = fit(world.input(), &config, 1, &mut |_| {}).unwrap();
                let seen = &model.epochs[0].weighting;
                let cosines: Vec<f64> = seen.cosines.iter().flatten().copied().flatten().collect();
                assert!(!cosines.is_empty() && cosines.iter().all(|c| c.abs() <= 1.0), "{name}, {site:?}");
                assert!(seen.norms.iter().flatten().all(|norm| *norm > 0.0), "{name}, {site:?}");
            }
        }
    }
}

#[test]
fn fixed_weights_are_the_same_gradient_whatever_road_takes_it() {
    // PCGrad on objectives of one row each that never conflict would do; here a balancer that asks for everything and answers 1.
    struct Asks;
    impl Balancer for Asks {
        fn wants(&self) -> kohort_objectives::Wants {
            kohort_objectives::Wants::Gram
        }
        fn coefficients(&mut self, seen: kohort_objectives::Seen<'_>) -> kohort_objectives::Coefficients {
            kohort_objectives::Coefficients {
                trunk: vec![0.5; seen.losses.len()],
                heads: vec![0.5; seen.losses.len()],
            }
        }
    }
    let world = world();
    for over in [Over::Tasks, Over::Cohorts, Over::Pairs] {
        let balance = BalanceConfig { over, level: Some(0), ..Default::default() };
        let reference = {
            let objectives = match over {
                Over::Tasks => 2,
                Over::Cohorts => world.tree.at_level(0).count(),
                Over::Pairs => 2 * world.tree.at_level(0).count(),
            };
            let method = BalancerConfig::Fixed(vec![0.5; objectives]);
            fit(
                world.input(),
                &quick(mixture(false), BalanceConfig { method, ..balance.clone() }),
                1,
                &mut |_| {},
            )
            .unwrap()
        };
        for site in [At::Representation, At::LastLayer, At::Shared, At::SharedWithTables] {
            let balance = BalanceConfig { site: Some(site), ..balance.clone() };
            let config = quick(mixture(false), balance);
            let model = fit_balanced(world.input(), &config, 1, &mut Asks, None, &mut |_| {}).unwrap();
            for (a, b) in reference.epochs.iter().zip(&model.epochs) {
                for ((name, a), (_, b)) in a.losses.iter().zip(&b.losses) {
                    assert!((a - b).abs() < 2e-4 * a.abs(), "{over:?}, {site:?}, {name}: {a} and {b}");
                }
            }
        }
    }
}

#[test]
fn cohorts_have_no_inner_products_at_a_representation_and_the_config_says_so() {
    let balance = BalanceConfig {
        over: Over::Cohorts,
        level: Some(0),
        site: Some(At::Representation),
        method: BalancerConfig::Pcgrad,
    };
    let error = fit(world().input(), &quick(shared(), balance), 1, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("allowed as site are last-layer, shared and shared-with-tables"), "{error}");
}

#[test]
fn a_metric_below_its_target_raises_its_tasks_weight_end_to_end() {
    let world = world();
    let targets = [Target::AtLeast(0.9999), Target::AtMost(1e6)];
    let kinds: Vec<_> = world.split.train.targets().iter().map(|target| target.kind).collect();
    let targets: Vec<Target> = kinds
        .iter()
        .enumerate()
        .map(|(k, kind)| match (k, kind) {
            (0, kohort_data::records::TargetKind::Binary) => Target::AtLeast(0.9999),
            (_, kohort_data::records::TargetKind::Binary) => Target::AtLeast(0.01),
            _ => targets[1],
        })
        .collect();
    let method = BalancerConfig::Metric(MetricConfig { patience: 1, ..MetricConfig::new(targets) });
    let balance = BalanceConfig { method, ..Default::default() };
    let config = Config { train: train_config(4), ..quick(shared(), balance) };
    let model = fit(world.input(), &config, 1, &mut |_| {}).unwrap();
    let (first, last) = (&model.epochs[0].coefficients, &model.epochs[3].coefficients);
    assert!(first.iter().all(|&w| w == 1.0), "{first:?}");
    // Three measurements before the last epoch: one weight times 1.2 each time, the other divided by it, over their mean.
    let (up, down) = (1.2f64.powi(3), 1.2f64.powi(-3));
    let expected = [2.0 * up / (up + down), 2.0 * down / (up + down)];
    assert!(last.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-12), "{last:?}, expected {expected:?}");
    let blind = Input { validation: None, ..world.input() };
    let error = fit(blind, &config, 1, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("metrics on validation rows, and there are none"), "{error}");
}

#[test]
fn rules_weigh_rows_by_cohort_and_column_and_what_is_unknown_is_named() {
    let world = world();
    let rules = |text: &str| -> Vec<WeightRule> { serde_json::from_str(text).unwrap() };
    let task = world.split.train.targets()[0].name.clone();
    let config = |rules: Vec<WeightRule>| Config { rules, ..quick(shared(), BalanceConfig::default()) };
    let loss = |rules: Vec<WeightRule>| {
        let model = fit(world.input(), &config(rules), 1, &mut |_| {}).unwrap();
        model.epochs[0].losses[0].1
    };
    let plain = loss(Vec::new());
    let nothing = loss(rules(&format!(r#"[{{"name":"off","task":"{task}","factor":0.0}}]"#)));
    assert_eq!(nothing, 0.0);
    let fading = format!(
        r#"[{{"name":"fades","task":"{task}","factor":{{"schedule":{{"linear":{{"from":1.0,"to":0.0,"steps":4}}}}}}}}]"#
    );
    let faded = loss(rules(&fading));
    assert!(faded > 0.0 && faded < 0.7 * plain, "{faded} of {plain}");
    let cohort = r#"[{"name":"first","cohort":"cohort 0","factor":3.0}]"#.to_owned();
    fit(world.input(), &config(rules(&cohort)), 1, &mut |_| {}).unwrap();
    let unknown = r#"[{"name":"JP","cohort":"JP","factor":3.0}]"#;
    let error = fit(world.input(), &config(rules(unknown)), 1, &mut |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("rule `JP`: no cohort `JP`, there are: cohort 0"), "{error}");
}

#[test]
fn balanced_runs_resume_to_the_bit_and_do_not_depend_on_threads() {
    let world = world();
    let balance = BalanceConfig {
        over: Over::Pairs,
        level: Some(0),
        site: Some(At::Shared),
        method: BalancerConfig::GradVac(Default::default()),
    };
    let config = Config { train: train_config(4), ..quick(mixture(false), balance) };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(world.input(), &config, 1, &mut |_| {}).unwrap())
    };
    let whole = run(1);
    assert_eq!(run(3).params().fingerprint(), whole.params().fingerprint());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.ckpt");
    for pause_after in [Some(2), None] {
        let point = Checkpoint { path: &path, pause_after };
        let part = fit_with(world.input(), &config, 1, Some(point), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(part.params().fingerprint(), whole.params().fingerprint());
            let last = |model: &MultiTask| model.epochs.last().unwrap().weighting.clone();
            assert_eq!(last(&part), last(&whole), "the record goes on too");
        }
    }
}

#[test]
fn a_hundred_objectives_of_which_most_are_absent_train() {
    let world = world();
    let many = 50;
    let tree = Hierarchy::flat(many);
    let spread = |rows: usize| -> Vec<u32> { (0..rows).map(|row| (row % many) as u32).collect() };
    let (train, held) = (spread(world.split.train.len()), spread(world.split.validation.len()));
    let input = Input {
        cohorts: &train,
        hierarchy: &tree,
        validation: Some((&world.split.validation, &held)),
        ..world.input()
    };
    for method in [BalancerConfig::Pcgrad, BalancerConfig::GroupDro(Default::default())] {
        let balance = BalanceConfig { over: Over::Pairs, method, ..Default::default() };
        let mut config = Config { train: train_config(1), ..quick(shared(), balance) };
        config.train.batch = 24;
        let model = fit(input, &config, 1, &mut |_| {}).unwrap();
        assert_eq!(model.epochs[0].losses.len(), 2 * many);
        assert!(model.params().slots().iter().all(|slot| slot.value.iter().all(|x| x.is_finite())));
    }
}

#[test]
fn a_balancer_over_adapters_moves_nothing_of_the_frozen_base() {
    let world = world();
    let base = fitted(&world, shared());
    let kind = adapters().remove(0).1;
    let balance =
        BalanceConfig { site: Some(At::Shared), method: BalancerConfig::Pcgrad, ..Default::default() };
    let config = AdaptConfig { balance, train: train_config(2), ..adapt_config(kind) };
    let model = adapt(&base, world.input(), &config, 1, &mut |_| {}).unwrap();
    assert!(model.epochs[0].weighting.norms.iter().all(|norm| norm.is_some_and(|norm| norm >= 0.0)));
    for (mine, theirs) in model.params().slots().iter().zip(base.params().slots()) {
        assert_eq!(mine.value, theirs.value, "{}", mine.name);
    }
}
