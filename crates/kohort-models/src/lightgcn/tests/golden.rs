//! Losses, embeddings and metrics of three epochs equal PyTorch's; `tests/golden/lightgcn.py` made the values in f64, these are
//! f32: losses agree to 1e-6, embeddings to 2e-6, and the lists, whose right and wrong items lie 1e-6 apart or more in all of
//! them, altogether.

use kohort_core::Grads;
use kohort_core::optim::Optimizer;
use kohort_core::shards::Shards;
use kohort_eval::ranking::{CandidateLists, Catalogue, Exclusions, RankingMetric};
use serde::Deserialize;

use super::*;
use crate::trainer::System;
use system::Triple;

#[derive(Deserialize)]
struct Golden {
    users: usize,
    items: usize,
    width: usize,
    batch: usize,
    rate: f64,
    penalty: f64,
    train: Vec<(u32, u32)>,
    test: Vec<(u32, u32)>,
    start: Vec<f32>,
    epochs: Vec<Vec<Triple>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    layers: usize,
    epochs: Vec<Measured>,
    representations: Vec<f32>,
}

#[derive(Deserialize)]
struct Measured {
    loss: f64,
    penalty: f64,
    recall: f64,
    ndcg: f64,
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: f64, most: f64) {
    assert!((ours - theirs).abs() <= most, "{what}: {ours} against {theirs}");
}

#[test]
fn losses_embeddings_and_metrics_of_three_epochs_equal_those_of_pytorch() {
    let golden: Golden = serde_json::from_str(include_str!("../../../tests/golden/lightgcn.json")).unwrap();
    let train = Train::new(rows(golden.users, golden.items, &golden.train)).unwrap();
    let test = rows(golden.users, golden.items, &golden.test);
    let held = CandidateLists::held_out(&test.user, &test.item, &vec![1.0; test.len()]).unwrap();
    let known = Exclusions::new(&train.rows().user, &train.rows().item).unwrap();
    let catalogue = Catalogue::new(&held, &known, golden.items as u32).unwrap();
    for case in &golden.cases {
        let config =
            Config { width: golden.width, layers: case.layers, penalty: golden.penalty, ..Config::default() };
        let system = Rows::prepare(Input { train: &train, validation: None }, &config, 1).unwrap();
        let mut params = system.initial(1);
        params.slots_mut()[0].value.clone_from(&golden.start);
        let mut shards = Shards::new(&params, golden.batch);
        let mut adam = Optimizer::new(&params, config.train.rule, config.train.tables);
        for (epoch, (triples, expected)) in golden.epochs.iter().zip(&case.epochs).enumerate() {
            let (mut loss, mut penalty) = (0.0, 0.0);
            for batch in triples.chunks(golden.batch) {
                let nodes: Vec<Triple> = batch
                    .iter()
                    .map(|&(u, i, j)| (u, golden.users as u32 + i, golden.users as u32 + j))
                    .collect();
                let scale = 1.0 / batch.len() as f64;
                let recorded = shards.forward(&params, batch.len(), |shard, tape| {
                    system.record_triples(tape, &params, &nodes[shard.rows], None, scale)
                });
                let (of_loss, of_penalty) = (recorded[0].losses[0], recorded[0].penalty.unwrap());
                let tape = shards.tapes().next().unwrap();
                loss += tape.scalar(of_loss) * batch.len() as f64;
                penalty += tape.scalar(of_penalty) / triples.len().div_ceil(golden.batch) as f64;
                let grads: &Grads = shards.backward(|_, tape, grads| {
                    tape.backward(&params, &[(of_loss, 1.0), (of_penalty, 1.0)], grads);
                });
                adam.step(&mut params, grads, golden.rate as f32);
            }
            let what = |name: &str| format!("{} layers, epoch {epoch}: {name}", case.layers);
            near(&what("loss"), loss / triples.len() as f64, expected.loss, 1e-6);
            near(&what("penalty"), penalty, expected.penalty, 1e-6);
            let found = system.represent(&params);
            let ranked = catalogue
                .evaluate_blocks(&protocol(), 7, |users, scores| found.lists(users, scores))
                .unwrap();
            near(&what("recall"), ranked.mean(RankingMetric::Recall).unwrap(), expected.recall, 1e-12);
            near(&what("NDCG"), ranked.mean(RankingMetric::Ndcg).unwrap(), expected.ndcg, 1e-12);
        }
        let found = system.represent(&params);
        let ours = found.users.iter().chain(&found.items);
        assert_eq!(case.representations.len(), found.users.len() + found.items.len());
        for (at, (&ours, &theirs)) in ours.zip(&case.representations).enumerate() {
            near(&format!("{} layers, value {at}", case.layers), ours.into(), theirs.into(), 2e-6);
        }
    }
}
