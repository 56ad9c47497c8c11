//! Features and logits equal numpy's; `tests/golden/crossmarket.py` made the values.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::crossmarket::net::{Net, Sizes};

#[derive(Deserialize)]
struct Golden {
    users: usize,
    items: usize,
    territories: usize,
    most_history: usize,
    territory: Vec<u32>,
    user: Vec<u32>,
    item: Vec<u32>,
    day: Vec<i64>,
    asked: Vec<Vec<Vec<f64>>>,
    trained: Vec<Vec<f64>>,
    sizes: [usize; 3],
    weights: BTreeMap<String, Vec<f32>>,
    logits: Vec<Vec<f64>>,
}

fn golden() -> (Golden, Features, Config) {
    let golden: Golden =
        serde_json::from_str(include_str!("../../../tests/golden/crossmarket.json")).unwrap();
    let rows = Interactions {
        user: golden.user.clone(),
        item: golden.item.clone(),
        rating: vec![1.0; golden.user.len()],
        time: golden.day.iter().map(|day| day * DAY).collect(),
        users: golden.users,
        items: golden.items,
    };
    let names = (0..golden.territories).map(|m| m.to_string()).collect();
    let territories = Territories::new(names, golden.territory.clone()).unwrap();
    let [width, tower, hidden] = golden.sizes;
    let config = Config { most_history: golden.most_history, width, tower, hidden, ..Config::default() };
    let features = features(&rows, &territories, &config);
    (golden, features, config)
}

#[test]
fn features_equal_numpy() {
    let (golden, features, _) = golden();
    let mut history = Vec::new();
    let items: Vec<u32> = (0..golden.items as u32).collect();
    for (user, expected) in (0u32..).zip(&golden.asked) {
        let now = features.histories.of_user(user, &mut history);
        let asked = Asked { territory: features.territory(user), history: &history, now };
        close(&describe(&features, asked, &items, None), &expected.concat(), 2e-5, &format!("user {user}"));
    }
    for (row, expected) in (0u32..).zip(&golden.trained) {
        let (user, item) = (golden.user[row as usize], golden.item[row as usize]);
        let now = features.histories.of_row(user, row, &mut history);
        let asked = Asked { territory: features.territory(user), history: &history, now };
        let own = Some(features.histories.day(user, row));
        close(&describe(&features, asked, &[item], own), expected, 2e-5, &format!("row {row}"));
    }
}

#[test]
fn logits_equal_numpy() {
    let (golden, features, config) = golden();
    // Means of 0 and deviations of 1.
    let scaling = Scaling::given(&[0.0; 7], &[1.0; 7]);
    let sizes = Sizes { items: golden.items, territories: golden.territories, scaling: &scaling };
    let mut params = Params::new();
    let net = Net::new(&mut params, &config, &sizes, 1);
    let mut left = golden.weights.len();
    for slot in params.slots_mut() {
        match golden.weights.get(&slot.name) {
            Some(value) => {
                slot.value.clone_from(value);
                left -= 1;
            }
            None => assert!(!slot.trainable, "{} has no golden value", slot.name),
        }
    }
    assert_eq!(left, 0, "the network has no more parameters than the script");
    let model = CrossMarket::untrained(net, features, params);
    let items: Vec<u32> = (0..golden.items as u32).collect();
    for (user, expected) in (0u32..).zip(&golden.logits) {
        let mut scores = vec![0.0; items.len()];
        model.score_items(user, &items, &mut scores);
        close(&scores, expected, 2e-4, &format!("user {user}"));
    }
}
