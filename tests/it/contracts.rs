//! Run by every system, baseline or multi-task model alike. A new system is covered by appearing in [`systems`].

use kohort::data::territories::Territories;
use kohort::models::baselines::registry;
use kohort::models::context::ContextConfig;
use kohort::models::dmtl::{Attention, Tasks};
use kohort::models::{crossmarket, implicit, inputs, lightgcn, sequence, towers};
use kohort::prelude::*;

struct World {
    dataset: Dataset,
    split: kohort::data::Split,
    groups: Vec<u32>,
    count: usize,
}

fn world() -> World {
    let (dataset, truth) = Recipe::small().generate(11).expect("synthetic data");
    let split = Way::RandomRows { share: 0.2 }.split(&dataset.interactions, 1).expect("split");
    World { dataset, split, groups: truth.cohort.clone(), count: truth.cohorts }
}

impl World {
    fn regions(&self) -> Territories {
        Territories::of(&self.dataset, "region").expect("regions")
    }
}

type Fit = Box<dyn Fn(&World, u64) -> Box<dyn Scorer> + Sync>;

/// Every baseline of both registries, and DMTL, the cross-market ranker, SASRec, LightGCN and the two towers in forms that take different roads
/// through the code.
fn systems() -> Vec<(String, Fit)> {
    let mut systems: Vec<(String, Fit)> = registry()
        .into_iter()
        .map(|entry| {
            let fit: Fit =
                Box::new(move |world, seed| (entry.fit)(&world.split.train, seed).expect(entry.name));
            (entry.name.to_owned(), fit)
        })
        .collect();
    let base = Config {
        embedding: 4,
        shared: 8,
        train: TrainConfig { epochs: 2, batch: 128, shard_rows: 32, ..TrainConfig::default() },
        ..Config::default()
    };
    let context = Some(ContextConfig { folds: 3, ..ContextConfig::default() });
    for (name, config) in [
        ("dmtl", base.clone()),
        ("dmtl with context and history", Config { context, history: true, dot: true, ..base.clone() }),
        ("dmtl over members", Config { attention: Attention::Members, ..base.clone() }),
        ("dmtl, rating only", Config { tasks: Tasks::Rating, ..base }),
    ] {
        let fit: Fit = Box::new(move |world, seed| {
            let input = Input {
                dataset: &world.dataset,
                train: &world.split.train,
                validation: None,
                groups: &world.groups,
                group_count: world.count,
                labelled: None,
            };
            Box::new(dmtl::fit(input, &config, seed, &mut |_| {}).expect(name))
        });
        systems.push((name.to_owned(), fit));
    }
    let fit: Fit = Box::new(|world, seed| {
        let config = crossmarket::Config { width: 4, hidden: 4, negatives: 4, ..Default::default() };
        let territories = world.regions();
        let train = &world.split.train;
        let input =
            crossmarket::Input { train, territories: &territories, catalogue: None, validation: None };
        Box::new(crossmarket::fit(input, &config, seed, &mut |_| {}).expect("crossmarket"))
    });
    systems.push(("crossmarket".to_owned(), fit));
    let fit: Fit = Box::new(|world, seed| {
        let config = sequence::Config {
            width: 4,
            heads: 2,
            blocks: 1,
            most: 6,
            train: TrainConfig { epochs: 2, batch: 64, shard_rows: 16, ..TrainConfig::default() },
            ..Default::default()
        };
        let input = sequence::Input { train: &world.split.train, validation: None };
        Box::new(sequence::fit(input, &config, seed, &mut |_| {}).expect("sequence"))
    });
    systems.push(("sequence".to_owned(), fit));
    for (name, layers) in [("lightgcn", 2), ("lightgcn without layers", 0)] {
        let fit: Fit = Box::new(move |world, seed| {
            let train = TrainConfig { epochs: 2, batch: 128, shard_rows: 128, ..TrainConfig::default() };
            let config = lightgcn::Config { width: 8, layers, train, ..Default::default() };
            let input = lightgcn::Input { train: &world.split.train, validation: None };
            Box::new(lightgcn::fit(input, &config, seed, &mut |_| {}).expect(name))
        });
        systems.push((name.to_owned(), fit));
    }
    for entry in implicit::registry() {
        let fit: Fit =
            Box::new(move |world, _| (entry.fit)(&world.split.train, &world.regions()).expect(entry.name));
        systems.push((entry.name.to_owned(), fit));
    }
    for (name, labels, loss, grouped) in [
        ("towers", towers::Labels::Shown { threshold: 4.0 }, towers::Loss::Logistic, false),
        ("towers with blocks", towers::Labels::Sampled { negatives: 2 }, towers::Loss::Logistic, true),
        (
            "towers with in-batch negatives",
            towers::Labels::Sampled { negatives: 0 },
            towers::Loss::Softmax { log_q: true },
            true,
        ),
    ] {
        let fit: Fit = Box::new(move |world, seed| {
            let (train, regions) = (&world.split.train, world.regions());
            let config = inputs::Config { titles: 6, factors: 5, ..Default::default() };
            let vectors = inputs::of_train(train, &config, seed).expect("vectors");
            let config = towers::Config {
                user: vec![8, 4],
                title: vec![8, 4],
                labels,
                loss,
                train: TrainConfig { epochs: 2, batch: 128, shard_rows: 32, ..TrainConfig::default() },
                ..Default::default()
            };
            let groups = towers::Groups { of_user: regions.of_user(), count: regions.len() };
            let input = towers::Input {
                train,
                known: None,
                users: towers::UserInput::Folded(&vectors.factors),
                titles: &vectors.titles,
                territories: &regions,
                groups: grouped.then_some(groups),
                weights: None,
                validation: None,
            };
            Box::new(towers::fit(input, &config, seed, &mut |_| {}).expect(name))
        });
        systems.push((name.to_owned(), fit));
    }
    systems
}

