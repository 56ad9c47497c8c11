//! What comes next is found where popularity is blind; and what every system owes.

use kohort_data::{Interactions, Parts, ThreeWay};
use kohort_eval::ranking::{CandidateLists, Candidates, Exclusions, Gain, RankingProtocol};
use kohort_random::{permutation, rand::Rng, stream};

use super::*;
use crate::implicit::popularity::PooledPopularity;
use crate::trainer::{System, TrainConfig};

const ITEMS: usize = 150;
const USERS: usize = 300;

/// Users whose every next item is a fixed function of the one `back` places before it: the last, or the one before the last.
fn planted(back: usize) -> Parts {
    let mut numbers = stream(3, "planted sequences", &[]);
    let next = permutation(ITEMS, &mut numbers);
    let mut rows = Interactions { users: USERS, items: ITEMS, ..Interactions::default() };
    for user in 0..USERS as u32 {
        let mut own: Vec<u32> = (0..back).map(|_| numbers.random_range(0..ITEMS as u32)).collect();
        while own.len() < 14 {
            own.push(next[own[own.len() - back] as usize]);
        }
        for (time, item) in (0i64..).zip(own) {
            rows.user.push(user);
            rows.item.push(item);
            rows.rating.push(1.0);
            rows.time.push(time);
        }
    }
    // Times say what the order is, rows don't.
    let order = permutation(rows.len(), &mut numbers);
    ThreeWay::LeaveTwoOut.split_with_duplicates(&rows.select(&order)).unwrap()
}

fn small() -> Config {
    let train =
        TrainConfig { epochs: 4, batch: 64, shard_rows: 16, learning_rate: 0.01, ..Config::default().train };
    Config { width: 16, heads: 2, blocks: 1, most: 10, train, ..Config::default() }
}

fn run(parts: &Parts, config: &Config) -> SasRec {
    let input = Input { train: &parts.train, validation: Some(&parts.validation) };
    fit(input, config, 1, &mut |_| {}).unwrap()
}

/// Share of users whose test item is among the first ten of it and 99 others.
fn hit_rate(parts: &Parts, model: &dyn Scorer) -> f64 {
    let (known, asked) = (parts.train.rows(), parts.test.answers());
    let taken = Exclusions::new(&known.user, &known.item).unwrap();
    let lists = CandidateLists::held_out(&asked.user, &asked.item, &vec![1.0; asked.len()]).unwrap();
    let lists = lists.with_negatives(99, 1, ITEMS as u32, &taken).unwrap();
    let (user, item): (Vec<u32>, Vec<u32>) = lists.pairs().into_iter().unzip();
    let scores = model.score(Queries { user: &user, item: &item, time: &vec![0; user.len()] });
    let protocol = RankingProtocol {
        candidates: Candidates::SampledNegatives { count: 99, seed: 1 },
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    let hits = lists.evaluate(&protocol, &scores).unwrap().hit;
    hits.iter().flatten().sum::<f64>() / hits.len() as f64
}

#[test]
fn the_function_of_the_last_or_the_last_but_one_item_is_found_where_popularity_is_blind() {
    for back in [1, 2] {
        let parts = planted(back);
        let train = TrainConfig { epochs: 60, ..small().train };
        let mut model = run(&parts, &Config { train, ..small() });
        model.remember(&parts.train.clone().with(parts.validation.clone())).unwrap();
        let (ours, theirs) =
            (hit_rate(&parts, &model), hit_rate(&parts, &PooledPopularity::fit(&parts.train).unwrap()));
        assert!(ours > 0.95 && ours > theirs + 0.7, "{back} back: {ours}, popularity {theirs}");
    }
}

#[test]
fn the_loss_falls_and_the_best_validated_epoch_is_kept() {
    let parts = planted(1);
    let model = run(&parts, &small());
    let loss = |n: usize| model.epochs[n].losses[0].1;
    assert!(loss(3) < loss(0), "{} to {}", loss(0), loss(3));
    let values: Vec<f64> = model.epochs.iter().map(|epoch| epoch.validation.unwrap()).collect();
    let best = values.iter().fold(f64::INFINITY, |best, &value| best.min(value));
    assert!(values.iter().all(|value| (0.0..=1.0).contains(value)) && values[model.best - 1] == best);
    assert!(!model.rates());
}

#[test]
fn validation_rows_choose_the_epoch_and_move_no_parameter() {
    let parts = planted(1);
    let config = Config { train: TrainConfig { epochs: 1, ..small().train }, ..small() };
    let with = run(&parts, &config);
    let input = Input { train: &parts.train, validation: None };
    let without = fit(input, &config, 1, &mut |_| {}).unwrap();
    assert_eq!(with.params().fingerprint(), without.params().fingerprint());
    assert_eq!(without.epochs[0].validation, None);
}

#[test]
fn thread_counts_and_interruptions_change_no_bit() {
    let parts = planted(1);
    let queries = parts.test.queries();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let model = run(&parts, &small());
            let values: Vec<Option<f64>> = model.epochs.iter().map(|epoch| epoch.validation).collect();
            (model.params().fingerprint(), model.score(queries), values)
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sequence.ckpt");
    let input = Input { train: &parts.train, validation: Some(&parts.validation) };
    for pause_after in [Some(2), None] {
        let point = Checkpoint { path: &path, pause_after };
        let model = fit_with(input, &small(), 1, Some(point), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), one.0);
            assert_eq!(model.score(queries), one.1);
        }
    }
    let point = Checkpoint { path: &path, pause_after: None };
    let other = planted(2);
    for (input, config, seed) in [
        (input, small(), 2),
        (input, Config { negatives: 2, ..small() }, 1),
        (Input { validation: None, ..input }, small(), 1),
        (Input { train: &other.train, ..input }, small(), 1),
    ] {
        let error = fit_with(input, &config, seed, Some(point), &mut |_| {}).err().unwrap();
        assert!(matches!(error, ModelError::Resume { .. }), "{error}");
    }
}

