//! What every system of this crate keeps.

use kohort_core::{Grads, Tape};

use super::*;
use crate::trainer::System;

/// Losses and gradients of some rows, recorded on one tape.
fn of_rows(system: &Rows<'_>, batch: &[u32]) -> (Vec<f64>, Vec<f32>) {
    let params = system.initial(1);
    let terms = system.terms(batch).unwrap();
    let weights: Vec<_> = terms.iter().map(|t| t.weight.as_deref()).collect();
    let scales: Vec<f64> = terms.iter().map(|t| t.scale).collect();
    let mut tape = Tape::new();
    let recorded = system.record(&mut tape, &params, batch, &weights, &scales, &mut Mode::score());
    let seeds: Vec<_> = recorded.losses.iter().map(|&loss| (loss, 1.0)).collect();
    let mut grads = Grads::new(&params);
    tape.backward(&params, &seeds, &mut grads);
    let losses = recorded.losses.iter().map(|&loss| tape.scalar(loss)).collect();
    (losses, params.ids().flat_map(|id| grads.to_dense(id, &params)).collect())
}

#[test]
fn every_kind_of_labels_loss_denominator_and_block_trains_and_its_loss_falls() {
    let world = world();
    let clicks = world.clicks();
    let mut configs = vec![
        small(),
        Config { denominator: Denominator::Mask, ..small() },
        Config { blocks: Blocks { own_layers: 1, ..small().blocks }, ..small() },
        Config { blocks: Blocks { residual: false, own_layers: 2, ..Blocks::default() }, ..small() },
        Config { blocks: Blocks::default(), start: Start::FanIn, dropout: 0.1, ..small() },
        Config { logit: Logit { learn_scale: false, learn_bias: false, ..Logit::default() }, ..small() },
        sampled(),
        Config { denominator: Denominator::Mask, ..sampled() },
    ];
    for negatives in [0, 2] {
        for log_q in [false, true] {
            let labels = Labels::Sampled { negatives };
            configs.push(Config { labels, loss: Loss::Softmax { log_q }, ..small() });
        }
    }
    for config in configs {
        let sampled = config.negatives() > 0 || config.loss != Loss::Logistic;
        let train = if sampled { &clicks } else { &world.split.train };
        for groups in [None, Some(world.groups())] {
            for users in [UserInput::Given(&world.users), UserInput::Folded(&world.factors)] {
                let input = Input { train, groups, users, ..world.input() };
                let model = fit(input, &config, 1, &mut |_| {}).unwrap();
                let loss = |n: usize| model.epochs[n].losses.iter().map(|(_, loss)| loss).sum::<f64>();
                assert!(loss(3) < loss(0), "{config:?}: {} to {}", loss(0), loss(3));
                assert!(model.score(world.split.test.queries()).iter().all(|score| score.is_finite()));
            }
        }
    }
}

#[test]
fn the_first_step_with_blocks_is_the_baselines() {
    let world = world();
    let clicks = world.clicks();
    for (train, config) in [(&world.split.train, small()), (&clicks, sampled())] {
        for blocks in [
            config.blocks.clone(),
            Blocks { own_layers: 1, ..config.blocks.clone() },
            Blocks { residual: false, own_layers: 2, ..config.blocks.clone() },
        ] {
            let start = if blocks.own_layers == 1 { Start::FanIn } else { Start::He };
            let config = Config { blocks, start, ..config.clone() };
            let batch: Vec<u32> = (100..160).collect();
            let loss = |groups| {
                let input = Input { train, groups, ..world.input() };
                let rows = Rows::prepare(input, &config, 1).unwrap();
                of_rows(&rows, &batch).0.iter().sum::<f64>()
            };
            let (multi, baseline) = (loss(Some(world.groups())), loss(None));
            assert!((multi - baseline).abs() < 1e-6, "{:?}: {multi} and {baseline}", config.blocks);
        }
    }
}

