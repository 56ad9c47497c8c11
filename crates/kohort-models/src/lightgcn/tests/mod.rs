mod contract;
mod golden;
mod newcomers;

use super::*;
use crate::trainer::TrainConfig;
use kohort_data::synthetic::Recipe;
use kohort_data::{Interactions, Split, Way};

fn world() -> Split {
    let (data, _) = Recipe::small().generate(5).unwrap();
    Way::PerUser { share: 0.2 }.split(&data.interactions, 1).unwrap()
}

fn small() -> Config {
    Config {
        width: 8,
        layers: 2,
        train: TrainConfig {
            epochs: 4,
            batch: 256,
            shard_rows: 256,
            learning_rate: 0.01,
            ..TrainConfig::default()
        },
        ..Config::default()
    }
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