#[test]
fn representations_are_those_of_the_last_items_and_score_by_inner_product() {
    let parts = planted(1);
    let model = run(&parts, &small());
    let representations = model.representations();
    assert_eq!(representations.len(), USERS * 16);
    // Unknown items are left out, and what lies before the last ten is not read.
    let mut items = model.histories.last(7, ITEMS).to_vec();
    assert_eq!(items.len(), 12);
    items.insert(6, u32::MAX);
    items.insert(0, 3);
    let count = items.len() as u32;
    let given = model.represent(&items, &[0, 0, count]);
    assert_eq!(given[..16], [0.0; 16]);
    let own = &representations[7 * 16..8 * 16];
    assert!(own.iter().zip(&given[16..]).all(|(a, b)| (a - b).abs() < 1e-5));
    let score = model.score(Queries { user: &[7], item: &[9], time: &[0] })[0];
    let table = model.params().row(model.encoder().items.table, 9);
    assert!((score - own.iter().zip(table).map(|(a, b)| a * b).sum::<f32>()).abs() < 1e-5);
}

#[test]
fn newcomers_score_zero_and_no_query_panics() {
    let parts = planted(1);
    let model = run(&parts, &small());
    let score = |user, item| model.score(Queries { user: &[user], item: &[item], time: &[0] })[0];
    assert_eq!([score(USERS as u32, 3), score(u32::MAX, 3), score(5, u32::MAX)], [0.0; 3]);
    assert_ne!(score(5, 3), score(5, 4));
    assert!(model.score(Queries { user: &[], item: &[], time: &[] }).is_empty());
}

#[test]
fn negatives_are_drawn_anew_in_each_epoch_and_do_not_depend_on_the_shard() {
    let parts = planted(1);
    let input = Input { train: &parts.train, validation: None };
    let rows = Rows::prepare(&input, &Config { dropout: 0.0, ..small() }, 1).unwrap();
    let params = rows.initial(1);
    let loss = |users: &[u32], epoch: u64| {
        let mut tape = kohort_core::Tape::new();
        let mut mode = Mode::train(stream(1, "dropout", &[])).in_epoch(epoch);
        let recorded = rows.record(&mut tape, &params, users, &[None], &[1.0], &mut mode);
        tape.scalar(recorded.losses[0])
    };
    assert_ne!(loss(&[0, 1], 0), loss(&[0, 1], 1));
    assert!((loss(&[0, 1], 0) - loss(&[1], 0) - loss(&[0], 0)).abs() < 1e-4);
    // Two terms a position, and the last ten of eleven positions: ln 2 each where scores are near 0.
    assert!((loss(&[0], 0) / (20.0 * 2.0f64.ln()) - 1.0).abs() < 0.1);
}

#[test]
fn exported_weights_score_as_the_model_they_came_from() {
    let parts = planted(1);
    let input = Input { train: &parts.train, validation: None };
    let config = Config { train: TrainConfig { epochs: 1, ..small().train }, ..small() };
    let model = fit(input, &config, 1, &mut |_| {}).unwrap();
    let mut other = fit(input, &config, 2, &mut |_| {}).unwrap();
    let queries = parts.test.queries();
    assert_ne!(model.score(queries), other.score(queries));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sequence.safetensors");
    model.export(&path, "{}").unwrap();
    other.import(&path).unwrap();
    assert_eq!(model.score(queries), other.score(queries));
}

#[test]
fn the_shipped_config_is_the_default_and_what_is_wrong_is_named() {
    let shipped = Config::from_toml(include_str!("../../configs/sequence.toml")).unwrap();
    assert_eq!(shipped, Config::default());
    let message = |text: &str| Config::from_toml(text).unwrap_err().to_string();
    assert!(message("width = 8\nwdith = 3").contains("unknown field `wdith`"));
    assert_eq!(message("heads = 5"), "heads = 5 beside width = 48, allowed is a divisor of the width");
    assert_eq!(message("most = 0"), "most = 0, allowed is a whole number from 1 to 4096");
    assert_eq!(message("dropout = 1.0"), "dropout = 1, allowed is a number in [0, 1)");
    assert_eq!(message("negatives = 0"), "negatives = 0, allowed is a whole number from 1 to 1000");
    assert_eq!(message("decay = -1.0"), "decay = -1, allowed is a finite number of at least 0");
    assert_eq!(message("[train]\nepochs = 0"), "epochs = 0, allowed is a whole number of at least 1");
}

#[test]
fn data_that_do_not_fit_are_named() {
    let parts = planted(1);
    let message = |train: &Train, validation: Option<&Validation>| {
        fit(Input { train, validation }, &small(), 1, &mut |_| {}).err().unwrap().to_string()
    };
    let rows = parts.train.rows();
    let nothing = Train::new(rows.select(&[])).unwrap();
    assert_eq!(message(&nothing, None), "the training part has no rows");
    let single = Train::new(rows.select(&[0])).unwrap();
    assert!(message(&single, None).starts_with("none of 1 rows is a positive"));
    let more = Train::new(Interactions { items: ITEMS + 1, ..rows.clone() }).unwrap();
    let found = message(&more, Some(&parts.validation));
    assert_eq!(found, "items of the validation rows: 150, expected 151");
    let mut model = fit(Input { train: &parts.train, validation: None }, &small(), 1, &mut |_| {}).unwrap();
    let found = model.remember(&more).unwrap_err().to_string();
    assert_eq!(found, "items of the rows to remember: 151, expected 150");
}