#[test]
fn thread_counts_and_interruptions_change_no_bit() {
    let world = world();
    let clicks = world.clicks();
    let config = Config { dropout: 0.1, ..sampled() };
    let input = Input { train: &clicks, users: UserInput::Folded(&world.factors), ..world.input() };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let model = fit(input, &config, 1, &mut |_| {}).unwrap();
            let mut lists = vec![0.0; 3 * model.items()];
            model.lists(&[0, 7, 200], &mut lists);
            (model.params().fingerprint(), model.score(world.split.test.queries()), lists)
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("towers.ckpt");
    for pause_after in [Some(1), Some(3), None] {
        let point = Checkpoint { path: &path, pause_after };
        let model = fit_with(input, &config, 1, Some(point), &mut |_| {}).unwrap();
        if pause_after.is_none() {
            assert_eq!(model.params().fingerprint(), one.0);
        }
    }
}

#[test]
fn the_order_of_a_batchs_rows_does_not_matter() {
    let world = world();
    let config = small();
    let rows = Rows::prepare(world.input(), &config, 1).unwrap();
    let batch: Vec<u32> = (0..200).collect();
    let mut turned = batch.clone();
    turned.reverse();
    turned.swap(3, 90);
    let (one, other) = (of_rows(&rows, &batch), of_rows(&rows, &turned));
    for (a, b) in one.0.iter().zip(&other.0) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
    for (a, b) in one.1.iter().zip(&other.1) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}

#[test]
fn a_batch_of_one_and_shards_of_one_train() {
    let world = world();
    let clicks = world.clicks();
    let few: Vec<u32> = (0..40).collect();
    let train = Train::new(clicks.rows().select(&few)).unwrap();
    let tiny = TrainConfig { epochs: 1, batch: 1, shard_rows: 1, ..small().train };
    let mut groups = world.groups();
    let one = vec![0; groups.of_user.len()];
    groups = Groups { of_user: &one, count: groups.count.min(1) };
    for loss in [Loss::Logistic, Loss::Softmax { log_q: true }] {
        let input = Input { train: &train, known: Some(&clicks), groups: Some(groups), ..world.input() };
        let config = Config { loss, train: tiny, ..sampled() };
        let model = fit(input, &config, 1, &mut |_| {}).unwrap();
        assert!(model.score(world.split.test.queries()).iter().all(|score| score.is_finite()));
    }
}

#[test]
fn rows_of_weight_zero_have_no_influence() {
    let world = world();
    let weights: Vec<f32> = (0..world.split.train.rows().len()).map(|r| (r % 3) as f32).collect();
    let run = |train: &Train| {
        let input = Input { train, weights: Some(&weights), ..world.input() };
        fit(input, &small(), 1, &mut |_| {}).unwrap().params().fingerprint()
    };
    let mut other = world.split.train.rows().clone();
    for row in (0..other.len()).step_by(3) {
        other.rating[row] = 1.0 - other.rating[row];
        other.item[row] = (other.item[row] + 1) % other.items as u32;
    }
    assert_eq!(run(&world.split.train), run(&Train::new(other).unwrap()));
}

#[test]
fn importance_weights_of_an_upsampled_set_are_taken() {
    let world = world();
    let upsampling = kohort_data::upsample::Upsampling::default();
    let clicks = world.clicks();
    let sample = upsampling.draw(&clicks, &world.markets, 1).unwrap();
    let weights = sample.importance();
    let input = Input {
        train: &sample.train,
        known: Some(&clicks),
        users: UserInput::Folded(&world.factors),
        weights: Some(&weights),
        ..world.input()
    };
    let model = fit(input, &sampled(), 1, &mut |_| {}).unwrap();
    let plain = fit(Input { weights: None, ..input }, &sampled(), 1, &mut |_| {}).unwrap();
    assert_ne!(model.params().fingerprint(), plain.params().fingerprint());
}

