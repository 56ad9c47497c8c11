//! What the model keeps: bits, resumption, what it refuses, and a planted signal that only the graph carries.

use kohort_core::Tape;
use kohort_eval::ranking::{CandidateLists, Catalogue, Exclusions, RankingMetric};
use kohort_layers::Mode;
use kohort_random::{rand::Rng, stream};

use super::*;
use crate::trainer::System;

#[test]
fn the_loss_falls_with_and_without_layers() {
    let split = world();
    let input = Input { train: &split.train, validation: None };
    for layers in [0, 1, 3] {
        let config = Config { layers, ..small() };
        let model = fit(input, &config, 1, &mut |_| {}).unwrap();
        let loss = |n: usize| model.epochs[n].losses[0].1;
        assert!(loss(3) < loss(0), "{layers}: {} to {}", loss(0), loss(3));
        assert!(model.epochs[3].penalty > 0.0 && model.best == 4);
    }
}

#[test]
fn stopping_and_going_on_equals_never_having_stopped() {
    let split = world();
    let (train, validation) = split.train.hold_out(0.1, 1).unwrap();
    let input = Input { train: &train, validation: Some(&validation) };
    let whole = fit(input, &small(), 1, &mut |_| {}).unwrap();
    assert!(whole.epochs.iter().all(|epoch| epoch.validation.is_some_and(|value| value < 0.0)));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let point = |pause_after| Some(Checkpoint { path: &path, pause_after });
    fit_with(input, &small(), 1, point(Some(2)), &mut |_| {}).unwrap();
    let resumed = fit_with(input, &small(), 1, point(None), &mut |_| {}).unwrap();
    assert_eq!(whole.params().fingerprint(), resumed.params().fingerprint());
    assert_eq!(whole.representations(), resumed.representations());

    let other = Config { layers: 1, ..small() };
    let refused = fit_with(input, &other, 1, point(None), &mut |_| {}).unwrap_err().to_string();
    assert!(refused.contains("another seed, model config or data"), "{refused}");
}

#[test]
fn a_run_has_the_same_bits_for_any_number_of_threads_and_lists_equal_scores() {
    let split = world();
    let input = Input { train: &split.train, validation: None };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(input, &Config { layers: 3, ..small() }, 3, &mut |_| {}).unwrap())
    };
    let one = with(1);
    for threads in [2, 5] {
        assert_eq!(one.params().fingerprint(), with(threads).params().fingerprint());
    }
    let items = split.train.rows().items;
    let users = [3, u32::MAX, 0];
    let mut lists = vec![f32::NAN; users.len() * items];
    one.lists(&users, &mut lists);
    let all: Vec<u32> = (0..items as u32).collect();
    for (user, list) in users.iter().zip(lists.chunks_exact(items)) {
        let scores = one.score(Queries { user: &vec![*user; items], item: &all, time: &vec![0; items] });
        list.iter().zip(scores).for_each(|(a, b)| assert!((a - b).abs() < 1e-6, "{a} {b}"));
    }
}

#[test]
fn negatives_are_never_training_items_and_change_from_epoch_to_epoch() {
    let split = world();
    let train = split.train.rows();
    let config = small();
    let system = Rows::prepare(Input { train: &split.train, validation: None }, &config, 1).unwrap();
    let all: Vec<u32> = (0..system.rows() as u32).collect();
    let mut pairs: Vec<(u32, u32)> = train.user.iter().copied().zip(train.item.iter().copied()).collect();
    pairs.sort_unstable();
    let first = system.triples(&all, 0);
    for &(user, item, other) in &first {
        let users = train.users as u32;
        assert!(pairs.binary_search(&(user, item - users)).is_ok());
        assert!(pairs.binary_search(&(user, other - users)).is_err());
    }
    assert_ne!(first, system.triples(&all, 1));
    assert_eq!(first[5..9], system.triples(&all[5..9], 0), "a row's negative does not depend on its batch");
}

#[test]
fn the_penalty_is_on_what_the_batch_names_and_as_often_as_it_does() {
    let train = Train::new(rows(2, 3, &[(0, 0), (1, 1)])).unwrap();
    let config = Config { width: 2, layers: 1, penalty: 0.5, ..small() };
    let system = Rows::prepare(Input { train: &train, validation: None }, &config, 1).unwrap();
    let mut params = system.initial(1);
    params.slots_mut()[0].value = vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0, 4.0, 5.0, 0.0];
    let mut tape = Tape::new();
    let recorded = system.record_triples(&mut tape, &params, &[(0, 2, 4), (0, 2, 3)], None, 0.5);
    // User 0 twice, item 0 twice, items 2 and 1: 1 + 1 + 9 + 9 + 25 + 16.
    let penalty = tape.scalar(recorded.penalty.unwrap());
    assert!((penalty - 0.5 / (2.0 * 2.0) * 61.0).abs() < 1e-6, "{penalty}");

    let free = Config { penalty: 0.0, ..config };
    let system = Rows::prepare(Input { train: &train, validation: None }, &free, 1).unwrap();
    tape.reset();
    let recorded = system.record(&mut tape, &params, &[0, 1], &[None], &[0.5], &mut Mode::score());
    assert!(recorded.penalty.is_none());
}

