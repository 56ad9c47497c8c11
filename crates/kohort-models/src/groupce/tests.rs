//! Planted groups of users are found, and what every system owes.

use kohort_core::Tape;
use kohort_data::records::{RecordShares, RecordSplit, Records, Target};
use kohort_random::{rand::Rng, stream};

use super::*;
use crate::trainer::{System, TrainConfig};

const USERS: usize = 120;
const ITEMS: usize = 60;
const KINDS: usize = 4;

/// Users of four kinds; a user likes an item of the own kind with chance 0.9, one of another with 0.1.
fn planted(rows: usize) -> RecordSplit {
    let mut numbers = stream(5, "planted groups", &[]);
    let (mut user, mut item, mut likes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let (u, i) = (numbers.random_range(0..USERS), numbers.random_range(0..ITEMS));
        let chance = if u % KINDS == i % KINDS { 0.9 } else { 0.1 };
        user.push(format!("u{u}"));
        item.push(format!("i{i}"));
        likes.push(numbers.random_bool(chance));
    }
    let mut features = Features::new(rows);
    features.push("user", Column::categorical(user.iter().map(String::as_str))).unwrap();
    features.push("item", Column::categorical(item.iter().map(String::as_str))).unwrap();
    let records = Records { targets: vec![Target::binary("like", likes)], ..Records::new("kinds", features) };
    RecordShares::default().split(&records, 1).unwrap()
}

fn small() -> Config {
    let train = TrainConfig {
        epochs: 14,
        batch: 512,
        shard_rows: 256,
        learning_rate: 0.02,
        patience: 20,
        ..TrainConfig::default()
    };
    Config {
        width: 8,
        hidden: vec![16],
        codes: vec![4, 2],
        warm_up: 2,
        dropout: 0.0,
        train,
        ..Config::default()
    }
}

fn run(split: &RecordSplit, config: &Config, seed: u64) -> GroupCe {
    let input = Input { train: &split.train, validation: Some(&split.validation), cohorts: None };
    fit(input, config, seed, &mut |_| {}).unwrap()
}

/// Kind of each test row's user, by its name.
fn kinds(split: &RecordSplit) -> Vec<usize> {
    let Some(Column::Categorical { codes, vocabulary }) = split.test.questions().features.column("user")
    else {
        panic!("a user column")
    };
    codes.iter().map(|&code| vocabulary.token(code).unwrap()[1..].parse::<usize>().unwrap() % KINDS).collect()
}

fn auc(split: &RecordSplit, model: &GroupCe) -> f64 {
    let chances = model.predict(split.test.questions().features).unwrap();
    let labels: Vec<bool> = split.test.answers().targets[0].values.iter().map(|&y| y == 1.0).collect();
    kohort_eval::binary::roc_auc(&chances, &labels).unwrap().unwrap()
}

#[test]
fn the_first_code_of_a_user_is_the_planted_kind_and_likes_are_told() {
    let split = planted(12_000);
    let model = run(&split, &small(), 1);
    let codes = model.codes(split.test.questions().features).unwrap();
    let mut table = [[0usize; KINDS]; KINDS];
    for (code, kind) in codes.iter().zip(kinds(&split)) {
        table[code[0] as usize][kind] += 1;
    }
    let pure: usize = table.iter().map(|of| *of.iter().max().unwrap()).sum();
    assert!(pure as f64 > 0.95 * codes.len() as f64, "{table:?}");
    // A perfect model, which knows the kinds, has an AUC of 0.80 to 0.83 here.
    assert!(auc(&split, &model) > 0.78, "{}", auc(&split, &model));
}

