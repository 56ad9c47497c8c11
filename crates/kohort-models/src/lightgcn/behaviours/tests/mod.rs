//! Gradients, the cases that are LightGCN, a planted signal that only the second behaviour carries, bits, and what is refused.

use std::sync::Arc;

use kohort_core::sparse::Symmetric;
use kohort_core::{GradCheck, Init, Params};
use kohort_data::{Interactions, Train, Way};
use kohort_eval::ranking::{CandidateLists, Catalogue, Exclusions, RankingMetric};
use kohort_random::{rand::Rng, stream};

use super::*;
use crate::lightgcn::{self, protocol};
use crate::trainer::TrainConfig;

fn small() -> Config {
    let train =
        TrainConfig { epochs: 4, batch: 256, shard_rows: 256, learning_rate: 0.01, ..TrainConfig::default() };
    Config { width: 8, hops: vec![2], train, ..Config::default() }
}

fn rows(users: usize, items: usize, pairs: &[(u32, u32)]) -> Interactions {
    Interactions {
        user: pairs.iter().map(|p| p.0).collect(),
        item: pairs.iter().map(|p| p.1).collect(),
        rating: vec![1.0; pairs.len()],
        time: vec![0; pairs.len()],
        users,
        items,
    }
}

/// The pairs of a part as a behaviour.
fn same_as(train: &Train, name: &str) -> Behaviour {
    let rows = train.rows();
    Behaviour {
        name: name.to_owned(),
        edges: Edges::Items { user: rows.user.clone(), item: rows.item.clone() },
    }
}

const KINDS: u32 = 6;

