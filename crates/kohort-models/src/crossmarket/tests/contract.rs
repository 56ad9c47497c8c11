use kohort_data::{Parts, Queries, ThreeWay, synthetic::MarketRecipe};
use kohort_eval::ranking::{CandidateLists, Candidates, Gain, RankingMetric, RankingProtocol, UNRATED};

use super::*;
use crate::implicit::popularity::{LocalPopularity, PooledPopularity};
use crate::trainer::TrainConfig;

struct World {
    parts: Parts,
    territories: Territories,
}

/// What 300 users of four planted markets clicked.
fn world() -> World {
    let (data, _) = MarketRecipe::small().generate(5).unwrap();
    let clicks: Vec<u32> = (0..data.interactions.len() as u32)
        .filter(|&r| data.interactions.rating[r as usize] == 1.0)
        .collect();
    let parts = ThreeWay::LeaveTwoOut.split(&data.interactions.select(&clicks)).unwrap();
    World { parts, territories: Territories::of(&data, "market").unwrap() }
}

/// Items come in threes: who takes the first soon takes the second and then the third. Which threes is chance.
fn threes() -> World {
    let (users, sets) = (240u32, 30u32);
    let mut rows =
        Interactions { users: users as usize, items: 3 * sets as usize, ..Interactions::default() };
    let mut numbers = stream(3, "threes", &[]);
    for user in 0..users {
        for (visit, set) in
            (0i64..).zip(kohort_random::permutation(sets as usize, &mut numbers).into_iter().take(3))
        {
            for part in 0..3 {
                rows.user.push(user);
                rows.item.push(3 * set + part);
                rows.rating.push(1.0);
                rows.time.push((visit * 100 + i64::from(user % 50)) * DAY + i64::from(part));
            }
        }
    }
    let names = ["a", "b"].map(str::to_owned).to_vec();
    let territories = Territories::new(names, (0..users).map(|u| u % 2).collect()).unwrap();
    World { parts: ThreeWay::LeaveTwoOut.split(&rows).unwrap(), territories }
}

impl World {
    fn input(&self) -> Input<'_> {
        Input {
            train: &self.parts.train,
            territories: &self.territories,
            catalogue: None,
            validation: Some(&self.parts.validation),
        }
    }

    fn ndcg(&self, model: &dyn Scorer) -> f64 {
        let drawn = self.parts.test_candidates(&self.territories, 40, 1).unwrap();
        let grades: Vec<f32> = drawn.positive.iter().map(|&p| if p { 1.0 } else { UNRATED }).collect();
        let lists = CandidateLists::sampled(&drawn.user, &drawn.item, &grades, 40, 1).unwrap();
        let protocol = RankingProtocol {
            candidates: Candidates::SampledNegatives { count: 40, seed: 1 },
            relevant_from: 1.0,
            gain: Gain::Binary,
            ..RankingProtocol::default()
        };
        let time = vec![0; drawn.user.len()];
        let scores = model.score(Queries { user: &drawn.user, item: &drawn.item, time: &time });
        lists.evaluate(&protocol, &scores).unwrap().mean(RankingMetric::Ndcg).unwrap()
    }
}

fn small() -> Config {
    Config {
        width: 8,
        tower: 16,
        hidden: 8,
        negatives: 8,
        train: TrainConfig { epochs: 4, batch: 128, shard_rows: 32, ..Config::default().train },
        ..Config::default()
    }
}

fn run(world: &World, config: &Config) -> CrossMarket {
    fit(world.input(), config, 1, &mut |_| {}).unwrap()
}

#[test]
fn what_is_taken_together_is_found_where_popularity_is_blind() {
    let world = threes();
    let ours = world.ndcg(&run(&world, &small()));
    let popular = LocalPopularity::fit(&world.parts.train, &world.territories).unwrap();
    let theirs = world.ndcg(&popular);
    assert!(ours > 0.9 && theirs < 0.3, "{ours} and {theirs}");
}

