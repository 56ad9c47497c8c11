use super::*;
use crate::baselines::{predict, registry};
use crate::context::ContextConfig;
use crate::trainer::{Checkpoint, TrainConfig};
use kohort_data::{Split, Way, synthetic::Recipe};

struct World {
    dataset: Dataset,
    split: Split,
    groups: Vec<u32>,
    count: usize,
}

/// Planted cohorts: their number and everybody's are known.
fn world() -> World {
    let (dataset, truth) = Recipe::small().generate(5).unwrap();
    let split = Way::RandomRows { share: 0.2 }.split(&dataset.interactions, 1).unwrap();
    World { split, groups: truth.cohort.clone(), count: truth.cohorts, dataset }
}

impl World {
    fn input(&self) -> Input<'_> {
        Input {
            dataset: &self.dataset,
            train: &self.split.train,
            validation: None,
            groups: &self.groups,
            group_count: self.count,
            labelled: None,
        }
    }
}

fn small() -> Config {
    Config {
        embedding: 8,
        shared: 16,
        context: Some(ContextConfig {
            item_kernels: vec![vec!["genre".into()]],
            folds: 4,
            ..Default::default()
        }),
        history: true,
        dot: true,
        id_dropout: 0.1,
        train: TrainConfig {
            epochs: 6,
            batch: 128,
            shard_rows: 32,
            learning_rate: 0.005,
            ..Default::default()
        },
        ..Config::default()
    }
}

fn rmse(model: &dyn Scorer, world: &World) -> f64 {
    let predicted = predict(model, world.split.test.queries(), world.dataset.scale).unwrap();
    kohort_eval::rating::rmse(&predicted, &world.split.test.answers().rating).unwrap()
}

#[test]
fn on_planted_cohorts_it_beats_user_and_item_biases() {
    let world = world();
    let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
    let bias = registry().into_iter().find(|e| e.name == "bias").unwrap();
    let bias = (bias.fit)(&world.split.train, 1).unwrap();
    let (ours, theirs) = (rmse(&model, &world), rmse(bias.as_ref(), &world));
    assert!(ours < 0.97 * theirs, "{ours} against {theirs}");
}

#[test]
fn every_attention_task_and_lambda_trains_and_its_losses_fall() {
    let world = world();
    let mut configs = Vec::new();
    for attention in [Attention::Item, Attention::Members, Attention::Uniform, Attention::None] {
        configs.push(Config { attention, ..small() });
    }
    for tasks in [Tasks::Rating, Tasks::Profiling] {
        configs.push(Config { tasks, ..small() });
    }
    configs.push(Config { lambda: Lambda::Learned(0.01), head: 8, ..small() });
    configs.push(Config { context: None, history: false, ..small() });
    for config in configs {
        let model = fit(world.input(), &config, 1, &mut |_| {}).unwrap();
        let watched = usize::from(config.tasks == Tasks::Profiling);
        let loss = |n: usize| model.epochs[n].losses[watched].1;
        assert!(loss(5) < loss(0), "{config:?}: {} to {}", loss(0), loss(5));
        assert_eq!(model.rates(), config.tasks != Tasks::Profiling);
        let probabilities = model.profile(world.split.test.queries());
        for row in probabilities.chunks_exact(world.count) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        }
        let attends = !model.epochs[0].notes.is_empty();
        assert_eq!(attends, matches!(config.attention, Attention::Item | Attention::Members));
    }
}

/// The head must find groups of users whose labels it never saw.
#[test]
fn unlabelled_users_are_profiled_better_than_by_the_largest_group() {
    let world = world();
    let labelled: Vec<bool> = (0..world.groups.len()).map(|u| u % 4 != 0).collect();
    let input = Input { labelled: Some(&labelled), ..world.input() };
    let model = fit(input, &Config { id_dropout: 0.5, ..small() }, 1, &mut |_| {}).unwrap();
    let hidden: Vec<u32> = (0..world.groups.len() as u32).filter(|&u| !labelled[u as usize]).collect();
    let (item, time) = (vec![0; hidden.len()], vec![0; hidden.len()]);
    let probabilities = model.profile(Queries { user: &hidden, item: &item, time: &time });
    let best = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as u32;
    let right = probabilities
        .chunks_exact(world.count)
        .zip(&hidden)
        .filter(|(row, u)| best(row) == world.groups[**u as usize])
        .count();
    let largest = (0..world.count as u32)
        .map(|g| hidden.iter().filter(|&&u| world.groups[u as usize] == g).count())
        .max()
        .unwrap();
    assert!(right > largest + largest / 5, "{right} of {}, the largest group has {largest}", hidden.len());
}

