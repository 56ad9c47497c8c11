//! What comes next is found where popularity is blind; and what every system owes.

use kohort_data::{Interactions, Parts, ThreeWay, territories::Territories};
use kohort_eval::ranking::{CandidateLists, Candidates, Exclusions, Gain, RankingProtocol};
use kohort_random::{permutation, rand::Rng, stream};

use super::*;
use crate::implicit::popularity::PooledPopularity;
use crate::trainer::TrainConfig;

const ITEMS: usize = 150;
const USERS: usize = 300;

/// Users whose every next item is a fixed function of the one `back` places before it: the last, or the one before the last.
fn planted(back: usize) -> Parts {
    let mut numbers = stream(3, "planted sequences", &[]);
    let next = permutation(ITEMS, &mut numbers);
    let mut rows = Interactions { users: USERS, items: ITEMS, ..Interactions::default() };
    for user in 0..USERS as u32 {
        let mut own: Vec<u32> = (0..back).map(|_| numbers.random_range(0..ITEMS as u32)).collect();
        while own.len() < 14 {
            own.push(next[own[own.len() - back] as usize]);
        }
        for (time, item) in (0i64..).zip(own) {
            rows.user.push(user);
            rows.item.push(item);
            rows.rating.push(1.0);
            rows.time.push(time);
        }
    }
    // Times say what the order is, rows don't.
    let order = permutation(rows.len(), &mut numbers);
    ThreeWay::LeaveTwoOut.split_with_duplicates(&rows.select(&order)).unwrap()
}

fn small() -> Config {
    let train =
        TrainConfig { epochs: 4, batch: 64, shard_rows: 16, learning_rate: 0.01, ..Config::default().train };
    Config { width: 16, heads: 2, blocks: 1, most: 10, train, ..Config::default() }
}

fn run(parts: &Parts, config: &Config) -> SasRec {
    let input = Input { train: &parts.train, validation: Some(&parts.validation) };
    fit(input, config, 1, &mut |_| {}).unwrap()
}

/// Share of users whose test item is among the first ten of it and 99 others.
fn hit_rate(parts: &Parts, model: &dyn Scorer) -> f64 {
    let (known, asked) = (parts.train.rows(), parts.test.answers());
    let taken = Exclusions::new(&known.user, &known.item).unwrap();
    let lists = CandidateLists::held_out(&asked.user, &asked.item, &vec![1.0; asked.len()]).unwrap();
    let lists = lists.with_negatives(99, 1, ITEMS as u32, &taken).unwrap();
    let (user, item): (Vec<u32>, Vec<u32>) = lists.pairs().into_iter().unzip();
    let scores = model.score(Queries { user: &user, item: &item, time: &vec![0; user.len()] });
    let protocol = RankingProtocol {
        candidates: Candidates::SampledNegatives { count: 99, seed: 1 },
        relevant_from: 1.0,
        gain: Gain::Binary,
        ..RankingProtocol::default()
    };
    let hits = lists.evaluate(&protocol, &scores).unwrap().hit;
    hits.iter().flatten().sum::<f64>() / hits.len() as f64
}

#[test]
fn the_function_of_the_last_or_the_last_but_one_item_is_found_where_popularity_is_blind() {
    for back in [1, 2] {
        let parts = planted(back);
        let train = TrainConfig { epochs: 60, ..small().train };
        let mut model = run(&parts, &Config { train, ..small() });
        model.remember(&parts.train.clone().with(parts.validation.clone())).unwrap();
        let (ours, theirs) =
            (hit_rate(&parts, &model), hit_rate(&parts, &PooledPopularity::fit(&parts.train).unwrap()));
        println!("{back} back: {ours:.3}, popularity {theirs:.3}, epoch {}", model.best);
        assert!(ours > 0.9 && ours > theirs + 0.6, "{back} back: {ours}, popularity {theirs}");
    }
}
