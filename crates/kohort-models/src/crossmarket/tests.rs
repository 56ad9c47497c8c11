//! Features against slow counts and against numpy; the ranker against what every system owes.

mod contract;
mod described;
mod golden;
mod parts;

use kohort_core::{Params, Tape};
use kohort_data::{Interactions, Train, territories::Territories};
use kohort_random::{rand::Rng, stream};

use super::features::{Asked, Features, Scratch};
use super::*;

const DAY: i64 = 86_400;

/// Forty users of three territories take some of twenty items, each at most once, on days that often tie.
fn made_up(seed: u64) -> (Interactions, Territories) {
    let (users, items) = (40, 20);
    let mut numbers = stream(seed, "made-up rows", &[]);
    let mut rows = Interactions { users, items, ..Interactions::default() };
    for user in 0..users as u32 - 1 {
        for item in 0..items as u32 - 1 {
            if numbers.random_range(0..4) == 0 {
                rows.user.push(user);
                rows.item.push(item);
                rows.rating.push(1.0);
                rows.time.push(numbers.random_range(0..40) * 20 * DAY);
            }
        }
    }
    let order = kohort_random::permutation(rows.len(), &mut numbers);
    let names = ["x", "y", "z"].map(str::to_owned).to_vec();
    let of_user = (0..users as u32).map(|user| user % 3).collect();
    (rows.select(&order), Territories::new(names, of_user).unwrap())
}

/// Everything that features are made from, for the rows given.
fn features(rows: &Interactions, territories: &Territories, config: &Config) -> Features {
    Features::fit(&Train::new(rows.clone()).unwrap(), territories, config).unwrap()
}

fn describe(features: &Features, asked: Asked<'_>, items: &[u32], own: Option<f64>) -> Vec<f32> {
    let mut out = vec![0.0; items.len() * features.width()];
    features.describe(asked, items, own, &mut Scratch::default(), &mut out);
    out
}

#[track_caller]
fn close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (n, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(found) - expected).abs() < tolerance, "{what}, {n}: {found}, expected {expected}");
    }
}
