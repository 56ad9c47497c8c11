//! What every body and every kind of adapters keeps to.

use kohort_objectives::rules::{Factor, WeightRule};

use super::*;

fn small() -> World {
    World::new(&CohortRecipe { rows: 600, regions: 3, stages: 2, ..CohortRecipe::nested() }, 9)
}

fn quick(body: Body) -> Config {
    Config { dropout: 0.1, train: TrainConfig { shard_rows: 16, ..train_config(3) }, ..with(body) }
}

/// Every model there is, small, by a way to fit it from a seed.
#[allow(clippy::type_complexity)]
fn models() -> Vec<(String, Box<dyn Fn(&World, u64) -> MultiTask + Sync>)> {
    let mut all: Vec<(String, Box<dyn Fn(&World, u64) -> MultiTask + Sync>)> = Vec::new();
    for (name, body) in bodies() {
        all.push((
            name.to_owned(),
            Box::new(move |world, seed| fit(world.input(), &quick(body.clone()), seed, &mut |_| {}).unwrap()),
        ));
    }
    for (name, kind) in adapters() {
        all.push((
            name.to_owned(),
            Box::new(move |world, seed| {
                let base = fit(world.input(), &quick(shared()), seed, &mut |_| {}).unwrap();
                let config = AdaptConfig { train: quick(shared()).train, ..adapt_config(kind.clone()) };
                adapt(&base, world.input(), &config, seed, &mut |_| {}).unwrap()
            }),
        ));
    }
    all
}

fn bits(predictions: &[Vec<f32>]) -> Vec<u32> {
    predictions.iter().flatten().map(|x| x.to_bits()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bits_for_any_number_of_threads() {
    let world = small();
    for (name, fit) in models() {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(&world, 3).predict(world.features(), &world.test).unwrap())
        };
        let one = bits(&with(1));
        assert!(one == bits(&with(2)) && one == bits(&with(5)), "{name}");
    }
}

#[test]
fn rows_are_predicted_alike_alone_among_others_and_in_any_order() {
    let world = small();
    for (name, fit) in models() {
        let model = fit(&world, 1);
        let all = model.predict(world.features(), &world.test).unwrap();
        let back: Vec<u32> = (0..world.test.len() as u32).rev().collect();
        let cohorts: Vec<u32> = back.iter().map(|&row| world.test[row as usize]).collect();
        let turned = model.predict(&world.features().select(&back), &cohorts).unwrap();
        for (task, predictions) in all.iter().enumerate() {
            for (&row, other) in back.iter().zip(&turned[task]) {
                assert!((predictions[row as usize] - other).abs() < 1e-5, "{name}");
            }
            let alone = model.predict(&world.features().select(&[7]), &world.test[7..8]).unwrap();
            assert!((predictions[7] - alone[task][0]).abs() < 1e-5, "{name}");
        }
    }
}

#[test]
fn a_row_of_an_unknown_cohort_or_stage_is_predicted_all_the_same() {
    let world = small();
    let unknown = vec![UNKNOWN; world.test.len()];
    let regions: Vec<u32> = world.test.iter().map(|&c| world.tree.ancestor(c, 0).unwrap()).collect();
    for (name, fit) in models() {
        let model = fit(&world, 1);
        for cohorts in [&unknown, &regions] {
            let predictions = model.predict(world.features(), cohorts).unwrap();
            assert!(predictions.iter().flatten().all(|p| p.is_finite()), "{name}");
        }
    }
}

/// Adapters fall back to what they were put on.
#[test]
fn without_a_cohort_an_adapted_model_is_its_base() {
    let world = small();
    let base = fit(world.input(), &quick(shared()), 1, &mut |_| {}).unwrap();
    let unknown = vec![UNKNOWN; world.test.len()];
    let before = base.predict(world.features(), &unknown).unwrap();
    for (name, kind) in adapters().into_iter().filter(|(name, _)| !["ilora", "basis lora"].contains(name)) {
        let model = adapted(&world, &base, kind);
        assert_eq!(model.base(), Some(base.params().fingerprint()), "{name}");
        assert_eq!(bits(&model.predict(world.features(), &unknown).unwrap()), bits(&before), "{name}");
        assert_ne!(bits(&model.predict(world.features(), &world.test).unwrap()), bits(&before), "{name}");
        for slot in base.params().slots() {
            let id = model.params().id(&slot.name).unwrap();
            assert_eq!(model.params().value(id), slot.value, "{name}: the base is as it was");
        }
    }
}