#[test]
fn every_kind_of_lists_and_every_list_loss_learns() {
    let split = planted(6_000);
    for lists in [Lists::None, Lists::Batch, Lists::User, Lists::Codes, Lists::RandomCodes] {
        let model = run(&split, &Config { lists, ..small() }, 1);
        let last = &model.epochs[model.epochs.len() - 1].losses;
        assert!(last[0].1 < model.epochs[0].losses[0].1, "{lists:?}: log loss falls");
        let depth = match lists {
            Lists::None => 0,
            Lists::Batch | Lists::User => 1,
            Lists::Codes | Lists::RandomCodes => 2,
        };
        assert_eq!(last.len(), 2 + depth, "{lists:?}");
        assert!(last[2..].iter().all(|(_, loss)| *loss > 0.0), "{lists:?}: {last:?}");
        assert_eq!(last[1].1 > 0.0, lists == Lists::Codes, "{lists:?}: quantised");
        assert!(model.epochs[1].losses[1..].iter().all(|(_, loss)| *loss == 0.0), "{lists:?}: warm-up");
    }
    use kohort_core::ListLoss::*;
    for list_loss in [Softmax, Sigmoid, ListMle, Bpr, Hinge, Lambda] {
        let model = run(&split, &Config { list_loss, lists: Lists::User, ..small() }, 1);
        assert!(auc(&split, &model) > 0.7, "{list_loss:?}: {}", auc(&split, &model));
    }
}

#[test]
fn levels_are_what_their_definition_says() {
    let split = planted(800);
    let config = Config { lists: Lists::User, ..small() };
    let features = super::split(split.train.features(), &config.user).unwrap();
    let columns = Sides {
        user: Columns::fit(&features.user, None).unwrap(),
        rest: Columns::fit(&features.rest, None).unwrap(),
    };
    let input = Input { train: &split.train, validation: None, cohorts: None };
    let rows = prepare(&input, &config, &columns, &features, 1).unwrap();
    let batch: Vec<u32> = (0..200).collect();
    let mut tape = Tape::new();
    let mut mode = Mode::train(stream(1, "dropout", &[])).in_epoch(5);
    let terms = rows.terms(&batch).unwrap();
    let scales: Vec<f64> = terms.iter().map(|terms| terms.scale).collect();
    let recorded = rows.record(&mut tape, &rows.initial, &batch, &[None; 3], &scales, &mut mode);
    let logits = logits(&rows.net, &rows.initial, &rows.users, &rows.rest, 200);
    let mut groups = Vec::new();
    for user in 0..USERS as u32 {
        let own: Vec<usize> = (0..200).filter(|&row| rows.who[row] == user).collect();
        let y: Vec<f64> = own.iter().map(|&row| f64::from(rows.target[row])).collect();
        let p: Vec<f64> = own.iter().map(|&row| 1.0 / (1.0 + (-f64::from(logits[row])).exp())).collect();
        let (yes, all): (f64, f64) = (y.iter().sum(), p.iter().sum());
        if yes > 0.0 && yes < own.len() as f64 {
            groups.push(y.iter().zip(&p).map(|(y, p)| -y / yes * (p / all).ln()).sum::<f64>());
        }
    }
    let expected = groups.iter().sum::<f64>() / groups.len() as f64;
    assert!(groups.len() > 10 && (tape.scalar(recorded.losses[2]) - expected).abs() < 1e-4);
}

#[test]
fn thread_counts_and_interruptions_change_no_bit() {
    let split = planted(2_000);
    let config = Config { train: TrainConfig { epochs: 5, ..small().train }, dropout: 0.1, ..small() };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&split, &config, 1).params().fingerprint())
    };
    let one = with(1);
    assert_eq!([one, one], [with(2), with(5)]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("groupce.ckpt");
    let input = Input { train: &split.train, validation: Some(&split.validation), cohorts: None };
    for pause_after in [Some(1), Some(3), None] {
        let point = Checkpoint { path: &path, pause_after };
        let model = fit_with(input, &config, 1, Some(point), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), one);
        }
    }
    let point = Checkpoint { path: &path, pause_after: None };
    let other = Config { lists: Lists::User, ..config.clone() };
    let error = fit_with(input, &other, 1, Some(point), &mut |_| {}).err().unwrap();
    assert!(matches!(error, ModelError::Resume { .. }), "{error}");
    let alone = Input { validation: None, ..input };
    let error = fit_with(alone, &config, 1, Some(point), &mut |_| {}).err().unwrap();
    assert!(matches!(error, ModelError::Resume { .. }), "other validation rows: {error}");
}

