//! Planted preferences are found, noisy rows lose weight, and what every system owes.

use kohort_core::Tape;
use kohort_data::Column;
use kohort_data::records::{RecordShares, RecordSplit, Records};
use kohort_random::{rand::Rng, stream};

use super::*;
use crate::trainer::{System, TrainConfig};

const USERS: usize = 200;

/// Rows of users whose taste for clicks is `habit` and for purchases `1 − habit`, which a column of the user shows; of what both have to do
/// with items nothing else is known.
struct Planted {
    split: RecordSplit,
    user: Vec<u32>,
    time: Vec<i64>,
    habit: Vec<f32>,
}

fn planted(rows: usize) -> Planted {
    let mut numbers = stream(7, "planted stages", &[]);
    let habits: Vec<f32> = (0..USERS).map(|_| numbers.random_range(0.1..0.9)).collect();
    let user: Vec<u32> = (0..rows).map(|_| numbers.random_range(0..USERS as u32)).collect();
    let item: Vec<u32> = (0..rows).map(|_| numbers.random_range(0..50)).collect();
    let habit: Vec<f32> = user.iter().map(|&user| habits[user as usize]).collect();
    let text = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>();
    let mut features = Features::new(rows);
    features.push("user", Column::categorical(text(&user).iter().map(String::as_str))).unwrap();
    features.push("habit", Column::Numeric(habit.clone())).unwrap();
    features.push("item", Column::categorical(text(&item).iter().map(String::as_str))).unwrap();
    let clicks: Vec<bool> = habit.iter().map(|&h| numbers.random_bool(h.into())).collect();
    let buys: Vec<bool> = habit.iter().map(|&h| numbers.random_bool(1.0 - f64::from(h))).collect();
    let targets = vec![Target::binary("click", clicks), Target::binary("buy", buys)];
    let records = Records { targets, ..Records::new("shop", features) };
    let split = RecordShares::default().split(&records, 1).unwrap();
    let time = (0..rows as i64).collect();
    Planted { split, user, time, habit }
}

impl Planted {
    fn of_train(&self) -> (Vec<u32>, Vec<i64>) {
        let rows = self.split.train.origin();
        (
            rows.iter().map(|&row| self.user[row as usize]).collect(),
            rows.iter().map(|&row| self.time[row as usize]).collect(),
        )
    }

    fn run(&self, config: &Config, seed: u64, point: Option<Checkpoint<'_>>) -> Result<Stan, ModelError> {
        let (users, times) = self.of_train();
        let validation = Some(&self.split.validation);
        let input = Input { train: &self.split.train, users: &users, times: &times, validation };
        fit_with(input, config, seed, point, &mut |_| {})
    }
}

fn small() -> Config {
    let train = TrainConfig {
        epochs: 8,
        batch: 128,
        shard_rows: 64,
        learning_rate: 0.01,
        patience: 20,
        ..TrainConfig::default()
    };
    let user = ["user", "habit"].map(str::to_owned).to_vec();
    let encoder = kohort_layers::EncoderConfig { width: 4, ..Default::default() };
    Config { user, encoder, width: 4, tower: vec![8], train, ..Config::default() }
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |x: &[f32]| x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let of = |a: &[f32], ma: f64, b: &[f32], mb: f64| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - ma) * (f64::from(b) - mb)).sum()
    };
    of(a, ma, b, mb) / (of(a, ma, a, ma) * of(b, mb, b, mb)).sqrt()
}

#[test]
fn planted_preferences_are_found_under_both_forms_and_every_weight() {
    let world = planted(8_000);
    let habit: Vec<f32> = world.split.test.origin().iter().map(|&row| world.habit[row as usize]).collect();
    for attention in [Attention::SelfAttention, Attention::Dense] {
        for weights in [Weights::One, Weights::Preference, Weights::Mean, Weights::Beta] {
            let config = Config { attention, weights, ..small() };
            let model = world.run(&config, 1, None).unwrap();
            let preferences = model.preferences(world.split.test.questions().features).unwrap();
            let (click, buy) = (correlation(&preferences[0], &habit), correlation(&preferences[1], &habit));
            assert!(click > 0.9 && buy < -0.9, "{attention:?}, {weights:?}: {click}, {buy}");
            let noted = &model.epochs[model.epochs.len() - 1].notes;
            assert_eq!(noted.is_empty(), weights == Weights::One);
            assert!(noted.iter().all(|(_, mean)| (mean - 0.5).abs() < 0.1), "{noted:?}");
        }
    }
}

#[test]
fn without_weights_and_stage_loss_there_is_no_stage_and_into_towers_it_learns_from_the_tasks() {
    let world = planted(2_000);
    let plain = Config { weights: Weights::One, stage_loss: 0.0, ..small() };
    let model = world.run(&plain, 1, None).unwrap();
    assert!(model.params().id("stage/click/mask").is_none() && model.epochs[0].losses.len() == 2);
    let features = world.split.test.questions().features;
    assert!(model.preferences(features).unwrap_err().to_string().contains("no stages"));
    assert_eq!(model.predict(features).unwrap()[1].len(), features.rows);
    let model = world.run(&Config { into_towers: true, ..plain }, 1, None).unwrap();
    let id = model.params().id("stage/click/mask").unwrap();
    assert_ne!(model.rows.initial.value(id), model.params().value(id));
}