#[test]
fn adapters_of_a_model_go_to_files_and_are_refused_on_another_base() {
    let world = small();
    let names: Vec<String> = (0..world.tree.len()).map(|cohort| format!("cohort-{cohort}")).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = |seed| {
        let base = fit(world.input(), &quick(shared()), seed, &mut |_| {}).unwrap();
        let model = adapted(&world, &base, adapters().remove(0).1);
        model.store(&names).unwrap().unwrap()
    };
    let (one, other) = (store(1), store(2));
    assert_eq!(one.list().len(), names.len());
    one.save(&names[3], dir.path()).unwrap();
    let kept = one.remove(&names[3]).unwrap();
    one.load(&names[3], dir.path()).unwrap();
    assert_eq!(one.get(&names[3]).unwrap(), kept);
    other.remove(&names[3]).unwrap();
    let said = other.load(&names[3], dir.path()).unwrap_err().to_string();
    assert!(said.contains("base"), "{said}");
}

/// Random labels: nothing that adapters learn can last, so they are left at zero.
#[test]
fn adapters_that_help_nobody_on_validation_rows_stay_zero() {
    let world = World::new(&CohortRecipe { shared: 0.0, region: 0.0, ..CohortRecipe::small() }, 2);
    let base = fitted(&world, shared());
    let eager = AdaptConfig {
        train: TrainConfig { learning_rate: 0.3, ..train_config(3) },
        ..adapt_config(adapters().remove(0).1)
    };
    let model = adapt(&base, world.input(), &eager, 1, &mut |_| {}).unwrap();
    assert_eq!(model.best, 0);
    let same = bits(&base.predict(world.features(), &world.test).unwrap());
    assert_eq!(bits(&model.predict(world.features(), &world.test).unwrap()), same);
}

#[test]
fn a_stopped_run_goes_on_as_if_it_had_not_stopped() {
    let world = small();
    let dir = tempfile::tempdir().unwrap();
    for (name, body) in [("mmoe", mixture(false)), ("cohort experts", Body::CohortExperts(cohort_experts()))]
    {
        let config = quick(body);
        let path = dir.path().join(name);
        let whole = fit(world.input(), &config, 1, &mut |_| {}).unwrap();
        for pause_after in [Some(1), None] {
            let checkpoint = Checkpoint { path: &path, pause_after };
            let model = fit_with(world.input(), &config, 1, Some(checkpoint), &mut |_| {}).unwrap();
            if pause_after.is_none() {
                assert_eq!(model.params().fingerprint(), whole.params().fingerprint(), "{name}");
            }
        }
    }
    let base = fit(world.input(), &quick(shared()), 1, &mut |_| {}).unwrap();
    let config = AdaptConfig { train: quick(shared()).train, ..adapt_config(adapters().remove(0).1) };
    let path = dir.path().join("lora");
    let whole = adapt(&base, world.input(), &config, 1, &mut |_| {}).unwrap();
    for pause_after in [Some(2), None] {
        let checkpoint = Checkpoint { path: &path, pause_after };
        let model = adapt_with(&base, world.input(), &config, 1, Some(checkpoint), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), whole.params().fingerprint());
        }
    }
}

#[test]
fn a_checkpoint_is_taken_up_on_the_same_rows_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let (records, _) = CohortRecipe::small().generate(4).unwrap();
    let rows: Vec<u32> = (0..records.len() as u32).collect();
    let (train, held) = rows.split_at(150);
    let (held, test) = held.split_at(30);
    let config = quick(shared());
    let run = |records: &kohort_data::records::Records, tree: &Hierarchy, held: &[u32]| {
        let split = RecordSplit::given(records, train, held, test).unwrap();
        let cohorts = vec![0; records.len()];
        let input = Input {
            train: &split.train,
            cohorts: &cohorts[..train.len()],
            hierarchy: tree,
            validation: Some((&split.validation, &cohorts[..held.len()])),
        };
        let checkpoint = Checkpoint { path: &path, pause_after: Some(1) };
        fit_with(input, &config, 1, Some(checkpoint), &mut |_| {}).map(drop)
    };
    let tree = Hierarchy::flat(2);
    run(&records, &tree, held).unwrap();
    run(&records, &tree, held).unwrap();
    let refused = |records: &kohort_data::records::Records, tree: &Hierarchy, held: &[u32], what: &str| {
        let said = run(records, tree, held).expect_err(what).to_string();
        assert!(said.contains("another seed, model config or data"), "{what}: {said}");
    };
    refused(&records, &tree, &held[1..], "other validation rows");
    refused(&records, &Hierarchy::new(vec![None, Some(0)]).unwrap(), held, "another tree");
    let mut other = records.clone();
    let column = &mut other.features.columns[0].1;
    let kohort_data::Column::Dense { values, .. } = column else { panic!("vectors") };
    values[3] += 1.0;
    refused(&other, &tree, held, "another feature");
    let mut other = records.clone();
    other.targets[0].known = Some((0..records.len()).map(|row| row != 3).collect());
    refused(&other, &tree, held, "a target that is not known");
}

