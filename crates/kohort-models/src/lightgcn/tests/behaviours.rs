//! Several behaviours.

use kohort_core::{GradCheck, Tape};
use kohort_data::Train;
use kohort_random::{rand::Rng, stream};

use super::*;
use crate::lightgcn::behaviours::Fusion;

/// Users of two tastes, each with items of its own. In training each user has one of the ten items of their taste; beside, most of them.
struct Tastes {
    train: Train,
    beside: [Vec<u32>; 2],
    test: Vec<(u32, u32)>,
}

const USERS: u32 = 60;
const OWN: u32 = 10;

fn tastes(seed: u64) -> Tastes {
    let mut numbers = stream(seed, "tastes", &[]);
    let (mut pairs, mut beside, mut test) = (Vec::new(), [Vec::new(), Vec::new()], Vec::new());
    for user in 0..USERS {
        let mut items: Vec<u32> = (0..OWN).map(|item| user % 2 * OWN + item).collect();
        for at in (1..items.len()).rev() {
            items.swap(at, numbers.random_range(0..=at));
        }
        pairs.extend(items[..1].iter().map(|&item| (user, item)));
        test.push((user, items[1]));
        for &item in &items[2..] {
            beside[0].push(user);
            beside[1].push(item);
        }
    }
    Tastes { train: Train::new(rows(USERS as usize, 2 * OWN as usize, &pairs)).unwrap(), beside, test }
}

/// Share of items of the other taste that stand below the user's test item.
fn auc(model: &LightGcn, test: &[(u32, u32)]) -> f64 {
    let found = model.representations();
    let items = found.items.chunks_exact(found.width);
    let score = |user: u32, item: u32| {
        let x = found.user(user).unwrap();
        dot(x, items.clone().nth(item as usize).unwrap())
    };
    let of = |&(user, item): &(u32, u32)| {
        let others = (0..OWN).map(|other| (1 - user % 2) * OWN + other);
        others.filter(|&other| score(user, other) < score(user, item)).count() as f64 / f64::from(OWN)
    };
    test.iter().map(of).sum::<f64>() / test.len() as f64
}

#[test]
fn a_behaviour_that_shows_the_taste_helps_where_training_rows_are_few() {
    let (mut with, mut without) = (0.0, 0.0);
    let config = Config { train: TrainConfig { epochs: 30, ..small().train }, ..small() };
    for seed in 0..3 {
        let Tastes { train, beside: [user, item], test } = tastes(seed);
        let behaviours = [Behaviour { name: "beside", user: &user, item: &item, weight: 1.0 }];
        let fit = |behaviours| {
            let input = Input { train: &train, validation: None, behaviours };
            auc(&fit(input, &config, seed, &mut |_| {}).unwrap(), &test) / 3.0
        };
        with += fit(&behaviours);
        without += fit(&[]);
    }
    assert!(with > 0.97 && with > without + 0.03, "{with} and {without}");
}

/// The same graph twice and no loss of its own: the same propagated embeddings, however they are weighed.
#[test]
fn the_training_rows_told_twice_are_lightgcn() {
    let split = world();
    let rows = split.train.rows();
    let again = [Behaviour { name: "again", user: &rows.user, item: &rows.item, weight: 0.0 }];
    let fit = |behaviours| {
        let input = Input { train: &split.train, validation: None, behaviours };
        fit(input, &small(), 3, &mut |_| {}).unwrap()
    };
    let (one, two) = (fit(&[]), fit(&again));
    for (a, b) in one.representations().users.iter().zip(&two.representations().users) {
        assert!((a - b).abs() < 1e-3, "{a} and {b}");
    }
    assert!(one.newcomer(&[0]).is_some() && two.newcomer(&[0]).is_none());
}

#[test]
fn the_weights_of_behaviours_pass_finite_differences() {
    let mut numbers = stream(5, "fusion", &[]);
    let mut values = |count: usize| (0..count).map(|_| numbers.random_range(-1.0..1.0)).collect::<Vec<f64>>();
    let mut params = kohort_core::Params::<f64>::new();
    let (a, b) = (params.add("a", 4, 3, values(12)), params.add("b", 4, 3, values(12)));
    let fusion = Fusion::given(&mut params, (3, 2), [values(6), values(2), values(2)]);
    let check = GradCheck::default();
    check
        .run(&params, |tape: &mut Tape<f64>, params| {
            let parts = [tape.param(params, a), tape.param(params, b)];
            fusion.mix(tape, params, &parts)
        })
        .unwrap();
}

#[test]
fn a_behaviour_that_cannot_be_is_named() {
    let split = world();
    let say = |user: &[u32], item: &[u32], weight: f64| {
        let behaviours = [Behaviour { name: "cart", user, item, weight }];
        let input = Input { train: &split.train, validation: None, behaviours: &behaviours };
        fit(input, &small(), 1, &mut |_| {}).unwrap_err().to_string()
    };
    assert!(say(&[0], &[0], f64::NAN).contains("weight of behaviour cart = NaN"));
    assert!(say(&[0, 1], &[0], 1.0).contains('2'));
    assert!(say(&[1_000_000], &[0], 1.0).contains("1000000"));
}