#[test]
fn every_system_gives_finite_scores_one_a_query_in_order() {
    let world = world();
    let queries = world.split.test.queries();
    for (name, fit) in systems() {
        let model = fit(&world, 1);
        let scores = model.score(queries);
        assert_eq!(scores.len(), queries.user.len(), "{name}");
        assert!(scores.iter().all(|s| s.is_finite()), "{name}");
        for n in [0, scores.len() / 2, scores.len() - 1] {
            let one = Queries {
                user: &queries.user[n..=n],
                item: &queries.item[n..=n],
                time: &queries.time[n..=n],
            };
            let alone = model.score(one)[0];
            assert!((alone - scores[n]).abs() < 1e-4, "{name}: {alone} alone, {} among others", scores[n]);
        }
        assert!(model.score(Queries { user: &[], item: &[], time: &[] }).is_empty(), "{name}");
    }
}

#[test]
fn every_system_answers_for_newcomers() {
    let world = world();
    let newcomers = Queries { user: &[u32::MAX, 0], item: &[0, u32::MAX], time: &[0, 0] };
    for (name, fit) in systems() {
        assert!(fit(&world, 1).score(newcomers).iter().all(|s| s.is_finite()), "{name}");
    }
}

#[test]
fn every_system_keeps_ratings_on_the_scale_or_does_not_rate() {
    let world = world();
    for (name, fit) in systems() {
        let model = fit(&world, 1);
        match predict(model.as_ref(), world.split.test.queries(), world.dataset.scale) {
            Some(ratings) => assert!(ratings.iter().all(|&r| world.dataset.scale.contains(r)), "{name}"),
            None => assert!(!model.rates(), "{name}"),
        }
    }
}

#[test]
fn every_system_gives_the_same_bits_for_one_seed_and_any_number_of_threads() {
    let world = world();
    let queries = world.split.test.queries();
    for (name, fit) in systems() {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
            pool.install(|| fit(&world, 3).score(queries))
        };
        let bits = |scores: Vec<f32>| scores.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let one = bits(with(1));
        assert!(one == bits(with(2)) && one == bits(with(5)), "{name}");
    }
}

#[test]
fn exported_weights_score_as_the_model_they_came_from() {
    let world = world();
    let input = Input {
        dataset: &world.dataset,
        train: &world.split.train,
        validation: None,
        groups: &world.groups,
        group_count: world.count,
        labelled: None,
    };
    let config = Config { train: TrainConfig { epochs: 1, ..TrainConfig::default() }, ..Config::default() };
    let trained = dmtl::fit(input, &config, 1, &mut |_| {}).expect("trained");
    let mut other = dmtl::fit(input, &config, 2, &mut |_| {}).expect("trained");
    let queries = world.split.test.queries();
    assert_ne!(trained.score(queries), other.score(queries));
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("dmtl.safetensors");
    trained.export(&path, "{}").expect("exported");
    other.import(&path).expect("imported");
    assert_eq!(trained.score(queries), other.score(queries));
}