#[test]
fn rows_are_predicted_alike_alone_and_in_any_order_and_strangers_too() {
    let split = planted(2_000);
    let model = run(&split, &Config { train: TrainConfig { epochs: 3, ..small().train }, ..small() }, 1);
    let features = split.test.questions().features;
    let all = model.predict(features).unwrap();
    let back: Vec<u32> = (0..features.rows as u32).rev().collect();
    for (&row, other) in back.iter().zip(model.predict(&features.select(&back)).unwrap()) {
        assert!((all[row as usize] - other).abs() < 1e-5);
    }
    assert!((model.predict(&features.select(&[7])).unwrap()[0] - all[7]).abs() < 1e-5);
    // A user without training rows has the same chance as any other such user.
    let mut records = Records::new("few", split.train.features().clone());
    records.targets = split.train.targets().to_vec();
    let known: Vec<u32> = (0..records.len() as u32)
        .filter(|&row| records.features.columns[0].1.codes(row as usize)[0] >= 2)
        .collect();
    let few = kohort_data::records::TrainRecords::new(records.select(&known)).unwrap();
    let model =
        fit(Input { train: &few, validation: None, cohorts: None }, &small(), 1, &mut |_| {}).unwrap();
    let strangers: Vec<u32> = (0..records.len() as u32)
        .filter(|&row| records.features.columns[0].1.codes(row as usize)[0] < 2)
        .collect();
    let of_item = |row: u32| records.features.columns[1].1.codes(row as usize)[0];
    let chances = model.predict(&records.features.select(&strangers)).unwrap();
    for (at, &row) in strangers.iter().enumerate() {
        for (other, &with) in strangers.iter().enumerate() {
            if of_item(row) == of_item(with) {
                assert_eq!(chances[at], chances[other]);
            }
        }
    }
}

#[test]
fn rows_whose_label_is_not_known_teach_nothing() {
    let split = planted(800);
    let mut records = Records::new("kinds", split.train.features().clone());
    records.targets = split.train.targets().to_vec();
    let mut prints = Vec::new();
    for wrong in [0.0, 1.0] {
        let target = &mut records.targets[0];
        target.known = Some((0..target.values.len()).map(|row| row % 3 != 0).collect());
        target.values.iter_mut().step_by(3).for_each(|y| *y = wrong);
        let train = kohort_data::records::TrainRecords::new(records.clone()).unwrap();
        let config = Config { train: TrainConfig { epochs: 4, ..small().train }, ..small() };
        let model =
            fit(Input { train: &train, validation: None, cohorts: None }, &config, 1, &mut |_| {}).unwrap();
        prints.push(model.params().fingerprint());
    }
    assert_eq!(prints[0], prints[1]);
}

/// Cohorts of the training rows by the half of users that a row's is of.
fn halves(split: &RecordSplit) -> Vec<u32> {
    let Some(Column::Categorical { codes, .. }) = split.train.features().column("user") else {
        panic!("users")
    };
    codes.iter().map(|&user| user % 2).collect()
}

#[test]
fn compositions_exposure_and_fairness_reach_the_model_and_go_with_interruptions() {
    let split = planted(3_000);
    let (names, of_row) = (["even", "odd"].map(str::to_owned), halves(&split));
    let cohorts = Some(Cohorts { names: &names, of_row: &of_row });
    let input = Input { train: &split.train, validation: Some(&split.validation), cohorts };
    let config = Config::from_toml(
        "item = \"item\"\nexposure = { ips = { power = 0.5, least = 0.1 } }\nfairness = [{ gap = \"score\", weight = 1.0 }]\n\
         [[compositions]]\ncohort = \"odd\"\nparts = [{ part = \"bce\", weight = 1.0 }, { part = \"novelty\", weight = 0.1 }]\n\
         [[compositions]]\nparts = [{ part = { focal = {} }, weight = 1.0 }, { part = \"diversity\", weight = 0.1 }]",
    )
    .unwrap();
    let config = Config { train: TrainConfig { epochs: 4, ..small().train }, ..config };
    let config = Config { width: 8, hidden: vec![16], codes: vec![4, 2], warm_up: 2, ..config };
    let whole = fit(input, &config, 1, &mut |_| {}).unwrap();
    assert_eq!(whole.epochs[0].losses[0].0, "parts");
    assert!(whole.epochs.iter().all(|epoch| epoch.penalty > 0.0));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("parts.ckpt");
    for pause_after in [Some(2), None] {
        let point = Checkpoint { path: &path, pause_after };
        let model = fit_with(input, &config, 1, Some(point), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), whole.params().fingerprint());
        }
    }
    let other = Config { exposure: None, ..config.clone() };
    assert_ne!(
        fit(input, &other, 1, &mut |_| {}).unwrap().params().fingerprint(),
        whole.params().fingerprint()
    );
    let message =
        |input: Input<'_>, config: &Config| fit(input, config, 1, &mut |_| {}).err().unwrap().to_string();
    let nobody = Input { cohorts: None, ..input };
    assert!(message(nobody, &config).contains("fairness: there are no cohorts"));
    let nobody_named = Config { fairness: Vec::new(), ..config.clone() };
    assert!(message(nobody, &nobody_named).contains("no cohort \"odd\", there are: none"));
    assert_eq!(
        message(input, &Config { item: Some("rating".to_owned()), ..config.clone() }),
        "config: item: \"rating\" is no categorical column"
    );
    let nameless = Config { item: None, ..config.clone() };
    assert_eq!(
        message(input, &nameless),
        "item = exposure asks for it, allowed is the name of the items' column"
    );
    let short = Input { cohorts: Some(Cohorts { names: &names, of_row: &of_row[1..] }), ..input };
    assert!(message(short, &config).starts_with("cohorts of rows: 1799, expected 1800"));
}

