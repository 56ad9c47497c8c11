use super::history::Bagged;
use super::system::Rows;
use super::*;
use crate::baselines::{predict, registry};
use crate::context::ContextConfig;
use crate::trainer::{Checkpoint, System, TrainConfig};
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

/// Scoring sums a history once and takes the pair's own entry out; the tape pools it bag by bag. One function, two roads.
#[test]
fn histories_pooled_for_scoring_equal_those_on_the_tape() {
    let world = world();
    let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
    let rows = world.split.train.rows();
    let (user, item) = (&rows.user[..100], &rows.item[..100]);
    let queries = Queries { user, item, time: &rows.time[..100] };
    let described = model.batch_of(queries);
    let scored = model.run(&model.params, queries, &described, |tape, out| tape.value(out.rating).to_vec());
    let lists = model.histories.as_ref().unwrap();
    let (mut rated, mut raters) = (Bagged::new(), Bagged::new());
    for (&u, &i) in user.iter().zip(item) {
        lists.of_user.add_bag(u, i, &mut rated);
        lists.of_item.add_bag(i, u, &mut raters);
    }
    let history = Some((History::Bags(rated), History::Bags(raters)));
    let batch = Batch { user, item, context: &described.context, members: None, history, known: None };
    let mut tape = kohort_core::Tape::new();
    let tables = (&model.users, &model.items);
    let out = model.net.forward(&mut tape, &model.params, &batch, tables, &mut Mode::score());
    for (a, b) in scored.iter().zip(tape.value(out.rating)) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}

/// Not through biases either: those of its fold were fitted without it. (The context's numbers have their own test; their
/// mean and deviation over all rows know every rating, as `μ` does.)
#[test]
fn no_embedding_of_a_training_row_depends_on_its_own_rating() {
    let world = world();
    let changed = 17u32;
    let inputs = |train: &Train| {
        let rows = Rows::prepare(&Input { train, ..world.input() }, &small(), 1).unwrap();
        let mut tape = kohort_core::Tape::new();
        let terms = rows.terms(&[changed]).unwrap();
        let scales: Vec<f64> = terms.iter().map(|t| t.scale).collect();
        let params = rows.initial(1);
        let recorded =
            rows.record(&mut tape, &params, &[changed], &[None, None], &scales, &mut Mode::score());
        recorded.shared.0[1..].iter().flat_map(|&v| tape.value(v).to_vec()).collect::<Vec<f32>>()
    };
    let before = inputs(&world.split.train);
    let mut rows = world.split.train.rows().clone();
    rows.rating[changed as usize] = if rows.rating[changed as usize] > 3.0 { 1.0 } else { 5.0 };
    assert_eq!(before, inputs(&Train::new(rows).unwrap()));
}

#[test]
fn sweeps_to_the_shared_representation_and_on_equal_one_sweep() {
    use kohort_core::{Adjoint, Grads, Tape};
    let world = world();
    for dot in [true, false] {
        let rows = Rows::prepare(&world.input(), &Config { dot, ..small() }, 1).unwrap();
        let params = rows.initial(1);
        let batch: Vec<u32> = (0..40).collect();
        let mut tape = Tape::new();
        let recorded =
            rows.record(&mut tape, &params, &batch, &[None, None], &[0.025, 0.025], &mut Mode::score());
        let seeds = [(recorded.losses[0], 1.0), (recorded.losses[1], 0.5)];
        let (mut whole, mut parts, mut at) = (Grads::new(&params), Grads::new(&params), Adjoint::default());
        tape.backward(&params, &seeds, &mut whole);
        tape.backward_to(&params, &seeds, &recorded.shared, &mut at, &mut parts);
        tape.backward_from(&params, &recorded.shared, &at, &mut parts);
        for id in params.ids() {
            for (a, b) in whole.to_dense(id, &params).iter().zip(parts.to_dense(id, &params)) {
                assert!((a - b).abs() < 1e-5, "{}: {a} and {b}", params.slot(id).name);
            }
        }
    }
}

#[test]
fn a_newcomer_is_nobody_in_particular() {
    let world = world();
    let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
    let users = world.dataset.users.len() as u32;
    let score = |user: u32| model.score(Queries { user: &[user], item: &[3], time: &[0] })[0];
    assert_eq!(score(users), score(u32::MAX), "all newcomers are alike");
    assert_ne!(score(users), score(users - 1), "and not the last user known");
}

/// There the input of the head is the group itself.
#[test]
fn attention_over_members_names_no_groups() {
    let world = world();
    let names = |config: Config| fit(world.input(), &config, 1, &mut |_| {}).unwrap().names_groups();
    assert!(names(small()));
    assert!(!names(Config { attention: Attention::Members, ..small() }));
    assert!(!names(Config { tasks: Tasks::Rating, ..small() }));
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
    assert_eq!(message, "head = 1000000000000, allowed is a whole number from 0 to 4096");
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