#[test]
fn losses_are_what_their_definition_says_and_no_gradient_goes_through_a_weight() {
    let world = planted(500);
    let (users, times) = world.of_train();
    let input = Input { train: &world.split.train, users: &users, times: &times, validation: None };
    let config = Config { weights: Weights::Mean, dropout: 0.0, ..small() };
    let (_, rows) = prepare(&input, &config, 1).unwrap();
    let batch: Vec<u32> = (100..160).collect();
    let scales: Vec<f64> = rows.terms(&batch).unwrap().iter().map(|terms| terms.scale).collect();
    let mut tape = Tape::new();
    let mut mode = Mode::train(stream(1, "dropout", &[]));
    let recorded = rows.record(&mut tape, &rows.initial, &batch, &[None; 4], &scales, &mut mode);
    let all = outputs(&rows.net, &rows.initial, &rows.tables, users.len());
    let at = |row: u32, column: usize| f64::from(all[row as usize * 4 + column]);
    for k in 0..2 {
        let (mut task, mut stage) = (0.0, 0.0);
        for &row in &batch {
            let (count, label) = (rows.past.count[k][row as usize], rows.past.mean[k][row as usize]);
            let (logit, preference) = (at(row, k), at(row, 2 + k));
            let count = f64::from(count);
            let gamma = (1.0 + preference * count) / (2.0 + count);
            let y = f64::from(rows.targets[k].0[row as usize]);
            task += gamma * LossKind::Logistic.value(logit, y);
            stage += (f64::from(label) - preference).powi(2);
        }
        assert!((tape.scalar(recorded.losses[k]) - task / 60.0).abs() < 1e-5);
        assert!((tape.scalar(recorded.losses[2 + k]) - stage / 60.0).abs() < 1e-5);
    }
    let mut grads = kohort_core::Grads::new(&rows.initial);
    tape.backward(&rows.initial, &[(recorded.losses[0], 1.0)], &mut grads);
    let id = rows.initial.id("stage/click/preference/w").unwrap();
    assert!(grads.to_dense(id, &rows.initial).iter().all(|&d| d == 0.0));
}

#[test]
fn thread_counts_and_interruptions_change_no_bit() {
    let world = planted(1_500);
    let config = Config { train: TrainConfig { epochs: 4, ..small().train }, into_towers: true, ..small() };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| world.run(&config, 1, None).unwrap().params().fingerprint())
    };
    let one = with(1);
    assert_eq!([one, one], [with(2), with(5)]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stan.ckpt");
    for pause_after in [Some(2), None] {
        let model = world.run(&config, 1, Some(Checkpoint { path: &path, pause_after })).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), one);
        }
    }
    let point = Checkpoint { path: &path, pause_after: None };
    let other = Config { weights: Weights::Mean, ..config.clone() };
    let error = world.run(&other, 1, Some(point)).err().unwrap();
    assert!(matches!(error, ModelError::Resume { .. }), "{error}");
    let (users, times) = world.of_train();
    let alone = Input { train: &world.split.train, users: &users, times: &times, validation: None };
    let error = fit_with(alone, &config, 1, Some(point), &mut |_| {}).err().unwrap();
    assert!(matches!(error, ModelError::Resume { .. }), "other validation rows: {error}");
}

#[test]
fn rows_are_predicted_alike_alone_and_in_any_order() {
    let world = planted(800);
    let model =
        world.run(&Config { train: TrainConfig { epochs: 2, ..small().train }, ..small() }, 1, None).unwrap();
    let features = world.split.test.questions().features;
    let all = model.predict(features).unwrap();
    let back: Vec<u32> = (0..features.rows as u32).rev().collect();
    let turned = model.predict(&features.select(&back)).unwrap();
    for k in 0..2 {
        for (&row, other) in back.iter().zip(&turned[k]) {
            assert!((all[k][row as usize] - other).abs() < 1e-5);
        }
    }
    assert_eq!(model.predict(&features.select(&[])).unwrap(), vec![Vec::<f32>::new(); 2]);
}

#[test]
fn the_shipped_config_is_the_default_and_what_is_wrong_is_named() {
    let shipped = Config::from_toml(include_str!("../../configs/stan.toml")).unwrap();
    assert_eq!(shipped, Config::default());
    let message = |text: &str| Config::from_toml(text).unwrap_err().to_string();
    assert!(message("stages = 4").contains("unknown field `stages`"));
    assert!(message("weights = \"gamma\"").contains("unknown variant `gamma`"));
    assert_eq!(message("stage_loss = -1.0"), "stage_loss = -1, allowed is a finite number of at least 0");
    assert_eq!(message("width = 0"), "width = 0, allowed is a whole number from 1 to 4096");
    assert_eq!(message("user = []"), "user = [], allowed is columns that describe the user");
    let world = planted(100);
    let message = |config: &Config| world.run(config, 1, None).err().unwrap().to_string();
    let user = Config { user: vec!["viewer".to_owned()], ..small() };
    assert_eq!(message(&user), "config: user: there is no column \"viewer\"");
    let tasks = Config { tasks: vec!["rent".to_owned()], ..small() };
    assert!(message(&tasks).contains("no target \"rent\", allowed are click, buy"));
    let none = Config { experts: kohort_layers::experts::PleConfig { own: 0, ..small().experts }, ..small() };
    assert_eq!(message(&none), "own is 0; allowed: 1 or more");
    let (users, times) = world.of_train();
    let input = Input { train: &world.split.train, users: &users[1..], times: &times, validation: None };
    let error = fit(input, &small(), 1, &mut |_| {}).err().unwrap().to_string();
    assert_eq!(error, "users of rows: 59, expected 60");
}