#[test]
fn a_pairs_score_does_not_depend_on_the_other_queries_and_lists_hold_the_same_scores() {
    let world = world();
    let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
    let queries = world.split.test.queries();
    let all = model.score(queries);
    let mut lists = vec![0.0; queries.user.len() * model.items()];
    model.lists(queries.user, &mut lists);
    for n in [0, 7, all.len() - 1] {
        let one = Queries { user: &queries.user[n..=n], item: &queries.item[n..=n], time: &[] };
        assert_eq!(model.score(one)[0], all[n]);
        let listed = lists[n * model.items() + queries.item[n] as usize];
        assert!((listed - all[n]).abs() < 1e-4, "{listed} and {}", all[n]);
    }
    let newcomers = Queries { user: &[u32::MAX, 0, 300], item: &[0, u32::MAX, 149], time: &[] };
    let scores = model.score(newcomers);
    assert!(scores.iter().all(|&score| score == scores[0]), "the bias alone: {scores:?}");
    let mut list = vec![0.0; model.items()];
    model.lists(&[u32::MAX], &mut list);
    assert!(list.iter().all(|&score| score == scores[0]));
}

#[test]
fn exported_weights_score_as_the_model_did() {
    let world = world();
    let model = fit(world.input(), &small(), 1, &mut |_| {}).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("towers.safetensors");
    model.export(&path, "{}").unwrap();
    let again = load(world.input(), &small(), &path).unwrap();
    assert_eq!(again.score(world.split.test.queries()), model.score(world.split.test.queries()));
    let other = Config { title: vec![9, 8], ..small() };
    assert!(load(world.input(), &other, &path).is_err(), "another shape is refused");
}

#[test]
fn early_stopping_keeps_the_epoch_that_is_best_on_the_validation_candidates() {
    let world = world();
    let rows = world.split.test.answers();
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|&row| (rows.user[row as usize], rows.rating[row as usize] == 0.0));
    let column = |of: &[u32]| order.iter().map(|&row| of[row as usize]).collect::<Vec<u32>>();
    let candidates = RankingCandidates {
        user: column(&rows.user),
        item: column(&rows.item),
        positive: order.iter().map(|&row| rows.rating[row as usize] == 1.0).collect(),
        count: 1000,
        seed: 0,
        short: 0,
    };
    for (stop, folded) in [(Stop::PrAuc, false), (Stop::Ndcg, true)] {
        let users = if folded { UserInput::Folded(&world.factors) } else { UserInput::Given(&world.users) };
        let input = Input { validation: Some(&candidates), users, ..world.input() };
        let train = TrainConfig { epochs: 12, patience: 3, ..small().train };
        let config = Config { stop, train, ..small() };
        let model = fit(input, &config, 1, &mut |_| {}).unwrap();
        let values: Vec<f64> = model.epochs.iter().map(|epoch| epoch.validation.unwrap()).collect();
        let best = values.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(values[model.best - 1], best);
        assert!((-1.0..0.0).contains(&best), "{best}");
        let rows = Rows::prepare(input, &config, 1).unwrap();
        let scores = rows.score(model.params(), &candidates);
        assert_eq!(-stop::value(stop, &candidates, &world.markets, &scores).unwrap(), best);
        assert_eq!(
            scores,
            model.score(Queries { user: &candidates.user, item: &candidates.item, time: &[] })
        );
    }
}

/// A balancer works on groups: the norms it sees are of the shared representations.
#[test]
fn sweeps_to_the_shared_representation_and_on_equal_one_sweep() {
    use kohort_core::Adjoint;
    let world = world();
    for own_layers in [0, 1, 2] {
        let config = Config { blocks: Blocks { own_layers, ..small().blocks }, ..small() };
        let rows = Rows::prepare(world.input(), &config, 1).unwrap();
        let params = rows.initial(1);
        let batch: Vec<u32> = (0..60).collect();
        let terms = rows.terms(&batch).unwrap();
        let weights: Vec<_> = terms.iter().map(|t| t.weight.as_deref()).collect();
        let scales: Vec<f64> = terms.iter().map(|t| t.scale).collect();
        let mut tape = Tape::new();
        let recorded = rows.record(&mut tape, &params, &batch, &weights, &scales, &mut Mode::score());
        let seeds: Vec<_> = recorded.losses.iter().zip([1.0, 0.5, 2.0, 0.25]).map(|(&l, s)| (l, s)).collect();
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
