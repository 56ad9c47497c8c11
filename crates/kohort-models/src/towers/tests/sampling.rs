//! Histories without the row's own item, and negatives that are drawn anew.

use super::users::{Histories, Users};
use super::*;
use crate::trainer::System;

#[test]
fn a_training_rows_user_vector_knows_nothing_of_its_own_item() {
    let world = world();
    let clicks = world.clicks();
    let rows = clicks.rows();
    let histories = Histories::new(&rows.user, &rows.item, rows.users);
    let vector = |factors: &Vectors, row: usize, own: bool| {
        let users = Users::new(UserInput::Folded(factors), &histories, 0.5);
        let mut x = vec![9.0; factors.width()];
        users.write(rows.user[row], own.then_some(rows.item[row]), &mut x);
        x
    };
    for row in [0, 17, 200] {
        let mut values = world.factors.values().to_vec();
        let width = world.factors.width();
        let own = rows.item[row] as usize * width..(rows.item[row] as usize + 1) * width;
        values[own].iter_mut().for_each(|x| *x = 1000.0 - 37.0 * *x);
        let changed = Vectors::new(values, width).unwrap();
        assert_eq!(vector(&world.factors, row, true), vector(&changed, row, true), "training");
        assert_ne!(vector(&world.factors, row, false), vector(&changed, row, false), "scoring");
    }
}

#[test]
fn a_folded_user_is_the_sum_of_the_historys_factors_over_a_power_of_their_number() {
    let factors = Vectors::new(vec![1.0, 10.0, 2.0, 20.0, 4.0, 40.0], 2).unwrap();
    // User 0 has item 0 twice, which counts once; user 2 has nothing.
    let histories = Histories::new(&[0, 0, 1, 0], &[0, 1, 2, 0], 3);
    let vector = |power, user, own| {
        let mut x = vec![9.0; 2];
        Users::new(UserInput::Folded(&factors), &histories, power).write(user, own, &mut x);
        x
    };
    assert_eq!(vector(0.0, 0, None), [3.0, 30.0]);
    assert_eq!(vector(1.0, 0, None), [1.5, 15.0]);
    assert_eq!(vector(0.5, 0, None), [3.0, 30.0].map(|sum: f64| (sum / 2f64.sqrt()) as f32));
    assert_eq!(vector(0.5, 0, Some(0)), [2.0, 20.0], "without both rows of the own item");
    assert_eq!(vector(0.5, 0, Some(2)), vector(0.5, 0, None), "an item that is not there takes nothing");
    assert_eq!(vector(0.5, 1, Some(2)), [0.0, 0.0], "nothing is left");
    assert_eq!(vector(0.5, 2, None), [0.0, 0.0]);
}

#[test]
fn negatives_come_from_the_users_territory_and_anew_in_each_epoch_whatever_the_batch() {
    let world = world();
    let clicks = world.clicks();
    let config = sampled();
    let input = Input { train: &clicks, ..world.input() };
    let rows = Rows::prepare(input, &config, 1).unwrap();
    let all: Vec<u32> = (0..rows.rows() as u32).collect();
    let first = rows.titles(&all, 0);
    assert_eq!(first.len(), all.len() * 4);
    let turned: Vec<u32> = all.iter().rev().copied().collect();
    let second = rows.titles(&turned, 0);
    let mut differ = 0;
    for row in 0..all.len() {
        let own = &first[row * 4..row * 4 + 4];
        let last = all.len() - 1 - row;
        assert_eq!(own, &second[last * 4..last * 4 + 4], "the other rows of a batch change nothing");
        let user = clicks.rows().user[row];
        assert_eq!(own[0], clicks.rows().item[row]);
        let negatives = kohort_data::TrainNegatives::new(&clicks, &world.markets).unwrap();
        for title in &own[1..] {
            assert!(negatives.pool(user).contains(title), "from the own territory");
            let had = (0..clicks.rows().len())
                .any(|r| (clicks.rows().user[r], clicks.rows().item[r]) == (user, *title));
            assert!(!had, "not what the user has");
        }
        differ += usize::from(own[1..] != rows.titles(&[row as u32], 1)[1..]);
        if row > 60 {
            break;
        }
    }
    assert!(differ > 50, "{differ} of 61 rows have other negatives in the next epoch");
}

#[test]
fn a_user_without_an_item_left_is_left_out_and_nobody_left_is_an_error() {
    let one = Territories::new(vec!["one".into()], vec![0, 0]).unwrap();
    let (users, titles) = (noise("u", 2, 3), noise("t", 2, 3));
    let config = Config { user: vec![2], title: vec![2], ..sampled() };
    let input = |train| Input {
        train,
        known: None,
        users: UserInput::Given(&users),
        titles: &titles,
        territories: &one,
        groups: None,
        weights: None,
        validation: None,
    };
    let train = rows(2, 2, &[(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0)]);
    assert_eq!(Rows::prepare(input(&train), &config, 1).unwrap().rows(), 1);
    let full = rows(2, 2, &[(0, 0, 1.0), (0, 1, 1.0)]);
    let error = fit(input(&full), &config, 1, &mut |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("none of 2 rows is a positive beside which a negative is left"), "{error}");
}
