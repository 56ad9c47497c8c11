//! Logits, losses and gradients equal PyTorch's; `tests/golden/towers.py` made the values.

use kohort_core::{Grads, Tape};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::*;
use crate::trainer::System;

#[derive(Deserialize)]
struct Golden {
    users: usize,
    items: usize,
    user_width: usize,
    title_width: usize,
    user_vectors: Vec<f32>,
    title_vectors: Vec<f32>,
    group: Vec<u32>,
    rows: Vec<(u32, u32, f32)>,
    weights: Vec<f32>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    grouped: bool,
    denominator: Denominator,
    weighted: bool,
    loss: String,
    params: BTreeMap<String, Vec<f32>>,
    logits: Vec<f32>,
    losses: Vec<f64>,
    grads: BTreeMap<String, Vec<f32>>,
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-6 + 2e-5 * theirs.abs(), "{what}: {ours} against {theirs}");
}

#[test]
fn logits_losses_and_gradients_equal_those_of_pytorch() {
    let golden: Golden = serde_json::from_str(include_str!("../../../tests/golden/towers.json")).unwrap();
    let users = Vectors::new(golden.user_vectors, golden.user_width).unwrap();
    let titles = Vectors::new(golden.title_vectors, golden.title_width).unwrap();
    let markets = Territories::new(vec!["one".into()], vec![0; golden.users]).unwrap();
    for case in golden.cases {
        let softmax = case.loss.starts_with("softmax");
        let chosen: Vec<_> = golden.rows.iter().filter(|row| !softmax || row.2 == 1.0).copied().collect();
        let train = rows(golden.users, golden.items, &chosen);
        let has = |prefix: &str| case.params.keys().any(|name| name.starts_with(prefix));
        let config = Config {
            user: vec![5, 2],
            title: vec![5, 2],
            blocks: Blocks {
                residual: has("group0/block"),
                relu_first: case.name.contains("ReLU first"),
                hidden: if has("group0/block/1") { vec![3] } else { Vec::new() },
                own_layers: usize::from(has("group0/user")),
            },
            labels: if softmax { Labels::Sampled { negatives: 0 } } else { Labels::Shown { threshold: 1.0 } },
            loss: if softmax {
                Loss::Softmax { log_q: case.loss.ends_with("log-q") }
            } else {
                Loss::Logistic
            },
            denominator: case.denominator,
            ..Config::default()
        };
        let input = Input {
            train: &train,
            known: None,
            users: UserInput::Given(&users),
            titles: &titles,
            territories: &markets,
            groups: case.grouped.then_some(Groups { of_user: &golden.group, count: 2 }),
            weights: case.weighted.then_some(&golden.weights),
            validation: None,
        };
        let system = Rows::prepare(input, &config, 1).unwrap();
        let mut params = system.initial(1);
        assert_eq!(params.slots().len(), case.params.len(), "{}", case.name);
        for slot in params.slots_mut() {
            slot.value.clone_from(&case.params[&slot.name]);
        }
        let batch: Vec<u32> = (0..chosen.len() as u32).collect();
        let terms = system.terms(&batch).unwrap();
        let weights: Vec<_> = terms.iter().map(|t| t.weight.as_deref()).collect();
        let scales: Vec<f64> = terms.iter().map(|t| t.scale).collect();
        let mut tape = Tape::new();
        let recorded = system.record(&mut tape, &params, &batch, &weights, &scales, &mut Mode::score());
        assert_eq!(recorded.losses.len(), case.losses.len(), "{}", case.name);
        for (&loss, &theirs) in recorded.losses.iter().zip(&case.losses) {
            near(&format!("{}: loss", case.name), tape.scalar(loss), theirs);
        }
        let seeds: Vec<_> = recorded.losses.iter().map(|&loss| (loss, 1.0)).collect();
        let mut grads = Grads::new(&params);
        tape.backward(&params, &seeds, &mut grads);
        for id in params.ids() {
            let name = &params.slot(id).name;
            for (&ours, &theirs) in grads.to_dense(id, &params).iter().zip(&case.grads[name]) {
                near(&format!("{}: {name}", case.name), ours.into(), theirs.into());
            }
        }
        // Scoring goes another way: representations first.
        let model = system.model(params);
        let ours = model.score(Queries { user: &train.rows().user, item: &train.rows().item, time: &[] });
        let bias = if softmax { case.params["logit/bias"][0] } else { 0.0 };
        for (&ours, &theirs) in ours.iter().zip(&case.logits) {
            near(&format!("{}: logit", case.name), ours.into(), (theirs + bias).into());
        }
    }
}