/// One half of the users likes more. A penalty on the gap of scores closes it, at some cost in log loss.
#[test]
fn a_penalty_on_the_gap_of_scores_closes_it() {
    let split = planted(4_000);
    let of_row = halves(&split);
    let mut records = Records::new("kinds", split.train.features().clone());
    let mut numbers = stream(2, "unfair", &[]);
    let likes = of_row.iter().map(|&half| numbers.random_bool(if half == 0 { 0.8 } else { 0.3 }));
    records.targets = vec![Target::binary("like", likes)];
    let train = kohort_data::records::TrainRecords::new(records).unwrap();
    let names = ["even", "odd"].map(str::to_owned);
    let gap = |weight: f64| {
        let gap = crate::parts::Gap::Score;
        let fairness = vec![crate::parts::Fairness { gap, spread: Default::default(), weight }];
        let config = Config { lists: Lists::None, fairness, ..small() };
        let cohorts = Some(Cohorts { names: &names, of_row: &of_row });
        let model = fit(Input { train: &train, validation: None, cohorts }, &config, 1, &mut |_| {}).unwrap();
        let chances = model.predict(train.features()).unwrap();
        let mean = |half: u32| {
            let own: Vec<f32> =
                chances.iter().zip(&of_row).filter(|(_, of)| **of == half).map(|(&p, _)| p).collect();
            own.iter().sum::<f32>() / own.len() as f32
        };
        mean(0) - mean(1)
    };
    let (free, held) = (gap(0.0), gap(20.0));
    assert!(free > 0.4 && held < 0.1, "{free}, {held}");
}

#[test]
fn the_shipped_config_is_the_default_and_what_is_wrong_is_named() {
    let shipped = Config::from_toml(include_str!("../../configs/groupce.toml")).unwrap();
    assert_eq!(shipped, Config::default());
    let message = |text: &str| Config::from_toml(text).unwrap_err().to_string();
    assert!(message("codebook = 8").contains("unknown field `codebook`"));
    assert_eq!(message("codes = [1]"), "codes = [1], allowed is one to eight levels of 2 to 4096 codes");
    assert_eq!(message("width = 0"), "width = 0, allowed is a whole number from 1 to 4096");
    assert_eq!(message("quantised = -1.0"), "quantised = -1, allowed is a finite number of at least 0");
    assert_eq!(message("levels = { fixed = 0.0 }"), "levels.fixed = 0, allowed is a finite number above 0");
    assert!(message("user = []").starts_with("user = []"));
    let split = planted(200);
    let message = |config: &Config| {
        let input = Input { train: &split.train, validation: None, cohorts: None };
        fit(input, config, 1, &mut |_| {}).err().unwrap().to_string()
    };
    let user = |names: &[&str]| Config { user: names.iter().map(|&n| n.to_owned()).collect(), ..small() };
    assert_eq!(message(&user(&["viewer"])), "config: user: there is no column \"viewer\"");
    assert_eq!(message(&user(&["user", "item"])), "config: there is no column beside the user's");
    let target = Config { target: "buys".to_owned(), ..small() };
    assert!(message(&target).contains("no target \"buys\", allowed are like"));
}