#[test]
fn the_loss_falls_and_validation_is_told_for_every_epoch() {
    let world = world();
    for config in [
        small(),
        Config { time: Time::None, ..small() },
        Config { time: Time::OneSided, history: History::Before, ..small() },
        Config { blocks: false, ..small() },
    ] {
        let model = run(&world, &config);
        let loss = |n: usize| model.epochs[n].losses[0].1;
        assert!(loss(3) < loss(0), "{config:?}: {} to {}", loss(0), loss(3));
        let values: Vec<f64> = model.epochs.iter().map(|epoch| epoch.validation.unwrap()).collect();
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{values:?}");
        let best = values.iter().fold(f64::INFINITY, |best, &value| best.min(value));
        assert_eq!(values[model.best - 1], best);
        assert!(!model.rates());
    }
}

/// Sixty items, half of them at home in either territory, and nothing that goes together: where the user is, is all there is.
#[test]
fn what_sells_elsewhere_is_not_recommended_here() {
    let users = 200u32;
    let mut rows = Interactions { users: users as usize, items: 60, ..Interactions::default() };
    let mut numbers = stream(4, "two places", &[]);
    for user in 0..users {
        for (day, item) in (0i64..).zip(kohort_random::permutation(30, &mut numbers).into_iter().take(6)) {
            let abroad = u32::from(numbers.random_range(0..10) == 0);
            rows.user.push(user);
            rows.item.push(item + 30 * ((user + abroad) % 2));
            rows.rating.push(1.0);
            rows.time.push(day * DAY);
        }
    }
    let names = ["a", "b"].map(str::to_owned).to_vec();
    let territories = Territories::new(names, (0..users).map(|u| u % 2).collect()).unwrap();
    let world = World { parts: ThreeWay::LeaveTwoOut.split(&rows).unwrap(), territories };
    let ours = world.ndcg(&run(&world, &small()));
    let theirs = world.ndcg(&PooledPopularity::fit(&world.parts.train).unwrap());
    assert!(ours > 1.3 * theirs, "{ours} and {theirs}");
}

#[test]
fn validation_rows_choose_the_epoch_and_move_no_parameter() {
    let world = world();
    let config = Config { train: TrainConfig { epochs: 1, ..small().train }, ..small() };
    let with = run(&world, &config);
    let without = fit(Input { validation: None, ..world.input() }, &config, 1, &mut |_| {}).unwrap();
    assert_eq!(with.params().fingerprint(), without.params().fingerprint());
    assert_eq!(without.epochs[0].validation, None);
}

#[test]
fn thread_counts_and_interruptions_change_no_bit() {
    let world = world();
    let queries = world.parts.test.queries();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let model = run(&world, &small());
            let values: Vec<Option<f64>> = model.epochs.iter().map(|epoch| epoch.validation).collect();
            (model.params().fingerprint(), model.score(queries), values)
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("crossmarket.ckpt");
    for pause_after in [Some(2), None] {
        let point = Checkpoint { path: &path, pause_after };
        let model = fit_with(world.input(), &small(), 1, Some(point), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), one.0);
            assert_eq!(model.score(queries), one.1);
        }
    }
    let point = Checkpoint { path: &path, pause_after: None };
    for (config, seed) in [(small(), 2), (Config { dropout: 0.1, ..small() }, 1)] {
        let error = fit_with(world.input(), &config, seed, Some(point), &mut |_| {}).err().unwrap();
        let wanted = "it was saved under another seed, model config or data";
        assert!(error.to_string().ends_with(wanted), "{error}");
    }
    let on_offer: Vec<Vec<u32>> = vec![(0..150).collect(); 4];
    for input in
        [Input { catalogue: Some(&on_offer), ..world.input() }, Input { validation: None, ..world.input() }]
    {
        let error = fit_with(input, &small(), 1, Some(point), &mut |_| {}).err().unwrap();
        assert!(matches!(error, crate::ModelError::Resume { .. }), "{error}");
    }
}

#[test]
fn the_score_of_a_pair_does_not_depend_on_the_other_queries_nor_on_the_way_it_is_asked() {
    let world = world();
    let model = run(&world, &small());
    let items: Vec<u32> = (0..150).collect();
    let (mut user, mut item) = (Vec::new(), Vec::new());
    for &i in &items {
        user.extend([7, 8, 299]);
        item.extend([i; 3]);
    }
    let time = vec![0; user.len()];
    let all = model.score(Queries { user: &user, item: &item, time: &time });
    for (place, user) in [7, 8, 299].into_iter().enumerate() {
        let mut scores = vec![0.0; items.len()];
        model.score_items(user, &items, &mut scores);
        for (&i, score) in items.iter().zip(scores) {
            let among = all[i as usize * 3 + place];
            let alone = model.score(Queries { user: &[user], item: &[i], time: &[5] })[0];
            assert!((among - score).abs() < 1e-4 && (alone - score).abs() < 1e-4, "{among} {alone} {score}");
        }
    }
    assert!(model.score(Queries { user: &[], item: &[], time: &[] }).is_empty());
}

