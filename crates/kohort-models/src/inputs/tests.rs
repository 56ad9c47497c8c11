//! The vectors against the decomposition they are made of, and what must not move them.

use kohort_data::{Interactions, Train};
use kohort_random::{rand::Rng, stream};

use super::{Config, Inputs, of_train};
use crate::ModelError;

fn made_up(users: usize, items: usize, rows: usize, seed: u64) -> Train {
    let mut numbers = stream(seed, "input rows", &[]);
    let mut draw = |below: usize| (0..rows).map(|_| numbers.random_range(0..below as u32 - 1)).collect();
    let (user, item) = (draw(users), draw(items));
    Train::new(Interactions { user, item, rating: vec![1.0; rows], time: vec![0; rows], users, items })
        .unwrap()
}

fn small() -> Config {
    let flat = Config { title_values: 0.0, factor_values: 0.0, scale: 1.0, ..Config::default() };
    Config { titles: 12, factors: 6, ..flat }
}

/// `[users, factors]`, each user the sum of the factors of the own items over the root of their number.
fn folded(train: &Train, inputs: &Inputs) -> Vec<Vec<f64>> {
    let rows = train.rows();
    let mut pairs: Vec<(u32, u32)> = rows.user.iter().copied().zip(rows.item.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
        .chunk_by(|a, b| a.0 == b.0)
        .map(|own| {
            let mut sum = vec![0.0; inputs.factors.width()];
            for &(_, item) in own {
                let factor = inputs.factors.row(item as usize);
                sum.iter_mut().zip(factor).for_each(|(sum, &x)| *sum += f64::from(x));
            }
            sum.into_iter().map(|x| x / (own.len() as f64).sqrt()).collect()
        })
        .collect()
}

fn mean_square(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), x| (sum + x * x, count + 1));
    sum / f64::from(count)
}

#[test]
fn folded_users_are_left_singular_vectors_times_the_values_and_entries_have_the_scale() {
    let train = made_up(60, 30, 500, 1);
    let config = Config { scale: 2.0, ..small() };
    let inputs = of_train(&train, &config, 1).unwrap();
    let users = folded(&train, &inputs);
    assert!((mean_square(users.iter().flatten().copied()) - 4.0).abs() < 1e-4);
    let titles = inputs.titles.values()[..29 * 12].iter().map(|&x| f64::from(x)); // item 29 has no row
    assert!((mean_square(titles) - 4.0).abs() < 1e-4);
    // With p = ½ and b = 0, folding is M·V: columns are orthogonal, and their lengths are to each other as the values.
    let product = |a: usize, b: usize| users.iter().map(|user| user[a] * user[b]).sum::<f64>();
    let unit = product(0, 0) / inputs.values[0].powi(2);
    for a in 0..6 {
        for b in 0..6 {
            let want = if a == b { inputs.values[a].powi(2) } else { 0.0 };
            assert!((product(a, b) / unit - want).abs() < 1e-4, "columns {a} and {b}");
        }
    }
}

#[test]
fn powers_of_the_values_stretch_the_columns() {
    let train = made_up(60, 30, 500, 2);
    let flat = of_train(&train, &small(), 1).unwrap();
    let stretched = of_train(&train, &Config { title_values: 1.0, ..small() }, 1).unwrap();
    let column = |inputs: &Inputs, at: usize| -> f64 {
        (0..30).map(|item| f64::from(inputs.titles.row(item)[at]).powi(2)).sum::<f64>().sqrt()
    };
    for at in 1..12 {
        assert!((column(&flat, at) / column(&flat, 0) - 1.0).abs() < 1e-4);
        let want = flat.values[at] / flat.values[0];
        assert!((column(&stretched, at) / column(&stretched, 0) - want).abs() < 1e-4, "column {at}");
    }
    let unit = of_train(&train, &Config { unit_titles: true, ..small() }, 1).unwrap();
    for item in 0..29 {
        let length = mean_square(unit.titles.row(item).iter().map(|&x| f64::from(x)));
        assert!((length - 1.0).abs() < 1e-4, "title {item}");
    }
}

#[test]
fn columns_beyond_the_rank_and_rows_of_unseen_items_are_zero() {
    let train = made_up(9, 30, 60, 3); // user 8 has no row: at most eight directions
    let inputs = of_train(&train, &small(), 1).unwrap();
    let rank = inputs.values.len();
    assert!(rank <= 8, "{rank}");
    for item in 0..30 {
        let row = inputs.titles.row(item);
        assert!(row[rank..].iter().all(|&x| x == 0.0));
        assert!(item < 29 || row.iter().chain(inputs.factors.row(item)).all(|&x| x == 0.0));
    }
}

#[test]
fn order_and_repeats_of_rows_and_threads_move_no_bit() {
    let train = made_up(50, 40, 600, 4);
    let rows = train.rows();
    let order = kohort_random::permutation(rows.len(), &mut stream(4, "order", &[]));
    let again = Train::new(rows.select(&[&order[..], &order[..50]].concat())).unwrap();
    let run = |train: &Train, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| of_train(train, &small(), 9).unwrap())
    };
    let one = run(&train, 1);
    assert_eq!(one, run(&again, 2));
    assert_eq!(one, run(&train, 5));
}

#[test]
fn settings_out_of_range_and_no_rows_are_errors() {
    let train = made_up(9, 9, 60, 5);
    let refused = |config: Config| of_train(&train, &config, 1).unwrap_err().to_string();
    let whole = "a whole number from 1 to 8192";
    assert_eq!(refused(Config { titles: 0, ..small() }), format!("titles = 0, allowed is {whole}"));
    let most = usize::MAX;
    assert_eq!(refused(Config { factors: most, ..small() }), format!("factors = {most}, allowed is {whole}"));
    assert_eq!(
        refused(Config { user_power: -1.0, ..small() }),
        "user_power = -1, allowed is a number of 0 or more"
    );
    assert_eq!(refused(Config { scale: 0.0, ..small() }), "scale = 0, allowed is a number above 0");
    let none = Train::new(Interactions { users: 3, items: 3, ..Interactions::default() }).unwrap();
    assert!(matches!(of_train(&none, &small(), 1), Err(ModelError::NoRows)));
}
