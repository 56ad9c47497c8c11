//! What is refused, and in which words.

use super::*;

fn message(world: &World, config: &Config) -> String {
    fit(world.input(), config, 1, &mut |_| {}).unwrap_err().to_string()
}

#[test]
fn settings_that_make_no_model_are_named() {
    let world = World::new(&CohortRecipe { rows: 200, ..CohortRecipe::small() }, 1);
    let top = |k| {
        let gate = kohort_layers::experts::GateConfig {
            routing: kohort_layers::experts::Routing::TopK { k },
            ..Default::default()
        };
        with(Body::Mixture(MixtureConfig { experts: 3, expert: experts(&[4]), gate, one_gate: false }))
    };
    assert_eq!(message(&world, &top(4)), "k is 4; allowed: 1 to 3, the number of experts");
    let wide = Body::SharedBottom(SharedBottomConfig { widths: vec![8, 0] });
    assert!(message(&world, &with(wide)).starts_with("body.shared-bottom.widths = 0"));
    let named = Config { tasks: vec!["clicks".to_owned()], ..with(shared()) };
    assert!(message(&world, &named).contains("no target \"clicks\", allowed are binary 0, number 0"));
    let twice = Config { tasks: vec!["number 0".to_owned(); 2], ..with(shared()) };
    assert!(message(&world, &twice).starts_with("tasks = number 0"));
    let heavy = Config { task_weights: vec![1.0], ..with(shared()) };
    assert!(message(&world, &heavy).starts_with("task_weights: 1, expected 2"));
    let penalty = body::Penalty { kind: body::PenaltyKind::Switch, weight: f64::NAN };
    let config = Config { penalties: vec![penalty], ..with(mixture(true)) };
    assert!(message(&world, &config).starts_with("penalties.weight = NaN"));
    let penalty = body::Penalty { kind: body::PenaltyKind::Switch, weight: 0.1 };
    let config = Config { penalties: vec![penalty], ..with(shared()) };
    assert!(message(&world, &config).starts_with("penalties = Switch, allowed is none"));
    let gate = Config { gate: Some("history".to_owned()), ..with(shared()) };
    assert!(message(&world, &gate).contains("gate = \"history\" is no column of vectors"));
    let behaviour = Body::BehaviourExperts(body::BehaviourConfig::default());
    assert!(message(&world, &with(behaviour)).contains("gate names no column"));
    assert!(Config::from_toml("depth = 3").unwrap_err().to_string().contains("unknown field `depth`"));
}

#[test]
fn cohorts_that_are_none_are_named() {
    let world = World::new(&CohortRecipe { rows: 200, ..CohortRecipe::small() }, 1);
    let model =
        fit(world.input(), &Config { train: train_config(1), ..with(shared()) }, 1, &mut |_| {}).unwrap();
    let mut cohorts = world.test.clone();
    cohorts[2] = 99;
    let said = model.predict(world.features(), &cohorts).unwrap_err().to_string();
    assert_eq!(said, "row 2 is of cohort 99, allowed are 0 to below 4, or u32::MAX for an unknown one");
    let said = model.predict(world.features(), &cohorts[1..]).unwrap_err().to_string();
    assert!(said.starts_with("cohorts of rows: 39, expected 40"), "{said}");
}

#[test]
fn adapters_that_cannot_be_are_named() {
    let world = World::new(&CohortRecipe { rows: 200, ..CohortRecipe::small() }, 1);
    let config = |body| Config { train: train_config(1), ..with(body) };
    let base = fit(world.input(), &config(shared()), 1, &mut |_| {}).unwrap();
    let lora = LoraConfig { rank: 17, ..LoraConfig::default() };
    let said = adapt(&base, world.input(), &adapt_config(AdapterKind::Cohort(lora)), 1, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(said.contains("17") && said.contains("bottom/0"), "{said}");
    let other = fit(world.input(), &config(mixture(true)), 1, &mut |_| {}).unwrap();
    let said = adapt(
        &other,
        world.input(),
        &adapt_config(AdapterKind::Cohort(LoraConfig::default())),
        1,
        &mut |_| {},
    )
    .unwrap_err()
    .to_string();
    assert!(said.contains("adapters go on a shared bottom"), "{said}");
}

#[test]
fn cohorts_with_few_rows_or_none_are_served_by_a_model_of_all_rows() {
    let mut world = World::new(&CohortRecipe { rows: 300, ..CohortRecipe::small() }, 1);
    // Cohort 3 keeps one training row, and there is a cohort without any.
    let only = world.train.iter().position(|&c| c == 3).unwrap();
    for (row, cohort) in world.train.iter_mut().enumerate() {
        if *cohort == 3 && row != only {
            *cohort = 0;
        }
    }
    world.tree = Hierarchy::flat(5);
    let config = Config { train: train_config(1), ..with(shared()) };
    let models = fit_per_cohort(world.input(), &config, 2, 1, &mut |_| {}).unwrap();
    assert_eq!(models.models.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    let everyone = models.others.as_ref().unwrap();
    let cohorts = vec![4; world.test.len()];
    assert_eq!(
        models.predict(world.features(), &cohorts).unwrap(),
        everyone.predict(world.features(), &cohorts).unwrap()
    );
    for (name, body) in bodies() {
        let config = Config { train: train_config(1), ..with(body) };
        let model = fit(world.input(), &config, 1, &mut |_| {}).expect(name);
        assert!(
            model.predict(world.features(), &cohorts).unwrap()[0].iter().all(|p| p.is_finite()),
            "{name}"
        );
    }
}