#[test]
fn newcomers_get_finite_scores_and_are_alike() {
    let world = world();
    let model = run(&world, &small());
    let score = |user, item| model.score(Queries { user: &[user], item: &[item], time: &[0] })[0];
    assert_eq!(score(300, 3), score(u32::MAX, 3));
    assert_eq!(score(5, 150), score(5, u32::MAX));
    assert!(score(300, u32::MAX).is_finite());
    assert_ne!(score(300, 3), score(300, 4), "popularity is left");
}

#[test]
fn a_territory_without_rows_moves_nothing_of_its_own() {
    let world = world();
    let here =
        |row: &u32| world.territories.of_user()[world.parts.train.rows().user[*row as usize] as usize] != 2;
    let rows = world.parts.train.rows();
    let rest: Vec<u32> = (0..rows.len() as u32).filter(here).collect();
    let train = Train::new(rows.select(&rest)).unwrap();
    let model =
        fit(Input { train: &train, validation: None, ..world.input() }, &small(), 1, &mut |_| {}).unwrap();
    for (name, moves) in
        [("block/1/w", true), ("weights/1/w", true), ("block/2/w", false), ("weights/2/w", false)]
    {
        let value = model.params().value(model.params().id(name).unwrap());
        assert_eq!(value.iter().any(|&x| x != 0.0), moves, "{name}");
    }
    for m in 0..4 {
        let bias = model.params().id(&format!("weights/{m}/b")).unwrap();
        assert_eq!(model.params().value(bias), [0.0], "what a softmax can't see does not drift");
    }
}

#[test]
fn exported_weights_score_as_the_model_they_came_from() {
    let world = world();
    let model = run(&world, &small());
    let mut other = fit(world.input(), &small(), 2, &mut |_| {}).unwrap();
    let queries = world.parts.test.queries();
    assert_ne!(model.score(queries), other.score(queries));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("crossmarket.safetensors");
    model.export(&path, "{}").unwrap();
    other.import(&path).unwrap();
    assert_eq!(model.score(queries), other.score(queries));
}

#[test]
fn the_shipped_config_is_the_default_and_what_is_wrong_is_named() {
    let shipped = Config::from_toml(include_str!("../../../configs/crossmarket.toml")).unwrap();
    assert_eq!(shipped, Config::default());
    let message = |text: &str| Config::from_toml(text).unwrap_err().to_string();
    assert!(message("width = 8\nwdith = 3").contains("unknown field `wdith`"));
    assert!(message("time = \"sideways\"").contains("expected one of `two-sided`, `one-sided`, `none`"));
    assert_eq!(message("negatives = 0"), "negatives = 0, allowed is a whole number from 1 to 1000");
    assert_eq!(message("near_days = 0.0"), "near_days = 0, allowed is a finite number above 0");
    assert_eq!(message("dropout = 1.0"), "dropout = 1, allowed is a number in [0, 1)");
    assert_eq!(message("decay = -1.0"), "decay = -1, allowed is a finite number of at least 0");
    assert_eq!(message("[train]\nepochs = 0"), "epochs = 0, allowed is a whole number of at least 1");
}

#[test]
fn data_that_do_not_fit_are_named() {
    let world = world();
    let message = |input: Input<'_>| fit(input, &small(), 1, &mut |_| {}).err().unwrap().to_string();
    let others = Territories::new(vec!["x".into()], vec![0; 299]).unwrap();
    let found = message(Input { territories: &others, ..world.input() });
    assert_eq!(found, "territories of 299 users, and rows over 300 users");
    let rows = world.parts.train.rows();
    let nothing = Train::new(rows.select(&[])).unwrap();
    assert_eq!(message(Input { train: &nothing, ..world.input() }), "the training part has no rows");
    let twice = Train::new(rows.select(&[0, 1, 2, 1])).unwrap();
    assert!(message(Input { train: &twice, ..world.input() }).contains("1 rows repeat a pair"));
}