/// Users of six kinds take items of any kind but a few; their ties are within their kind. `(pairs, ties, kind-faithful share)`.
fn planted(own_share: f64, seed: u64) -> (Interactions, Behaviour) {
    let (users, items, taken) = (240u32, 300u32, 6);
    let mut numbers = stream(seed, "planted behaviours", &[]);
    let (mut pairs, mut ties) = (Vec::new(), Vec::new());
    for user in 0..users {
        for _ in 0..taken {
            let own = numbers.random_bool(own_share);
            let kind = if own { user % KINDS } else { numbers.random_range(0..KINDS) };
            pairs.push((user, numbers.random_range(0..items / KINDS) * KINDS + kind));
        }
        for _ in 0..6 {
            let friend = numbers.random_range(0..users / KINDS) * KINDS + user % KINDS;
            if friend != user {
                ties.push((user, friend));
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    let friends = Behaviour { name: "friends".to_owned(), edges: Edges::Users { ties } };
    (rows(users as usize, items as usize, &pairs), friends)
}

/// Recall@20 of the held-out rows of LightGCN and of the same with a second behaviour.
fn recalls(rows: &Interactions, second: impl Fn(&Train) -> Behaviour, seed: u64) -> (f64, f64) {
    let split = Way::PerUser { share: 0.3 }.split(rows, seed).unwrap();
    let (train, test) = (split.train.rows(), split.test.answers());
    let held = CandidateLists::held_out(&test.user, &test.item, &vec![1.0; test.len()]).unwrap();
    let known = Exclusions::new(&train.user, &train.item).unwrap();
    let catalogue = Catalogue::new(&held, &known, rows.items as u32).unwrap();
    let config = Config { train: TrainConfig { epochs: 20, ..small().train }, ..small() };
    let input = lightgcn::Input { train: &split.train, validation: None };
    let plain = lightgcn::fit(input, &config.plain(), seed, &mut |_| {}).unwrap();
    let both = [second(&split.train)];
    let input = Input { train: &split.train, validation: None, behaviours: &both };
    let many = fit(input, &config, seed, &mut |_| {}).unwrap();
    let recall = |lists: &dyn Fn(&[u32], &mut [f32])| {
        let ranked = catalogue.evaluate_blocks(&protocol(), 64, lists).unwrap();
        ranked.mean(RankingMetric::Recall).unwrap()
    };
    (recall(&|users, scores| plain.lists(users, scores)), recall(&|users, scores| many.lists(users, scores)))
}

#[test]
fn gradients_of_views_and_attention_agree_with_finite_differences() {
    let mut numbers = stream(3, "check", &[]);
    let mut params = Params::<f64>::new();
    let e = params.add("nodes/embedding", 5, 3, Init::Normal(0.7).draw(5, 3, &mut numbers));
    let attention = attention::Attention::new(&mut params, 3, &mut numbers);
    let graphs = [
        Arc::new(Symmetric::<f64>::bipartite((2, 3), &[0, 0, 1], &[0, 1, 1]).unwrap()),
        Arc::new(Symmetric::<f64>::bipartite((2, 3), &[0, 1], &[2, 2]).unwrap()),
    ];
    let nodes = [0, 1, 3, 4];
    let worst = GradCheck::default()
        .run(&params, |tape, params| {
            let mut views = Vec::new();
            for graph in &graphs {
                for layers in [1, 3] {
                    views.push(tape.propagate(params, e, graph, layers, &nodes));
                }
            }
            let mut reached = Vec::new();
            for &node in &nodes {
                for graph in &graphs {
                    let own = graph.matrix().row(node as usize).next().is_some();
                    reached.extend([own, own]);
                }
            }
            let (gate, x) = attention.fuse(tape, params, &views, &reached);
            // Node 3 is joined in the first behaviour alone, node 4 in the second.
            let gate = tape.value(gate);
            assert!(gate[2 * 4 + 2..2 * 4 + 4].iter().all(|&weight| weight == 0.0));
            assert!(gate[3 * 4..3 * 4 + 2].iter().all(|&weight| weight == 0.0));
            x
        })
        .unwrap();
    assert!(worst < 1e-6, "{worst}");
}

#[test]
fn one_behaviour_is_lightgcn_to_the_bit() {
    let (data, _) = planted(0.8, 1);
    let split = Way::PerUser { share: 0.2 }.split(&data, 1).unwrap();
    let config = small();
    let input = lightgcn::Input { train: &split.train, validation: None };
    let plain = lightgcn::fit(input, &config.plain(), 5, &mut |_| {}).unwrap();
    let input = Input { train: &split.train, validation: None, behaviours: &[] };
    let one = fit(input, &config, 5, &mut |_| {}).unwrap();
    assert_eq!(plain.params().fingerprint(), one.params().fingerprint());
    assert_eq!(plain.representations(), one.representations());
    let all = ViewWeight { behaviour: TARGET.to_owned(), hops: 2, weight: 1.0 };
    assert_eq!(one.attention(), [all]);
}

#[test]
fn a_behaviour_with_the_same_edges_and_no_loss_changes_nothing() {
    let (data, _) = planted(0.8, 1);
    let split = Way::PerUser { share: 0.2 }.split(&data, 1).unwrap();
    // Adam divides by the size of a gradient, and would make much of its rounding; a descent does not.
    let train = TrainConfig { rule: kohort_core::optim::Rule::Sgd(Default::default()), ..small().train };
    let config = Config { auxiliary: 0.0, train, ..small() };
    let input = lightgcn::Input { train: &split.train, validation: None };
    let plain = lightgcn::fit(input, &config.plain(), 5, &mut |_| {}).unwrap();
    let again = [same_as(&split.train, "again")];
    let input = Input { train: &split.train, validation: None, behaviours: &again };
    let many = fit(input, &config, 5, &mut |_| {}).unwrap();
    let (a, b) = (plain.representations(), many.representations());
    for (a, b) in a.users.iter().chain(&a.items).zip(b.users.iter().chain(&b.items)) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    // Views are equal, so the attention has no reason to prefer one.
    many.attention().iter().for_each(|view| assert!((view.weight - 0.5).abs() < 1e-6, "{view:?}"));
}

#[test]
fn a_behaviour_with_the_same_edges_loses_nothing() {
    for seed in [1, 2, 3] {
        let (data, _) = planted(0.8, seed);
        let (plain, many) = recalls(&data, |train| same_as(train, "again"), seed);
        assert!(many > plain - 0.02, "seed {seed}: {many} against {plain}");
    }
}

#[test]
fn a_second_behaviour_that_carries_the_signal_helps() {
    for seed in [1, 2, 3] {
        let (data, friends) = planted(0.5, seed);
        let (plain, many) = recalls(&data, |_| friends.clone(), seed);
        assert!(many > plain + 0.04, "seed {seed}: {many} against {plain}");
    }
}

#[test]
fn a_run_has_the_same_bits_for_any_number_of_threads_and_when_taken_up_again() {
    let (data, friends) = planted(0.6, 2);
    let split = Way::PerUser { share: 0.2 }.split(&data, 1).unwrap();
    let (train, validation) = split.train.hold_out(0.1, 1).unwrap();
    let behaviours = [friends, same_as(&train, "again")];
    let input = Input { train: &train, validation: Some(&validation), behaviours: &behaviours };
    let config = Config { hops: vec![1, 3], ..small() };
    let with = |threads: usize, checkpoint: Option<Checkpoint<'_>>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit_with(input, &config, 3, checkpoint, &mut |_| {}).unwrap())
    };
    let one = with(1, None);
    assert_eq!(one.params().fingerprint(), with(3, None).params().fingerprint());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    with(1, Some(Checkpoint { path: &path, pause_after: Some(2) }));
    let resumed = with(2, Some(Checkpoint { path: &path, pause_after: None }));
    assert_eq!(one.params().fingerprint(), resumed.params().fingerprint());
    let views: Vec<(&str, usize)> =
        one.attention().iter().map(|view| (view.behaviour.as_str(), view.hops)).collect();
    let expected = [(TARGET, 1), (TARGET, 3), ("friends", 1), ("friends", 3), ("again", 1), ("again", 3)];
    assert_eq!(views, expected);
    // A row for each behaviour, and the first weighs most in the loss.
    assert_eq!(one.epochs[0].losses.len(), 3);

    let fewer = Input { behaviours: &behaviours[..1], ..input };
    let point = Some(Checkpoint { path: &path, pause_after: None });
    let refused = fit_with(fewer, &config, 3, point, &mut |_| {}).unwrap_err().to_string();
    assert!(refused.contains("another seed, model config or data"), "{refused}");
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let train = Train::new(rows(3, 3, &[(0, 0), (1, 1), (2, 2)])).unwrap();
    let refused = |behaviours: &[Behaviour], config: &Config| {
        let input = Input { train: &train, validation: None, behaviours };
        fit(input, config, 1, &mut |_| {}).unwrap_err().to_string()
    };
    for (config, expected) in [
        (Config { hops: vec![], ..small() }, "hops = [], allowed is 1 to 8 different"),
        (Config { hops: vec![2, 2], ..small() }, "hops = [2, 2]"),
        (Config { hops: vec![1, 65], ..small() }, "hops = [1, 65]"),
        (Config { auxiliary: -1.0, ..small() }, "auxiliary = -1"),
        (Config { width: 0, ..small() }, "width = 0"),
    ] {
        let error = refused(&[], &config);
        assert!(error.starts_with(expected), "{error}");
    }
    let named =
        |name: &str, ties: Vec<(u32, u32)>| Behaviour { name: name.to_owned(), edges: Edges::Users { ties } };
    let twice = refused(&[named("a", vec![(0, 1)]), named("a", vec![(0, 1)])], &small());
    assert_eq!(twice, "behaviours: name = a, allowed is each name once");
    assert!(refused(&[named(TARGET, vec![(0, 1)])], &small()).contains("each name once"));
    assert!(refused(&[named("a", vec![(0, 3)])], &small()).contains("edge 0: user 3"));
    // A behaviour without an edge is one that nobody does.
    let input = Input { train: &train, validation: None, behaviours: &[named("a", vec![])] };
    let model = fit(input, &small(), 1, &mut |_| {}).unwrap();
    assert_eq!(model.attention()[1].weight, 0.0);
    assert!(Config::lastfm().check().is_ok());
}
