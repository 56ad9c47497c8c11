//! Cohorts whose differences are planted: what a capacity of their own has to find, and must not invent.

use super::*;

/// Two cohorts that want the opposite of each other: whoever cannot tell them apart knows nothing (log loss 0.693).
#[test]
fn opposite_preferences_are_learned_by_whoever_has_a_capacity_of_the_cohorts_own() {
    let world = World::new(&CohortRecipe { rows: 3_000, ..CohortRecipe::opposite() }, 3);
    let base = fitted(&world, shared());
    let (before, oracle) = (world.log_loss(&base), world.oracle());
    assert!(before > 0.66, "{before}: the shared bottom cannot know");
    let gap = before - oracle;
    for (name, body) in [
        ("cohort experts", Body::CohortExperts(cohort_experts())),
        ("soft cohort experts", Body::SoftCohortExperts(cohort_experts())),
        ("hierarchical experts", Body::HierarchicalExperts(cohort_experts())),
    ] {
        let found = world.log_loss(&fitted(&world, body));
        assert!(found < oracle + 0.25 * gap, "{name}: {found}, oracle {oracle}, shared {before}");
    }
    for (name, kind) in adapters().into_iter().filter(|(name, _)| *name != "ilora") {
        let towers = AdaptConfig { towers: true, ..adapt_config(kind) };
        let model = adapt(&base, world.input(), &towers, 1, &mut |_| {}).unwrap();
        let found = world.log_loss(&model);
        assert!(found < oracle + 0.35 * gap, "{name}: {found}, oracle {oracle}, shared {before}");
    }
    let own = fit_per_cohort(world.input(), &with(shared()), 10, 1, &mut |_| {}).unwrap();
    assert!(world.log_loss(&own) < oracle + 0.25 * gap);
}

#[test]
fn identical_cohorts_lose_no_more_than_noise_by_having_something_of_their_own() {
    let mut worst: Vec<(String, f64)> = Vec::new();
    for seed in [1, 2] {
        let world = World::new(&CohortRecipe { rows: 6_000, ..CohortRecipe::identical() }, seed);
        let base = fitted(&world, shared());
        let before = world.log_loss(&base);
        let mut note = |name: &str, loss: f64| worst.push((name.to_owned(), loss - before));
        note("cohort experts", world.log_loss(&fitted(&world, Body::CohortExperts(cohort_experts()))));
        note(
            "hierarchical experts",
            world.log_loss(&fitted(&world, Body::HierarchicalExperts(cohort_experts()))),
        );
        for (name, kind) in adapters() {
            note(name, world.log_loss(&adapted(&world, &base, kind)));
        }
    }
    for (name, loss) in &worst {
        // The standard error of a log loss of about 0.35 over 1,200 rows is 0.014.
        assert!(*loss < 0.028, "{name} loses {loss}");
    }
}

/// Regions, and stages within them, with a share of the truth on each level.
#[test]
fn a_hierarchical_signal_is_found_by_levels_and_not_by_regions_alone() {
    let recipe = CohortRecipe { rows: 9_000, region: 1.5, stage: 2.0, ..CohortRecipe::nested() };
    let world = World::new(&recipe, 5);
    let flat = world.flat();
    let by_regions = flat.log_loss(&fitted(&flat, Body::CohortExperts(cohort_experts())));
    let by_levels = world.log_loss(&fitted(&world, Body::HierarchicalExperts(cohort_experts())));
    assert!(by_levels < by_regions - 0.05, "levels {by_levels}, regions {by_regions}");
    let base = fitted(&world, shared());
    let lora = LoraConfig { rank: 4, alpha: 8.0, ..LoraConfig::default() };
    let by_regions = flat.log_loss(&adapted(&flat, &base, AdapterKind::Cohort(lora)));
    let by_levels = world.log_loss(&adapted(&world, &base, AdapterKind::Hierarchical(lora)));
    assert!(by_levels < by_regions - 0.05, "levels {by_levels}, regions {by_regions}");
}

/// Leaves side by side know all that levels know, and have to learn what a region's stages share once a stage.
#[test]
fn with_few_rows_a_leaf_levels_beat_leaves_side_by_side() {
    let (mut experts, mut loras) = (0.0, 0.0);
    for seed in [5, 6, 7] {
        let recipe = CohortRecipe { rows: 1_500, region: 2.0, stage: 0.5, ..CohortRecipe::nested() };
        let world = World::new(&recipe, seed);
        let mut leaves = World::new(&recipe, seed);
        leaves.tree = Hierarchy::flat(world.tree.len());
        let base = fitted(&world, shared());
        let lora = LoraConfig { rank: 4, alpha: 8.0, ..LoraConfig::default() };
        let by_leaves = leaves.log_loss(&fitted(&leaves, Body::CohortExperts(cohort_experts())));
        let by_levels = world.log_loss(&fitted(&world, Body::HierarchicalExperts(cohort_experts())));
        experts += (by_leaves - by_levels) / 3.0;
        let by_leaves = leaves.log_loss(&adapted(&leaves, &base, AdapterKind::Cohort(lora)));
        let by_levels = world.log_loss(&adapted(&world, &base, AdapterKind::Hierarchical(lora)));
        loras += (by_leaves - by_levels) / 3.0;
    }
    assert!(experts > 0.0 && loras > 0.0, "levels gain {experts} as experts, {loras} as adapters");
}

