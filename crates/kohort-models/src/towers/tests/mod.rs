mod contract;
mod golden;
mod isolation;
mod masked;
mod planted;
mod refusals;
mod sampling;

use super::*;
use crate::trainer::TrainConfig;
use kohort_data::synthetic::MarketRecipe;
use kohort_data::{Interactions, Split, Way};
use kohort_random::rand::Rng;
use kohort_random::stream;

/// Planted markets with rows that were shown and clicked or not, and vectors that say little.
struct World {
    split: Split,
    markets: Territories,
    users: Vectors,
    titles: Vectors,
    factors: Vectors,
}

fn noise(name: &str, rows: usize, width: usize) -> Vectors {
    let mut numbers = stream(3, name, &[]);
    Vectors::new((0..rows * width).map(|_| numbers.random_range(-1.0..1.0)).collect(), width).unwrap()
}

fn world() -> World {
    let (data, _) = MarketRecipe::small().generate(5).unwrap();
    let split = Way::RandomRows { share: 0.2 }.split(&data.interactions, 1).unwrap();
    let markets = Territories::of(&data, "market").unwrap();
    let (users, titles) = (noise("users", data.users.len(), 12), noise("titles", data.items.len(), 10));
    let factors = noise("factors", data.items.len(), 6);
    World { split, markets, users, titles, factors }
}

impl World {
    fn input(&self) -> Input<'_> {
        Input {
            train: &self.split.train,
            known: None,
            users: UserInput::Given(&self.users),
            titles: &self.titles,
            territories: &self.markets,
            groups: Some(self.groups()),
            weights: None,
            validation: None,
        }
    }

    fn groups(&self) -> Groups<'_> {
        Groups { of_user: self.markets.of_user(), count: self.markets.len() }
    }

    /// Only the clicks, each once.
    fn clicks(&self) -> Train {
        let rows = self.split.train.rows();
        let clicked: Vec<u32> = (0..rows.len() as u32).filter(|&r| rows.rating[r as usize] == 1.0).collect();
        Train::new(rows.select(&clicked)).unwrap()
    }
}

fn small() -> Config {
    Config {
        user: vec![16, 8],
        title: vec![12, 8],
        blocks: Blocks { hidden: vec![6], relu_first: false, ..Blocks::default() },
        labels: Labels::Shown { threshold: 1.0 },
        train: TrainConfig {
            epochs: 4,
            batch: 256,
            shard_rows: 64,
            learning_rate: 0.01,
            ..TrainConfig::default()
        },
        ..Config::default()
    }
}

fn sampled() -> Config {
    Config { labels: Labels::Sampled { negatives: 3 }, ..small() }
}

fn rows(users: usize, items: usize, pairs: &[(u32, u32, f32)]) -> Train {
    Train::new(Interactions {
        user: pairs.iter().map(|p| p.0).collect(),
        item: pairs.iter().map(|p| p.1).collect(),
        rating: pairs.iter().map(|p| p.2).collect(),
        time: vec![0; pairs.len()],
        users,
        items,
    })
    .unwrap()
}