#[test]
fn hidden_labels_have_no_influence() {
    let world = world();
    let labelled: Vec<bool> = (0..world.groups.len()).map(|u| u % 4 != 0).collect();
    let fit_with_groups = |groups: &[u32]| {
        let input = Input { labelled: Some(&labelled), groups, ..world.input() };
        fit(input, &small(), 1, &mut |_| {}).unwrap().params().fingerprint()
    };
    let mut scrambled = world.groups.clone();
    for (group, _) in scrambled.iter_mut().zip(&labelled).filter(|(_, known)| !**known) {
        *group = (*group + 1) % world.count as u32;
    }
    assert_eq!(fit_with_groups(&world.groups), fit_with_groups(&scrambled));
}

#[test]
fn thread_counts_and_interruptions_change_no_bit() {
    let world = world();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
            (model.params().fingerprint(), model.score(world.split.test.queries()))
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dmtl.ckpt");
    for pause_after in [Some(2), None] {
        let point = Checkpoint { path: &path, pause_after };
        let model = fit_with(world.input(), &small(), 1, Some(point), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), one.0);
        }
    }
}

#[test]
fn the_score_of_a_pair_does_not_depend_on_the_other_queries() {
    let world = world();
    let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
    let queries = world.split.test.queries();
    let all = model.score(queries);
    for n in [0, 7, all.len() - 1] {
        let one =
            Queries { user: &queries.user[n..=n], item: &queries.item[n..=n], time: &queries.time[n..=n] };
        assert!((model.score(one)[0] - all[n]).abs() < 1e-5);
    }
    let newcomer = Queries { user: &[u32::MAX], item: &[u32::MAX], time: &[0] };
    assert!(model.score(newcomer)[0].is_finite());
}

/// Scoring sums a history once and takes the pair's own entry out; training pools it on the tape. One function, two roads.
#[test]
fn histories_pooled_for_scoring_equal_those_on_the_tape() {
    let world = world();
    let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
    let rows = world.split.train.rows();
    let (user, item) = (&rows.user[..100], &rows.item[..100]);
    let queries = Queries { user, item, time: &rows.time[..100] };
    let described = model.batch_of(queries);
    let scored = model.run(&model.params, queries, &described, |tape, out| tape.value(out.rating).to_vec());
    let batch = model.batch(user, item, &described.context);
    let mut tape = kohort_core::Tape::new();
    let tables = (&model.users, &model.items);
    let out = model.net.forward(&mut tape, &model.params, &batch, tables, &mut Mode::score());
    for (a, b) in scored.iter().zip(tape.value(out.rating)) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}

#[test]
fn the_shipped_configs_are_valid_and_an_unknown_key_is_named() {
    for name in ["ml-100k", "itm-rec", "anything else"] {
        Config::for_dataset(name).check().unwrap();
    }
    Config::paper().check().unwrap();
    let message = Config::from_toml("embedding = 8\nlamda = 3").unwrap_err().to_string();
    assert!(message.contains("unknown field `lamda`") && message.contains("line 2"), "{message}");
    let message = Config::from_toml("dropout = 1.5").unwrap_err().to_string();
    assert_eq!(message, "dropout = 1.5, allowed is a number in [0, 1)");
    let message = Config::from_toml("head = 1000000000000").unwrap_err().to_string();
    assert_eq!(message, "head = 1000000000000, allowed is a whole number from 0 to 65536");
    let message = Config::from_toml("[context]\nfolds = 0").unwrap_err().to_string();
    assert_eq!(message, "context.folds = 0, allowed is a whole number from 2 to 1000");
}

#[test]
fn a_checkpoint_of_another_seed_or_model_config_is_refused() {
    let world = world();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dmtl.ckpt");
    let run = |config: &Config, seed| {
        let point = Checkpoint { path: &path, pause_after: Some(1) };
        fit_with(world.input(), config, seed, Some(point), &mut |_| {}).err().map(|e| e.to_string())
    };
    assert_eq!(run(&small(), 1), None);
    assert_eq!(run(&small(), 1), None, "the same run goes on");
    for (config, seed) in [(small(), 2), (Config { lambda: Lambda::Fixed(3.0), ..small() }, 1)] {
        let message = run(&config, seed).expect("refused");
        assert!(message.ends_with("it was saved under another seed, model config or data"), "{message}");
    }
}

#[test]
fn data_that_do_not_fit_are_named() {
    let world = world();
    let wrong = Input { groups: &world.groups[1..], ..world.input() };
    assert!(fit(wrong, &small(), 1, &mut |_| {}).err().unwrap().to_string().starts_with("config: groups: "));
    let wrong = Input { group_count: 1, ..world.input() };
    assert!(fit(wrong, &small(), 1, &mut |_| {}).err().unwrap().to_string().contains("of 1"));
}