#[test]
fn behaviour_stands_in_for_a_cohort_that_nobody_names() {
    let recipe = CohortRecipe { rows: 4_000, behaviour: 4, telling: 4.0, ..CohortRecipe::opposite() };
    let mut world = World::new(&recipe, 7);
    let gate = kohort_layers::experts::GateConfig {
        routing: kohort_layers::experts::Routing::TopK { k: 2 },
        ..Default::default()
    };
    let body =
        Body::BehaviourExperts(super::super::body::BehaviourConfig { experts: cohort_experts(), gate });
    let config = Config { gate: Some("behaviour".to_owned()), ..with(body) };
    let model = fit(world.input(), &config, 1, &mut |_| {}).unwrap();
    let known = world.log_loss(&model);
    assert!(known < world.oracle() + 0.12, "{known}, oracle {}", world.oracle());
    world.test.fill(UNKNOWN);
    assert_eq!(world.log_loss(&model), known, "the gate reads no cohort");

    // Who has shown no behaviour is served by the global experts, whoever resembles a vector of zeros.
    let mut silent = world.features().clone();
    let column = silent.columns.iter_mut().find(|(name, _)| name == "behaviour");
    let Some((_, kohort_data::Column::Dense { values, .. })) = column else { panic!("a column of vectors") };
    values.fill(0.0);
    let health = model.health(&silent, &world.test).unwrap().unwrap();
    assert!((health.overall[..2].iter().sum::<f64>() - 1.0).abs() < 1e-6, "{:?}", health.overall);
}

/// The adapters of cohorts that want the same resemble each other, and those of opposites do not.
#[test]
fn adapters_say_who_is_like_whom() {
    let recipe = CohortRecipe {
        rows: 8_000,
        regions: 2,
        stages: 2,
        shared: 0.5,
        region: 3.0,
        stage: 0.0,
        ..CohortRecipe::nested()
    };
    let world = World::new(&recipe, 11);
    // Leaves alone, side by side: 0 and 1 lie in one region, 2 and 3 in the other.
    let leaves: Vec<u32> = world.tree.at_level(1).collect();
    let place = |cohorts: &[u32]| -> Vec<u32> {
        cohorts.iter().map(|c| leaves.binary_search(c).unwrap() as u32).collect()
    };
    let (train, tree) = (place(&world.train), Hierarchy::flat(leaves.len()));
    let input = Input { cohorts: &train, hierarchy: &tree, validation: None, ..world.input() };
    let base = fitted(&world, shared());
    let lora = LoraConfig { rank: 4, alpha: 8.0, ..LoraConfig::default() };
    let model = adapt(&base, input, &adapt_config(AdapterKind::Cohort(lora)), 1, &mut |_| {}).unwrap();
    let report = model.adapters().unwrap();
    for (one, other) in [(0, 1), (1, 0), (2, 3), (3, 2)] {
        let nearest = report.nearest(one);
        assert_eq!(nearest[0].0, other, "{:?}", report.similarity);
        assert!(nearest[0].1 > nearest[1].1 + 0.2);
    }
    assert!(report.relative_norm.iter().flatten().all(|&norm| norm > 0.0));
    assert!(report.singular_values.iter().flatten().all(|values| values.len() <= 4));
    assert_eq!(model.values_per_cohort(), (6 + 16) * 4 + (16 + 16) * 4);
}

#[test]
fn gates_kept_even_have_more_entropy() {
    let world = World::new(&CohortRecipe::opposite(), 3);
    let entropy = |penalties: Vec<body::Penalty>| {
        let config = Config { penalties, ..with(mixture(false)) };
        let model = fit(world.input(), &config, 1, &mut |_| {}).unwrap();
        assert!(model.epochs.iter().all(|epoch| epoch.penalty.is_finite()));
        model.health(world.features(), &world.test).unwrap().unwrap()
    };
    let of = |health: &kohort_layers::experts::HealthReport| {
        let means = health.by_task[0].as_ref().unwrap();
        -means.iter().map(|p| p * p.ln()).sum::<f64>()
    };
    let free = entropy(Vec::new());
    let even = entropy(vec![body::Penalty { kind: body::PenaltyKind::Importance, weight: 1.0 }]);
    assert!(of(&even) > of(&free), "{} and {}", of(&even), of(&free));
    assert!(of(&even) > 0.98 * 3f64.ln());
}

/// Experts of different cohorts meet no row together, and are compared all the same.
#[test]
fn every_two_experts_are_compared_whoever_reaches_them() {
    let world = World::new(&CohortRecipe { rows: 400, ..CohortRecipe::opposite() }, 3);
    for body in [
        mixture(false),
        Body::CohortExperts(cohort_experts()),
        Body::SoftCohortExperts(cohort_experts()),
        Body::HierarchicalExperts(cohort_experts()),
    ] {
        let mut config = with(body.clone());
        config.train.epochs = 1;
        let model = fit(world.input(), &config, 1, &mut |_| {}).unwrap();
        let health = model.health(world.features(), &world.test).unwrap().unwrap();
        assert!(health.similarity.iter().flatten().all(Option::is_some), "{body:?}: {:?}", health.similarity);
    }
}