#[test]
fn adapters_weigh_rows_where_they_are_told_to() {
    let (mut records, _) = CohortRecipe::small().generate(4).unwrap();
    records.weight = Some((0..records.len()).map(|row| if row % 2 == 0 { 3.0 } else { 0.5 }).collect());
    let train = TrainRecords::new(records).unwrap();
    let (cohorts, hierarchy) = (vec![0; train.len()], Hierarchy::flat(1));
    let input = Input { train: &train, cohorts: &cohorts, hierarchy: &hierarchy, validation: None };
    let base = fit(input, &quick(shared()), 1, &mut |_| {}).unwrap();
    let with = |weigh_rows| {
        let config =
            AdaptConfig { weigh_rows, train: train_config(1), ..adapt_config(adapters().remove(0).1) };
        adapt(&base, input, &config, 1, &mut |_| {}).unwrap().params().fingerprint()
    };
    assert_ne!(with(true), with(false));
    let ruled = |factor| {
        let rule = WeightRule {
            name: "all".into(),
            task: Some(base.tasks()[0].name.clone()),
            cohort: None,
            when: Vec::new(),
            factor: Factor::Number(factor),
        };
        let config =
            AdaptConfig { rules: vec![rule], train: train_config(1), ..adapt_config(adapters().remove(0).1) };
        adapt(&base, input, &config, 1, &mut |_| {}).unwrap().params().fingerprint()
    };
    assert_eq!(ruled(1.0), with(false));
    assert_ne!(ruled(3.0), with(false));
}

#[test]
fn rows_whose_target_is_not_known_teach_nothing_of_it() {
    let (mut records, _) = CohortRecipe::small().generate(4).unwrap();
    let hide: Vec<bool> = (0..records.len()).map(|row| row % 3 == 0).collect();
    let mut fits = Vec::new();
    for wrong in [0.0, 1.0] {
        let target = &mut records.targets[0];
        target.known = Some(hide.iter().map(|hidden| !hidden).collect());
        target.values.iter_mut().zip(&hide).filter(|(_, hidden)| **hidden).for_each(|(y, _)| *y = wrong);
        let train = TrainRecords::new(records.clone()).unwrap();
        let cohorts = vec![0; train.len()];
        let hierarchy = Hierarchy::flat(1);
        let input = Input { train: &train, cohorts: &cohorts, hierarchy: &hierarchy, validation: None };
        let config = Config { train: train_config(1), ..quick(mixture(false)) };
        fits.push(fit(input, &config, 1, &mut |_| {}).unwrap().params().fingerprint());
    }
    assert_eq!(fits[0], fits[1]);
}

#[test]
fn the_log_names_an_expert_that_nobody_uses() {
    let world = small();
    // A prior so low that no row leaves the global experts.
    let body = Body::CohortExperts(CohortConfig { prior: -40.0, ..cohort_experts() });
    let mut remarks = Vec::new();
    fit(world.input(), &quick(body), 1, &mut |epoch| remarks.extend(epoch.remarks.clone())).unwrap();
    let dead = remarks.iter().find(|text| text.contains("is dead")).expect("a remark");
    assert!(dead.starts_with("expert “own "), "{dead}");
}

#[test]
fn a_cohort_without_training_rows_is_served_as_what_it_lies_within() {
    let mut world = small();
    // A stage of the first region, and a region, that no row belongs to.
    let mut parents: Vec<Option<u32>> = world.tree.clone().into();
    let (stage, region) = (parents.len() as u32, parents.len() as u32 + 1);
    parents.extend([Some(0), None]);
    world.tree = Hierarchy::new(parents).unwrap();
    for (name, fit) in models() {
        let model = fit(&world, 4);
        let as_if =
            |cohort| bits(&model.predict(world.features(), &vec![cohort; world.features().rows]).unwrap());
        assert!(as_if(stage) == as_if(0), "{name}: a stage without rows");
        assert!(as_if(region) == as_if(UNKNOWN), "{name}: a region without rows");
    }
}