/// Users of six kinds take few items, four fifths of their kind: Recall@20 of the held-out rows.
fn planted_recall(layers: usize, seed: u64) -> f64 {
    const KINDS: u32 = 6;
    let (users, items, own) = (240, 300, 6);
    let mut numbers = stream(seed, "planted", &[]);
    let mut pairs = Vec::new();
    for user in 0..users as u32 {
        for _ in 0..own {
            let kind = if numbers.random_bool(0.8) { user % KINDS } else { numbers.random_range(0..KINDS) };
            pairs.push((user, numbers.random_range(0..items as u32 / KINDS) * KINDS + kind));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    let split = Way::PerUser { share: 0.3 }.split(&rows(users, items, &pairs), seed).unwrap();
    let (train, test) = (split.train.rows(), split.test.answers());
    let held = CandidateLists::held_out(&test.user, &test.item, &vec![1.0; test.len()]).unwrap();
    let known = Exclusions::new(&train.user, &train.item).unwrap();
    let catalogue = Catalogue::new(&held, &known, items as u32).unwrap();
    let config = Config { layers, train: TrainConfig { epochs: 20, ..small().train }, ..small() };
    let model = fit(Input { train: &split.train, validation: None }, &config, seed, &mut |_| {}).unwrap();
    let ranked =
        catalogue.evaluate_blocks(&protocol(), 64, |users, scores| model.lists(users, scores)).unwrap();
    ranked.mean(RankingMetric::Recall).unwrap()
}

#[test]
fn layers_find_kinds_of_users_that_few_rows_each_tell_of() {
    let random = 20.0 / 300.0;
    for seed in [1, 2, 3] {
        let (with, without) = (planted_recall(3, seed), planted_recall(0, seed));
        assert!(with > 2.0 * random && with > without + 0.05, "seed {seed}: {with} against {without}");
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refused = |train: &Train, validation: Option<&Validation>, config: &Config| {
        fit(Input { train, validation }, config, 1, &mut |_| {}).unwrap_err().to_string()
    };
    let none = Train::new(rows(2, 2, &[])).unwrap();
    assert_eq!(refused(&none, None, &small()), "the training part has no rows");
    let all = Train::new(rows(1, 2, &[(0, 0), (0, 1)])).unwrap();
    assert!(refused(&all, None, &small()).contains("none of 2 rows"));
    let (split, other) = (world(), Train::new(rows(3, 3, &[(0, 0), (1, 1), (2, 2), (0, 1)])).unwrap());
    let (_, validation) = other.hold_out(0.5, 1).unwrap();
    assert!(
        refused(&split.train, Some(&validation), &small()).starts_with("users of the validation rows: 3")
    );

    for (config, expected) in [
        (Config { width: 0, ..small() }, "width = 0"),
        (Config { layers: 65, ..small() }, "layers = 65"),
        (Config { penalty: -1.0, ..small() }, "penalty = -1"),
        (Config { initial_deviation: f64::NAN, ..small() }, "initial_deviation = NaN"),
        (
            Config { train: TrainConfig { shard_rows: 255, ..small().train }, ..small() },
            "train.shard_rows = 255, allowed is at least train.batch, as every shard propagates the whole graph",
        ),
    ] {
        let error = refused(&split.train, None, &config);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn the_shipped_settings_are_sound_and_differ_in_what_they_say() {
    assert_eq!(Config::paper(), Config::default());
    assert_eq!((Config::lastfm().layers, Config::lastfm_factors().layers), (3, 0));
    let error = Config::from_toml("layer = 2").unwrap_err().to_string();
    assert!(error.contains("unknown field `layer`"), "{error}");
}

/// With one layer, what a newcomer gets is what they would have with a row of zeros in the graph.
#[test]
fn a_newcomer_gets_what_propagation_would_give_them() {
    let known = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 3), (2, 0)];
    let config = Config { layers: 1, train: TrainConfig { epochs: 1, ..small().train }, ..small() };
    let train = Train::new(rows(3, 5, &known)).unwrap();
    let model = fit(Input { train: &train, validation: None }, &config, 1, &mut |_| {}).unwrap();
    let found = model.newcomer(&[1, 3, 1, 77]).unwrap();

    let (user, item): (Vec<u32>, Vec<u32>) = known.into_iter().chain([(3, 1), (3, 3)]).unzip();
    let graph = kohort_core::sparse::Symmetric::<f32>::bipartite((4, 5), &user, &item).unwrap();
    let mut e = model.params().slots()[0].value.clone();
    let at = 3 * config.width;
    e.splice(at..at, vec![0.0; config.width]);
    let expected = graph.propagated(1, &e, config.width);
    for (a, b) in found.iter().zip(&expected[at..]) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    assert_eq!(model.newcomer(&[]), None);
    assert_eq!(model.newcomer(&[5]), None);
    let flat = Config { layers: 0, ..config };
    let flat = fit(Input { train: &train, validation: None }, &flat, 1, &mut |_| {}).unwrap();
    assert_eq!(flat.newcomer(&[1]), None);
}
